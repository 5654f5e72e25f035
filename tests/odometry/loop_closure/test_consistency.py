"""Loops are judged by what odometry's drift allows, and by each other."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from vode.geometry import similarity
from vode.geometry.pose import relative, se3_exp
from vode.odometry.loop_closure.consistency import Course, consistent_set, supported
from vode.odometry.loop_closure.keyframes import Keyframe
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import LoopOptions

COUNT, LAP = 240, 200


def keyframe(k, doubtful=False):
    none = np.zeros((0, 2), np.float32)
    return Keyframe(k, none, none, none, 15.0, doubtful)


@pytest.fixture(scope="module")
def poses():
    """A circle of 200 keyframes of 2 m each, and 40 more of the next lap."""
    step = torch.tensor([0.0, 0.0, 2.0, 0.0, 2 * torch.pi / LAP, 0.0], dtype=torch.float64)
    motion, found = se3_exp(step), [torch.eye(4, dtype=torch.float64)]
    for _ in range(COUNT - 1):
        found.append(found[-1] @ motion)
    return torch.stack(found)


@pytest.fixture
def course(poses):
    return Course(poses, [keyframe(k) for k in range(COUNT)])


def loop(poses, i, j, tangent=(0.0,) * 7):
    S = relative(poses[j], poses[i]) @ similarity.exp(torch.tensor(tangent, dtype=torch.float64))
    return Loop(i, j, S, 15.0, 100)


@pytest.mark.parametrize(
    ("tangent", "allowed"),
    [
        ((0,) * 7, True),
        # what odometry may be off by after 400 m: metres, degrees, parts of the scale; and what not
        ((4, 0, 3, 0, 0.03, 0, 0.1), True),
        ((0, 0, 90, 0, 0, 0, 0), False),
        ((0, 12, 0, 0, 0, 1.0, 0), False),
        ((0, 0, 0, 0, 0, 0, 2.0), False),
    ],
)
def test_drift_allows_some_loops(poses, course, tangent, allowed):
    assert course.allows(loop(poses, 5, 206, tangent)) is allowed


def test_a_block_further_on_is_not_allowed_however_large_the_drift(poses):
    drift = replace(LoopOptions().drift, translation=10.0, turn=1.0, scale=10.0)
    course = Course(poses, [keyframe(k) for k in range(COUNT)], LoopOptions(drift=drift))
    assert not course.allows(Loop(0, 60, torch.eye(4, dtype=torch.float64), 15.0, 100))
    assert course.allows(Loop(0, 200, torch.eye(4, dtype=torch.float64), 15.0, 100))


def test_neighbours_must_agree_closely(poses, course):
    others = [loop(poses, 5, 206), loop(poses, 8, 209), loop(poses, 30, 231)]
    assert course.agree(loop(poses, 6, 207, (0.2, 0, 0.2, 0, 0.01, 0, 0.03)), others).all()
    assert not course.agree(loop(poses, 6, 207, (0, 0, 6, 0, 0, 0, 0)), others[:2]).any()
    assert course.agree(loop(poses, 6, 207), []).shape == (0,)


def test_a_course_that_grows_is_the_one_that_is_measured_at_once(poses):
    moved = poses.clone()
    moved[150:, :3, 3] *= 1.01
    keyframes = [keyframe(k)._replace(lost=k == 120, doubtful=k == 130) for k in range(COUNT)]
    before, after = list(poses[:200].unbind()), list(moved.unbind())
    # what a tracker does not correct stays the same tensor
    after[:150] = before[:150]
    grown = Course(after, keyframes, known=Course(before, keyframes[:200]))
    whole = Course(moved, keyframes)
    for name in ("T_world_cam", "motions", "deviations", "map", "_way", "_covariance"):
        assert torch.equal(getattr(grown, name), getattr(whole, name)), name


def test_agreement_is_mutual(poses, course):
    loops = [loop(poses, 5 + k, 205 + k, (0.5 * k, 0, 0, 0, 0.004 * k, 0, 0.01 * k)) for k in range(12)]
    agreement = np.stack([course.agree(x, loops) for x in loops])
    assert np.array_equal(agreement, agreement.T)
    assert agreement.diagonal().all()
    assert 0 < agreement.sum() < agreement.size


def test_a_motion_that_was_guessed_allows_more(poses):
    far = loop(poses, 5, 206, (0, 0, 90, 0, 0, 0, 0))
    frames = [keyframe(k, doubtful=90 <= k < 130) for k in range(COUNT)]
    assert not Course(poses, [keyframe(k) for k in range(COUNT)]).allows(far)
    assert Course(poses, frames).allows(far)


def test_the_largest_set_of_those_that_agree():
    agreement = np.eye(7, dtype=bool)
    for group in ([0, 2, 4, 6], [1, 3], [5, 6]):
        agreement[np.ix_(group, group)] = True
    assert consistent_set(agreement).tolist() == [0, 2, 4, 6]
    assert consistent_set(np.zeros((0, 0), bool)).tolist() == []


def test_loops_without_neighbours_do_not_count(poses):
    loops = [loop(poses, i, j) for i, j in ((0, 200), (2, 202), (4, 204), (30, 230), (0, 60))]
    assert [x[:2] for x in supported(loops, near=10, least=3)] == [(0, 200), (2, 202), (4, 204)]
    assert supported([], near=10, least=3) == []
