"""Losses of depth and flow against ground truth, one value per sample."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.resize import image_size
from vode.losses.masked import masked_mean
from vode.losses.options import DepthErrorOptions, FlowErrorOptions

TINY = 1e-3
"""squared pixels under the root of the end-point error, whose gradient is finite with them"""


def depth_target(depth: Tensor, options: DepthErrorOptions) -> tuple[Tensor, Tensor]:
    """Log depth that is learned and the weight of each pixel, both (B, 1, H, W), of depth in metres, 0 = unknown.

    Depth is clamped to ``options.range``. Unknown pixels have weight 0, or are as far as ``options.far`` with
    ``options.far_weight``.
    """
    known = depth > 0
    clamped = torch.where(known, depth, options.far or options.range[1]).clamp(*options.range)
    return clamped.log(), torch.where(known, 1.0, options.far_weight if options.far else 0.0)


def log_difference(residual: Tensor, weight: Tensor) -> Tensor:
    """Mean |residual| of log depth (B, 1, H, W), by weight: (B,)."""
    return masked_mean(residual.abs(), weight)


def gradient_difference(residual: Tensor, weight: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Mean difference between neighbours of the residual of log depth (B, 1, H, W), over scales: (B,).

    Li and Snavely, "MegaDepth", CVPR 2018, eq. 5: the residual and its weight are taken at every ``stride``-th pixel;
    a difference weighs as both of its pixels. It sharpens edges, at which the residual jumps where they are blurred.
    """
    total = residual.new_zeros(len(residual))
    for stride in strides:
        values, weights = residual[..., ::stride, ::stride], weight[..., ::stride, ::stride]
        for axis in (-1, -2):
            count = values.shape[axis] - 1
            both = weights.narrow(axis, 0, count) * weights.narrow(axis, 1, count)
            total = total + masked_mean(values.diff(dim=axis).abs(), both)
    return total / len(strides)


def scale_invariant(residual: Tensor, weight: Tensor, fraction: float) -> Tensor:
    """Scale-invariant error of log depth (B, 1, H, W), by weight: (B,).

    Eigen, Puhrsch, Fergus, NIPS 2014, eq. 4: mean d^2 - lambda (mean d)^2, where ``fraction`` is lambda: 1 forgives a
    wrong scale, 0 does not, and 0.5 is their training loss.
    """
    return masked_mean(residual.square(), weight) - fraction * masked_mean(residual, weight).square()


def known_flow(flow: Tensor, visible: Tensor) -> Tensor:
    """Where flow (B, 2, H, W) is known, float (B, 1, H, W): where it is ``visible``, or not zero.

    Unknown flow is zero by the Sample contract, and hidden flow that is known is not. Flow longer than the image is of
    points beside or behind the other camera, and counts as unknown.
    """
    longest = flow.abs().amax(1, keepdim=True)
    return (((visible > 0.5) | (longest > 0)) & (longest < max(image_size(flow)))).to(flow.dtype)


def end_point_error(flow: Tensor, ground_truth: Tensor) -> Tensor:
    """Length of the difference of flows (B, 2, H, W) in pixels: (B, 1, H, W)."""
    return (flow - ground_truth).square().sum(1, keepdim=True).add(TINY**2).sqrt()


def flow_error(
    flows: list[Tensor], ground_truth: Tensor, mask: Tensor, options: FlowErrorOptions = FlowErrorOptions()
) -> Tensor:
    """Weighted sum over scales of the error of flow over ``mask`` (B, 1, H, W), in pixels of full size: (B,).

    Sun et al., "PWC-Net", CVPR 2018, eqs. 2 and 3, as means over pixels. ``flows`` (B, 2, h, w) are finest first, each
    in pixels of its size, and are compared with the ground truth (B, 2, H, W), averaged over the known pixels of each
    of theirs.
    """
    total = ground_truth.new_zeros(len(ground_truth))
    for k, (flow, weight) in enumerate(zip(flows, options.scales, strict=False)):
        if not weight:
            continue
        target, known = _shrink(ground_truth, mask, 2**k)
        found = flow * 2**k
        if options.error == "robust":
            error = ((found - target).abs().sum(1, keepdim=True) + options.epsilon) ** options.exponent
        else:
            error = end_point_error(found, target)
        total = total + weight * masked_mean(error, known)
    return total


def _shrink(flow: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """The mean of flow over the masked pixels of each square of ``factor`` pixels, and their fraction of it."""
    if factor == 1:
        return flow, mask
    height, width = image_size(flow)
    beyond = (0, -width % factor, 0, -height % factor)
    known = F.avg_pool2d(F.pad(mask, beyond), factor)
    return F.avg_pool2d(F.pad(flow * mask, beyond), factor) / known.clamp(min=1e-6), known
