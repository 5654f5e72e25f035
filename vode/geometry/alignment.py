"""Alignment: depth to triangulated depth by a scale, trajectories by a similarity."""

from __future__ import annotations

import torch
from torch import Tensor

LEAST = 20
"""points that tell a scale"""


@torch.no_grad()
def align_depth_scale(
    predicted: Tensor, reference: Tensor, mask: Tensor, *, outlier: float | None = None
) -> tuple[Tensor, Tensor]:
    """Scale a (B,) that brings predicted depth d to triangulated depth D, both (B, N), over ``mask`` (B, N).

    The median of D / d, then, where ``outlier`` is given, the closed form sum(d/D) / sum((d/D)^2), which
    minimises sum (1 - a d/D)^2, over the points within that factor of the median (Zhao et al., CVPR 2020,
    section 3.3). No gradient: a loss must be at its own minimum over the scale, or it drives the network's
    scale away, so mean |log| goes with the median and the mean square with the closed form over all
    (``inf``). Also returns whether at least ``LEAST`` points took part, (B,) bool; else a = 1. Depths that
    are not positive or not finite take no part.
    """
    predicted, reference = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (predicted, reference))
    valid = (mask > 0) & (predicted > 0) & (reference > 0) & predicted.isfinite() & reference.isfinite()
    ratio = torch.where(valid, reference / torch.where(valid, predicted, 1.0), float("nan"))
    scale = ratio.nanmedian(-1).values.nan_to_num(1.0)
    if outlier is not None:
        median = scale.unsqueeze(-1)
        valid = valid & (ratio > median / outlier) & (ratio < median * outlier)
        share = torch.where(valid, 1 / torch.where(valid, ratio, 1.0), 0.0)
        scale = share.sum(-1) / share.square().sum(-1).clamp(min=1e-20)
    enough = valid.sum(-1) >= LEAST
    return torch.where(enough, scale, 1.0), enough


def umeyama(
    source: Tensor, target: Tensor, *, with_scale: bool = True, weights: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Similarity with target ~ s R source + t in the least-squares sense: s (...), R (..., 3, 3), t (..., 3).

    source, target (..., N, 3), weights (..., N) >= 0. Umeyama, PAMI 1991, eqs. 40-42; never a mirror image.
    Points on one line leave the turn about it open: the result is then one of the best. Raises ValueError
    where the source points of an alignment coincide, or hold no weight, for then no scale or rotation exists.
    """
    weights = torch.ones_like(source[..., 0]) if weights is None else weights
    share = (weights / weights.sum(-1, keepdim=True)).unsqueeze(-1)
    mean_source, mean_target = (source * share).sum(-2), (target * share).sum(-2)
    x, y = source - mean_source.unsqueeze(-2), target - mean_target.unsqueeze(-2)
    variance = (x.square() * share).sum((-2, -1))
    rounding = (10 * torch.finfo(source.dtype).eps) ** 2 * source.square().sum(-1).amax(-1)
    if not bool((variance > rounding).all()):
        raise ValueError("the points to align coincide, or hold no weight")
    U, S, Vt = torch.linalg.svd((y * share).mT @ x)
    mirror = torch.ones_like(S)
    mirror[..., 2] = (torch.linalg.det(U) * torch.linalg.det(Vt)).sign()
    rotation = (U * mirror.unsqueeze(-2)) @ Vt
    scale = (S * mirror).sum(-1) / variance if with_scale else torch.ones_like(variance)
    moved = (rotation @ mean_source.unsqueeze(-1))[..., 0]
    return scale, rotation, mean_target - scale.unsqueeze(-1) * moved
