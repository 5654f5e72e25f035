"""Protocols of odometry by the name of the system, against loops over the snippets."""

from itertools import pairwise

import numpy as np
import pytest

from vode.errors import InputError
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.protocols.odometry import PUBLISHED, check_alignment, snippet_errors, with_protocol
from vode.io.trajectory import Trajectory


def trajectory(poses, numbers=None):
    return Trajectory(poses, None, range(len(poses)) if numbers is None else numbers, name="path")


@pytest.fixture
def paths(wandering_path, disturbed):
    true = wandering_path(12, 0)
    return disturbed(true, 1), true


def error_of(x, y):
    x, y = np.array(x) - x[0], np.array(y) - y[0]
    scale = (x * y).sum() / (x * x).sum()
    return np.sqrt(((scale * x - y) ** 2).sum()) / len(x)


def chained(motions):
    pose, positions = np.eye(4), [np.zeros(3)]
    for motion in motions:
        pose = pose @ motion
        positions.append(pose[:3, 3])
    return positions


def motions(poses, *, inverse):
    found = [np.linalg.inv(a) @ b for a, b in pairwise(poses)]
    return [np.linalg.inv(motion) for motion in found] if inverse else found


def test_sfmlearner_takes_the_positions_of_five_frames(paths):
    estimate, true = (motions(poses, inverse=False) for poses in paths)
    expected = [error_of(chained(estimate[i : i + 4]), chained(true[i : i + 4])) for i in range(8)]
    found = snippet_errors(*map(trajectory, paths), PUBLISHED["sfmlearner"])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_monodepth2_chains_inverse_motions_up_to_the_last_two_frames(paths):
    estimate, true = (motions(poses, inverse=True) for poses in paths)
    expected = [error_of(chained(estimate[i : i + 4]), chained(true[i : i + 4])) for i in range(11)]
    found = snippet_errors(*map(trajectory, paths), PUBLISHED["monodepth2"])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-9)


def test_snippets_with_a_gap_do_not_count(paths):
    numbers = [*range(6), *range(7, 13)]
    found = snippet_errors(*(trajectory(poses, numbers) for poses in paths), PUBLISHED["sfmlearner"])
    assert len(found) == 2 + 2


def test_the_result_has_the_figure_and_says_what_differs(paths):
    estimate, true = map(trajectory, paths)
    result = evaluate_odometry(estimate, true)
    assert with_protocol(result, estimate, true, None) is result
    same = with_protocol(result, estimate, true, "trianflow")
    assert same.numbers == result.numbers
    assert same.protocol["protocol"] == "trianflow; unlike the default: nothing"
    scored = with_protocol(result, estimate, true, "monodepth2")
    errors = snippet_errors(estimate, true, PUBLISHED["monodepth2"]).numpy()
    assert scored["monodepth2_ate_m"] == pytest.approx(errors.mean())
    assert scored["monodepth2_ate_std_m"] == pytest.approx(errors.std())
    assert "inverse motions, with those of 2 frames" in scored.protocol["protocol"]


def test_another_alignment_is_refused():
    check_alignment("trianflow", "7dof")
    check_alignment(None, "6dof")
    with pytest.raises(InputError, match="trianflow is scored after 7dof, not 6dof"):
        check_alignment("trianflow", "6dof")
