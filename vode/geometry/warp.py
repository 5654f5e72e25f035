"""Warping by optical flow: backward sampling, forward splatting, occlusion and consistency.

``flow_ab`` (B, 2, H, W) is the displacement in pixels of every pixel of image a in image b:
``p_b = p_a + flow_ab(p_a)``.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import pixel_grid


def sample(image: Tensor, pixels: Tensor, *, outside: Literal["border", "zeros", "reflection"] = "border") -> Tensor:
    """Bilinear values of ``image`` (B, C, H, W) at ``pixels`` (B, 2, h, w); outside, the border is repeated.

    ``outside`` may also be zeros, or the image reflected about the outermost pixel centres.
    Computed in float32 or better, which coordinates need, and returned in the image's type. Non-finite
    coordinates stand for the last pixel: the backward pass of grid_sample crashes the process at a NaN.
    """
    height, width = image.shape[-2:]
    # no list of numbers, for in an exported graph they may be symbols
    last = torch.stack([pixels.new_full((), max(length - 1, 1)) for length in (width, height)])
    grid = pixels.movedim(1, -1) * (2 / last) - 1
    grid = grid.nan_to_num(1.0, 1.0, 1.0)
    kind = torch.promote_types(image.dtype, torch.float32)
    values = F.grid_sample(image.to(kind), grid.to(kind), padding_mode=outside, align_corners=True)
    return values.to(image.dtype)


def flow_target(flow_ab: Tensor) -> Tensor:
    """Pixel coordinates (B, 2, H, W) in image b of every pixel of image a."""
    height, width = flow_ab.shape[-2:]
    return flow_ab + pixel_grid(height, width, device=flow_ab.device, dtype=flow_ab.dtype)


def backward_warp(image_b: Tensor, flow_ab: Tensor, *, outside: Literal["border", "zeros"] = "border") -> Tensor:
    """Image b (B, C, H, W) seen at the pixels of image a, by the flow from a to b (B, 2, H, W); see ``sample``."""
    return sample(image_b, flow_target(flow_ab), outside=outside)


def inside(pixels: Tensor, size: tuple[int, int], *, margin: float = 0.0) -> Tensor:
    """Whether ``pixels`` (B, 2, H, W) lie in an image of ``size`` (height, width): bool (B, 1, H, W).

    Up to ``margin`` pixels beyond the outermost pixel centres still count as inside.
    """
    x, y = pixels[:, :1] + margin, pixels[:, 1:2] + margin
    return (x >= 0) & (y >= 0) & (x <= size[1] - 1 + 2 * margin) & (y <= size[0] - 1 + 2 * margin)


def forward_splat(values: Tensor, flow: Tensor) -> Tensor:
    """Splat ``values`` (B, C, H, W) bilinearly along ``flow`` (B, 2, H, W), summed, (B, C, H, W).

    Values that leave the image are dropped. Gradients reach both the values and the flow.
    """
    batch, channels, height, width = values.shape
    target = flow_target(flow)
    corner = target.detach().floor()
    x, y = (target - corner).flatten(2).chunk(2, 1)
    # a border two pixels wide catches what leaves the image
    wide = width + 4
    row, column = corner[:, 1].clamp(-2, height) + 2, corner[:, 0].clamp(-2, width) + 2
    index = (row * wide + column).nan_to_num(0.0).long().flatten(1).unsqueeze(1).expand(-1, channels, -1)
    out = values.new_zeros(batch, channels, (height + 4) * wide)
    corners = ((0, (1 - x) * (1 - y)), (1, x * (1 - y)), (wide, (1 - x) * y), (wide + 1, x * y))
    for offset, weight in corners:
        out = out.scatter_add(2, index + offset, values.flatten(2) * weight)
    return out.view(batch, channels, height + 4, wide)[..., 2:-2, 2:-2]


def visible(flow_ba: Tensor) -> Tensor:
    """Visibility in b of each pixel of a, 0..1 (B, 1, H, W): ones splatted from b along the backward flow."""
    return forward_splat(torch.ones_like(flow_ba[:, :1]), flow_ba).clamp(0, 1)


def round_trip(flow_ab: Tensor, flow_ba: Tensor, *, outside: Literal["border", "zeros"] = "border") -> Tensor:
    """Forward-backward difference F_ab + warp(F_ba) in pixels (B, 2, H, W): zero where the flows agree."""
    return flow_ab + backward_warp(flow_ba, flow_ab, outside=outside)


def consistent(flow_ab: Tensor, difference: Tensor, *, pixels: float = 3.0, fraction: float = 0.05) -> Tensor:
    """Where the ``round_trip`` difference is below max(``pixels``, ``fraction`` |F|), as 0 or 1 (B, 1, H, W)."""
    limit = (fraction**2 * flow_ab.square().sum(1, keepdim=True)).clamp(min=pixels**2)
    return (difference.square().sum(1, keepdim=True) < limit).to(flow_ab.dtype)


def resize_flow(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """Flow (B, 2, h, w) resized to ``size`` (height, width), its values scaled by the size ratio."""
    if flow.shape[-2:] == tuple(size):
        return flow
    ratio = flow.new_tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]]).view(1, 2, 1, 1)
    return F.interpolate(flow, size, mode="bilinear", align_corners=False) * ratio
