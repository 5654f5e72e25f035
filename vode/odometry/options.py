"""Options of odometry.

Thresholds in pixels are those of the images that the tracker sees, after resizing; angles are in radians.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class BundleAdjustmentOptions:
    """Weights of the measurements, and effort."""

    noise: float = 0.3
    """pixels: standard deviation of a tracked point, the scale of Cauchy's cost"""
    turn: float = 0.001
    """radians: standard deviation of the rotation of a measured motion"""
    iterations: int = 4
    """most steps of Gauss-Newton"""


@dataclass(frozen=True)
class WindowOptions:
    """Size of the window."""

    frames: int = 7
    """most frames that are refined together, the two oldest of which stay as they are"""
    tracks: int = 800
    """points that are followed from frame to frame"""
    parallax: float = 0.5
    """pixels: median motion beyond the rotation between keyframes; a frame with less leaves when the next one comes"""
    deviation: float = 0.05
    """least relative standard deviation of a measured translation: depth flickers as a whole, which no pair shows"""
    bundle_adjustment: BundleAdjustmentOptions = field(default_factory=BundleAdjustmentOptions)


@dataclass(frozen=True)
class ScaleOptions:
    """Which points determine the scale, and when it is known."""

    accuracy: float = 0.3
    """largest relative error of a triangulated depth that the noise and the parallax of a point predict"""
    least_points: int = 100
    """points that must take part"""
    deviation: float = 0.25
    """largest relative standard deviation of a scale"""
    grid: tuple[int, int] = (4, 8)
    """regions, down and across, whose errors are taken for independent, as those of neighbouring points are not"""


@dataclass(frozen=True)
class MatchOptions:
    """Which correspondences of two frames determine their motion."""

    fraction: float = 0.5
    """fraction of the pixels, those of the highest scores, that correspondences are drawn from"""
    count: int = 2000
    """correspondences drawn"""
    threshold: float = 0.1
    """pixels: Sampson distance of an inlier"""
    least_confirmed: int = 100
    """correspondences that the images must confirm for any to be moved to where the two agree best"""


MatcherName = Literal["xfeat", "xfeat-lighterglue", "disk-lightglue"]


@dataclass(frozen=True)
class MatcherOptions:
    """A learned matcher of sparse features."""

    name: MatcherName = "xfeat"
    """xfeat: XFeat's points, nearest neighbours; the others: points of XFeat or DISK, paired by LightGlue"""
    weights: tuple[Path, ...] = ()
    """files of its weights, of disk-lightglue two; none for those that are published"""
    points: int = 2048
    """most points found in an image"""
    min_confidence: float | None = None
    """of a match that is kept: the cosine of its descriptors, or LightGlue's score; None for 0.82 and 0.1"""


@dataclass(frozen=True)
class TrackerOptions(MatchOptions):
    """How the tracker turns correspondences and depth into motion."""

    flow: Literal["network", "refined", "classical"] = "network"
    """where a model's correspondences come from: its flow network, that refined by OpenCV's dense inverse search, or
    the search alone"""
    magnify: float = 1.0
    """height and width of the images that correspondences are found in, relative to those that its networks see"""
    scale_from: Literal["depth", "tracks"] = "depth"
    """what tells the length of a motion: the depth, or the points triangulated before, without any depth"""
    subpixel: bool = True
    """move correspondences to where the two images agree best"""
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    refine: Literal["none", "window"] = "none"
    """window: refine the last keyframes together"""
    window: WindowOptions = field(default_factory=WindowOptions)
    pnp_threshold: float = 1.0
    """pixels: reprojection error of an inlier of PnP"""
    pnp_iterations: int = 1000
    pnp_fraction: float = 0.2
    """least fraction of the points with a depth that a pose by PnP must explain"""
    seed: int = 0
    """of every random draw"""
