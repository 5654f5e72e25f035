"""Options of the training tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vode.losses.options import FlowLossOptions
from vode.odometry.options import MatchOptions

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class LossWeights:
    """Weight of each loss in the sum that is trained (Zhao et al., CVPR 2020, for KITTI)."""

    flow_photometric: float = 1.0
    flow_smoothness: float = 10.0
    epipolar: float = 0.002
    triangulated_depth: float = 1.0
    reprojection_depth: float = 0.1
    reprojection_flow: float = 0.01
    depth_smoothness: float = 0.001


@dataclass(frozen=True)
class MotionOptions(MatchOptions):
    """How a task turns flow into two-view motion and triangulated points; all thresholds in pixels of its images."""

    fraction: float = 0.2
    """of the pixels, by score, that correspondences are drawn from"""
    count: int = 6000
    """correspondences drawn for the motion, and again for triangulation"""
    inlier: float = 0.5
    """largest epipolar distance in pixels of a pixel that moves with the camera alone"""
    min_parallax: float = 0.5
    """smallest parallax in pixels of a triangulated point: with less, its depth is noise"""


@dataclass(frozen=True)
class TaskOptions:
    """What the tasks of flow and depth share."""

    motion: MotionOptions = MotionOptions()
    flow_loss: FlowLossOptions = FlowLossOptions()
    triangulation_loss: Literal["log", "square"] = "log"
    weights: LossWeights = LossWeights()
    mixed: torch.dtype | None = None
    """run the networks, and them alone, in torch.bfloat16 or torch.float16"""
