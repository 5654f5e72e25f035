"""The ground below a camera: a plane fitted to points of the depth below the horizon.

A plane n . p = h of points p in camera axes, n of unit length and pointing down, is linear in m = n / h: m . p = 1.
The residual m . p - 1 is the relative error of the height, and of the depth, that a point shows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.camera import rays

SPREAD = 1.4826
"""standard deviation of a normal distribution in median absolute deviations"""
POINTS = 3000
"""most points of a frame that take part"""
HYPOTHESES, SCORED = 200, 600
"""planes through three points that are tried, and most points that each is compared with"""
PLANES = 3
"""planes that are found one after the other until one is the ground: a wall or a table may show more points"""
TILT = math.radians(35)
"""largest angle between the ground's normal and the camera's y axis"""
INLIER = 0.1
"""largest relative error of the height that a point of the plane shows"""
HORIZON = math.radians(2)
"""angle below the horizon of a plane from which on points count"""
LEAST_INLIERS = 100
LEAST_FRACTION = 0.25
"""of the points below the horizon that must lie on the plane"""
FOOT, LEAST_AT_FOOT = 0.25, 0.4
"""the part of those points that is farthest below the horizon, and how much of it must lie on the plane"""
BENEATH, MOST_BENEATH = 1.2, 0.1
"""heights from which on a point lies beneath the plane, and the most of those below the horizon that may: a bonnet or a
table has the floor beneath it"""


class Ground(NamedTuple):
    """The plane that one frame shows."""

    normal: Tensor
    """(3,) float64 in camera axes, of unit length, pointing down"""
    height: float
    """of the camera above it, in the unit of the depth"""
    spread: float
    """relative standard deviation of the heights that single points show"""
    fraction: float
    """of the points below its horizon that lie on it"""


def fit_ground(points: Tensor, *, seed: int = 0) -> Ground | None:
    """The ground of points (N, 3) in camera axes, in any unit; None where no plane is seen.

    Random sampling (Fischler and Bolles, CACM 1981) among planes within ``TILT`` of level, then Tukey's weights, one
    plane after the other, until one has much of what lies below its horizon on it, and little beneath; the
    height is the median of those that the plane's points show.
    """
    points = points.double()
    points = points[points.isfinite().all(-1) & (points[:, 2] > 0) & (points[:, 1] > 0)]
    if len(points) < LEAST_INLIERS:
        return None
    points = points[torch.linspace(0, len(points) - 1, min(len(points), POINTS)).round().long()]
    generator, left = torch.Generator().manual_seed(seed), points
    for _ in range(PLANES):
        plane = _sampled(left, generator)
        if plane is None:
            return None
        plane = _refined(left, plane)
        ground = _judged(points, plane)
        if ground is not None:
            return ground
        left = left[(left @ plane - 1).abs() >= INLIER]
    return None


def ground_of_depth(depth: Tensor, intrinsics: Tensor, *, seed: int = 0) -> Ground | None:
    """The ground of a depth map (1, 1, H, W), 0 = unknown, with intrinsics (1, 3, 3); None where no plane is seen."""
    every = max(math.isqrt(depth.numel() // (2 * POINTS)), 1)
    seen = depth[0, 0, every // 2 :: every, every // 2 :: every].double().cpu()
    v, u = torch.meshgrid(*(every // 2 + every * torch.arange(n) for n in seen.shape), indexing="ij")
    pixels = torch.stack([u, v], -1).reshape(1, -1, 2).double()
    points = rays(pixels, intrinsics.double().cpu())[0] * seen.reshape(-1, 1)
    return fit_ground(points[points[:, 2] > 0], seed=seed)


def on_ground(depth: Tensor, at: Tensor, points: Tensor, intrinsics: Tensor) -> Tensor:
    """Which points (1, N, 2), of depth ``at`` (1, N), lie on the ground of a depth map (1, 1, H, W): bool (1, N)."""
    ground = ground_of_depth(depth, intrinsics)
    if ground is None:
        return torch.zeros_like(at, dtype=torch.bool)
    heights = (rays(points, intrinsics) * at.unsqueeze(-1)) @ ground.normal.to(at)
    return (heights / ground.height - 1).abs() < INLIER


def _sampled(points: Tensor, generator: torch.Generator) -> Tensor | None:
    """The best plane m (3,) through three of the points (N, 3), None if all are steep, or points are few."""
    if len(points) < LEAST_INLIERS:
        return None
    draws = torch.randint(len(points), (HYPOTHESES, 3), generator=generator)
    planes, failed = torch.linalg.solve_ex(points[draws], torch.ones(HYPOTHESES, 3, 1, dtype=torch.float64))
    planes = planes[..., 0]
    level = (failed == 0) & (planes[:, 1] > math.cos(TILT) * planes.norm(dim=-1)) & planes.isfinite().all(-1)
    if not bool(level.any()):
        return None
    planes = planes[level]
    # truncated squares, not counts: a plane across an edge may have more points near it (Torr and Zisserman, CVIU 2000)
    some = points[:: -(-len(points) // SCORED)]
    cost = ((some @ planes.T - 1) / INLIER).square().clamp_(max=1).sum(0)
    return planes[int(cost.argmin())]


def _refined(points: Tensor, plane: Tensor) -> Tensor:
    """A plane m (3,) moved to its points by reweighted least squares."""
    limit = INLIER
    for _ in range(10):
        residual = points @ plane - 1
        near = residual.abs() < limit
        if int(near.sum()) < LEAST_INLIERS:
            break
        spread = SPREAD * float(residual[near].abs().median())
        limit = min(max(4.685 * spread, 1e-6), INLIER)
        weight = (1 - (residual / limit).square()).clamp(min=0).square()
        normal_matrix = (points * weight[:, None]).mT @ points
        moved, failed = torch.linalg.solve_ex(normal_matrix, (points * weight[:, None]).sum(0))
        if int(failed) or not bool(moved.isfinite().all()):
            break
        plane = moved
    return plane


def _judged(points: Tensor, plane: Tensor) -> Ground | None:
    """The ground that a plane m (3,) is, None if too few points lie on it, or too many beneath."""
    normal = plane / plane.norm()
    if normal[1] < math.cos(TILT):
        return None
    heights = points @ normal
    below = heights > math.sin(HORIZON) * points.norm(dim=-1)
    level = float(plane.norm().reciprocal())
    on = below & ((heights / level - 1).abs() < INLIER)
    if int(on.sum()) < LEAST_INLIERS or int(on.sum()) < LEAST_FRACTION * int(below.sum()):
        return None
    steep = (heights / points.norm(dim=-1))[below]
    foot = steep >= steep.quantile(1 - FOOT)
    if float(on[below][foot].double().mean()) < LEAST_AT_FOOT:
        return None
    height = float(heights[on].log().quantile(0.5).exp())
    if int((below & (heights > BENEATH * height)).sum()) > MOST_BENEATH * int(below.sum()):
        return None
    spread = SPREAD * float((heights[on] / height).log().abs().quantile(0.5))
    return Ground(normal, height, spread, int(on.sum()) / int(below.sum()))
