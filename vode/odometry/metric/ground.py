"""The ground below a camera: a plane fitted to points of the depth below the horizon, and the scale by its distance.

A plane n . p = h of points p in camera axes, n of unit length and pointing down, is linear in m = n / h: m . p = 1.
The residual m . p - 1 is the relative error of the height, and of the depth, that a point shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.camera import unproject
from vode.io.trajectory import Trajectory
from vode.odometry.frames import Frame
from vode.odometry.metric.estimate import SPREAD, MetricScale, ScaleSource, location, running_median
from vode.odometry.perception import DepthSource

POINTS = 3000
"""most points of a frame that take part"""
HYPOTHESES = 200
"""planes through three points that are tried"""
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
RARE, SOME = 0.1, 0.5
"""fractions of the frames that show a plane, below which it is refused, and doubted"""
UNSTEADY = 0.15
"""relative spread of the height over the frames from which on it is doubted"""
WANDER = math.log(2)
"""most that the height of a frame may differ from the median to take part in following a drift"""
ASKEW = math.radians(5)
"""median angle of the normals to their mean from which on the height is doubted: a car's camera keeps its mounting"""


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
    points = unproject(depth.double().cpu(), intrinsics.double().cpu())[0].flatten(1).mT
    return fit_ground(points[points[:, 2] > 0], seed=seed)


class GroundObserver(DepthSource):
    """The depth of a source, whose ground is fitted in each frame as it goes by."""

    def __init__(self, source: DepthSource) -> None:
        self.device, self._source = source.device, source
        self.grounds: dict[int, Ground | None] = {}
        """by frame number; None where no plane is seen"""

    def depth(self, frame: Frame) -> Tensor:
        depth = self._source.depth(frame)
        if frame.intrinsics is None:
            raise ValueError("the ground is fitted to frames whose intrinsics are known")
        self.grounds[frame.index] = ground_of_depth(depth, frame.intrinsics)
        return depth


def scale_by_height(
    trajectory: Trajectory, grounds: Mapping[int, Ground | None], height: float, *, window: int = 0
) -> MetricScale:
    """Metres per unit of a trajectory by the ``height`` of its camera above the ground in metres.

    ``grounds`` by frame number, in the unit of the trajectory. With ``window`` each step has the factor of its
    surrounding frames. InputError where too few frames show a plane.
    """
    seen = {frame: ground for frame, ground in sorted(grounds.items()) if ground is not None}
    evidence = f"{height:g} m above a plane seen in {len(seen)} of {len(grounds)} frames"
    if not seen or len(seen) < RARE * len(grounds):
        raise InputError(
            f"{trajectory.name}: no ground plane below the horizon, but in {len(seen)} of {len(grounds)} frames; give "
            "speeds or a distance instead",
            "camera_height",
        )
    heights = torch.tensor([ground.height for ground in seen.values()], dtype=torch.float64)
    found = location(heights)
    doubts = []
    if len(seen) < SOME * len(grounds):
        doubts.append("most frames show no plane")
    if found.spread > UNSTEADY:
        doubts.append(f"the height varies by {100 * found.spread:.0f} % between frames")
    if _askew(torch.stack([ground.normal for ground in seen.values()])) > ASKEW:
        doubts.append("the plane tilts from frame to frame")
    steps = None
    if window:
        usual = {f for f, g in seen.items() if abs(math.log(g.height / found.value)) < WANDER}
        known = torch.tensor([frame in usual for frame in trajectory.indices.tolist()])
        there = torch.tensor([seen[f].height if f in seen else 1.0 for f in trajectory.indices.tolist()])
        local = running_median(there, known, window)
        steps = height / (local[1:] * local[:-1]).sqrt()
    factor, samples = height / found.value, len(seen)
    return MetricScale(
        ScaleSource.CAMERA_HEIGHT, factor, found.deviation, True, samples, evidence, tuple(doubts), steps
    )


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
    cost = ((points @ planes.T - 1) / INLIER).square().clamp(max=1).sum(0)
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


def _askew(normals: Tensor) -> float:
    """Median angle of normals (N, 3) to their mean, radians."""
    mean = normals.sum(0)
    return float(((normals @ mean) / mean.norm()).clamp(-1, 1).acos().median())
