"""The scale that options ask for: where each source's function, files and doubts come together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.ground import Ground
from vode.io.trajectory import Trajectory
from vode.odometry.metric.estimate import MetricScale, ScaleSource
from vode.odometry.metric.ground import scale_by_height
from vode.odometry.metric.motion import scale_by_distance, scale_by_gps, scale_by_speed
from vode.odometry.metric.options import MetricOptions
from vode.odometry.metric.readings import read_fixes, read_speeds
from vode.odometry.result import FrameResult

Unit = Literal["metres", "unknown", "tracks"]
"""of a trajectory as it is tracked: that of metric depth, of depth up to scale, or of its first step"""
UNITS: Mapping[Unit, str] = {
    "metres": "its own metres",
    "unknown": "its own unit",
    "tracks": "the unit is the first step; drifts",
}


def check_readings(options: MetricOptions, frames: int | None = None) -> None:
    """InputError, before anything is tracked, for files that cannot be read, and frames beyond the last of so many."""
    if options.speed is not None:
        read_speeds(options.speed)
    if options.gps is not None:
        read_fixes(options.gps)
    if options.between is not None and frames is not None and max(options.between) >= frames:
        raise InputError(f"frame {max(options.between)}: the frames end with {frames - 1}; name others", "between")


def measure_scale(
    trajectory: Trajectory,
    options: MetricOptions = MetricOptions(),
    *,
    grounds: Mapping[int, Ground | None] | None = None,
    results: Sequence[FrameResult] = (),
    unit: Unit = "unknown",
) -> MetricScale:
    """Metres per unit of a trajectory by the one source that the options give; the unit of the depth without any.

    ``grounds`` are those of a ``GroundObserver``, for the camera's height. ``results`` of the tracker tell the
    uncertainty of distances, ``unit`` what its own scale means. InputError where options contradict one
    another, a file cannot be used, or the source determines no scale.
    """
    options.check_metric()
    if options.camera_height is not None:
        return scale_by_height(trajectory, grounds or {}, options.camera_height, window=options.scale_window)
    if options.speed is not None:
        return scale_by_speed(trajectory, read_speeds(options.speed), window=options.scale_window)
    if options.gps is not None:
        return scale_by_gps(trajectory, read_fixes(options.gps))
    if options.distance is not None and options.between is not None:
        deviation = path_deviation(trajectory, results, options.between)
        return scale_by_distance(trajectory, options.distance, options.between, deviation=deviation)
    return own_scale(results, unit)


def own_scale(results: Sequence[FrameResult], unit: Unit) -> MetricScale:
    """The scale that a tracker gave its trajectory: what its lengths err by where depth errs as it tells of itself.

    What it errs by in scenes unlike those that it has learned from is not known.
    """
    known = [x.scale_deviation for x in results if x.scale_deviation is not None]
    evidence = UNITS[unit]
    # tracks agree with one another, but drift together
    if known and unit != "tracks":
        step = float(torch.tensor(known, dtype=torch.float64).quantile(0.5))
        evidence += f", lengths to {100 * step:.1f} %"
    source = ScaleSource.TRACKS if unit == "tracks" else ScaleSource.DEPTH
    return MetricScale(source, 1.0, None, unit == "metres", len(known), evidence)


def path_deviation(trajectory: Trajectory, results: Sequence[FrameResult], between: tuple[int, int]) -> float | None:
    """Relative deviation of the distance between two frames, by those of the steps, taken for independent.

    None where fewer than half of the steps tell theirs.
    """
    first, last = sorted(between)
    chosen = [x.index for x in results if first < x.index <= last and x.scale_deviation is not None]
    if not chosen or 2 * len(chosen) < last - first or last >= len(trajectory):
        return None
    steps = trajectory.positions.diff(dim=0).norm(dim=-1)
    errors = torch.stack([_error(steps[i - 1], results[i]) for i in chosen])
    apart = (trajectory.positions[last] - trajectory.positions[first]).norm()
    return float(errors.square().sum().sqrt() / apart) if float(apart) > 0 else None


def _error(length: Tensor, result: FrameResult) -> Tensor:
    return length * (result.scale_deviation or 0.0)
