"""Frames of a video file by their number, in any order, by PyAV (FFmpeg)."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer

from vode.errors import InputError
from vode.io.image_formats import MAX_PIXELS

SUFFIXES = (
    *(".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".3gp", ".ts", ".mts", ".m2ts"),
    *(".vob", ".m2v", ".dv", ".mxf", ".ogv", ".flv", ".3g2", ".asf"),
)
"""names of files that are taken for videos in a folder; a file that is named itself may have any"""
LISTS = (b"ffconcat", b"#EXTM3U")
"""how files begin that a decoder would follow to others, anywhere"""
KEPT = 4
"""decoded frames that are kept, for the neighbours that pairs share"""
COMPARED = 20
"""frames at the beginning that must come out of the decoder at the times that their packets tell"""
SEARCHED = 2**28
"""pixels of the beginning that are searched for frames like the one before, which takes seconds at the most"""


class Video:
    """Frames of a file as RGB (H, W, 3) of 8 bits, turned upright as the file says.

    Any thread may ask for any frame, and processes that were forked have decoders of their own. InputError names a
    file that cannot be decoded, or the frame at which it fails.
    """

    _frames: Iterator[tuple[int, av.VideoFrame]]

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"{path}: no such file")
        with open(self.path, "rb") as file:
            if file.read(64).lstrip(b"\xef\xbb\xbf \r\n").startswith(LISTS):
                raise InputError(f"{path}: a list of other files, not a video; name the video itself")
        container, stream = _open(self.path)
        if not 0 < stream.width * stream.height <= MAX_PIXELS:
            raise InputError(f"{path}: {stream.width}x{stream.height} pixels; a frame has 1 to {MAX_PIXELS}")
        self._pts, self._keys = _index_of_packets(self.path) or _index_of_frames(self.path)
        if container.format.name == "mpeg":
            # a program stream times some packets only, and of the others FFmpeg's guesses are wrong after a seek
            self._keys = self._keys[:0]
        self.count = len(self._pts)
        if not self.count:
            raise InputError(f"{path}: no frame of it can be decoded; convert it, to H.264 in .mp4 for example")
        self.notes: tuple[str, ...] = ()
        if stream.frames > self.count:
            where = f"read up to frame {self.count} of the {stream.frames} that the file tells of"
            self.notes += (f"{path}: {where}; it is cut short or damaged, and what follows from it holds until there",)
        elif 0 < stream.frames < self.count:
            self.notes += (f"{path}: {self.count} frames can be decoded; the file tells of {stream.frames}",)
        self.notes += _notes_of_frames(self.path, max(SEARCHED // (stream.width * stream.height), COMPARED))
        self.timestamps = np.arange(self.count) / float(stream.average_rate) if stream.average_rate else None
        """(count,) seconds from the first, None if the file does not tell"""
        # AVI tells when frames are decoded, not when they are shown
        if len(self._keys) and container.format.name != "avi":
            self.timestamps = (self._pts - self._pts[0]) * float(stream.time_base or 1)
        self._reset()
        self.size = self.frame(0).shape[:2]
        aspect = float(stream.sample_aspect_ratio or 1)
        turned = self.size != (stream.height, stream.width)
        self.pixel_aspect = 1 / aspect if turned else aspect
        """width of a pixel, as ``frame`` turns it, over its height; 1 if the file does not tell"""

    def frame(self, index: int) -> np.ndarray:
        """RGB (H, W, 3) uint8, turned as players show it; IndexError beyond ``count``, InputError if damaged."""
        if not 0 <= index < self.count:
            raise IndexError(f"{self.path}: frame {index} of {self.count}")
        with self._lock:
            if index not in self._recent:
                self._recent[index] = self._read(index)
                while len(self._recent) > KEPT:
                    self._recent.popitem(last=False)
            return self._recent[index]

    def _read(self, index: int) -> np.ndarray:
        keys = self._keys[self._keys <= index]
        ahead = self._process == os.getpid() and self._next <= index and not (keys > self._next).any()
        frame = self._advance(index) if ahead else None
        if frame is None:
            self._seek(keys)
            frame = self._advance(index)
        if frame is None:
            raise InputError(f"{self.path}: frame {index} cannot be decoded; cut the video there, or copy it again")
        stream = self._file[1]
        pixels = frame.to_ndarray(format="rgb24", width=stream.width, height=stream.height, threads=1)
        # the display matrix turns counterclockwise
        return np.ascontiguousarray(np.rot90(pixels, round(frame.rotation / 90)))

    def _advance(self, index: int) -> av.VideoFrame | None:
        """The frame, decoded from where the decoder is; None if it does not come out."""
        for number, frame in self._frames:
            self._next = number + 1
            if number >= index:
                return frame if number == index else None
        return None

    def _seek(self, keys: np.ndarray) -> None:
        """Put the decoder at the last of these keyframes, or somewhere before it."""
        if self._process != os.getpid():
            self._restart()
        # a damaged keyframe, or a container without an index, may bring it out behind
        for key in keys[:-3:-1]:
            self._frames = self._numbered(_decoded(*self._file, start=int(self._pts[key])))
            first = next(self._frames, None)
            if first is not None and first[0] <= keys[-1]:
                self._frames, self._next = chain([first], self._frames), first[0]
                return
        self._restart()

    def _restart(self) -> None:
        self._file, self._process, self._next = _open(self.path), os.getpid(), 0
        self._frames = self._numbered(_decoded(*self._file))

    def _numbered(self, frames: Iterator[av.VideoFrame]) -> Iterator[tuple[int, av.VideoFrame]]:
        for count, frame in enumerate(frames):
            if not len(self._keys):
                yield count, frame
            elif frame.pts is not None and frame.pts <= self._pts[-1]:
                number = int(np.searchsorted(self._pts, frame.pts))
                if self._pts[number] == frame.pts:
                    yield number, frame

    def _reset(self) -> None:
        """No decoder is open yet."""
        self._lock, self._recent = threading.Lock(), OrderedDict[int, np.ndarray]()
        self._process, self._next = -1, 0
        self._frames = iter(())

    def __getstate__(self) -> dict[str, Any]:
        own = ("_lock", "_recent", "_file", "_frames")
        return {name: value for name, value in self.__dict__.items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._reset()


def _index_of_packets(path: Path) -> tuple[np.ndarray, np.ndarray] | None:
    """Times (count,) of frames, and numbers of keyframes, as packets tell them; None if frames have other times."""
    packets = [(p.pts, p.dts, p.is_keyframe) for p in _packets(*_open(path)) if p.size and not p.is_discard]
    pts = sorted(time for time, *_ in packets if time is not None)
    dts = [time for _, time, _ in packets if time is not None]
    if not pts or len(set(pts)) < len(packets) or dts != sorted(dts):
        return None
    keys = sorted(time for time, _, key in packets if key and time is not None) or pts[:1]
    first = [frame.pts for frame in islice(_decoded(*_open(path)), COMPARED)]
    last, end = [frame.pts for frame in _decoded(*_open(path), start=keys[-1])], pts[pts.index(keys[-1]) :]
    as_told = first == pts[:COMPARED] and last[-len(end) :] == end
    return (np.array(pts), np.searchsorted(pts, keys)) if as_told else None


def _index_of_frames(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The same of the frames that can be decoded; their numbers, and no keyframes, if they have no times in order."""
    frames = [(frame.pts, frame.key_frame) for frame in _decoded(*_open(path))]
    pts = [time for time, _ in frames if time is not None]
    if len(pts) < len(frames) or any(a >= b for a, b in pairwise(pts)):
        return np.arange(len(frames)), np.arange(0)
    return np.array(pts), np.flatnonzero([key for _, key in frames])


def _notes_of_frames(path: Path, most: int) -> tuple[str, ...]:
    """Notes on frames that are the same as the one before, and on such as are marked as interlaced."""
    same = count = woven = 0
    before: np.ndarray = np.empty(0, np.uint8)
    for frame in islice(_decoded(*_open(path)), most):
        grey = frame.to_ndarray(format="gray", threads=1)
        same += np.array_equal(grey, before)
        count, woven, before = count + 1, woven + frame.interlaced_frame, grey
    notes = (f"{path}: {same} of the first {count} frames are the same as the one before",) * (same > 0)
    if woven:
        notes += (
            f"{path}: {woven} of the first {count} frames are marked as interlaced; if moving edges look like combs, "
            "deinterlace the video first",
        )
    return notes


def _open(path: Path) -> tuple[InputContainer, av.VideoStream]:
    """A file and its pictures, from the beginning."""
    with suppress(av.FFmpegError, OSError):
        # an absolute path has no protocol before it; titles may be in any encoding, which PyAV 19 always allows
        container = av.open(str(path.absolute()), metadata_errors="replace")
        stream = container.streams.best("video")
        if isinstance(stream, av.VideoStream) and stream.codec_context is not None:
            # a forked process that frees a decoder with threads waits, for ever, for what only its parent has
            stream.thread_type, stream.codec_context.thread_count = "NONE", 1
            return container, stream
    raise InputError(f"{path}: not a video that FFmpeg decodes; convert it, to H.264 in .mp4 for example")


def _packets(container: InputContainer, stream: av.VideoStream) -> Iterator[av.Packet[av.VideoStream]]:
    """Packets up to the end of the file, or to where it is cut."""
    with suppress(av.FFmpegError):
        yield from container.demux(stream)


def _decoded(container: InputContainer, stream: av.VideoStream, *, start: int | None = None) -> Iterator[av.VideoFrame]:
    """Frames from where the file is, or from a keyframe or a little before it; without those that are damaged."""
    if start is not None:
        with suppress(av.FFmpegError):
            container.seek(start, stream=stream)
    for packet in _packets(container, stream):
        with suppress(av.FFmpegError):
            yield from packet.decode()
