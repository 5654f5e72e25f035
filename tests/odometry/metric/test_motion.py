"""The scale by speeds, by GPS and by one distance, of trajectories whose truth is known."""

import math

import pytest
import torch

from vode.errors import InputError
from vode.geometry.pose import so3_exp
from vode.io.trajectory import Trajectory
from vode.odometry.metric.motion import (
    EARTH,
    integrated,
    local_metres,
    scale_by_distance,
    scale_by_gps,
    scale_by_speed,
)
from vode.odometry.metric.readings import Readings

FACTOR = 2.5


def speed_at(time):
    """m/s; at rest for a while."""
    return 8 + 4 * torch.sin(time / 3) - 12.0 * ((time > 20) & (time < 24)) * (torch.sin(time / 3) / 3 + 2 / 3)


def drive(seconds=40.0, rate=10.0, drift=None):
    """A curved drive in metres, and the same as odometry gives it: by a factor too small, in other axes."""
    fine = torch.arange(0, seconds, 0.001, dtype=torch.float64)
    turn = 0.2 * torch.sin(fine / 5).cumsum(0) * 0.001
    step = speed_at(fine)[:, None] * torch.stack([turn.sin(), torch.zeros_like(turn), turn.cos()], -1) * 0.001
    rows = torch.arange(0, len(fine), int(1000 / rate))
    positions = torch.cat([torch.zeros(1, 3, dtype=torch.float64), step.cumsum(0)])[rows]
    moved = positions.diff(dim=0) / FACTOR
    if drift is not None:
        moved = moved * drift(fine[rows][1:])[:, None]
    poses = torch.eye(4, dtype=torch.float64).repeat(len(rows), 1, 1)
    poses[1:, :3, 3] = moved.cumsum(0) @ so3_exp(torch.tensor([0.3, 0.2, 0.1], dtype=torch.float64)).T
    return positions, Trajectory(poses, fine[rows], name="estimate of drive")


def readings(rate=5.0, start=0.0, end=40.0, noise=0.0):
    times = torch.arange(start, end, 1 / rate, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    noisy = speed_at(times) + noise * torch.randn(len(times), generator=generator, dtype=torch.float64)
    return Readings(times, noisy.clamp(min=0)[:, None], "speed.csv")


def test_speeds_are_integrated_exactly_between_readings():
    speeds = Readings(torch.tensor([0.0, 1, 2, 9, 10]).double(), torch.tensor([[0.0], [2], [2], [2], [4]]).double(), "")
    times = torch.tensor([-1.0, 0.0, 0.5, 1.5, 2.0, 3.0, 9.0, 9.5, 11]).double()
    metres = integrated(speeds, times)
    assert metres[[1, 2, 3, 6]].tolist() == pytest.approx([0.25, 1.75, 1.0, 1.25])
    assert metres[[0, 4, 5, 7]].isnan().all()


def test_speeds_give_the_factor_of_the_whole():
    positions, trajectory = drive()
    scale = scale_by_speed(trajectory, readings())
    assert scale.factor == pytest.approx(FACTOR, rel=0.005)
    assert scale.deviation < 0.01
    assert scale.doubts == ()
    moved = scale.apply(trajectory)
    assert float(moved.distances()[-1]) == pytest.approx(float(positions.diff(dim=0).norm(dim=-1).sum()), rel=0.005)
    noisy = scale_by_speed(trajectory, readings(noise=0.5))
    assert abs(math.log(noisy.factor / FACTOR)) < 4 * noisy.deviation < 0.1


def test_speeds_follow_a_scale_that_drifts():
    positions, trajectory = drive(drift=lambda t: (-t / 40).exp())
    one, local = (scale_by_speed(trajectory, readings(), window=window) for window in (0, 41))
    truth = positions.diff(dim=0).norm(dim=-1)
    errors = [(s.apply(trajectory).positions.diff(dim=0).norm(dim=-1) - truth).abs().sum() for s in (one, local)]
    assert errors[1] < 0.2 * errors[0]
    assert len(local.steps) == len(trajectory) - 1
    assert one.doubts


def test_speeds_of_part_of_the_time_are_doubted_and_of_another_time_refused():
    _, trajectory = drive()
    part = scale_by_speed(trajectory, readings(start=2, end=8))
    assert part.factor == pytest.approx(FACTOR, rel=0.01)
    assert "cover" in part.doubts[0]
    with pytest.raises(
        InputError, match=r"speed.csv: no speeds at the times of estimate of drive, 0 to 39.9 s"
    ) as told:
        scale_by_speed(trajectory, readings()._replace(times=readings().times + 1e9))
    assert told.value.parameters == ("speed",)
    with pytest.raises(InputError, match="no times"):
        scale_by_speed(Trajectory(trajectory.poses), readings())
    still = readings()
    with pytest.raises(InputError, match="at rest"):
        scale_by_speed(trajectory, still._replace(values=torch.zeros_like(still.values)))
    late = scale_by_speed(trajectory, readings(end=80)._replace(times=readings(end=80).times - 9))
    assert "disagree" in late.doubts[0]


def gps(positions, times, noise=0.0, rate=1):
    generator = torch.Generator().manual_seed(2)
    some = positions[:: 10 // rate] + noise * torch.randn(
        len(positions[:: 10 // rate]), 3, generator=generator, dtype=torch.float64
    )
    latitude = 49.0 + torch.rad2deg(some[:, 2] / EARTH)
    longitude = 8.4 + torch.rad2deg(some[:, 0] / EARTH) / math.cos(math.radians(49.0))
    return Readings(times[:: 10 // rate], torch.stack([latitude, longitude], -1), "gps.txt")


def test_fixes_in_metres():
    fixes = torch.tensor([[49.0, 180.0], [49.001, -179.999]], dtype=torch.float64)
    east, north, up = local_metres(fixes)[1].tolist()
    assert north == pytest.approx(111.195, rel=1e-4)
    assert east == pytest.approx(111.195 * math.cos(math.radians(49)), rel=1e-4)
    assert up == 0


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_gps_gives_the_factor(noise):
    positions, trajectory = drive()
    scale = scale_by_gps(trajectory, gps(positions, trajectory.timestamps, noise))
    assert abs(math.log(scale.factor / FACTOR)) < 3 * scale.deviation + 1e-4
    assert scale.deviation < 0.05
    assert scale.doubts == ()


def test_gps_that_does_not_tell_the_scale():
    positions, trajectory = drive()
    fixes = gps(positions, trajectory.timestamps)
    with pytest.raises(InputError, match=r"gps.txt: 0 fixes at the times"):
        scale_by_gps(trajectory, fixes._replace(times=fixes.times + 1e6))
    with pytest.raises(InputError, match="does not move"):
        scale_by_gps(trajectory, fixes._replace(values=fixes.values[:1].expand(len(fixes.values), 2)))
    rough = scale_by_gps(trajectory, gps(positions, trajectory.timestamps, 200.0))
    assert rough.doubts


def test_a_distance_between_two_frames():
    positions, trajectory = drive()
    metres = float((positions[300] - positions[20]).norm())
    for between in ((20, 300), (300, 20)):
        scale = scale_by_distance(trajectory, metres, between, deviation=0.02)
        assert scale.factor == pytest.approx(FACTOR, rel=1e-6)
    assert scale.describe().startswith("scale from distance (")
    assert "+-2.0 %" in scale.describe()
    with pytest.raises(InputError, match="no pose of frame 400; its frames end with 399"):
        scale_by_distance(trajectory, 10.0, (0, 400))
    with pytest.raises(InputError, match="at one place"):
        scale_by_distance(trajectory.moved(torch.eye(4).expand(400, 4, 4)), 10.0, (0, 100))
    there_and_back = torch.cat([trajectory.poses[:50], trajectory.poses[:50].flip(0)])
    assert "drift" in scale_by_distance(Trajectory(there_and_back), 1.0, (0, 98)).doubts[0]
