"""Correspondences and intrinsics -> two-view motion: the one door for callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.camera import project, rays
from vode.geometry.epipolar import decompose_essential, fundamental_from_essential, sampson_distance, skew
from vode.geometry.ransac import RansacOptions, ransac_essential, refine_pose
from vode.geometry.triangulation import midpoint


@dataclass(frozen=True)
class TwoViewOptions:
    """When a motion counts as reliable."""

    ransac: RansacOptions = RansacOptions()
    min_inliers: int = 20
    min_inlier_share: float = 0.3
    """of the usable correspondences"""
    min_in_front: float = 0.5
    """share of the inliers that lie before both cameras"""
    min_parallax: float = 0.5
    """median motion in pixels that a rotation alone does not explain"""


class TwoView(NamedTuple):
    """Two-view motion of a batch of pairs. A pair without one has the identity and no inliers."""

    T_b_a: Tensor
    """(B, 4, 4), unit translation"""
    fundamental: Tensor
    """(B, 3, 3), b^T F a = 0 in pixels"""
    inliers: Tensor
    """bool (B, N)"""
    reliable: Tensor
    """bool (B,)"""
    parallax: Tensor
    """(B,) pixels: median over inliers of the motion that the rotation does not explain"""
    model: str
    """the motion model that was fitted"""


@torch.no_grad()
def relative_pose(
    points_a: Tensor,
    points_b: Tensor,
    intrinsics: Tensor,
    *,
    scores: Tensor | None = None,
    threshold: float = 1.0,
    seed: int = 0,
    options: TwoViewOptions = TwoViewOptions(),
) -> TwoView:
    """Motion from points_a to points_b (B, N, 2), in pixels of a camera with intrinsics (B, 3, 3).

    scores (B, N) >= 0, where given, say how likely a correspondence is drawn, 0 = unusable; threshold in
    pixels of Sampson distance. Solved in float64. No gradient.
    """
    with torch.autocast(points_a.device.type, enabled=False):
        kind = points_a.dtype if points_a.dtype == torch.float64 else torch.float32
        a, b, K = points_a.double(), points_b.double(), intrinsics.double()
        weights = torch.ones_like(a[..., 0]) if scores is None else scores.double().clamp(min=0)
        finite = a.isfinite().all(-1) & b.isfinite().all(-1) & weights.isfinite()
        weights = torch.where(finite, weights, 0.0)
        a, b = (torch.where(finite.unsqueeze(-1), x, 0.0) for x in (a, b))
        rays_a, rays_b = rays(a, K)[..., :2], rays(b, K)[..., :2]
        limit = threshold / (K[:, 0, 0] * K[:, 1, 1]).abs().sqrt().clamp(min=1e-6)
        essential = ransac_essential(rays_a, rays_b, weights, limit, seed=seed, options=options.ransac)
        used = (weights > 0).to(a.dtype)
        rotation, translation = _choose(essential, a, b, rays_a, rays_b, K, used, limit)
        rotation, translation = refine_pose(
            rotation, translation, rays_a, rays_b, used, limit, iterations=options.ransac.iterations
        )
        result = _judge(rotation, translation, a, b, rays_a, rays_b, K, used, limit, options)
        return TwoView(*(x.to(kind) if torch.is_tensor(x) and x.is_floating_point() else x for x in result))


def _choose(
    essential: Tensor, a: Tensor, b: Tensor, rays_a: Tensor, rays_b: Tensor, K: Tensor, used: Tensor, limit: Tensor
) -> tuple[Tensor, Tensor]:
    """Of the four motions of each E, the one with most inliers before both cameras."""
    near = (sampson_distance(essential, rays_a, rays_b) < 2 * limit[:, None]) * used
    rotations, translations = decompose_essential(essential.nan_to_num(0.0))
    T_b_a = _pose(rotations, translations)
    found = midpoint(a.unsqueeze(1), b.unsqueeze(1), K.unsqueeze(1), T_b_a)
    best = (found.valid * near.unsqueeze(1)).sum(-1).argmax(-1)
    row = torch.arange(len(best), device=best.device)
    return rotations[row, best], translations[row, best]


def _judge(
    rotation: Tensor,
    translation: Tensor,
    a: Tensor,
    b: Tensor,
    rays_a: Tensor,
    rays_b: Tensor,
    K: Tensor,
    used: Tensor,
    limit: Tensor,
    options: TwoViewOptions,
) -> TwoView:
    T_b_a = _pose(rotation, translation)
    essential = skew(translation) @ rotation
    inliers = (sampson_distance(essential, rays_a, rays_b) < limit[:, None]) & (used > 0)
    front = midpoint(a, b, K, T_b_a, min_parallax=0.0).valid & inliers
    turned, _ = project(rays(a, K) @ rotation.mT, K)
    moved = torch.where(inliers, (b - turned).norm(dim=-1), float("nan"))
    parallax = moved.nanmedian(-1).values.nan_to_num(0.0)
    count = inliers.sum(-1)
    finite = T_b_a.isfinite().flatten(1).all(-1)
    reliable = (
        finite
        & (count >= options.min_inliers)
        & (count >= options.min_inlier_share * used.sum(-1))
        & (front.sum(-1) >= options.min_in_front * count)
        & (parallax >= options.min_parallax)
    )
    solved = finite & (count > 0)
    T_b_a = torch.where(solved[:, None, None], T_b_a, torch.eye(4, device=a.device, dtype=a.dtype))
    fundamental = fundamental_from_essential(essential.nan_to_num(0.0), K)
    return TwoView(T_b_a, fundamental, inliers & solved[:, None], reliable, parallax, "essential")


def _pose(rotation: Tensor, translation: Tensor) -> Tensor:
    top = torch.cat([rotation, translation.unsqueeze(-1)], -1)
    last = top.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*top.shape[:-2], 1, 4)
    return torch.cat([top, last], -2)
