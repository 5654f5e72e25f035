"""Two-view motion from correspondences and intrinsics: the entry point for callers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import rays
from vode.geometry.epipolar import essential_from_pose, fundamental_from_essential, sampson_distance
from vode.geometry.pose import from_rotation_translation
from vode.geometry.two_view.ransac import RansacOptions, ransac_essential, ransac_fundamental
from vode.geometry.two_view.refinement import RayPairs, deviation, motion_along, noise, ray_pairs, sampson_squared
from vode.geometry.two_view.selection import InlierRays, Model, simplest_motion


@dataclass(frozen=True)
class TwoViewOptions:
    """How much the solver computes, and when its motion counts as reliable."""

    ransac: RansacOptions = field(default_factory=RansacOptions)
    min_inliers: int = 20
    min_inlier_fraction: float = 0.3
    """smallest inlier fraction of the usable correspondences"""
    min_parallax: float = 0.5
    """smallest displacement in pixels that a simpler motion has to explain"""
    min_significance: float = 3.0
    """the same in standard deviations of a displacement, from the inliers' noise; the larger of the two applies"""
    min_moving_fraction: float = 0.05
    """fraction of the inliers, and at least ``min_inliers``, that must be displaced beyond the rotation, besides those
    expected by chance; the rest may be as far as the sky. With fewer, a simpler model is chosen"""
    min_in_front: float = 0.75
    """smallest fraction of moving points in front of both cameras; it is near one half if t only fits noise"""
    max_deviation: float = 0.1
    """largest standard deviation of the direction of translation, in radians, propagated from the inliers' noise"""
    backend: Literal["torch", "opencv", "poselib"] = "torch"
    """torch: batched on the tensors' device; opencv (USAC MAGSAC) or poselib (an extra): one pair at a time on the CPU,
    which only use whether a score is 0"""


class TwoView(NamedTuple):
    """Two-view motions of a batch of pairs, all finite; identity, zero F and no inliers where there is none."""

    T_b_a: Tensor
    """(B, 4, 4); the translation of unit length, or zero where the model has none"""
    fundamental: Tensor
    """(B, 3, 3), b^T F a = 0 in pixels, of unit norm, or zero with the translation"""
    inliers: Tensor
    """bool (B, N): usable, explained by the model, and in front of both cameras within the noise"""
    reliable: Tensor
    """bool (B,): the direction of the translation is known, by every criterion of TwoViewOptions"""
    parallax: Tensor
    """(B,) pixels: median displacement of the inliers beyond the rotation, in the direction of t, >= 0"""
    noise: Tensor
    """(B,) pixels: standard deviation of the Sampson distances of the essential matrix's inliers"""
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
    seed: int = 0,
    options: TwoViewOptions = TwoViewOptions(),
) -> TwoView:
    """Motion T_b_a between two views from points_a and points_b (B, N, 2), pixels, and intrinsics (B, 3, 3).

    scores (B, N) >= 0 are proportional to the probability that a correspondence is drawn, 0 = unusable, as are
    non-finite points. threshold in pixels of Sampson distance. The motion of every backend is judged alike: whether
    the camera is at rest, only rotates or sees a plane (``selection.simplest_motion``), and whether the translation
    is reliable. Solved in float64 whatever the input and autocast; returned in float32, or float64 for float64
    points. No gradient. Raises ValueError for an unknown backend or shapes that do not match, ImportError if
    PoseLib is not installed.
    """
    if options.backend not in BACKENDS:
        raise ValueError(f"backend must be one of {tuple(BACKENDS)}, not {options.backend!r}")
    _check_shapes(points_a, points_b, intrinsics, scores)
    with torch.autocast(points_a.device.type, enabled=False):
        a, b, K, weights = _clean(points_a, points_b, intrinsics, scores)
        T_b_a = BACKENDS[options.backend](a, b, K, weights, threshold, seed, options)
        result = _judge(T_b_a, a, b, K, weights > 0, threshold, options)
    result = result._replace(inliers=result.inliers[:, : points_a.shape[1]])
    kind = torch.promote_types(points_a.dtype, torch.float32)
    return TwoView(*(x.to(kind) if x.is_floating_point() else x for x in result))


@torch.no_grad()
def fundamental_matrix(
    points_a: Tensor,
    points_b: Tensor,
    *,
    scores: Tensor | None = None,
    threshold: float = 1.0,
    seed: int = 0,
    options: RansacOptions = RansacOptions(),
) -> tuple[Tensor, Tensor]:
    """Fundamental matrix (B, 3, 3), of unit norm, and inliers (B, N) of two views of unknown cameras.

    Arguments as for ``relative_pose``, which is more accurate where the camera is known. A pair with fewer than
    9 inliers (any 8 have a matrix) gets zero and no inliers.
    """
    camera = torch.eye(3, device=points_a.device).expand(len(points_a), 3, 3)
    _check_shapes(points_a, points_b, camera, scores)
    with torch.autocast(points_a.device.type, enabled=False):
        a, b, _, weights = _clean(points_a, points_b, camera, scores)
        F_b_a = ransac_fundamental(a, b, weights, a.new_full((len(a),), threshold), seed=seed, options=options)
        inliers = (sampson_distance(F_b_a, a, b) < threshold) & (weights > 0)
    found = inliers.sum(-1) > 8
    F_b_a = torch.where(found[:, None, None], F_b_a, 0.0)
    kind = torch.promote_types(points_a.dtype, torch.float32)
    return F_b_a.to(kind), (inliers & found[:, None])[:, : points_a.shape[1]]


def _check_shapes(points_a: Tensor, points_b: Tensor, intrinsics: Tensor, scores: Tensor | None) -> None:
    batch, count = points_a.shape[:2]
    expected: list[tuple[Tensor, tuple[int, ...]]] = [
        (points_a, (batch, count, 2)),
        (points_b, (batch, count, 2)),
        (intrinsics, (batch, 3, 3)),
    ]
    if scores is not None:
        expected.append((scores, (batch, count)))
    for tensor, shape in expected:
        if tuple(tensor.shape) != shape:
            raise ValueError(f"expected a tensor of shape {shape}, got {tuple(tensor.shape)}")


def _clean(
    points_a: Tensor, points_b: Tensor, intrinsics: Tensor, scores: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Everything in float64 and finite: an invalid pair gets weight 0, an invalid camera the identity and no pairs.

    Padded with pairs of weight 0 to the eight that solvers draw.
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
    return from_rotation_translation(rotation, translation)


def _by_opencv(
    a: Tensor, b: Tensor, K: Tensor, weights: Tensor, threshold: float, seed: int, options: TwoViewOptions
) -> Tensor:
    from vode.geometry.two_view.opencv import usac_poses

    return usac_poses(a, b, K, weights > 0, threshold=threshold, seed=seed)


def _by_poselib(
    a: Tensor, b: Tensor, K: Tensor, weights: Tensor, threshold: float, seed: int, options: TwoViewOptions
) -> Tensor:
    try:
        from vode.geometry.two_view.poselib import ransac_poses
    except ImportError as error:
        raise ImportError("the backend needs PoseLib: pip install 'vode[poselib]'") from error
    rays_a, rays_b = rays(a, K)[..., :2], rays(b, K)[..., :2]
    return ransac_poses(rays_a, rays_b, weights > 0, 1 / _in_rays(1.0, K), threshold=threshold, seed=seed)


BACKENDS = {"torch": _by_torch, "opencv": _by_opencv, "poselib": _by_poselib}


def _judge(
    T_b_a: Tensor, a: Tensor, b: Tensor, K: Tensor, usable: Tensor, threshold: float, options: TwoViewOptions
) -> TwoView:
    found = T_b_a.isfinite().flatten(1).all(-1) & (T_b_a[:, :3, 3].norm(dim=-1) > 0.5)
    eye = torch.eye(4, device=a.device, dtype=a.dtype)
    T_b_a = torch.where(found[:, None, None], T_b_a, eye)
    rays_a, rays_b = rays(a, K)[..., :2], rays(b, K)[..., :2]
    pairs, pixel = ray_pairs(rays_a, rays_b, usable.to(a.dtype)), _in_rays(1.0, K)
    sigma, chance = (x[:, 0] for x in noise(_essential(T_b_a), pairs, threshold * pixel))
    # a displacement has the noise of both of its ends, one of which a plane may magnify
    limit = (options.min_significance * 2**0.5 * sigma).maximum(options.min_parallax * pixel)
    noisy = options.min_significance * 2 * sigma
    near, motion = _near(T_b_a, pairs, threshold * pixel)
    # any five pairs have an essential matrix, so fewer than six inliers are no evidence
    found = found & (near.sum(-1) > 5)
    forward = near & (motion > -limit[:, None])
    T_b_a, model, explained = simplest_motion(
        T_b_a, InlierRays(rays_a, rays_b, forward, chance), limit, noisy, options.min_moving_fraction
    )
    T_b_a = torch.where(found[:, None, None], T_b_a, eye)
    model = torch.where(found, model, int(Model.NONE))
    near, motion = _near(T_b_a, pairs, threshold * pixel)
    inliers = near & (motion > -limit[:, None]) & explained & found[:, None]
    count, moving = inliers.sum(-1), near & (motion.abs() > limit[:, None])
    ahead = (moving & inliers).sum(-1)
    some = pairs._replace(used=inliers.unsqueeze(1).to(a.dtype))
    spread = deviation(T_b_a[:, None, :3, :3], T_b_a[:, None, :3, 3], some, sigma[:, None])[:, 0]
    reliable = (
        (model >= Model.HOMOGRAPHY)
        & (count >= options.min_inliers)
        & (count >= options.min_inlier_fraction * usable.sum(-1))
        & (ahead - chance >= (options.min_moving_fraction * count).clamp(min=options.min_inliers))
        & (ahead >= options.min_in_front * moving.sum(-1))
        & (spread <= options.max_deviation)
    )
    parallax = torch.where(inliers, motion, float("nan")).nanmedian(-1).values.nan_to_num(0.0).clamp(min=0)
    fundamental = fundamental_from_essential(_essential(T_b_a)[:, 0], K)
    fundamental = fundamental / fundamental.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-30)
    return TwoView(T_b_a, fundamental, inliers, reliable, parallax / pixel, sigma / pixel, model)


def _essential(T_b_a: Tensor) -> Tensor:
    return essential_from_pose(T_b_a).unsqueeze(1)


def _near(T_b_a: Tensor, pairs: RayPairs, threshold: Tensor) -> tuple[Tensor, Tensor]:
    """Usable pairs within the threshold (B,) of their epipolar lines, and displacements beyond the rotation, (B, N)."""
    squared = sampson_squared(_essential(T_b_a), pairs)
    near = (squared < threshold.square()[:, None, None]) & (pairs.used > 0)
    return near[:, 0], motion_along(T_b_a[:, None, :3, :3], T_b_a[:, None, :3, 3], pairs)[:, 0]


def _in_rays(threshold: float, K: Tensor) -> Tensor:
    """Pixels as a distance (B,) between rays of z = 1."""
    return threshold / (K[:, 0, 0] * K[:, 1, 1]).sqrt()
