"""A scale, what it makes of a trajectory, and robust values in the order of time."""

import json

import pytest
import torch

from vode.geometry.pose import so3_exp
from vode.io.trajectory import Trajectory
from vode.odometry.metric.estimate import MetricScale, ScaleSource, location, running_median


def walk(count=20):
    generator = torch.Generator().manual_seed(0)
    poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    poses[:, :3, :3] = so3_exp(torch.randn(count, 3, generator=generator, dtype=torch.float64) * 0.3)
    poses[:, :3, 3] = torch.rand(count, 3, generator=generator, dtype=torch.float64).cumsum(0)
    return Trajectory(poses)


def test_one_factor_scales_positions_and_leaves_rotations():
    trajectory = walk()
    scaled = MetricScale(ScaleSource.DISTANCE, 2.5, None).apply(trajectory)
    torch.testing.assert_close(scaled.positions, 2.5 * trajectory.positions)
    assert torch.equal(scaled.poses[:, :3, :3], trajectory.poses[:, :3, :3])
    assert torch.equal(scaled.poses[:, 3], trajectory.poses[:, 3])


def test_factors_of_steps_undo_a_drift():
    trajectory = walk()
    drift = torch.linspace(1.0, 0.5, 19, dtype=torch.float64)
    spoiled = MetricScale(ScaleSource.SPEED, 1.0, 0.0, steps=drift).apply(trajectory)
    restored = MetricScale(ScaleSource.SPEED, 1.0, 0.0, steps=1 / drift).apply(spoiled)
    assert (spoiled.positions - trajectory.positions).norm(dim=-1).max() > 1
    torch.testing.assert_close(restored.positions, trajectory.positions)
    with pytest.raises(ValueError, match="3 factors for the 19 steps"):
        MetricScale(ScaleSource.SPEED, 1.0, 0.0, steps=drift[:3]).apply(trajectory)


def test_equal_factors_of_steps_are_one_factor():
    trajectory = walk()
    steps = torch.full((19,), 3.0, dtype=torch.float64)
    one, many = (MetricScale(ScaleSource.SPEED, 3.0, 0.0, steps=x).apply(trajectory) for x in (None, steps))
    torch.testing.assert_close(one.poses, many.poses)


def test_a_scale_in_words_and_as_data():
    scale = MetricScale(ScaleSource.CAMERA_HEIGHT, 1.25, 0.012, True, 98, "1.65 m above a plane", ("most tilt",))
    assert scale.describe() == (
        "scale from camera height (1.65 m above a plane): metres, factor 1.25, +-1.2 %; doubtful: most tilt"
    )
    assert MetricScale(ScaleSource.DEPTH, 1.0, None, False).describe() == (
        "scale from depth: no known unit, uncertainty not known"
    )
    content = json.loads(json.dumps(scale.to_dict()))
    assert (content["source"], content["factor"], content["doubts"], content["steps"]) == (
        "camera_height",
        1.25,
        ["most tilt"],
        None,
    )


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_the_deviation_of_a_median_is_what_it_says(correlation):
    """Over many series, errors in deviations have a standard deviation near 1, whether neighbours err alike or not."""
    generator, normalised = torch.Generator().manual_seed(1), []
    for _ in range(200):
        noise = torch.randn(150, generator=generator, dtype=torch.float64)
        series = noise.clone()
        for k in range(1, len(series)):
            series[k] = correlation * series[k - 1] + (1 - correlation**2) ** 0.5 * noise[k]
        found = location((0.05 * series).exp() * 2.0)
        normalised.append((torch.tensor(found.value) / 2).log() / found.deviation)
    assert 0.75 < torch.stack(normalised).std() < 1.35


def test_a_median_does_not_mind_outliers():
    values = torch.full((50,), 3.0)
    values[::3] = 100.0
    assert location(values).value == pytest.approx(3.0)
    assert location(torch.tensor([2.0])).value == pytest.approx(2.0)


def test_a_running_median_follows_and_bridges():
    values = torch.linspace(1, 2, 101, dtype=torch.float64)
    known = torch.ones(101, dtype=torch.bool)
    values[50] = 90.0
    known[20:40] = False
    found = running_median(values, known, 7)
    assert (found[5:95] - torch.linspace(1, 2, 101, dtype=torch.float64)[5:95]).abs().max() < 0.04
    assert found.isfinite().all()
    alone = running_median(values, torch.arange(101) == 0, 5)
    torch.testing.assert_close(alone, torch.ones(101, dtype=torch.float64))
