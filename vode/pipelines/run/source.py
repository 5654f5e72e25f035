"""Where the images of a run come from, and the camera that took them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vode.errors import InputError
from vode.pipelines.run.options import RunOptions
from vode.streams.camera import CameraOrigin, FoundCamera, find_camera
from vode.streams.open import open_stream
from vode.streams.recorded import RecordedStream
from vode.streams.stream import Stream, StreamKind
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

DEMO = "demo"
"""the source that is rendered"""
DEMO_SEED, DEMO_OPTIONS = 20_000, WorldOptions(size=(240, 416), frames=48, effects=0.0)
ADAPTABLE = (StreamKind.VIDEO, StreamKind.IMAGES)
"""kinds of sources that a model can be adapted to"""
ORIGINS = {CameraOrigin.METADATA: "exif", CameraOrigin.ASSUMPTION: "assumed"}
"""how a camera was found, in the words of the summary, where these are others"""


class Demo(Stream):
    """A clip of the rendered world."""

    def __init__(self) -> None:
        self._sequence = WorldSequence(DEMO_SEED, DEMO_OPTIONS)
        self.name, self.kind, self.length = DEMO, StreamKind.DATASET, len(self._sequence)
        self.size, self.camera, self.camera_origin = self._sequence.size, self._sequence.camera, "the rendered world"
        self.notes = ["the images are rendered"]

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        for i in range(len(self._sequence)):
            levels = self._sequence.raw(i, self.size)
            yield i / DEMO_OPTIONS.rate, levels.permute(1, 2, 0).contiguous().numpy()


class Source:
    """A stream by its address: iterating gives (seconds, RGB (H, W, 3) uint8 or what reading a single image said)."""

    def __init__(self, stream: Stream, address: str) -> None:
        self.stream, self.size, self.notes = stream, stream.size, stream.notes
        self.address = re.sub(r"//[^/@]+@", "//", address)
        """without names of users and passwords"""
        self.adaptable = Path(address) if stream.kind in ADAPTABLE and Path(address).exists() else None
        """what a model can be adapted to: a video or a folder of images"""

    def __iter__(self) -> Iterator[tuple[float, np.ndarray | InputError]]:
        if not isinstance(self.stream, RecordedStream):
            yield from self.stream
            return
        for index, seconds in enumerate(self.stream.times):
            try:
                yield seconds, self.stream.image(index)
            except InputError as error:
                yield seconds, error


def open_source(address: str, options: RunOptions = RunOptions()) -> Source:
    """The images at any address that ``open_stream`` takes, or the word demo."""
    if address == DEMO and not Path(DEMO).exists():
        return Source(Demo(), DEMO)
    return Source(open_stream(address, calibration=options.calibration, options=options), address)


def camera_of(source: Source, options: RunOptions) -> FoundCamera:
    """The camera of a source, as ``find_camera`` finds it."""
    return find_camera(source.stream, calibration=options.calibration, fov=options.fov)


def origin_of(found: FoundCamera, kind: StreamKind) -> str:
    """How a camera was found, in a word or two."""
    if found.origin is CameraOrigin.SOURCE:
        return {StreamKind.DATASET: "data set", StreamKind.BAG: "bag"}.get(kind, "calibration")
    return ORIGINS.get(found.origin, str(found.origin))
