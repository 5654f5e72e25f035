"""Padding of images for networks whose pyramid needs sizes that are multiples of a power of two."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def pad_to_multiple(image: Tensor, multiple: int, smallest: int) -> Tensor:
    """Replicate the last row and column of ``image`` (B, C, H, W) up to a ``multiple``, at least ``smallest``."""
    height, width = image.shape[-2:]
    down = max(-(-height // multiple) * multiple, smallest) - height
    right = max(-(-width // multiple) * multiple, smallest) - width
    return F.pad(image, (0, right, 0, down), mode="replicate") if down or right else image
