"""Correspondences and intrinsics -> two-view motion: the one door for callers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

import torch
import torch.nn.functional as F
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
from vode.geometry.refinement import precision, ray_pairs

BACKENDS = ("torch", "opencv")


class Model(IntEnum):
    """What a motion was fitted by."""

    NONE = 0
    """nothing fits: identity"""
    ESSENTIAL = 1


@dataclass(frozen=True)
class TwoViewOptions:
    """Effort of the solver, and when its motion counts as reliable."""

    ransac: RansacOptions = field(default_factory=RansacOptions)
    min_inliers: int = 20
    min_inlier_share: float = 0.3
    """of the usable correspondences"""
    min_parallax: float = 0.5
    """pixels beyond the rotation, along its epipolar line, from which on an inlier counts as moving"""
    min_significance: float = 4.0
    """the same in standard deviations of the inliers' Sampson distance; the larger of the two counts"""
    min_moving_share: float = 0.05
    """of the inliers; and at least ``min_inliers`` of them. The rest may be as far as the sky"""
    min_in_front: float = 0.75
    """share of the moving inliers that lie before both cameras: half of them where t only fits noise"""
    max_deviation: float = 0.1
    """radians: standard deviation of the direction of translation, as the inliers' noise predicts it"""


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
    """(B,) pixels: median over inliers of the motion beyond the rotation, along the way t moves points, >= 0"""
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
        T_b_a = (_by_torch if backend == "torch" else _by_opencv)(a, b, K, weights, threshold, seed, options)
        result = _judge(T_b_a, a, b, K, weights > 0, threshold, options)
    result = result._replace(inliers=result.inliers[:, : points_a.shape[1]])
    kind = torch.promote_types(points_a.dtype, torch.float32)
    return TwoView(*(x.to(kind) if x.is_floating_point() else x for x in result))


def _check_shapes(points_a: Tensor, points_b: Tensor, intrinsics: Tensor, scores: Tensor | None) -> None:
    batch, count = points_a.shape[:2]
    expected = [(points_a, (batch, count, 2)), (points_b, (batch, count, 2)), (intrinsics, (batch, 3, 3))]
    if scores is not None:
        expected.append((scores, (batch, count)))
    for tensor, shape in expected:
        if tuple(tensor.shape) != shape:
            raise ValueError(f"expected a tensor of shape {shape}, got {tuple(tensor.shape)}")


def _clean(
    points_a: Tensor, points_b: Tensor, intrinsics: Tensor, scores: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """All in float64 and finite: a bad pair gets weight 0, a bad camera the identity and no pairs.

    At least the eight pairs that solvers draw, if need be of weight 0.
    """
    a, b, K = points_a.double(), points_b.double(), intrinsics.double()
    weights = torch.ones_like(a[..., 0]) if scores is None else scores.double()
    known = (K.isfinite().flatten(1).all(-1) & (K[:, 0, 0] > 0) & (K[:, 1, 1] > 0)).unsqueeze(-1)
    finite = a.isfinite().all(-1) & b.isfinite().all(-1) & weights.isfinite() & known
    weights = torch.where(finite & (weights > 0), weights, 0.0)
    short = max(8 - a.shape[1], 0)
    a, b = (F.pad(torch.where(finite.unsqueeze(-1), x, 0.0), (0, 0, 0, short)) for x in (a, b))
    K = torch.where(known.unsqueeze(-1), K, torch.eye(3, device=K.device, dtype=K.dtype))
    return a, b, K, F.pad(weights, (0, short))


def _by_torch(
    a: Tensor, b: Tensor, K: Tensor, weights: Tensor, threshold: float, seed: int, options: TwoViewOptions
) -> Tensor:
    rays_a, rays_b = rays(a, K)[..., :2], rays(b, K)[..., :2]
    limit = _in_rays(threshold, K)
    rotation, translation = ransac_essential(rays_a, rays_b, weights, limit, seed=seed, options=options.ransac)
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
    fundamental = fundamental_from_essential(essential_from_pose(T_b_a), K)
    fundamental = fundamental / fundamental.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-30)
    inliers = (sampson_distance(fundamental, a, b) < threshold) & usable
    count = inliers.sum(-1)
    # any five pairs have an essential matrix, so fewer than six inliers say nothing
    solved = T_b_a.isfinite().flatten(1).all(-1) & (T_b_a[:, :3, 3].norm(dim=-1) > 0.5) & (count > 5)
    T_b_a = torch.where(solved[:, None, None], T_b_a, torch.eye(4, device=a.device, dtype=a.dtype))
    inliers = inliers & solved[:, None]
    motion = _epipolar_motion(T_b_a, a, b, K)
    parallax = torch.where(inliers, motion, float("nan")).nanmedian(-1).values.nan_to_num(0.0).clamp(min=0)
    sigma, deviation = _precision(T_b_a, a, b, K, inliers, threshold)
    significant = (options.min_significance * sigma).clamp(min=options.min_parallax)
    moving = inliers & (motion.abs() > significant[:, None])
    front = moving & in_front(T_b_a, a, b, K)[0]
    reliable = (
        solved
        & (count >= options.min_inliers)
        & (count >= options.min_inlier_share * usable.sum(-1))
        & (moving.sum(-1) >= options.min_inliers)
        & (moving.sum(-1) >= options.min_moving_share * count)
        & (front.sum(-1) >= options.min_in_front * moving.sum(-1))
        & (deviation <= options.max_deviation)
    )
    fundamental = torch.where(solved[:, None, None], fundamental, 0.0)
    model = torch.where(solved, int(Model.ESSENTIAL), int(Model.NONE))
    return TwoView(T_b_a, fundamental, inliers, reliable, parallax, model)


def _precision(
    T_b_a: Tensor, a: Tensor, b: Tensor, K: Tensor, inliers: Tensor, threshold: float
) -> tuple[Tensor, Tensor]:
    """Noise of the inliers in pixels and the deviation of t that it predicts in radians, (B,)."""
    pairs = ray_pairs(rays(a, K)[..., :2], rays(b, K)[..., :2], inliers.to(a.dtype))
    rotation, translation = T_b_a[:, None, :3, :3], T_b_a[:, None, :3, 3]
    limit = _in_rays(threshold, K)
    sigma, deviation = precision(rotation, translation, pairs, limit)
    return sigma[:, 0] / limit * threshold, deviation[:, 0]


def _in_rays(threshold: float, K: Tensor) -> Tensor:
    """Pixels as a distance (B,) between rays of z = 1."""
    return threshold / (K[:, 0, 0] * K[:, 1, 1]).sqrt()


def _epipolar_motion(T_b_a: Tensor, a: Tensor, b: Tensor, K: Tensor) -> Tensor:
    """Pixels (B, N) by which points moved beyond the rotation, towards where t moves points in front."""
    turned = rays(a, K) @ T_b_a[:, :3, :3].mT
    pixels, _ = project(turned, K)
    focal = K.diagonal(dim1=-2, dim2=-1)[:, None, :2]
    translation = T_b_a[:, None, :3, 3]
    away = focal * (translation[..., :2] * turned[..., 2:] - translation[..., 2:] * turned[..., :2])
    return ((b - pixels) * away).sum(-1) / away.norm(dim=-1).clamp(min=1e-12)
