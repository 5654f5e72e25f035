"""Options of the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FlowLossOptions:
    """Scales of the flow losses and their weights."""

    scales: Literal[1, 2, 3, 4] = 3
    """number of scales, finest first: 3 in Zhao et al.; a fourth helps with large displacements"""
    decay: float = 1.0
    """weight of a scale relative to the next finer one: 1 in Zhao et al.; less favours the sharper images"""


@dataclass(frozen=True)
class DepthErrorOptions:
    """Weights and details of the losses of depth against ground truth."""

    log_depth: float = 1.0
    """weight of the mean difference of log depth"""
    depth_gradient: float = 1.0
    """weight of the differences of its residual between neighbours"""
    scale_invariant: float = 0.0
    """weight of Eigen et al.'s scale-invariant error"""
    invariance: float = 0.5
    """lambda of that error: 1 forgives a wrong scale, 0 does not"""
    strides: tuple[int, ...] = (1, 2, 4)
    """scales of the gradient loss: it takes every n-th pixel"""
    range: tuple[float, float] = (0.3, 90.0)
    """metres that ground truth is clamped to; for the canonical focal length, where the network has one"""
    far: float = 0.0
    """depth of the sky, likewise, which is the unknown depth of the built-in world; 0 = it does not count"""
    far_weight: float = 0.1
    """weight of such a pixel relative to a known one"""


@dataclass(frozen=True)
class FlowErrorOptions:
    """Details of the loss of flow against ground truth."""

    scales: tuple[float, ...] = (1.0, 0.0, 0.0, 0.5)
    """weight of the flow at full, 1/2, 1/4 and 1/8 size; the first three are one flow, resized"""
    error: Literal["robust", "l2"] = "robust"
    """(|error|_1 + epsilon)^exponent, which forgives outliers, or the length of the error"""
    epsilon: float = 0.01
    exponent: float = 0.4
    hidden: bool = True
    """count known flow also of points that the other image does not show"""
