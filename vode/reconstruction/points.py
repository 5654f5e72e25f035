"""Points triangulated from tracks over several posed images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.geometry.camera import project, rays
from vode.geometry.pose import inverse
from vode.reconstruction.options import PointOptions

STEPS = 5
"""of Gauss-Newton"""
DAMPING = 1e-6
"""relative, of the normal equations"""


class Observations(NamedTuple):
    """Where points are seen: one row a point and view, in any order."""

    point: Tensor
    """(M,) int64 number of the point"""
    view: Tensor
    """(M,) int64 row of the view"""
    pixels: Tensor
    """(M, 2) float64"""


class Points(NamedTuple):
    """Triangulated points, and the observations that they rest on."""

    places: Tensor
    """(P, 3) float64 in the world"""
    errors: Tensor
    """(P,) root mean square reprojection error, pixels"""
    observations: Observations
    """point is now 0..P-1"""


def triangulate_tracks(
    seen: Observations, T_world_cam: Tensor, intrinsics: Tensor, options: PointOptions = PointOptions()
) -> Points:
    """Points by poses (V, 4, 4) float64 and intrinsics (3, 3): least squares of the reprojection error.

    They begin at the midpoint of their rays; observations that do not fit are left out once, and the others are
    solved again. Points of too few views, too little parallax, behind a camera or of too large an error are dropped.
    """
    views = min(options.views, max(len(T_world_cam), 2))
    seen = _numbered(_enough(seen, views))
    places = _solved(seen, T_world_cam, intrinsics)
    error, depth = _residuals(seen, places, T_world_cam, intrinsics)
    seen = _numbered(_enough(_chosen(seen, (error < options.outlier) & (depth > 0)), views))
    places = _solved(seen, T_world_cam, intrinsics)
    error, depth = _residuals(seen, places, T_world_cam, intrinsics)
    squares = _mean(error.square(), seen.point, len(places))
    front = _mean((depth > 0).double(), seen.point, len(places)) == 1
    good = front & (squares.sqrt() < options.error) & (_parallax(seen, places, T_world_cam) > options.parallax)
    good &= places.isfinite().all(-1)
    number = good.long().cumsum(0) - 1
    kept = _chosen(seen, good[seen.point])
    return Points(places[good], squares[good].sqrt(), kept._replace(point=number[kept.point]))


def _solved(seen: Observations, T_world_cam: Tensor, intrinsics: Tensor) -> Tensor:
    """Places (P, 3) of the points with the least reprojection error."""
    places = _midpoints(seen, T_world_cam, intrinsics)
    T_cam_world = inverse(T_world_cam)[seen.view]
    focal = intrinsics.diagonal()[:2].double()
    for _ in range(STEPS):
        local = (T_cam_world[:, :3, :3] @ places[seen.point][..., None])[..., 0] + T_cam_world[:, :3, 3]
        z = local[:, 2].clamp(min=1e-9)
        residual = project(local, intrinsics.double())[0] - seen.pixels
        # derivative of the pixel by the point in camera axes, then in those of the world
        inner = torch.zeros(len(z), 2, 3, dtype=torch.float64)
        inner[:, 0, 0], inner[:, 1, 1] = focal[0] / z, focal[1] / z
        inner[:, :, 2] = -focal * local[:, :2] / z[:, None].square()
        jacobian = inner @ T_cam_world[:, :3, :3]
        weight = 1 / (1 + residual.square().sum(-1))
        weighted = jacobian.mT * weight[:, None, None]
        normal = torch.zeros(len(places), 3, 3, dtype=torch.float64).index_add(0, seen.point, weighted @ jacobian)
        right = torch.zeros(len(places), 3, dtype=torch.float64).index_add(
            0, seen.point, (weighted @ residual[..., None])[..., 0]
        )
        normal = normal + torch.diag_embed(DAMPING * normal.diagonal(dim1=-2, dim2=-1) + 1e-12)
        places = places - torch.linalg.solve(normal, right)
    return places


def _midpoints(seen: Observations, T_world_cam: Tensor, intrinsics: Tensor) -> Tensor:
    """Places (P, 3) with the least squared distance to all rays."""
    pose = T_world_cam[seen.view]
    local = rays(seen.pixels[:, None], intrinsics.double())[:, 0]
    direction = torch.nn.functional.normalize((pose[:, :3, :3] @ local[..., None])[..., 0], dim=-1)
    across = torch.eye(3, dtype=torch.float64) - direction[:, :, None] * direction[:, None]
    count = int(seen.point.max()) + 1 if len(seen.point) else 0
    normal = torch.zeros(count, 3, 3, dtype=torch.float64).index_add(0, seen.point, across)
    right = torch.zeros(count, 3, dtype=torch.float64).index_add(0, seen.point, (across @ pose[:, :3, 3:])[..., 0])
    return torch.linalg.solve(normal + 1e-9 * torch.eye(3, dtype=torch.float64), right)


def _residuals(seen: Observations, places: Tensor, T_world_cam: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """Reprojection error (M,) in pixels, and depth (M,)."""
    T_cam_world = inverse(T_world_cam)[seen.view]
    local = (T_cam_world[:, :3, :3] @ places[seen.point][..., None])[..., 0] + T_cam_world[:, :3, 3]
    pixels, depth = project(local, intrinsics.double())
    return (pixels - seen.pixels).norm(dim=-1), depth


def _parallax(seen: Observations, places: Tensor, T_world_cam: Tensor) -> Tensor:
    """Angle (P,) between the rays of the first and the last view of each point."""
    order = torch.from_numpy(np.lexsort((seen.view.numpy(), seen.point.numpy())))
    point, view = seen.point[order], seen.view[order]
    starts = torch.searchsorted(point, torch.arange(len(places)))
    ends = torch.searchsorted(point, torch.arange(len(places)), right=True) - 1
    a, b = (torch.nn.functional.normalize(places - T_world_cam[view[k], :3, 3], dim=-1) for k in (starts, ends))
    return torch.linalg.cross(a, b).norm(dim=-1)


def _mean(values: Tensor, point: Tensor, count: int) -> Tensor:
    """Means (count,) of the values (M,) of each point."""
    sums = torch.zeros(count, dtype=torch.float64).index_add(0, point, values)
    return sums / torch.bincount(point, minlength=count).clamp(min=1)


def _chosen(seen: Observations, mask: Tensor) -> Observations:
    return Observations(*(values[mask] for values in seen))


def _enough(seen: Observations, views: int) -> Observations:
    """Those of points that enough views see."""
    _, index, counts = seen.point.unique(return_inverse=True, return_counts=True)
    return _chosen(seen, counts[index] >= views)


def _numbered(seen: Observations) -> Observations:
    """The same with points numbered from 0 on."""
    return seen._replace(point=seen.point.unique(return_inverse=True)[1])
