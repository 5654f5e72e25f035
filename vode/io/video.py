"""Frames of a video file, in any order, by OpenCV."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np

from vode.errors import InputError
from vode.io.image import MAX_PIXELS

SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp", ".ts")
"""names of files that are taken for videos in a folder; a file that is named itself may have any"""
LISTS = (b"ffconcat", b"#EXTM3U")
"""how files begin that a decoder would follow to others, anywhere"""
KEPT = 4
"""decoded frames that are kept, for the neighbours that pairs share"""
AHEAD = 250
"""frames that are decoded to come to one ahead; beyond, the decoder seeks"""
BACK = (0, 1, 10, 100)
"""frames before the one that is sought at which the decoder is told to look, until it does not come out behind it"""
COMPARED = 20
"""frames at the beginning whose times are compared with those in the file"""
SAME = 0.5
"""milliseconds between two times of one frame"""

_INHERITED: list[cv2.VideoCapture] = []
"""decoders of the process that forked this one: freeing one would wait, for ever, for threads that only that one has"""


class Video:
    """Frames of a file as RGB (H, W, 3) of 8 bits, turned upright as the file says.

    Any thread may ask for any frame, and processes that were forked have decoders of their own. InputError names a
    file that cannot be decoded, or the frame at which it fails.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: no such file; check the path")
        with open(self.path, "rb") as file:
            if file.read(64).lstrip(b"\xef\xbb\xbf \r\n").startswith(LISTS):
                raise InputError(f"{path}: a list of other files, not a video; name the video itself")
        self._lock = threading.Lock()
        self._capture, self._process, self._next = None, -1, 0
        self._recent: OrderedDict[int, np.ndarray] = OrderedDict()
        self._times: np.ndarray | None = None
        capture = self._open()
        width, height = (capture.get(key) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if not 0 < width * height <= MAX_PIXELS:
            raise InputError(f"{path}: {width:.0f}x{height:.0f} pixels; a frame has 1 to {MAX_PIXELS}")
        rate = capture.get(cv2.CAP_PROP_FPS)
        self.count, self.notes = self._count(int(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self.timestamps = np.arange(self.count) / rate if rate > 0 else None
        """(count,) seconds, None if the file does not tell"""
        if self._times is not None:
            self.timestamps = self._times / 1000
        self.size = self.frame(0).shape[:2]

    def frame(self, index: int) -> np.ndarray:
        if not 0 <= index < self.count:
            raise IndexError(f"{self.path}: frame {index} of {self.count}")
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
        """The number of frames that can be decoded: as many as the file holds if the last is there, else counted."""
        self._times = times = self._packet_times()
        if times is None or self._read(len(times) - 1) is None:
            self._times = None
            capture, count = self._open(), 0
            while capture.grab():
                count += 1
            self._capture = None
        else:
            count = len(times)
        if not count:
            raise InputError(f"{self.path}: no frame of it can be decoded; convert it, to H.264 in .mp4 for example")
        return count, (f"{self.path}: {count} frames can be decoded; the file tells of {told}",) * (count != told)

    def _packet_times(self) -> np.ndarray | None:
        """When the frames are shown, in milliseconds, read without decoding them; None if that is not to be had.

        Some files give decoded frames other times, so the first ones are compared.
        """
        packets, times = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1]), []
        while packets.grab():
            times.append(packets.get(cv2.CAP_PROP_POS_MSEC))
        times, capture, decoded = np.sort(times), self._open(), []
        while len(decoded) < min(COMPARED, len(times)) and capture.grab():
            decoded.append(capture.get(cv2.CAP_PROP_POS_MSEC))
        self._next = len(decoded)
        told = times[: len(decoded)]
        fit = len(decoded) and (np.diff(times) > 2 * SAME).all() and (np.abs(told - decoded) < SAME).all()
        return times if fit else None

    def _read(self, index: int) -> np.ndarray | None:
        capture = self._capture if self._process == os.getpid() and self._capture is not None else self._open()
        if not 0 <= index - self._next <= AHEAD:
            if self._times is not None and index > AHEAD:
                capture = self._seek(capture, index)
            elif index < self._next:
                capture = self._open()
        while self._next <= index:
            if not capture.grab():
                self._capture = None
                return None
            number = self._number(capture)
            self._next = (self._next if number is None else number) + 1
        done, pixels = capture.retrieve() if self._next == index + 1 else (False, None)
        if not done:
            self._capture = None
            return None
        return pixels

    def _seek(self, capture: cv2.VideoCapture, index: int) -> cv2.VideoCapture:
        """The decoder at a frame, or somewhere before it."""
        for back in BACK:
            capture.set(cv2.CAP_PROP_POS_MSEC, self._times[max(index - back, 0)])
            number = self._number(capture) if capture.grab() else None
            if number is not None and number <= index:
                self._next = number + 1
                return capture
        return self._open()

    def _number(self, capture: cv2.VideoCapture) -> int | None:
        """The number of the frame that was grabbed, by its time: OpenCV's is wrong unless they are evenly spaced."""
        if self._times is None:
            return None
        late = np.abs(self._times - capture.get(cv2.CAP_PROP_POS_MSEC))
        return int(late.argmin()) if late.min() < SAME else None

    def _open(self) -> cv2.VideoCapture:
        """The decoder, at the first frame."""
        if self._capture is not None and self._process != os.getpid():
            _INHERITED.append(self._capture)
        self._capture, self._process, self._next = cv2.VideoCapture(str(self.path)), os.getpid(), 0
        if not self._capture.isOpened():
            raise InputError(f"{self.path}: not a video that OpenCV decodes; convert it, to H.264 in .mp4 for example")
        return self._capture

    def __getstate__(self) -> dict:
        return self.__dict__ | {"_capture": None, "_lock": None, "_recent": OrderedDict()}

    def __setstate__(self, state: dict) -> None:
        self.__dict__ |= state | {"_lock": threading.Lock()}
