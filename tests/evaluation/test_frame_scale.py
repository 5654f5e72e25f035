"""The scale of single motions of a path whose scale is known to drift."""

import math
from dataclasses import replace

import pytest
import torch

from vode.evaluation.frame_scale import frame_scales, scale_along_path, scale_by_distance, scale_deviation
from vode.evaluation.odometry import evaluate_odometry
from vode.io.trajectory import Trajectory


def path(lengths):
    poses = torch.eye(4, dtype=torch.float64).repeat(len(lengths) + 1, 1, 1)
    poses[1:, 2, 3] = torch.as_tensor(lengths, dtype=torch.float64).cumsum(0)
    return Trajectory(poses)


def test_the_scale_of_each_motion_is_true_over_estimated_length():
    estimate, true = path([1, 2, 0, 1, 1]), path([2, 1, 1, 0, 1])
    scales = frame_scales(estimate, true, torch.arange(5))
    assert scales[[0, 1, 4]].tolist() == [2, 0.5, 1]
    # one of the two stands
    assert scales[[2, 3]].isnan().all()
    assert scale_deviation(scales) == pytest.approx(math.log(2))
    assert scale_deviation(scales[2:]) is None


def test_scales_lie_along_the_true_path_where_frames_follow_each_other():
    true = path([2, 1, 1, 4, 1])
    estimate = true.select(torch.tensor([0, 1, 3, 4, 5]))
    doubled = replace(estimate, poses=path([1, 1, 2, 0.5]).poses)
    distances, scales = scale_by_distance(doubled, true)
    assert distances.tolist() == [0, 4, 8]
    assert scales.tolist() == [2, 2, 2]


def test_a_drift_is_seen_whatever_the_scale_of_the_path():
    drifting = torch.linspace(0, 0.5, 50).exp()
    for unit in (1.0, 7.0):
        result = evaluate_odometry(path(unit / drifting), path(torch.ones(50)))
        assert result["scale_deviation"] == pytest.approx(0.5 * math.sqrt(1 / 12), rel=0.05)
        along = list(result.series["scale_along_path"].values())
        assert along[-1] / along[0] == pytest.approx(math.exp(0.45), rel=0.01)
        assert along[0] < 1 < along[-1]
    still = evaluate_odometry(path(torch.ones(50)), path(torch.ones(50)))
    assert still["scale_deviation"] == pytest.approx(0, abs=1e-9)
    assert list(scale_along_path(torch.ones(20))) == [f"{10 * (i + 1)}" for i in range(10)]
