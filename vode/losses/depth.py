"""Losses of predicted depth: against triangulated depth and the other view (Zhao et al., CVPR 2020, eqs. 5-8)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.camera import project, transform, unproject
from vode.geometry.resize import image_size
from vode.losses.masked import masked_mean

MIN_DEPTH = 1e-3
"""depth to which smaller ones are clamped, in the unit of the reference"""


def triangulated_depth(
    depth: Tensor, reference: Tensor, mask: Tensor, residual: Literal["log", "square"] = "log"
) -> Tensor:
    """Difference between scaled depth and triangulated ``reference`` over ``mask``, all (B, N): (B,).

    "square" is the paper's mean (1 - depth / reference)^2. "log" is mean |log (depth / reference)|, to first order the
    same without the square: points triangulated far too near, from mismatches and moving objects, dominate the square
    but not the logarithm.
    """
    ratio = (depth / torch.where(mask > 0, reference, 1.0).clamp(min=MIN_DEPTH)).clamp(min=MIN_DEPTH)
    return masked_mean(ratio.log().abs() if residual == "log" else (1 - ratio).square(), mask)


def reprojection(
    depth_a: Tensor,
    depth_b: Tensor,
    flow_ab: Tensor,
    intrinsics: Tensor,
    T_b_a: Tensor,
    depth_mask: Tensor,
    flow_mask: Tensor,
) -> tuple[Tensor, Tensor]:
    """Depth part |1 - D_a->b / D_b| (B,) and flow part |p_flow - p_reprojected| (B,) in pixels.

    depth_a, depth_b (B, 1, H, W) in the unit of the translation of T_b_a (B, 4, 4); flow_ab
    (B, 2, H, W) pixels; masks (B, 1, H, W). D_a->b is the depth of a's points in b, and D_b the depth
    predicted for b, sampled where the flow leads.
    """
    height, width = depth_a.shape[-2:]
    points_b = transform(T_b_a, unproject(depth_a, intrinsics).flatten(2).mT)
    pixels, z = project(points_b, intrinsics, min_depth=MIN_DEPTH)
    z = z.view_as(depth_a)
    in_front = (z > MIN_DEPTH).to(z.dtype)
    target = warp.flow_target(flow_ab)
    seen = warp.sample(depth_b, target).clamp(min=MIN_DEPTH)
    depth_part = masked_mean((1 - z.clamp(min=MIN_DEPTH) / seen).abs().clamp(max=1), depth_mask * in_front)
    # beyond the size of the image, the distance of a point that leaves it carries no information
    offset = (pixels.mT.view_as(flow_ab) - target).abs().clamp(max=max(height, width)).sum(1, keepdim=True)
    return depth_part, masked_mean(offset, flow_mask * in_front)


def reprojection_of_depth(
    depth_a: Tensor,
    depth_b: Tensor,
    flow_ab: Tensor,
    intrinsics: Tensor,
    T_b_a: Tensor,
    depth_mask: Tensor,
    flow_mask: Tensor,
) -> tuple[Tensor, Tensor]:
    """The two parts (B,) as TrianFlow's released code has them; arguments as ``reprojection``.

    D_b is sampled where the depth leads, over ``depth_mask`` where that is inside: the depth part has no gradient into
    the flow, but one through the place. The flow part is the mean over x and y, and trains the flow alone.
    """
    size = image_size(depth_a)
    points_b = transform(T_b_a, unproject(depth_a, intrinsics).flatten(2).mT)
    pixels, z = project(points_b, intrinsics, min_depth=MIN_DEPTH)
    place, z = pixels.mT.view_as(flow_ab), z.view_as(depth_a)
    inside = warp.inside(place.detach(), size) & (z.detach() > MIN_DEPTH)
    seen = warp.sample(depth_b, place, outside="reflection")
    part = (1 - z / seen.clamp(min=MIN_DEPTH)).abs()
    depth_part = masked_mean(torch.where(inside, part, 0.0), depth_mask.detach() * inside)
    offset = (warp.flow_target(flow_ab) - place.detach()).abs().mean(1, keepdim=True)
    return depth_part, masked_mean(offset, flow_mask.detach())
