"""Frames of a video file, in any order, by OpenCV."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np

from vode.data.files import MAX_PIXELS
from vode.errors import InputError

SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp", ".ts")
"""names of files that are taken for videos in a folder; a file that is named itself may have any"""
KEPT = 4
"""decoded frames that are kept, for the neighbours that pairs share"""
AHEAD = 250
"""frames that are decoded to come to one ahead; beyond, the decoder seeks"""


class Video:
    """Frames of a file as RGB (H, W, 3) of 8 bits, turned upright as the file says.

    Any thread may ask for any frame, and processes that were forked have decoders of their own. InputError names a
    file that cannot be decoded, or the frame at which it fails.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: no such file; check --data")
        self._lock = threading.Lock()
        self._capture, self._process, self._next = None, -1, 0
        self._recent: OrderedDict[int, np.ndarray] = OrderedDict()
        capture = self._open()
        width, height = (capture.get(key) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not 0 < width * height <= MAX_PIXELS:
            raise InputError(f"{path}: {width:.0f}x{height:.0f} pixels; a frame has 1 to {MAX_PIXELS}")
        self.rate = capture.get(cv2.CAP_PROP_FPS)
        """frames a second, 0 if the file does not tell"""
        self.count, self.notes = self._count(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.size = self.frame(0).shape[:2]

    def frame(self, index: int) -> np.ndarray:
        with self._lock:
            if index not in self._recent:
                pixels = self._read(index)
                if pixels is None:
                    raise InputError(
                        f"{self.path}: frame {index} cannot be decoded; cut the video there, or copy it again"
                    )
                self._recent[index] = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
                while len(self._recent) > KEPT:
                    self._recent.popitem(last=False)
            return self._recent[index]

    def _count(self, told: int) -> tuple[int, tuple[str, ...]]:
        """The number of frames that can be decoded: as the file tells if the last of them is there, else counted."""
        if told > 0 and self._read(told - 1) is not None:
            return told, ()
        capture, count = self._open(), 0
        while capture.grab():
            count += 1
        self._capture = None
        if not count:
            raise InputError(f"{self.path}: no frame of it can be decoded; convert it, to H.264 in .mp4 for example")
        return count, (f"{self.path}: {count} frames can be decoded; the file tells of {told}",)

    def _read(self, index: int) -> np.ndarray | None:
        capture = self._capture if self._process == os.getpid() and self._capture is not None else self._open()
        if not 0 <= index - self._next <= AHEAD:
            if index < self._next and index <= AHEAD:
                capture = self._open()
            else:
                capture.set(cv2.CAP_PROP_POS_FRAMES, index)
                self._next = index
        while self._next < index:
            if not capture.grab():
                self._capture = None
                return None
            self._next += 1
        done, pixels = capture.read()
        self._next += 1
        if not done:
            self._capture = None
            return None
        return pixels

    def _open(self) -> cv2.VideoCapture:
        """The decoder, at the first frame."""
        self._capture, self._process, self._next = cv2.VideoCapture(str(self.path)), os.getpid(), 0
        if not self._capture.isOpened():
            raise InputError(f"{self.path}: not a video that OpenCV decodes; convert it, to H.264 in .mp4 for example")
        return self._capture

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_capture": None, "_lock": None, "_recent": OrderedDict()}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state | {"_lock": threading.Lock()}
