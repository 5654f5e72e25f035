"""How a camera is estimated from its video."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SelfCalibrationOptions:
    """How a camera is estimated from its video, and when the estimate is believed."""

    longest: int = 800
    """pixels of the longer side; larger images are shrunk to it"""
    features: int = 1500
    """most points that are described in a keyframe"""
    keyframes: int = 32
    """most frames between which points are matched"""
    step: float = 0.06
    """median way of the points from a keyframe to the next, in widths of the image"""
    ahead: tuple[int, ...] = (1, 2, 4)
    """how many keyframes further those lie that each is matched with"""
    centre_deviation: float = 0.01
    """standard deviation of the principal point from the middle, in widths of the image"""
    k1_deviation: float = 0.1
    """that of k1 of cameras, before the video is looked at"""
    common: float = 0.1
    """fraction of the matches' noise that all of them share, as by blur and shutter, and that no number averages out"""
    told: float = 0.04
    """standard deviation of the focal length, relative, up to which an estimate is believed"""
