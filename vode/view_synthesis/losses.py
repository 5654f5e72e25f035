"""Losses of view synthesis: photometric errors and what they leave out, smoothness, explainability, consistency."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.losses.masked import masked_mean
from vode.losses.photometric import photometric_error
from vode.losses.smoothness import disparity_smoothness, first_order_smoothness
from vode.view_synthesis.options import SynthesisOptions


class Reconstruction(NamedTuple):
    """A photometric loss and the pixels that it is the mean of."""

    loss: Tensor
    """(B,)"""
    counted: Tensor
    """bool (B, S, 1, h, w), or S = 1 where the sources are put together by the minimum"""


def pixel_errors(target: Tensor, sources: Tensor, error: Literal["l1", "ssim"] = "ssim") -> Tensor:
    """Photometric errors (B, S, 1, h, w) of images (B, S, 3, h, w) that are to look like the target (B, 3, h, w)."""
    if error == "l1":
        return (target[:, None] - sources).abs().mean(2, keepdim=True)
    repeated = target[:, None].expand_as(sources).flatten(0, 1)
    return photometric_error(repeated, sources.flatten(0, 1)).unflatten(0, sources.shape[:2])


def reconstruction(
    errors: Tensor, seen: Tensor, options: SynthesisOptions, *, still: Tensor | None = None
) -> Reconstruction:
    """The photometric loss of ``errors`` (B, S, 1, h, w), which may be weighed, where pixels are ``seen``, bool.

    ``still`` (B, S, 1, h, w) are the errors of the sources as they are, for the auto-mask: without it none is left out.
    With minimum and auto-mask what is left out counts by its error as it is, which has no gradient (Godard et al.,
    ICCV 2019, eqs. 4 and 5); ties are left out. With the mean it does not count (Bian et al., IJCV 2021).
    """
    if options.sources == "mean":
        counted = seen if still is None else seen & (errors.detach() < still)
        return Reconstruction(masked_mean(errors, counted), counted)
    best = torch.where(seen, errors, torch.inf).amin(1, keepdim=True)
    if still is None:
        counted = best.detach().isfinite()
        return Reconstruction(masked_mean(torch.where(counted, best, 0.0), counted), counted)
    limit = still.amin(1, keepdim=True)
    counted = best.detach() < limit
    return Reconstruction(torch.where(counted, best, limit).flatten(1).mean(1), counted)


def smoothness(disparity: Tensor, image: Tensor, kind: Literal["edges", "first", "second"] = "edges") -> Tensor:
    """Smoothness (B,) of inverse depth (B, 1, h, w), by the image (B, 3, h, w) or without it."""
    if kind == "second":
        return second_order_smoothness(disparity)
    return (disparity_smoothness if kind == "edges" else first_order_smoothness)(disparity, image)


def second_order_smoothness(disparity: Tensor) -> Tensor:
    """Sum of the mean absolute second differences xx, xy, yx and yy of inverse depth (B, 1, h, w): (B,).

    As in SfMLearner's released code (Zhou et al., CVPR 2017).
    """
    x, y = disparity.diff(dim=-1), disparity.diff(dim=-2)
    seconds = (x.diff(dim=-1), x.diff(dim=-2), y.diff(dim=-1), y.diff(dim=-2))
    return torch.stack([second.abs().flatten(1).mean(1) for second in seconds]).sum(0)


def explainability(logits: Tensor) -> Tensor:
    """Cross entropy (B,) of explainability masks by their logits (B, S, h, w) with masks of 1.

    Zhou et al., CVPR 2017, section 3.3: without it, a mask of 0 everywhere would be best.
    """
    return F.softplus(-logits).flatten(1).mean(1)


def depth_difference(depth: Tensor, other: Tensor) -> Tensor:
    """|a - b| / (a + b) of two depths of the same points, any shape, 0..1 (Bian et al., NeurIPS 2019, eq. 4)."""
    return (depth - other).abs() / (depth + other)
