"""Options of adaptation."""

from __future__ import annotations

from dataclasses import dataclass

from vode.losses.options import FlowLossOptions


@dataclass(frozen=True)
class StructureOptions:
    """Which frames are paired, and which of their points are kept; pixels are those that flow is computed at."""

    points: int = 5000
    """points of a frame that are looked for in the others"""
    parallax: tuple[float, ...] = (2.5, 8.0)
    """median parallax in pixels of the pairs of a frame: it is paired with the nearest frames that reach each"""
    most_apart: int = 10
    """frames between the two of a pair"""
    subpixel: bool = True
    """move correspondences to where the two images agree best, and leave out those that they do not confirm"""
    least_parallax: float = 1.5
    """pixels of a triangulated point"""
    threshold: float = 0.5
    """pixels: Sampson distance of a point of the static scene"""
    noise: float = 0.15
    """pixels: least standard deviation of a correspondence"""
    accuracy: float = 0.15
    """largest relative standard deviation of a depth that is kept"""
    better: float = 0.8
    """times the trajectory's median distance, below which that of two views decides for their motion"""


@dataclass(frozen=True)
class LevelOptions:
    """How far tracks and predicted depth are trusted to tell the lengths of steps, as deviations of logarithms."""

    level_deviation: float = 0.2
    """of the level of the depth predicted for a frame"""
    ground_deviation: float = 0.06
    """of the level of its points on the ground, which far scenery does not mislead; 0 = they tell none of their own"""
    ground_points: int = 20
    """points on the ground that tell a level"""
    track_deviation: float = 0.02
    """of the ratio of the lengths of two pairs by the points that they share, at least"""
    depth_deviation: float = 0.2
    """of the predicted depth of a point"""
    least_points: int = 100
    """points that tell a level or a ratio"""
    together: int = 40
    """points that err alike"""
    free: float = 10.0
    """of the correction of a step of which nothing is known"""


@dataclass(frozen=True)
class DepthLossOptions:
    """Weights and details of the losses of depth on unlabelled video."""

    triangulated: float = 1.0
    """weight of the difference from triangulated depth"""
    consistency: float = 0.1
    """weight of the difference between the depths of two frames of a clip"""
    photometric: float = 0.0
    """weight of the difference between a frame and another one that is warped to it"""
    hold: float = 0.1
    """weight of the change of log depth from the start where nothing is triangulated"""
    hold_edges: float = 0.05
    """weight of the change of its differences between neighbours, everywhere"""
    softness: float = 0.05
    """difference of log depth up to which a loss is quadratic"""
    disagreement: float = 0.5
    """difference of log depth from which on a point is left out, as one of a moving object or a mismatch"""


FLOW_LOSS = FlowLossOptions(directions="mean", mask="inside", ssim="reflected")
"""Details of the losses of flow. The verdict looks at the pixels that count, so those where both directions disagree
must not drop out of them."""


@dataclass(frozen=True)
class FlowWeights:
    """Weight of each loss of flow on unlabelled video."""

    flow_photometric: float = 1.0
    flow_smoothness: float = 5.0
    epipolar: float = 0.1
