"""Triangulation by the midpoint of two rays, with parallax and cheirality tests."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.camera import project, rays, transform

MIN_PARALLAX = 0.001
"""smallest angle between the rays of a valid point, radians"""
MIN_DEPTH = 0.01
"""smallest depth of a valid point, in the unit of the translation"""


class Triangulated(NamedTuple):
    """Triangulated points in frame a, in the unit of the translation."""

    points: Tensor
    """(..., N, 3)"""
    depth_a: Tensor
    depth_b: Tensor
    """camera z in each view (..., N)"""
    parallax: Tensor
    """angle between the rays in radians (..., N)"""
    valid: Tensor
    """bool (..., N)"""


def midpoint(
    points_a: Tensor,
    points_b: Tensor,
    intrinsics: Tensor,
    T_b_a: Tensor,
    *,
    size: tuple[int, int] | None = None,
    min_parallax: float = MIN_PARALLAX,
    min_depth: float = MIN_DEPTH,
) -> Triangulated:
    """Midpoint of the shortest segment between the rays of pixels points_a and points_b (..., N, 2).

    intrinsics (..., 3, 3), T_b_a (..., 4, 4). Points are valid with a parallax of at least ``min_parallax``
    radians, a depth of at least ``min_depth`` in both cameras and, if ``size`` (height, width) is given, projections
    inside both images. Hartley and Sturm, CVIU 1997, section 5.3. Gradients are finite everywhere.
    """
    rotation, translation = T_b_a[..., :3, :3], T_b_a[..., :3, 3]
    ray_a = rays(points_a, intrinsics)
    ray_b = rays(points_b, intrinsics) @ rotation
    centre_b = -(rotation.mT @ translation.unsqueeze(-1)).mT
    ray_a, ray_b, centre_b = torch.broadcast_tensors(ray_a, ray_b, centre_b)
    normal = torch.linalg.cross(ray_a, ray_b)
    squared = normal.square().sum(-1)
    parallax = torch.atan2(squared.clamp(min=1e-20).sqrt(), (ray_a * ray_b).sum(-1))
    apart = parallax > min_parallax
    # near-parallel rays get a harmless denominator, so that their masked result has a finite gradient
    divisor = torch.where(apart, squared, 1.0)
    along_a = torch.where(apart, (torch.linalg.cross(centre_b, ray_b) * normal).sum(-1) / divisor, 1.0)
    along_b = torch.where(apart, (torch.linalg.cross(centre_b, ray_a) * normal).sum(-1) / divisor, 1.0)
    points = (along_a.unsqueeze(-1) * ray_a + centre_b + along_b.unsqueeze(-1) * ray_b) / 2
    pixels_a, depth_a = project(points, intrinsics)
    pixels_b, depth_b = project(transform(T_b_a, points), intrinsics)
    valid = apart & (depth_a > min_depth) & (depth_b > min_depth)
    if size is not None:
        last = points_a.new_tensor([size[1] - 1, size[0] - 1])
        for pixels in (pixels_a, pixels_b):
            valid = valid & ((pixels >= 0) & (pixels <= last)).all(-1)
    return Triangulated(points, depth_a, depth_b, parallax, valid)
