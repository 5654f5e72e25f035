"""Where the images of a run come from, and the camera that took them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vode.cameras.calibration import find_camera_file, load_calibration
from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.pipelines.inputs import Frames, open_video
from vode.pipelines.run.options import RunOptions
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

ASSUMED_VIEW = 65.0
"""degrees, left to right, of a camera of which nothing is known: that of most phones"""
DEMO = "demo"
"""the source that is rendered"""
DEMO_SEED, DEMO_OPTIONS = 20_000, WorldOptions(size=(240, 416), frames=48, effects=0.0)
RATE = 10.0
"""images a second where nothing tells their times"""


class Source:
    """Images in order: iterating gives (seconds, RGB (H, W, 3) uint8 or what reading said)."""

    def __init__(self, frames: Frames, address: str) -> None:
        self._frames, self.address, self.kind = frames, address, "video" if frames.path.is_file() else "images"
        self.length: int | None = len(frames)
        self.live, self.dropped = False, 0
        self.size = frames[0].shape[:2]
        self.pixel_aspect = frames.pixel_aspect
        self.file: Path | None = frames.path
        self.camera: Camera | None = None
        self.notes = list(frames.notes)
        if frames.timestamp(0) is None:
            self.notes.append(f"nothing tells the times of the images; {RATE:g} a second are assumed")

    def __iter__(self) -> Iterator[tuple[float, np.ndarray | InputError]]:
        for i in range(len(self._frames)):
            stamp = self._frames.timestamp(i)
            yield i / RATE if stamp is None else stamp, _read(self._frames, i)

    def name(self, index: int) -> str:
        """What a frame is called."""
        return self._frames.name(index)


class DemoSource(Source):
    """A clip of the rendered world."""

    def __init__(self) -> None:
        self._sequence = WorldSequence(DEMO_SEED, DEMO_OPTIONS)
        self.address, self.kind, self.length = DEMO, "dataset", len(self._sequence)
        self.live, self.dropped, self.pixel_aspect, self.file = False, 0, 1.0, None
        self.size, self.camera = self._sequence.size, self._sequence.camera
        self.notes = ["the images are rendered"]

    def __iter__(self) -> Iterator[tuple[float, np.ndarray | InputError]]:
        for i in range(len(self._sequence)):
            levels = self._sequence.raw(i, self.size)
            yield i / DEMO_OPTIONS.rate, levels.permute(1, 2, 0).contiguous().numpy()

    def name(self, index: int) -> str:
        return f"{index:06d}"


class FoundCamera(NamedTuple):
    """The camera of a source, and how it was found."""

    camera: Camera
    origin: str
    relative_deviation: float | None
    note: str


def open_source(address: str | Path) -> Source:
    """The images at an address: a video, a folder of images, or the word demo."""
    if str(address) == DEMO and not Path(DEMO).exists():
        return DemoSource()
    return Source(open_video(address), str(address))


def camera_of(source: Source, options: RunOptions) -> FoundCamera:
    """The camera by the options, by the source itself, by a file beside the images, else an assumed one."""
    if options.calibration is not None:
        return _calibrated(options.calibration, source)
    if options.fov is not None:
        camera = Camera.of_view(source.size, options.fov, source.pixel_aspect)
        return FoundCamera(camera, "field of view", None, f"a view of {options.fov:g} degrees, as given")
    if source.camera is not None:
        return FoundCamera(source.camera, "data set", None, "told by the source")
    folder = source.file if source.file is None or source.file.is_dir() else source.file.parent
    file = None if folder is None else find_camera_file(folder)
    if file is not None:
        return _calibrated(file, source)
    camera = Camera.of_view(source.size, ASSUMED_VIEW, source.pixel_aspect)
    note = f"nothing tells the camera: a view of {ASSUMED_VIEW:g} degrees is assumed, and no metre is better than it"
    return FoundCamera(camera, "assumed", 0.2, note)


def _calibrated(file: Path, source: Source) -> FoundCamera:
    calibration = load_calibration(file)
    notes = calibration.notes(source.size)
    return FoundCamera(calibration.camera(source.size), "calibration", None, "; ".join((str(file), *notes)))


def _read(frames: Frames, index: int) -> np.ndarray | InputError:
    try:
        image = frames[index]
    except InputError as error:
        return error
    return image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)
