"""Means over a mask of pixels or points, one value per sample."""

from __future__ import annotations

from torch import Tensor


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` (B, ...) weighted by ``mask`` (B, ...), (B,); 0 where the mask is empty.

    The shapes broadcast. Values outside the mask must be finite.
    """
    weighted = (values * mask).flatten(1).sum(1)
    return weighted / mask.expand_as(values).flatten(1).sum(1).clamp(min=1e-6)
