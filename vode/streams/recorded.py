"""Streams of what lies in files: videos, images, and sequences of data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from vode.datasets.base import ImageSequence
from vode.errors import InputError
from vode.streams.frames import Frames
from vode.streams.stream import Stream, StreamKind, to_8_bits


class RecordedStream(Stream):
    """Numbered images of files. Without ``timestamps`` they are said to be taken ``rate`` times a second."""

    def __init__(self, name: str, kind: StreamKind, *, timestamps: Sequence[float] | None, length: int, rate: float):
        self.name, self.kind, self.length, self.notes = name, kind, length, []
        if not 0 < rate < float("inf"):
            raise InputError(f"{rate:g} images a second; give a number above 0", "rate")
        if timestamps is None:
            self.notes.append(f"nothing tells when the images of {name} were taken; {rate:g} a second are assumed")
        self._times = np.arange(length) / rate if timestamps is None else np.asarray(timestamps, np.float64)
        self._image: Callable[[int], np.ndarray]

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        for index, time in enumerate(self._times.tolist()):
            yield time, self.image(index)

    @property
    def times(self) -> list[float]:
        """Seconds of every image."""
        return self._times.tolist()

    def image(self, index: int) -> np.ndarray:
        """Image ``index``, RGB (H, W, 3) uint8."""
        return to_8_bits(self._image(index))


def stream_frames(frames: Frames, name: str, rate: float, times: Sequence[float] | None = None) -> RecordedStream:
    """The frames of a video or of images, as viewers show them, whose camera is not known."""
    kind = StreamKind.VIDEO if frames.video else StreamKind.IMAGES
    if frames.video is not None and frames.video.timestamps is not None:
        times = frames.video.timestamps.tolist()
    stream = RecordedStream(name, kind, timestamps=times, length=len(frames), rate=rate)
    size = stream.size = frames.image(0).shape[:2]
    stream._image = lambda index: frames.image(index, size)
    stream.notes[:0] = frames.notes
    stream.file = frames.path if frames.video else frames.files[0]
    stream.pixel_aspect = frames.pixel_aspect
    return stream


def stream_sequence(sequence: ImageSequence, kind: StreamKind, rate: float, origin: str) -> RecordedStream:
    """The images of a sequence, undistorted, whose camera ``origin`` tells."""
    times = None if sequence.timestamps is None else sequence.timestamps.tolist()
    stream = RecordedStream(sequence.name, kind, timestamps=times, length=len(sequence), rate=rate)
    stream.size, stream.camera, stream.camera_origin = sequence.size, sequence.camera, origin
    stream._image, stream.undistorted = sequence.pixels, True
    stream.notes[:0] = sequence.notes
    stream.file = Path(sequence.images[0]) if sequence.images else None
    return stream
