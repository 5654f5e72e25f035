"""Correspondences and intrinsics -> two-view motion: the one door for callers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.camera import project, rays
from vode.geometry.epipolar import (
    choose_motion,
    essential_from_pose,
    fundamental_from_essential,
    in_front,
    sampson_distance,
)
from vode.geometry.pose import from_rotation_translation
from vode.geometry.ransac import RansacOptions, ransac_essential

BACKENDS = ("torch", "opencv")


class Model(IntEnum):
    """What a motion was fitted by."""

    NONE = 0
    """nothing fits: identity"""
    ESSENTIAL = 1


@dataclass(frozen=True)
class TwoViewOptions:
    """Effort of the solver, and when its motion counts as reliable."""

    ransac: RansacOptions = RansacOptions()
    min_inliers: int = 20
    min_inlier_share: float = 0.3
    """of the usable correspondences"""
    min_in_front: float = 0.6
    """share of the inliers that lie before both cameras"""
    min_parallax: float = 0.5
    """median motion in pixels that the rotation alone does not explain"""


class TwoView(NamedTuple):
    """Two-view motion of a batch of pairs, without NaN. A pair without one: identity, zero F, no inliers."""

    T_b_a: Tensor
    """(B, 4, 4), unit translation"""
    fundamental: Tensor
    """(B, 3, 3), b^T F a = 0 in pixels, unit norm"""
    inliers: Tensor
    """bool (B, N): usable, and within the threshold"""
    reliable: Tensor
    """bool (B,): meets every criterion of TwoViewOptions"""
    parallax: Tensor
    """(B,) pixels: median over inliers of the motion that the rotation does not explain"""
    model: Tensor
    """int64 (B,), a value of Model"""


@torch.no_grad()
def relative_pose(
    points_a: Tensor,
    points_b: Tensor,
    intrinsics: Tensor,
    *,
    scores: Tensor | None = None,
    threshold: float = 1.0,
    backend: str = "torch",
    seed: int = 0,
    options: TwoViewOptions = TwoViewOptions(),
) -> TwoView:
    """Motion from points_a to points_b (B, N, 2), in pixels of a camera with intrinsics (B, 3, 3).

    scores (B, N) >= 0, where given, say how likely a correspondence is drawn, 0 = unusable; so are those that
    are not finite. threshold in pixels of Sampson distance. ``backend``: "torch", batched on the tensors'
    device, or "opencv" (USAC MAGSAC, one pair after the other on the processor; scores only tell the usable).
    Solved in float64 whatever the input and autocast; given back in float32, or float64 for float64
    points. No gradient. Raises ValueError for another backend or for shapes that do not fit.
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {BACKENDS}, not {backend!r}")
    _check_shapes(points_a, points_b, intrinsics, scores)
    with torch.autocast(points_a.device.type, enabled=False):
        a, b, K, weights = _clean(points_a, points_b, intrinsics, scores)
        usable = weights > 0
        T_b_a = (_by_torch if backend == "torch" else _by_opencv)(a, b, K, weights, threshold, seed, options)
        result = _judge(T_b_a, a, b, K, usable, threshold, options)
    kind = torch.promote_types(points_a.dtype, torch.float32)
    return TwoView(*(x.to(kind) if x.is_floating_point() else x for x in result))


def _check_shapes(points_a: Tensor, points_b: Tensor, intrinsics: Tensor, scores: Tensor | None) -> None:
    batch, count = points_a.shape[:2]
    expected = [(points_a, (batch, count, 2)), (points_b, (batch, count, 2)), (intrinsics, (batch, 3, 3))]
    if scores is not None:
        expected.append((scores, (batch, count)))
    for tensor, shape in expected:
        if tuple(tensor.shape) != shape:
            raise ValueError(f"expected points (B, N, 2), intrinsics (B, 3, 3), scores (B, N), got {tensor.shape}")


def _clean(
    points_a: Tensor, points_b: Tensor, intrinsics: Tensor, scores: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Everything in float64 and finite: a pair that is not gets weight 0, a camera that is not the identity."""
    a, b, K = points_a.double(), points_b.double(), intrinsics.double()
    weights = torch.ones_like(a[..., 0]) if scores is None else scores.double()
    known = (K.isfinite().flatten(1).all(-1) & (K[:, 0, 0] > 0) & (K[:, 1, 1] > 0)).unsqueeze(-1)
    finite = a.isfinite().all(-1) & b.isfinite().all(-1) & weights.isfinite() & known
    weights = torch.where(finite & (weights > 0), weights, 0.0)
    a, b = (torch.where(finite.unsqueeze(-1), x, 0.0) for x in (a, b))
    return a, b, torch.where(known.unsqueeze(-1), K, torch.eye(3, device=K.device, dtype=K.dtype)), weights


def _by_torch(
    a: Tensor, b: Tensor, K: Tensor, weights: Tensor, threshold: float, seed: int, options: TwoViewOptions
) -> Tensor:
    rays_a, rays_b = rays(a, K)[..., :2], rays(b, K)[..., :2]
    limit = threshold / (K[:, 0, 0] * K[:, 1, 1]).sqrt()
    short = max(8 - a.shape[1], 0)
    rays_a, rays_b = (torch.nn.functional.pad(x, (0, 0, 0, short)) for x in (rays_a, rays_b))
    padded = torch.nn.functional.pad(weights, (0, short))
    rotation, translation = ransac_essential(rays_a, rays_b, padded, limit, seed=seed, options=options.ransac)
    essential = essential_from_pose(from_rotation_translation(rotation, translation))
    near = (sampson_distance(fundamental_from_essential(essential, K), a, b) < threshold) & (weights > 0)
    return choose_motion(essential.nan_to_num(0.0), a, b, K, near)


def _by_opencv(
    a: Tensor, b: Tensor, K: Tensor, weights: Tensor, threshold: float, seed: int, options: TwoViewOptions
) -> Tensor:
    from vode.geometry.opencv import usac_poses

    return usac_poses(a, b, K, weights > 0, threshold=threshold, seed=seed)


def _judge(
    T_b_a: Tensor, a: Tensor, b: Tensor, K: Tensor, usable: Tensor, threshold: float, options: TwoViewOptions
) -> TwoView:
    F = fundamental_from_essential(essential_from_pose(T_b_a), K)
    F = F / F.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-30)
    inliers = (sampson_distance(F, a, b) < threshold) & usable
    count = inliers.sum(-1)
    # any five pairs have an essential matrix, so fewer than six inliers say nothing
    solved = T_b_a.isfinite().flatten(1).all(-1) & (T_b_a[:, :3, 3].norm(dim=-1) > 0.5) & (count > 5)
    T_b_a = torch.where(solved[:, None, None], T_b_a, torch.eye(4, device=a.device, dtype=a.dtype))
    inliers = inliers & solved[:, None]
    front = in_front(T_b_a, a, b, K)[0] & inliers
    turned, _ = project(rays(a, K) @ T_b_a[:, :3, :3].mT, K)
    moved = torch.where(inliers, (b - turned).norm(dim=-1), float("nan"))
    parallax = moved.nanmedian(-1).values.nan_to_num(0.0)
    reliable = (
        solved
        & (count >= options.min_inliers)
        & (count >= options.min_inlier_share * usable.sum(-1))
        & (front.sum(-1) >= options.min_in_front * count)
        & (parallax >= options.min_parallax)
    )
    model = torch.where(solved, int(Model.ESSENTIAL), int(Model.NONE))
    return TwoView(T_b_a, torch.where(solved[:, None, None], F, 0.0), inliers, reliable, parallax, model)
