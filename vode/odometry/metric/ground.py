"""Metres by the height of a camera above the ground that its frames show."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.ground import Ground, ground_of_depth
from vode.io.trajectory import Trajectory
from vode.odometry.frames import Frame
from vode.odometry.metric.estimate import MetricScale, ScaleSource, location, running_median
from vode.odometry.perception import DepthSource

RARE, SOME = 0.1, 0.5
"""fractions of the frames that show a plane, below which it is refused, and doubted"""
UNSTEADY = 0.15
"""relative spread of the height over the frames from which on it is doubted"""
WANDER = math.log(2)
"""most that the height of a frame may differ from the median to take part in following a drift"""
ASKEW = math.radians(5)
"""median angle of the normals to their mean from which on the height is doubted: a car's camera keeps its mounting"""


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


def _askew(normals: Tensor) -> float:
    """Median angle of normals (N, 3) to their mean, radians."""
    mean = normals.sum(0)
    return float(((normals @ mean) / mean.norm()).clamp(-1, 1).acos().median())
