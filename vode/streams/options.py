"""How a stream is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StreamOptions:
    """How images are read from wherever they come."""

    topic: str | None = None
    """topic of a bag whose images are read; needed where several have some"""
    camera: int | None = None
    """camera of KITTI, or that of a calibration of several"""
    pattern: str | None = None
    """names of the images of a folder that are read, as *_rgb.png, where it holds others too"""
    rate: float = 30.0
    """images a second that are assumed where nothing tells their times"""
    timeout: float = 10.0
    """seconds that a stream's address may take to answer, and a live input to give the next image"""
