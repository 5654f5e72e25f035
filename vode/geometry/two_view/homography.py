"""Plane homographies and rotations between the rays of two views, fitted robustly, batched over pairs.

b ~ H a for rays (x, y, 1), with H = R + t n^T for points of the plane n^T X = 1; H = R where the camera only rotates
or everything is far away.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vode.geometry.epipolar import homogeneous, smallest_eigenvector
from vode.geometry.pose import so3_exp

WIDE = (16.0, 4.0)
"""inlier limits of the first steps, relative to the final limit: they widen the basin of convergence"""
LAST = (1.0, 1.0)
"""inlier limits of the last steps"""


def displacement(homography: Tensor, rays_a: Tensor, rays_b: Tensor) -> Tensor:
    """b - H a in the plane z = 1 (..., N, 2), for H (..., 3, 3) and rays (..., N, 2); 1e6 behind the camera."""
    moved = homogeneous(rays_a) @ homography.mT
    z = moved[..., 2:]
    return torch.where(z > 1e-6, rays_b - moved[..., :2] / z.clamp(min=1e-6), 1e6)


def fit_rotation(
    rotation: Tensor,
    rays_a: Tensor,
    rays_b: Tensor,
    used: Tensor,
    limit: Tensor,
    factors: Sequence[float] = WIDE + LAST,
) -> Tensor:
    """Rotations (B, 3, 3) from a start, by Gauss-Newton on displacements with Tukey weights.

    rays (B, N, 2), used (B, N). In a step, pairs displaced by more than ``limit`` (B,) times the step's factor have
    no weight.
    """
    for factor in factors:
        turned = homogeneous(rays_a) @ rotation.mT
        z = turned[..., 2].clamp(min=1e-6)
        x, y = (turned[..., :2] / z.unsqueeze(-1)).unbind(-1)
        # derivatives of a ray (x, y, 1) under a further rotation exp(w)
        slope_x = torch.stack([-x * y, 1 + x * x, -y], -1)
        slope_y = torch.stack([-1 - y * y, x * y, x], -1)
        error = displacement(rotation, rays_a, rays_b)
        weight = _tukey(error, used, factor * limit).unsqueeze(-1)
        normal = slope_x.mT @ (weight * slope_x) + slope_y.mT @ (weight * slope_y)
        right = (weight * (slope_x * error[..., :1] + slope_y * error[..., 1:])).sum(-2)
        floor = 1e-12 * torch.eye(3, device=normal.device, dtype=normal.dtype)
        step = torch.linalg.solve_ex(normal + floor, right.unsqueeze(-1))[0][..., 0]
        rotation = so3_exp(step / step.norm(dim=-1, keepdim=True).clamp(min=1)) @ rotation
    return rotation


def fit_homography(
    rays_a: Tensor,
    rays_b: Tensor,
    used: Tensor,
    limit: Tensor,
    factors: Sequence[float] = WIDE[1:] + LAST,
    *,
    start: Tensor | None = None,
) -> Tensor:
    """Homographies (B, 3, 3) of middle singular value 1 and positive determinant, by reweighted linear fits.

    Arguments as for ``fit_rotation``; without a start the first fit uses all pairs. Hartley and
    Zisserman, Multiple View Geometry, section 4.1.
    """
    a, zero = homogeneous(rays_a), torch.zeros_like(rays_a[..., :1]).expand(-1, -1, 3)
    rows_x = torch.cat([a, zero, -rays_b[..., :1] * a], -1)
    rows_y = torch.cat([zero, a, -rays_b[..., 1:] * a], -1)
    homography = _linear_fit(rows_x, rows_y, used) if start is None else start
    for factor in factors:
        depth = (a @ homography[..., 2, :, None])[..., 0]
        weight = _tukey(displacement(homography, rays_a, rays_b), used, factor * limit)
        homography = _linear_fit(rows_x, rows_y, weight / depth.square().clamp(min=1e-6))
    return homography


def _linear_fit(rows_x: Tensor, rows_y: Tensor, weight: Tensor) -> Tensor:
    weight = weight.unsqueeze(-1)
    vector = smallest_eigenvector(rows_x.mT @ (weight * rows_x) + rows_y.mT @ (weight * rows_y))
    homography = vector.unflatten(-1, (3, 3))
    homography = homography / torch.linalg.svdvals(homography)[..., 1:2, None].clamp(min=1e-12)
    return homography * torch.linalg.det(homography).sign()[..., None, None]


def homography_motions(homography: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
    """The rotations (..., 2, 3, 3) and translations (..., 2, 3), in distances to the plane, of H (..., 3, 3).

    H with middle singular value 1 and positive determinant; ``seen`` (..., 3) is a ray that hits the plane. Ma,
    Soatto, Kosecka, Sastry, An Invitation to 3-D Vision, section 5.3.3.
    """
    values, vectors = torch.linalg.eigh(homography.mT @ homography)
    least, most = values[..., 0].clamp(max=1), values[..., 2].clamp(min=1)
    v3, v2, v1 = vectors.unbind(-1)
    spread = (most - least).clamp(min=1e-30).sqrt()
    along_1 = ((1 - least).sqrt() / spread).unsqueeze(-1) * v1
    along_3 = ((most - 1).sqrt() / spread).unsqueeze(-1) * v3
    u = torch.stack([along_1 + along_3, along_1 - along_3], -2)
    v2 = v2.unsqueeze(-2).expand_as(u)
    normal = torch.linalg.cross(v2, u)
    plane = torch.stack([v2, u, normal], -1)
    image_v, image_u = (x @ homography.mT for x in (v2, u))
    image = torch.stack([image_v, image_u, torch.linalg.cross(image_v, image_u)], -1)
    rotation = image @ plane.mT
    # the signs of t and the normal go together; the plane must lie in front of the camera
    normal = normal * torch.where((normal * seen.unsqueeze(-2)).sum(-1, keepdim=True) < 0, -1.0, 1.0)
    return rotation, ((homography.unsqueeze(-3) - rotation) @ normal.unsqueeze(-1))[..., 0]


def _tukey(error: Tensor, used: Tensor, limit: Tensor) -> Tensor:
    fraction = error.square().sum(-1) / limit.square().unsqueeze(-1).clamp(min=1e-30)
    return used * (1 - fraction).clamp(min=0).square()
