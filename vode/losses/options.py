"""Options of the losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FlowLossOptions:
    """Scales of the flow losses, their weights and details; ``RELEASED_FLOW_LOSS`` has those of TrianFlow's code."""

    scales: Literal[1, 2, 3, 4] = 3
    """number of scales, finest first: 3 in Zhao et al.; a fourth helps with large displacements"""
    decay: float = 1.0
    """weight of a scale relative to the next finer one: 1 in Zhao et al.; less favours the sharper images"""
    directions: Literal["sum", "mean"] = "sum"
    """what the losses of both directions are put together by"""
    mask: Literal["consistent", "inside"] = "consistent"
    """pixels that count: visible ones where both directions agree, at each scale; or visible ones whose flow stays
    inside, decided at full size"""
    ssim: Literal["masked", "reflected"] = "masked"
    """images are masked, with zeros beyond, before SSIM; or they are reflected at their borders, and SSIM is masked"""
    edges: Literal["both", "second"] = "both"
    """image steps that weigh a second difference of the flow: the mean of its two, or its second"""
    outside: Literal["border", "zeros"] = "border"
    """what a flow finds beyond the border"""


EARLIER_FLOW_LOSS = {"directions": "mean", "mask": "inside", "ssim": "reflected", "edges": "both", "outside": "border"}
"""What the options were before configurations told them."""

RELEASED_FLOW_LOSS = FlowLossOptions(edges="second", outside="zeros")
"""The flow losses of Zhao et al.'s released code (TrianFlow)."""


@dataclass(frozen=True)
class GeometryLossOptions:
    """Details of the losses on depth and motion. ``RELEASED_GEOMETRY_LOSS`` has those of TrianFlow's code."""

    scale: Literal["pair", "image"] = "pair"
    """the factor that brings predicted depth to the triangulated one: one a pair, or one for each of its images"""
    images: Literal["mean", "sum"] = "mean"
    """what the losses of triangulated depth and of smoothness of both images are put together by"""
    reprojection: Literal["flow", "depth"] = "flow"
    """where the depth of the other image is compared: where the flow leads, which is trained too; or where the depth
    leads, so that the depth part trains depth alone, and the flow part the flow alone"""
    epipolar: Literal["visible", "all"] = "visible"
    """pixels that are held to the epipolar lines"""


EARLIER_GEOMETRY_LOSS = {"scale": "pair", "images": "mean", "reprojection": "flow", "epipolar": "visible"}
"""What the options were before configurations told them."""

RELEASED_GEOMETRY_LOSS = GeometryLossOptions(scale="image", images="sum", reprojection="depth", epipolar="all")
"""The losses on depth and motion of Zhao et al.'s released code (TrianFlow)."""


@dataclass(frozen=True)
class FlowConsistencyOptions:
    """When forward and backward flow agree (GeoNet: Yin and Shi, CVPR 2018, section 3.4)."""

    pixels: float = 3.0
    """alpha: largest forward-backward difference in pixels of full size, where the flow is short"""
    fraction: float = 0.05
    """beta: the same as a fraction of the length of the flow, where that is more"""


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
