"""Options of the training tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vode.losses.options import FlowLossOptions, GeometryLossOptions
from vode.odometry.options import MatchOptions

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss in the total loss (Zhao et al., CVPR 2020, for KITTI)."""

    flow_photometric: float = 1.0
    flow_smoothness: float = 10.0
    epipolar: float = 0.002
    triangulated_depth: float = 1.0
    reprojection_depth: float = 0.1
    reprojection_flow: float = 0.01
    depth_smoothness: float = 0.001


@dataclass(frozen=True)
class MotionOptions(MatchOptions):
    """How a task derives two-view motion and triangulated points from flow; thresholds in pixels of its images."""

    fraction: float = 0.2
    """fraction of the pixels, the best-scored ones, from which correspondences are drawn"""
    count: int = 6000
    """number of correspondences drawn for the motion, and again for triangulation"""
    inlier: float = 0.5
    """largest epipolar distance in pixels of a pixel of the static scene"""
    solver: Literal["essential", "fundamental"] = "essential"
    """the motion of the calibrated camera, which must be reliable; or that of a fundamental matrix by RANSAC over 8
    points, whatever it is, as in Zhao et al."""
    min_parallax: float = 0.5
    """smallest parallax in pixels of a triangulated point, which always has 0.001 radians; below it, depth is noise"""


@dataclass(frozen=True)
class TaskOptions:
    """Options shared by the flow, depth and joint tasks."""

    motion: MotionOptions = MotionOptions()
    flow_loss: FlowLossOptions = FlowLossOptions()
    triangulation_loss: Literal["log", "square"] = "log"
    geometry_loss: GeometryLossOptions = GeometryLossOptions()
    separate_images: bool = True
    weights: LossWeights = LossWeights()
    mixed: torch.dtype | None = None
    """type that the networks, and only they, are computed in: torch.bfloat16 or torch.float16"""
