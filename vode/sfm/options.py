"""Options of building a scene."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vode.datasets.options import QuarterTurn

Layout = Literal["colmap", "transforms", "cambridge"]


@dataclass(frozen=True)
class FrameOptions:
    """Which frames of a video, or images of a folder, are used."""

    start: int = 0
    """first frame"""
    end: int | None = None
    """frame before which to stop"""
    step: int | None = None
    """take the sharpest of every n frames; by default n is chosen to give about ``frames``"""
    frames: int = 200
    """approximate number of frames to take, unless ``step`` is given"""
    rotate: QuarterTurn = 0
    """clockwise rotation of the images in degrees"""
    fov: float | None = None
    """horizontal field of view in degrees, if known; otherwise mapping estimates it"""
    pattern: str | None = None
    """names of the images that are used, as *_rgb.png, where a folder holds others too"""
    calibration: Path | None = None
    """calibration file of the camera, as for the data set folder of images; the images are then undistorted"""


@dataclass(frozen=True)
class MapOptions:
    """How the frames are matched and mapped."""

    size: int = 1600
    """longer side in pixels to which images are reduced for feature extraction"""
    features: int = 4096
    """maximum number of features per image"""
    overlap: int = 10
    """number of following images that each is matched with"""
    loops: int = 40
    """number of evenly spaced frames that are matched exhaustively, to close loops"""
    workers: int = -1
    """CPU cores; -1 = all"""
