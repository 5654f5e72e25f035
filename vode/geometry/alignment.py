"""Similarity transforms between point sets: least squares, and robust to outliers."""

from __future__ import annotations

from typing import NamedTuple

import roma
import torch
from torch import Tensor

WIDE = 3.0
"""inlier threshold in median residuals; with up to 40 % outliers the median still belongs to an inlier"""
EXACT = 1e-6
"""residual below which a point is always an inlier, relative to the spread of the points"""
REFITS = 20
"""maximum number of refits to the inliers"""


def umeyama(
    source: Tensor, target: Tensor, *, with_scale: bool = True, weights: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Similarity with target ~ s R source + t in the least-squares sense: s (...), R (..., 3, 3), t (..., 3).

    source, target (..., N, 3), weights (..., N) >= 0. Umeyama, PAMI 1991, eqs. 40-42; never a reflection.
    Collinear points do not determine the rotation about their line: the result is then one of the optima. Raises
    ValueError where the source points of an alignment coincide or have no weight.
    """
    weights = torch.ones_like(source[..., 0]) if weights is None else weights
    _, _, variance = _centred(source, weights)
    rounding = (10 * torch.finfo(source.dtype).eps) ** 2 * source.square().sum(-1).amax(-1)
    if not bool((variance > rounding).all()):
        raise ValueError("the points to align coincide, or hold no weight")
    rotation, translation, *scale = roma.rigid_points_registration(source, target, weights, with_scale)
    return scale[0] if scale else torch.ones_like(variance), rotation, translation


class Similarity(NamedTuple):
    """target ~ scale rotation source + translation for the inlier pairs."""

    scale: Tensor
    """()"""
    rotation: Tensor
    """(3, 3)"""
    translation: Tensor
    """(3,)"""
    inliers: Tensor
    """(N,) bool"""


@torch.no_grad()
def robust_similarity(
    source: Tensor,
    target: Tensor,
    *,
    rotations: Tensor | None = None,
    with_scale: bool = True,
    limit: float = 0.2,
    count: int = 500,
    seed: int = 0,
) -> Similarity:
    """Similarity of points (N, 3), float64, with up to 40 % outliers, by least median of squares.

    Rousseeuw, JASA 1984: of ``count`` samples of three pairs the one with the smallest median residual, then least
    squares over the inliers. ``rotations`` (N, 3, 3), each camera's estimate of the rotation from source to target
    axes, also determine the rotation about a line of points. Residuals combine distances, relative to the spread of
    the targets, and angles in radians; ``limit`` is the largest residual of an inlier, so that unrelated points have
    few inliers. Without scale, it is 1. Raises ValueError for fewer than three points, or where most of them coincide.
    """
    if len(source) < 3:
        raise ValueError(f"{len(source)} points; a similarity takes 3")
    spread = _spread(target)
    if not bool(_spread(source) > 0) or not bool(spread > 0):
        raise ValueError("most of the points to align coincide")
    generator = torch.Generator().manual_seed(seed)
    sample = torch.rand(count, len(source), generator=generator).topk(3).indices.to(source.device)
    turns = None if rotations is None else rotations[sample]
    weights = torch.ones_like(source[sample][..., 0])
    found = _fit(source[sample], target[sample], weights, turns, with_scale=with_scale)
    distance, angle = _residuals(source, target, rotations, *found)
    # A non-positive scale explains nothing. torch's median is an actual residual, also for an even number of points.
    middle = (distance / spread).hypot(angle).median(-1).values
    best = torch.where(found[0] > 0, middle, torch.inf).argmin()
    found = (found[0][best], found[1][best], found[2][best])
    inliers = torch.zeros_like(source[:, 0], dtype=torch.bool)
    for _ in range(REFITS):
        distance, angle = _residuals(source, target, rotations, *found)
        residual = (distance / spread).hypot(angle)
        before, inliers = inliers, residual <= (WIDE * residual.median()).clamp(EXACT, limit)
        if torch.equal(before, inliers) or int(inliers.sum()) < 3:
            break
        trust = _trust(distance[inliers] / spread, angle[inliers])
        found = _fit(source, target, inliers.to(source.dtype), rotations, trust, with_scale=with_scale)
    return Similarity(*found, inliers)


def _fit(
    source: Tensor,
    target: Tensor,
    weights: Tensor,
    rotations: Tensor | None = None,
    trust: Tensor | float = 1.0,
    *,
    with_scale: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """Umeyama's similarity or motion, its rotation fitted to ``rotations`` (..., N, 3, 3) too, by ``trust``."""
    if rotations is None:
        rotation, translation, *scale = roma.rigid_points_registration(source, target, weights, with_scale)
        return scale[0] if scale else torch.ones_like(translation[..., 0]), rotation, translation
    mean_source, x, variance = _centred(source, weights)
    mean_target, y, variance_target = _centred(target, weights)
    fraction = (weights / weights.sum(-1, keepdim=True)).unsqueeze(-1)
    covariance = (y * fraction).mT @ x
    # dimensionless, so that rotations can be added to it
    least = torch.finfo(source.dtype).tiny
    deviations = variance.clamp(min=least).sqrt() * variance_target.clamp(min=least).sqrt()
    near = trust * (rotations * fraction.unsqueeze(-1)).sum(-3)
    rotation = roma.special_procrustes(covariance / deviations[..., None, None] + near)
    along = (rotation * covariance).sum((-2, -1)) / variance.clamp(min=least)
    scale = along if with_scale else torch.ones_like(along)
    moved = (rotation @ mean_source.unsqueeze(-1))[..., 0]
    return scale, rotation, mean_target - scale.unsqueeze(-1) * moved


def _centred(points: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted mean (..., 3) of points (..., N, 3), the points relative to it, and their variance (...)."""
    fraction = (weights / weights.sum(-1, keepdim=True)).unsqueeze(-1)
    mean = (points * fraction).sum(-2)
    away = points - mean.unsqueeze(-2)
    return mean, away, (away.square() * fraction).sum((-2, -1))


def _residuals(
    source: Tensor, target: Tensor, rotations: Tensor | None, scale: Tensor, rotation: Tensor, translation: Tensor
) -> tuple[Tensor, Tensor]:
    """Distances and angles (..., N) under similarities (...,)."""
    moved = scale[..., None, None] * (source @ rotation.mT) + translation.unsqueeze(-2)
    distance = (target - moved).norm(dim=-1)
    if rotations is None:
        return distance, torch.zeros_like(distance)
    # Only the trace of the difference: no 3x3 matrix for each hypothesis and camera.
    trace = rotation.flatten(-2) @ rotations.flatten(-2).mT
    return distance, 2 * ((3 - trace) / 4).clamp(0, 1).sqrt().asin()


def _trust(distance: Tensor, angle: Tensor) -> Tensor:
    """The maximum-likelihood weight of rotations relative to points in ``_fit``, given their residuals."""
    return (0.5 * (distance.median() / angle.median()).square()).nan_to_num(1.0).clamp(1e-4, 1e4)


def _spread(points: Tensor) -> Tensor:
    """Median distance of points (N, 3) from their coordinate-wise median; 0 within rounding."""
    # Torch's median of an expanded tensor is wrong (seen in 2.15).
    spread = (points - points.contiguous().median(0).values).norm(dim=-1).median()
    return torch.where(spread > 1e-12 * points.abs().max(), spread, 0.0)
