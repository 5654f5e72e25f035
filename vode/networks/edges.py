"""Steps instead of ramps at the edges of predicted depth."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

ITERATIONS = 2
"""each of which takes a ramp that is two pixels wider"""


def steepen_edges(depth: Tensor, ratio: float) -> Tensor:
    """Depth (B, 1, H, W) > 0 whose ramps between near and far are steps; elsewhere it stays as it is.

    Where the depths of 3x3 neighbours differ by more than ``ratio``, a pixel takes the smallest or the largest of them,
    whichever is nearer to its own by ratio (Kramer and Bruckner, Pattern Recognition 1975), ``ITERATIONS`` times. Not
    knowing the place of an edge for certain, a network blurs it; but depths between two objects' belong to neither.
    """
    for _ in range(ITERATIONS):
        far, near = _largest(depth), -_largest(-depth)
        steep = torch.where(depth.square() > far * near, far, near)
        depth = torch.where(far > ratio * near, steep, depth)
    return depth


def magnify_depth(depth: Tensor, size: tuple[int, int], ratio: float = 0.0) -> Tensor:
    """Depth (B, 1, h, w) > 0 at another (height, width), its inverse interpolated bilinearly (align_corners=False).

    With a ``ratio``, edges stay steps: where neighbours' depths differ by more, a pixel takes the smallest or the
    largest of those around, whichever is nearer to what is interpolated, which draws the edge between pixels.
    """
    if tuple(size) == tuple(depth.shape[-2:]):
        return depth
    between = 1 / F.interpolate(1 / depth, size, mode="bilinear", align_corners=False)
    if not ratio:
        return between
    far, near = (F.interpolate(x, size, mode="nearest-exact") for x in (_largest(depth), -_largest(-depth)))
    steep = torch.where(between.square() > far * near, far, near)
    return torch.where(far > ratio * near, steep, between)


def _largest(values: Tensor) -> Tensor:
    """Largest of 3x3 neighbours (B, C, H, W), rows first: a tenth of the time of max_pool2d on a CPU."""
    x = F.pad(values, (1, 1, 1, 1), mode="replicate")
    x = torch.maximum(torch.maximum(x[..., :-2, :], x[..., 1:-1, :]), x[..., 2:, :])
    return torch.maximum(torch.maximum(x[..., :-2], x[..., 1:-1]), x[..., 2:])
