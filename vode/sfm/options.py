"""Options of mapping a scene of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vode.datasets.options import QuarterTurn


@dataclass(frozen=True)
class FrameOptions:
    """Which frames of a video, or images of a folder, are taken."""

    start: int = 0
    """first frame"""
    end: int | None = None
    """frame before which it ends"""
    step: int | None = None
    """take one frame, the sharpest, of every n; default as many as make about ``frames``"""
    frames: int = 200
    """frames to take, about, unless ``step`` is given"""
    rotate: QuarterTurn = 0
    """degrees by which the images are turned clockwise"""
    fov: float | None = None
    """the camera's horizontal field of view in degrees, if it is known; else mapping finds it"""
    calibration: Path | None = None
    """or its calibration, as for the data set folder; the images are then undistorted"""


@dataclass(frozen=True)
class MapOptions:
    """How the frames are matched and mapped."""

    size: int = 1600
    """longer side that images are shrunk to for their features"""
    features: int = 4096
    """most of an image"""
    overlap: int = 10
    """images ahead that each is matched with"""
    loops: int = 40
    """frames, evenly spread, of which each is matched with every other, to close loops; all if there are no more"""
    workers: int = -1
    """processor cores; -1 = all"""
