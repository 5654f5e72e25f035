"""Which data is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

QuarterTurn = Literal[0, 90, 180, 270]


DEFAULT_CAMERAS = (2,)
"""the cameras of KITTI that are read unless others are named: the left colour camera"""
SET_OPTIONS = ("calibration", "fov", "rotate", "pattern")
"""the DataOptions that only some data sets understand, which declare it"""


@dataclass(frozen=True)
class DataOptions:
    """Where images come from."""

    dataset: str = "kitti-odom"
    """name of the data set, or of its layout; world is the built-in one"""
    data: Path | None = None
    """folder of the data set, or a video file; a prepared copy serves as well, also one at an address, as s3://..."""
    sequences: tuple[str, ...] = ()
    """names of sequences; none = the data set's own choice"""
    camera: tuple[int, ...] = ()
    """cameras of KITTI: 0 and 1 are grey, 2 and 3 colour; none = 2. Or that of a calibration of several"""
    calibration: Path | None = None
    """camera of own images: YAML or JSON of many tools, COLMAP's cameras.txt, KITTI's calib.txt, a line of numbers"""
    fov: float | None = None
    """or their horizontal field of view in degrees"""
    rotate: QuarterTurn = 0
    """degrees by which own images are turned clockwise"""
    pattern: str | None = None
    """names of the own images that are read, as *_rgb.png, where a folder holds others too"""
    start: int = 0
    """first frame that is taken of every sequence"""
    end: int | None = None
    """frame before which it ends"""
    step: int = 1
    """take every n-th frame"""
    allow_leak: bool = False
    """train on test data, or test on what was trained on"""

    @property
    def cameras(self) -> tuple[int, ...]:
        """The cameras that are read, which is KITTI's 2 unless others are named."""
        return self.camera or DEFAULT_CAMERAS
