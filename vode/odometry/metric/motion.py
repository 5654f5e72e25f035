"""The scale of a trajectory by how far its camera came: by speeds, by GPS, or by one known distance."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.alignment import robust_similarity
from vode.io.trajectory import Trajectory
from vode.odometry.metric.estimate import MetricScale, ScaleSource, location, running_median
from vode.odometry.metric.readings import Readings

SPAN = 1.0
"""seconds of a part of the path whose length is compared with the speeds"""
GAP = 2.5
"""most seconds between two readings that are interpolated"""
MOVING = 0.3
"""of the median length of a part, from which on it counts: a camera at rest tells no scale"""
UNSTEADY = 0.15
"""relative spread of the factors of single parts from which on speeds are doubted"""
LEAST_COVER = 0.2
"""fraction of the trajectory that readings must cover not to be doubted"""
FIXES = 10
"""least number of GPS fixes within the time of a trajectory"""
SURE = 0.1
"""relative deviation of a factor from which on it is doubted"""
STRAIGHT = 0.1
"""least distance between two frames, relative to the path between them, that is not doubted"""
EARTH = 6_371_008.8
"""mean radius in metres"""


def scale_by_speed(trajectory: Trajectory, speeds: Readings, *, window: int = 0) -> MetricScale:
    """Metres per unit by speeds (N, 1) in m/s, interpolated linearly and integrated over parts of a second.

    The factor is the median over the parts in which the camera moves. With ``window`` each step has the median of so
    many frames around it. InputError without timestamps, and where no part has readings, motion, or both.
    """
    times = _times_of(trajectory, speeds)
    parts = _parts(times)
    metres = integrated(speeds, times[parts])
    lengths = trajectory.distances()[parts].diff()
    covered = metres.isfinite()
    if not bool(covered.any()):
        raise InputError(
            f"{speeds.name}: no speeds at the times of {trajectory.name}, {_span(times)}; check the clocks", "speed"
        )
    usual = float(metres[covered].quantile(0.5))
    used = covered & (metres > MOVING * usual) & (lengths > 0)
    if usual <= 0 or not bool(used.any()):
        raise InputError(f"{speeds.name}: the camera is at rest by its speeds; give another source of scale", "speed")
    ratios = torch.where(used, metres / lengths, 1.0)
    found, count = location(ratios[used]), int(used.sum())
    doubts = []
    if found.spread > UNSTEADY:
        doubts.append(f"speeds and path disagree by {100 * found.spread:.0f} %: check clock and unit")
    if float(covered.double().mean()) < LEAST_COVER:
        doubts.append(f"speeds cover {100 * float(covered.double().mean()):.0f} % of the time")
    steps = None
    if window:
        part_of = torch.searchsorted(parts, torch.arange(len(times) - 1), right=True) - 1
        part_of = part_of.clamp(max=len(ratios) - 1)
        steps = running_median(ratios[part_of], used[part_of], window)
    evidence = f"{speeds.name}, {count} parts of {SPAN:g} s in motion"
    return MetricScale(ScaleSource.SPEED, found.value, found.deviation, True, count, evidence, tuple(doubts), steps)


def integrated(speeds: Readings, times: Tensor) -> Tensor:
    """Metres (K - 1,) between successive times (K,), of speeds (N, 1) that change linearly between readings.

    NaN where a time lies outside the readings, or readings are more than ``GAP`` apart.
    """
    at, values = speeds.times.contiguous(), speeds.values[:, 0]
    pieces = (values[1:] + values[:-1]) / 2 * at.diff()
    # a gap makes all distances over it unknown
    holes = torch.cat([at.new_zeros(1), (at.diff() > GAP).double().cumsum(0)])
    whole = torch.cat([at.new_zeros(1), pieces.cumsum(0)])
    row = (torch.searchsorted(at, times, right=True) - 1).clamp(0, len(at) - 2)
    since, length = times - at[row], at[row + 1] - at[row]
    slope = (values[row + 1] - values[row]) / length
    travelled = whole[row] + since * values[row] + slope * since.square() / 2
    outside = (times < at[0]) | (times > at[-1])
    hole = holes[row] + (length > GAP) * (since / length)
    crossed = hole.diff() > 0
    return torch.where(outside[1:] | outside[:-1] | crossed, float("nan"), travelled.diff())


def scale_by_gps(trajectory: Trajectory, fixes: Readings) -> MetricScale:
    """Metres per unit by the similarity that takes the trajectory to GPS fixes, (N, 2) latitude and longitude.

    Least median of squares, then least squares on the inliers (``robust_similarity``), of positions interpolated at
    the times of the fixes and those in the plane that touches the earth at the first. InputError without timestamps,
    with too few fixes, and where the camera hardly moves.
    """
    times = _times_of(trajectory, fixes)
    within = (fixes.times >= times[0]) & (fixes.times <= times[-1])
    if int(within.sum()) < FIXES:
        raise InputError(
            f"{fixes.name}: {int(within.sum())} fixes at the times of {trajectory.name}, {_span(times)}; {FIXES} are "
            "needed: check the clocks",
            "gps",
        )
    ours, theirs = _positions(trajectory, times, fixes.times[within]), local_metres(fixes.values[within])
    centred = ours - ours.mean(0)
    if float(theirs.diff(dim=0).norm(dim=-1).sum()) <= 0 or float(centred.norm()) <= 0:
        raise InputError(f"{fixes.name}: the camera does not move by its fixes; give another source of scale", "gps")
    try:
        found = robust_similarity(ours, theirs)
    except ValueError:
        raise InputError(
            f"{fixes.name}: the camera rests most of the time; give another source of scale", "gps"
        ) from None
    factor, inliers = float(found.scale), found.inliers
    residual = (factor * ours @ found.rotation.T + found.translation - theirs)[inliers]
    extent = (ours[inliers] - ours[inliers].mean(0)).square().sum().sqrt()
    # the plane has two directions in which fixes err, and neighbours err alike
    error = float((residual.square().sum() / (2 * inliers.sum())).sqrt())
    deviation = error / (factor * float(extent)) * _correlation(residual) ** 0.5
    doubts = []
    if deviation > SURE:
        doubts.append(
            f"the fixes err by {error:.1f} m over a path of {factor * float(trajectory.distances()[-1]):.0f} m"
        )
    if float(inliers.double().mean()) < 0.6:
        doubts.append("many fixes do not lie on the path: check the clocks")
    evidence = f"{fixes.name}, {int(inliers.sum())} of {len(ours)} fixes"
    return MetricScale(ScaleSource.GPS, factor, deviation, True, int(inliers.sum()), evidence, tuple(doubts))


def local_metres(fixes: Tensor) -> Tensor:
    """Metres (N, 3) east, north and 0 of latitudes and longitudes (N, 2) in degrees, from the first."""
    angles = torch.deg2rad(fixes)
    north = EARTH * (angles[:, 0] - angles[0, 0])
    turn = angles[:, 1] - angles[0, 1]
    east = EARTH * math.cos(float(angles[0, 0])) * torch.atan2(turn.sin(), turn.cos())
    return torch.stack([east, north, torch.zeros_like(east)], -1)


def scale_by_distance(
    trajectory: Trajectory, metres: float, between: tuple[int, int], *, deviation: float | None = None
) -> MetricScale:
    """Metres per unit by the distance in a straight line between the camera at two frames, told by their numbers.

    ``deviation`` is the relative one of the trajectory's distance, where it is known; what was measured is taken for
    exact. InputError for a frame that is not there, and where the trajectory has both at one place.
    """
    rows = []
    for frame in between:
        row = (trajectory.indices == frame).nonzero()
        if not len(row):
            last = int(trajectory.indices.max()) if len(trajectory) else -1
            raise InputError(f"{trajectory.name}: no pose of frame {frame}; its frames end with {last}", "between")
        rows.append(int(row[0, 0]))
    first, second = sorted(rows)
    apart = float((trajectory.positions[second] - trajectory.positions[first]).norm())
    path = float(trajectory.distances()[second] - trajectory.distances()[first])
    if not apart > 1e-9 * max(path, 1e-9):
        raise InputError(
            f"{trajectory.name}: the camera is at one place in frames {between[0]} and {between[1]}; choose others",
            "between",
        )
    doubts: tuple[str, ...] = ()
    if apart < STRAIGHT * path:
        doubts = (
            f"the frames are {100 * apart / path:.0f} % of the path between them apart, which drift changes much",
        )
    evidence = f"{metres:g} m between frames {between[0]} and {between[1]}"
    return MetricScale(ScaleSource.DISTANCE, metres / apart, deviation, True, 1, evidence, doubts)


def _times_of(trajectory: Trajectory, readings: Readings) -> Tensor:
    if trajectory.timestamps is None:
        raise InputError(
            f"{trajectory.name}: its frames have no times to match {readings.name} with; give the time of each", "times"
        )
    if len(trajectory) < 2:
        raise InputError(f"{trajectory.name}: one pose has no scale; give a longer video")
    return trajectory.timestamps


def _parts(times: Tensor) -> Tensor:
    """Rows (K,) that cut times (N,), N >= 2, into parts of ``SPAN`` or, at lower rates, one step."""
    rows = [0]
    for row in range(1, len(times)):
        if float(times[row] - times[rows[-1]]) >= SPAN - 1e-6:
            rows.append(row)
    if rows[-1] != len(times) - 1 and (len(rows) == 1 or float(times[-1] - times[rows[-1]]) >= SPAN / 2):
        rows.append(len(times) - 1)
    return torch.tensor(rows)


def _positions(trajectory: Trajectory, times: Tensor, wanted: Tensor) -> Tensor:
    """Positions (M, 3) at wanted times (M,) within those of the poses, interpolated linearly."""
    row = (torch.searchsorted(times, wanted, right=True) - 1).clamp(0, len(times) - 2)
    fraction = ((wanted - times[row]) / (times[row + 1] - times[row])).clamp(0, 1)
    return trajectory.positions[row].lerp(trajectory.positions[row + 1], fraction[:, None])


def _correlation(residual: Tensor) -> float:
    """How many times the variance of a mean is that of independent residuals (N, D) in the order of time."""
    power = float(residual.square().sum())
    alike = float((residual[1:] * residual[:-1]).sum()) / power if power > 0 else 0.0
    alike = min(max(alike, 0.0), 1 - 1 / len(residual))
    return (1 + alike) / (1 - alike)


def _span(times: Tensor) -> str:
    return f"{float(times[0]):g} to {float(times[-1]):g} s"
