"""One source of scale at a time, and what is said where there is none."""

from pathlib import Path

import pytest
import torch

from vode.errors import InputError
from vode.io.trajectory import Trajectory
from vode.odometry.metric.measure import measure_scale, path_deviation
from vode.odometry.metric.options import MetricOptions
from vode.odometry.result import Details, FrameResult, Method


def trajectory(count=11):
    poses = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    poses[:, 2, 3] = torch.arange(count)
    return Trajectory(poses, name="estimate of walk")


def results(deviation, count=11):
    start = FrameResult(0, None, torch.eye(4), Method.START, None, Details(), 0, 0.0, None, ())
    others = [
        FrameResult(i, None, torch.eye(4), Method.ESSENTIAL, None, Details(), 0, 0.0, deviation, ())
        for i in range(1, count)
    ]
    return (start, *others)


@pytest.mark.parametrize(
    ("options", "told", "parameters"),
    [
        ({"camera_height": 1.6, "speed": Path("v.txt")}, "from camera height and speed", ("camera_height", "speed")),
        ({"gps": Path("g"), "distance": 1.0, "between": (0, 1)}, "from gps and distance", ("gps", "distance")),
        ({"camera_height": 0.0}, "camera height of 0.0 m", ("camera_height",)),
        ({"distance": float("nan"), "between": (0, 1)}, "distance of nan m", ("distance",)),
        ({"distance": 3.0}, "between two frames; give both", ("distance", "between")),
        ({"between": (0, 3)}, "between two frames; give both", ("distance", "between")),
        ({"distance": 3.0, "between": (4, 4)}, "frames 4 and 4", ("between",)),
        ({"distance": 3.0, "between": (-1, 4)}, "frames -1 and 4", ("between",)),
        ({"scale_window": -1, "camera_height": 1.0}, "window of -1", ("scale_window",)),
        ({"scale_window": 9}, "followed by camera height or speeds", ("scale_window",)),
        ({"scale_window": 9, "distance": 1.0, "between": (0, 1)}, "followed by camera height", ("scale_window",)),
    ],
)
def test_contradictions_are_refused(options, told, parameters):
    with pytest.raises(InputError, match=told) as error:
        measure_scale(trajectory(), MetricOptions(**options))
    assert error.value.parameters == parameters


def test_without_a_source_the_unit_stays_and_is_told():
    metric = measure_scale(trajectory(), results=results(0.03), unit="metres")
    assert (metric.factor, metric.metric) == (1.0, True)
    assert metric.describe() == "scale from depth (its own metres, lengths to 3.0 %): metres, uncertainty not known"
    unknown = measure_scale(trajectory())
    assert not unknown.metric
    assert unknown.describe() == "scale from depth (its own unit): no known unit, uncertainty not known"
    assert (
        "scale from tracks (the unit is the first step; drifts)"
        in measure_scale(trajectory(), unit="tracks").describe()
    )
    assert torch.equal(metric.apply(trajectory()).poses, trajectory().poses)


def test_the_files_of_the_options_are_read(tmp_path):
    timed = Trajectory(trajectory().poses, torch.arange(11.0))
    (tmp_path / "v.txt").write_text("".join(f"{t} 7\n" for t in range(11)))
    assert measure_scale(timed, MetricOptions(speed=tmp_path / "v.txt")).factor == pytest.approx(7)
    scale = measure_scale(timed, MetricOptions(distance=35.0, between=(0, 10)), results=results(0.05))
    assert scale.factor == pytest.approx(3.5)
    assert scale.deviation == pytest.approx(0.05 / 10**0.5)


def test_the_deviation_of_a_distance_is_known_where_most_steps_tell_theirs():
    assert path_deviation(trajectory(), results(0.1), (2, 6)) == pytest.approx(0.1 * 4**0.5 / 4)
    assert path_deviation(trajectory(), results(None), (2, 6)) is None
    assert path_deviation(trajectory(), (), (2, 6)) is None
