"""Walkers: rigid parts that stay together, and feet that stand still."""

import numpy as np
import pytest

from vode.world.materials import Palette
from vode.world.objects.people import walker

STEP, SPEED = 0.7, 1.4


def straight(time):
    """A walk along z at constant speed."""
    pose = np.eye(4)
    pose[:3, 3] = [1.0, 0.0, 5.0 + SPEED * time]
    return pose


def around(time):
    """A walk around a circle of 6 m, ahead along z of the body."""
    angle = SPEED * time / 6.0
    cos, sin = np.cos(angle), np.sin(angle)
    pose = np.eye(4)
    pose[:3, :3] = [[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]]
    pose[:3, 3] = [-6.0 * cos, 0, 6.0 * sin]
    return pose


@pytest.fixture(params=[straight, around])
def path(request):
    return request.param


def parts(path, seed=0):
    return walker(np.random.default_rng(seed), Palette(), path, STEP)


def limbs(movers):
    """Legs and arms with the point of their own axes about which they turn, found as the one that stays in the body."""
    body = movers[0]
    times = np.linspace(0, 2, 23)
    for limb in movers[1:]:
        relative = np.stack([np.linalg.inv(body.motion(t)) @ limb.motion(t) for t in times])
        change = (relative - relative[:1])[:, 1:3, 1:4]
        # (R - R0) p + (t - t0) = 0 for the pivot p, in the plane of the swing
        pivot, *_ = np.linalg.lstsq(change[..., :2].reshape(-1, 2), -change[..., 2].reshape(-1), rcond=None)
        yield limb, pivot, np.abs(change[..., :2] @ pivot + change[..., 2]).max()


def test_motions_are_rigid_at_all_times(path):
    for mover in parts(path):
        for time in (-3.3, 0.0, 0.21, 7.9):
            pose = mover.motion(time)
            np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
            assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)
            np.testing.assert_array_equal(pose[3], [0, 0, 0, 1])


@pytest.mark.parametrize("seed", range(4))
def test_limbs_stay_attached_to_the_body(path, seed):
    movers = parts(path, seed)
    height = np.ptp(movers[0].mesh.vertices[:, 1])
    for limb, pivot, drift in limbs(movers):
        assert drift < 0.001
        assert 0.4 * height < -pivot[0] < 1.7 * height
        top, low = limb.mesh.vertices[:, 1].min(), limb.mesh.vertices[:, 1].max()
        assert abs(top + -pivot[0]) < 0.2 * (low - top)


def test_one_foot_stands_still_during_each_step():
    movers = parts(straight)
    legs = [mover for mover in movers[1:] if mover.mesh.vertices[:, 1].max() > -0.01]
    assert len(legs) == 2
    sole = []
    for leg in legs:
        low = leg.mesh.vertices[leg.mesh.vertices[:, 1] > -0.01]
        sole.append(np.array([*low.mean(0) * [1, 1, 0], 1.0]))
    for step in range(4):
        start = step * STEP / SPEED
        times = start + np.linspace(0.02, 0.98, 9) * STEP / SPEED
        way = [np.ptp([(leg.motion(t) @ foot)[2] for t in times]) for leg, foot in zip(legs, sole, strict=True)]
        assert min(way) < 0.001
        assert max(way) == pytest.approx(2 * STEP * 0.96, abs=0.02)


def test_feet_touch_the_ground_and_hardly_enter_it():
    movers = parts(straight)
    for time in np.linspace(0, 2, 21):
        lowest = max((m.mesh.vertices @ m.motion(time)[1, :3] + m.motion(time)[1, 3]).max() for m in movers)
        assert -0.02 < lowest < 0.07


def test_a_walk_is_a_pure_function_of_time(path):
    times = (5.0, 0.3, 2.7, -1.2)
    forwards = [[mover.motion(t) for mover in parts(path)] for t in times]
    movers = parts(path)
    backwards = [[mover.motion(t) for mover in movers] for t in reversed(times)][::-1]
    np.testing.assert_array_equal(forwards, backwards)


def test_who_stands_does_not_swing():
    movers = parts(lambda time: np.eye(4))
    assert all(np.array_equal(m.motion(0.0), m.motion(9.0)) for m in movers)
