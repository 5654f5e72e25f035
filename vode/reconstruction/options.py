"""Options of reconstruction from posed keyframes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class TrackOptions:
    """How points are followed from frame to frame; pixels are those of the images that are given."""

    points: int = 1000
    """most points that are followed at once"""
    spacing: float = 8.0
    """pixels: least distance between two of them"""
    window: int = 15
    """pixels: side of the patch that is compared"""
    levels: int = 4
    """of the image pyramid, beside the image itself"""
    round_trip: float = 0.5
    """pixels: largest distance of a point from where following it back leads"""


@dataclass(frozen=True)
class PointOptions:
    """Which triangulated points are kept."""

    views: int = 3
    """least number of keyframes that see a point"""
    error: float = 1.0
    """pixels: largest root mean square reprojection error of a point"""
    outlier: float = 2.0
    """pixels: reprojection error from which on a single observation is left out"""
    parallax: float = 0.015
    """radians: least angle between two of its rays"""


RefinedCamera = Literal["fixed", "distortion", "focal"]
"""nothing; radial distortion k1; k1 and the focal length"""


@dataclass(frozen=True)
class BundleOptions:
    """How all keyframes are refined together."""

    camera: RefinedCamera = "fixed"
    """what of the camera is refined too; a drive straight on hardly tells the focal length"""
    noise: float = 0.5
    """pixels: scale of Cauchy's cost"""
    outlier: float = 1.5
    """pixels: reprojection error from which on an observation is left out"""
    start: PointOptions = field(default_factory=lambda: PointOptions(error=8.0, outlier=20.0, parallax=0.009))
    """which points begin, when poses are not right yet"""
    least_points: int = 100
    """points that there must be"""


@dataclass(frozen=True)
class StereoOptions:
    """How depth is measured by motion, and what it weighs beside a prior; deviations are of the logarithm of depth."""

    noise: float = 0.3
    """pixels: standard deviation of a correspondence"""
    least_deviation: float = 0.01
    """of a measured depth"""
    deviation: float = 0.15
    """largest of a measured depth that counts"""
    round_trip: float = 0.7
    """pixels: largest distance of a pixel from where flow there and back leads"""
    texture: float = 0.012
    """least root mean square of the steps between neighbouring pixels, in 0..1, where a depth is measured"""
    epipolar: float = 0.7
    """pixels: largest distance of flow from its epipolar line"""
    prior: float = 0.15
    """of the prior"""
    contradiction: float = 0.4
    """difference from the prior from which on neither is believed"""


@dataclass(frozen=True)
class FusionOptions:
    """Which depths of keyframes become points of the cloud."""

    pairs: tuple[int, ...] = (-2, -1, 1, 2)
    """keyframes with which each is paired to measure depth by motion, by their distance in the row of keyframes"""

    neighbours: tuple[int, ...] = (-4, -2, -1, 1, 2, 4)
    """keyframes that each is compared with, by their distance in the row of keyframes"""
    agreement: float = 0.05
    """largest relative difference of two depths that agree"""
    agreeing: int = 2
    """neighbours that must agree"""
    edge: float = 1.15
    """ratio of the depths of neighbouring pixels from which on both are at an edge, and left out"""
    farthest: float = 3.0
    """depths beyond this many median depths of a keyframe are left out"""
    voxel: float = 0.004
    """side of the cells that points are averaged in, relative to the median depth of all keyframes"""
    most_points: int = 3_000_000
    """of the cloud: the cells grow where there are more"""
    stereo: StereoOptions = field(default_factory=StereoOptions)
