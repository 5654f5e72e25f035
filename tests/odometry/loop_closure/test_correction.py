"""A camera that is lost on a long straight road is put to where loops say, however far odometry guessed it."""

import numpy as np
import pytest
import torch

from vode.geometry import similarity
from vode.geometry.pose import inverse, se3_exp
from vode.odometry.loop_closure.consistency import Course
from vode.odometry.loop_closure.correction import optimum
from vode.odometry.loop_closure.keyframes import Keyframe
from vode.odometry.loop_closure.maps import untold
from vode.odometry.loop_closure.verification import Loop

COUNT, LOST, AGAIN = 1100, 550, 100
"""keyframes, the one at which the way was lost, and the one whose place it is at"""
SCALE = 0.5
"""of the map after it"""


def straight_course() -> Course:
    """Odometry of 2 m a keyframe, a little off, which goes straight on where the way was lost."""
    generator = torch.Generator().manual_seed(0)
    deviations = torch.tensor([0.04] * 3 + [0.002] * 3, dtype=torch.float64)
    noise = se3_exp(torch.randn(COUNT, 6, generator=generator, dtype=torch.float64) * deviations)
    poses, none = [torch.eye(4, dtype=torch.float64)], np.zeros((0, 2), np.float32)
    for k in range(1, COUNT):
        step = torch.eye(4, dtype=torch.float64)
        step[2, 3] = 2.0 if k <= LOST else 2.0 * SCALE
        poses.append(poses[-1] @ step @ noise[k])
    scales = [1.0 if k < LOST else SCALE for k in range(COUNT)]
    return Course(poses, [Keyframe(k, none, none, none, 15 * x, lost=k == LOST) for k, x in enumerate(scales)])


def loops() -> tuple[Loop, ...]:
    """Five, each at the place of the earlier keyframe."""
    there = torch.diag(torch.tensor([1 / SCALE, 1 / SCALE, 1 / SCALE, 1], dtype=torch.float64))
    return tuple(Loop(AGAIN + k, LOST + k, there, 15.0, 100) for k in range(5))


def test_a_map_comes_to_its_place_from_afar() -> None:
    course = straight_course()
    found = optimum(course, torch.eye(4, dtype=torch.float64).expand(COUNT, 4, 4), loops())
    assert found is not None
    placed = similarity.rigid(found.similarities @ course.T_world_cam)
    between = inverse(placed[AGAIN : AGAIN + 5]) @ placed[LOST : LOST + 5]
    # within the deviation of a loop
    assert between[:, :3, 3].norm(dim=-1).max() < 0.02 * 15
    before = course.T_world_cam
    assert (before[LOST] - before[AGAIN])[:3, 3].norm() > 800
    # both parts keep their shape, and the second takes the scale of the first
    lengths = placed[:, :3, 3].diff(dim=0).norm(dim=-1)
    assert lengths[LOST:].mean() == pytest.approx(float(lengths[: LOST - 1].mean()), rel=0.02)


def test_a_guessed_way_counts_only_where_no_loop_tells_another() -> None:
    map_of = torch.tensor([0, 0, 1, 1, 2, 2])
    one = Loop(0, 3, torch.eye(4, dtype=torch.float64), 15.0, 100)
    assert untold(map_of, [one]).tolist() == [False, True, False, False, False]
    assert not untold(map_of, []).any()
    # within a map, loops say nothing of the way to it
    assert not untold(map_of, [one._replace(first=2)]).any()
    assert not untold(map_of[:2], []).any()
