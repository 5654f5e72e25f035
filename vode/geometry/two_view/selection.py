"""Model selection for two views: at rest, a rotation, a plane, or the general essential matrix."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.epipolar import homogeneous
from vode.geometry.pose import from_rotation_translation
from vode.geometry.two_view.homography import LAST, WIDE, displacement, fit_homography, fit_rotation, homography_motions

SAMPLE = 1000
"""number of pairs in the first steps of a fit"""


class Model(IntEnum):
    """The model of a motion, simpler ones first."""

    NONE = 0
    """nothing fits: identity"""
    STILL = 1
    """the camera is at rest: identity"""
    ROTATION = 2
    """the camera rotates, or everything is too far away to show its translation: t = 0"""
    HOMOGRAPHY = 3
    """all points lie on a plane"""
    ESSENTIAL = 4
    """the general case"""


class InlierRays(NamedTuple):
    """The pairs of rays of a batch and which of them an essential matrix explains."""

    rays_a: Tensor
    rays_b: Tensor
    """(B, N, 2) in the plane z = 1"""
    inliers: Tensor
    """bool (B, N)"""
    accidental: Tensor
    """(B,): inliers that are expected by chance"""


def simplest_motion(
    T_b_a: Tensor, pairs: InlierRays, limit: Tensor, noise: Tensor, fraction: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The simplest motion that explains the inliers of an essential matrix as well as it does.

    T_b_a (B, 4, 4) is the motion of the essential matrix, ``pairs`` its inliers. Rest, a rotation and a homography,
    the last two fitted to the inliers, are tried in this order: a model is accepted if at most ``fraction`` of the
    inliers, besides the accidental ones, are off its prediction by more than ``limit`` (B,) or, for a homography,
    which replaces a motion instead of ruling one out, by more than ``noise`` (B,). Returns the pose (B, 4, 4), t =
    0 or of unit length, the Model (B,), and which pairs (B, N) lie within the limit (all of them for
    ``ESSENTIAL``).

    A plane allows two motions: the one nearer to T_b_a is taken.
    """
    rays_a, rays_b, inliers, accidental = pairs
    used = inliers.to(rays_a.dtype)
    some = (slice(None), slice(None, None, max(used.shape[1] // SAMPLE, 1)))
    turned = fit_rotation(T_b_a[:, :3, :3], rays_a[some], rays_b[some], used[some], limit, WIDE)
    turned = fit_rotation(turned, rays_a, rays_b, used, limit, LAST)
    plane = fit_homography(rays_a[some], rays_b[some], used[some], noise, WIDE[1:])
    plane = fit_homography(rays_a, rays_b, used, noise, LAST, start=plane)
    still = torch.eye(3, device=used.device, dtype=used.dtype).expand_as(turned)
    seen = (homogeneous(rays_a) * used.unsqueeze(-1)).sum(1)
    models = torch.stack([still, turned, plane], 1)
    limits = torch.stack([limit, limit, noise], 1)
    near = displacement(models, rays_a.unsqueeze(1), rays_b.unsqueeze(1)).norm(dim=-1) < limits.unsqueeze(-1)
    near = torch.cat([near, torch.ones_like(near[:, :1])], 1)
    missed = (inliers.unsqueeze(1) & ~near).sum(-1) - accidental.unsqueeze(1)
    explains = missed <= fraction * used.sum(-1, keepdim=True)
    explains[:, 3] = True
    first = explains.to(torch.int64).argmax(1)
    poses = torch.stack(
        [_pose(still), _pose(turned), _pose(*_nearest(T_b_a, *homography_motions(plane, seen))), T_b_a], 1
    )
    pose = poses.gather(1, first[:, None, None, None].expand(-1, 1, 4, 4))[:, 0]
    return pose, first + Model.STILL, near.gather(1, first[:, None, None].expand(-1, 1, near.shape[-1]))[:, 0]


def _pose(rotation: Tensor, translation: Tensor | None = None) -> Tensor:
    return from_rotation_translation(rotation, rotation[..., 0] * 0 if translation is None else translation)


def _nearest(T_b_a: Tensor, rotations: Tensor, translations: Tensor) -> tuple[Tensor, Tensor]:
    """The one of two motions (B, 2, ...) whose rotation and unit translation are closer to a pose's."""
    translations = translations / translations.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    apart = (rotations - T_b_a[:, None, :3, :3]).square().sum((-2, -1))
    apart = apart + (translations - T_b_a[:, None, :3, 3]).square().sum(-1)
    best = apart.argmin(1)[:, None, None]
    rotation = rotations.gather(1, best[..., None].expand(-1, 1, 3, 3))[:, 0]
    return rotation, translations.gather(1, best.expand(-1, 1, 3))[:, 0]
