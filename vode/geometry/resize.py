"""Resizing of images, depth and flow, and conversion of 8-bit images to float."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

SizeFor = Callable[[tuple[int, int]], tuple[int, int]]
"""the (height, width) that images of a given one are resized to"""
SAME_ASPECT = 0.02
"""relative difference up to which two aspects are the same"""


def as_float(images: Tensor) -> Tensor:
    """8-bit images as float32 in 0..1; others unchanged."""
    return images.to(torch.float32).mul_(1 / 255) if images.dtype == torch.uint8 else images


def image_size(images: Tensor) -> tuple[int, int]:
    """Height and width of images (..., H, W)."""
    height, width = images.shape[-2:]
    return height, width


def size_of_same_area(size: tuple[int, int], image_size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) with the aspect of images of ``image_size`` and about the area of ``size``.

    ``size`` itself where the aspects agree within ``SAME_ASPECT``.
    """
    aspect = image_size[1] / image_size[0]
    if abs(size[1] / size[0] / aspect - 1) <= SAME_ASPECT:
        return size
    height = max(round((size[0] * size[1] / aspect) ** 0.5), 1)
    return height, max(round(height * aspect), 1)


def magnified(size: tuple[int, int], factor: float) -> tuple[int, int]:
    """(height, width) times a factor."""
    return max(round(size[0] * factor), 1), max(round(size[1] * factor), 1)


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (N, C, H, W), float or 8-bit, resized to ``size`` (height, width) with antialiasing."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)


def resize_bilinear(values: Tensor, size: tuple[int, int]) -> Tensor:
    """Values (N, C, H, W) resized to ``size`` (height, width), without antialiasing."""
    if image_size(values) == tuple(size):
        return values
    return F.interpolate(values, size, mode="bilinear", align_corners=False)


def resize_depth(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Depth (N, 1, H, W) resized to ``size`` by the nearest pixel, so that depths of two objects are never mixed."""
    return F.interpolate(depth, size, mode="nearest-exact")


def resize_flow(flow: Tensor, visible: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flow (B, 2, H, W) in pixels and visible (B, 1, H, W) resized to ``size``, the flow in new pixels.

    A pixel that is not visible and has zero flow is unknown and excluded from the interpolation.
    """
    if tuple(flow.shape[-2:]) == tuple(size):
        return flow, visible
    scale = flow.new_tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]]).view(1, 2, 1, 1)
    known = ((visible > 0.5) | flow.ne(0).any(dim=1, keepdim=True)).to(flow.dtype)
    both = torch.cat([flow * known, known], dim=1)
    both = F.interpolate(both, size, mode="bilinear", align_corners=False)
    visible = F.interpolate(visible, size, mode="nearest-exact")
    return both[:, :2] / both[:, 2:].clamp(min=1e-6) * scale, visible
