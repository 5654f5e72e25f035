"""Options of the training tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


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
    pose: float = 1.0

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Weighted sum; names without a weight are for the log alone."""
        return sum(getattr(self, name) * value for name, value in losses.items() if hasattr(self, name))


@dataclass(frozen=True)
class MotionOptions:
    """How a stage turns flow into two-view motion and triangulated points."""

    share: float = 0.2
    """share of the pixels, by score, that correspondences are drawn from"""
    count: int = 6000
    """correspondences drawn for the motion, and again for triangulation"""
    threshold: float = 0.1
    """RANSAC threshold in pixels at a width of 832"""
    inlier: float = 0.5
    """largest epipolar distance in pixels of a pixel that moves with the camera alone"""
    min_parallax: float = 0.5
    """smallest parallax in pixels of a triangulated point: with less, its depth is noise"""
