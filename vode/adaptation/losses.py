"""Losses of depth on clips of unlabelled video, one value per clip."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry import warp
from vode.geometry.camera import project, transform, unproject
from vode.geometry.pose import relative
from vode.geometry.resize import image_size
from vode.losses.masked import masked_mean
from vode.losses.photometric import photometric_error

MIN_DEPTH = 1e-3
"""metres to which smaller depths are clamped"""
NEAR = 7
"""pixels: side of the square around a triangulated point in which the start's depth does not hold"""


class Views(NamedTuple):
    """Pairs (P) of frames of clips."""

    depth_a: Tensor
    depth_b: Tensor
    """(P, 1, H, W) metres"""
    image_a: Tensor
    image_b: Tensor
    """(P, 3, H, W)"""
    intrinsics: Tensor
    """(P, 3, 3)"""
    T_b_a: Tensor
    """(P, 4, 4), metres"""


class Reprojected(NamedTuple):
    """The points of the first images of pairs (P), in the second ones."""

    pixels: Tensor
    """(P, 2, H, W)"""
    difference: Tensor
    """(P, 1, H, W): logarithm of their depth over the one predicted there"""
    agree: Tensor
    """(P, 1, H, W), 0 or 1: where they lie inside of the image and the two depths about agree"""


def triangulated(residual: Tensor, weight: Tensor, softness: float) -> Tensor:
    """Weighted mean (B,) of Huber's function of residuals of log depth (B, ...), linear beyond ``softness``."""
    return masked_mean(_huber(residual, softness), weight)


def held(change: Tensor, known: Tensor) -> Tensor:
    """Mean change (B T,) of log depth (B T, 1, H, W) since the start, away from triangulated points ``known``."""
    free = 1 - F.max_pool2d(known.to(change.dtype), NEAR, stride=1, padding=NEAR // 2)
    return masked_mean(change.abs(), free)


def pairs_of_clips(depth: Tensor, images: Tensor, intrinsics: Tensor, poses: Tensor) -> Views:
    """Every frame of clips with the next one, and the first with the last, in both directions.

    depth (B, T, 1, H, W) and images (B, T, 3, H, W), intrinsics (B, 3, 3), poses (B, T, 4, 4) world-from-camera in the
    unit of the depth.
    """
    count = depth.shape[1]
    a, b = [*range(count - 1), 0], [*range(1, count), count - 1]
    a, b = a + b, b + a
    return Views(
        depth[:, a].flatten(0, 1),
        depth[:, b].flatten(0, 1),
        images[:, a].flatten(0, 1),
        images[:, b].flatten(0, 1),
        intrinsics.repeat_interleave(len(a), 0),
        relative(poses[:, a], poses[:, b]).flatten(0, 1),
    )


def reproject(views: Views, disagreement: float) -> Reprojected:
    """Points of a at their depth in b, and how the depths compare; hidden and moving points do not agree."""
    points = transform(views.T_b_a, unproject(views.depth_a, views.intrinsics).flatten(2).mT)
    pixels, z = project(points, views.intrinsics, min_depth=MIN_DEPTH)
    pixels, z = pixels.mT.unflatten(2, views.depth_a.shape[-2:]), z.view_as(views.depth_a)
    predicted = warp.sample(views.depth_b, pixels).clamp(min=MIN_DEPTH)
    difference = z.clamp(min=MIN_DEPTH).log() - predicted.log()
    agree = (
        warp.inside(pixels, image_size(views.depth_a)) & (z > MIN_DEPTH) & (difference.detach().abs() < disagreement)
    )
    return Reprojected(pixels, difference, agree.to(difference.dtype))


def consistency(reprojected: Reprojected, softness: float) -> Tensor:
    """Mean difference (P,) of log depths where they about agree (Bian et al., NeurIPS 2019, eq. 3, as logarithms)."""
    return masked_mean(_huber(reprojected.difference, softness), reprojected.agree)


def reconstruction(views: Views, reprojected: Reprojected) -> Tensor:
    """Photometric error (P,) of image b warped to a, where depths agree and it is less than without any motion.

    The latter mask is that of Godard et al., ICCV 2019, section 3.4.
    """
    error = photometric_error(views.image_a, warp.sample(views.image_b, reprojected.pixels))
    still = photometric_error(views.image_a, views.image_b)
    return masked_mean(error, reprojected.agree * (error.detach() < still).to(error.dtype))


def _huber(residual: Tensor, softness: float) -> Tensor:
    return F.smooth_l1_loss(residual, torch.zeros_like(residual), reduction="none", beta=softness)
