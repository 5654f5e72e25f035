"""Padding of images for networks whose pyramid needs sizes that are multiples of a power of two."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

is_exporting = getattr(torch.compiler, "is_exporting", bool)
"""whether a graph for other programs is being made, where sizes may be symbols; never by a torch that cannot tell"""
MOST = 2**14
"""pixels: largest height and width of images in a graph that takes any size"""


def pad_to_multiple(image: Tensor, multiple: int, smallest: int) -> Tensor:
    """Replicate the last row and column of ``image`` (B, C, H, W) up to a ``multiple``, at least ``smallest``."""
    height, width = image.shape[-2:]
    if is_exporting() and not (type(height) is type(width) is int):
        return image[..., _padded(height, multiple, smallest), :][..., _padded(width, multiple, smallest)]
    down = max(-(-height // multiple) * multiple, smallest) - height
    right = max(-(-width // multiple) * multiple, smallest) - width
    return F.pad(image, (0, right, 0, down), mode="replicate") if down or right else image


def _padded(length: int, multiple: int, smallest: int) -> Tensor:
    """Indices of the rows or columns of a padded image, for graphs that are to take any size.

    That the result has a multiple of pixels is a fact that the graph cannot derive from a length: it is asserted.
    """
    steps = (torch.scalar_tensor(length, dtype=torch.int64) + multiple - 1) // multiple
    count = cast(int, steps.clamp(min=-(-smallest // multiple)).item())
    torch._check(count >= -(-smallest // multiple))
    torch._check(count <= MOST // multiple)
    return torch.arange(multiple * count).clamp(max=length - 1)
