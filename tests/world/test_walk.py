"""Cameras carried by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vode.world.motions import resampled
from vode.world.scene import Motion
from vode.world.walk import Carrying, scan, stroll_by, walk

CORNER = resampled(np.array([[0.0, 0.0], [0.0, 6.0], [5.0, 6.0], [5.0, 0.0], [9.0, 0.0]]), 0.05)
RING = resampled(np.array([[0.0, 0.0], [0.0, 5.0], [5.0, 5.0], [5.0, 0.0], [0.0, 0.0]]), 0.05)
CALM = Carrying(look=(0.0, 0.0, 0.0), rise=0.0, bounce=0.0, pitch=0.0)


def poses(motion: Motion, seconds: float, step: float = 0.01) -> np.ndarray:
    return np.array([motion(t) for t in np.arange(0, seconds, step)])


def rates(path: np.ndarray, step: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Metres and radians a second."""
    moved = np.linalg.norm(np.diff(path[:, :3, 3], axis=0), axis=1) / step
    turned = np.linalg.norm(np.diff(path[:, :3, :3], axis=0), axis=(1, 2)) / np.sqrt(2) / step
    return moved, turned


@pytest.mark.parametrize("seed", range(6))
def test_walking_is_smooth_and_turns_no_faster_than_said(seed: int) -> None:
    carrying = Carrying((0.3, 1.4), look=(1.1, 0.3, 0.2), turning=0.7)
    path = poses(walk(np.random.default_rng(seed), CORNER, 20.0, carrying), 20.0)
    moved, turned = rates(path)
    assert moved.max() < 1.8
    assert moved.mean() > 0.1
    assert turned.max() < 0.72
    # no jerks: the speed changes by less than a walker's bounce
    assert np.abs(np.diff(moved)).max() / 0.01 < 8


@pytest.mark.parametrize("seed", range(4))
def test_poses_are_rigid_and_a_pure_function_of_time(seed: int) -> None:
    motion = walk(np.random.default_rng(seed), CORNER, 15.0, Carrying())
    forwards = [motion(t) for t in (1.0, 7.3, 14.9)]
    backwards = [motion(t) for t in (14.9, 7.3, 1.0)][::-1]
    np.testing.assert_array_equal(forwards, backwards)
    np.testing.assert_array_equal(walk(np.random.default_rng(seed), CORNER, 15.0, Carrying())(7.3), forwards[1])
    for pose in forwards:
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
        assert np.linalg.det(pose[:3, :3]) == pytest.approx(1)


def test_who_looks_straight_ahead_looks_along_the_way() -> None:
    straight = resampled(np.array([[0.0, 0.0], [12.0, 5.0]]), 0.05)
    path = poses(walk(np.random.default_rng(0), straight, 6.0, CALM), 6.0, 0.5)
    np.testing.assert_allclose(path[:, [0, 2], 2], np.tile([12 / 13, 5 / 13], (len(path), 1)), atol=1e-6)
    np.testing.assert_allclose(path[:, 1, 3], -CALM.height, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_a_closed_walk_comes_back_to_its_first_pose(seed: int) -> None:
    motion = walk(np.random.default_rng(seed), RING, 60.0, Carrying((0.4, 0.9)), closed=True)
    first, last = motion(0.0), motion(60.0)
    assert np.linalg.norm(first[:3, 3] - last[:3, 3]) < 0.05
    assert np.degrees(np.linalg.norm(first[:3, :3] - last[:3, :3])) < 2
    away = np.linalg.norm(poses(motion, 60.0, 0.5)[:, :3, 3] - first[:3, 3], axis=1)
    assert away.max() > 6


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_a_sweep_keeps_its_target_in_view(seed: int, closed: bool) -> None:
    way = resampled(np.array([[-1.0, 0.0], [1.5, 0.3]]), 0.05)
    target = 0.3, 0.8, 1.8
    motion = scan(np.random.default_rng(seed), way, target, 15.0, Carrying(look=(0.2, 0.1, 0.1)), closed=closed)
    path = poses(motion, 15.0)
    seen = np.einsum("nij,nj->ni", path[:, :3, :3].transpose(0, 2, 1), [0.3, -0.8, 1.8] - path[:, :3, 3])
    assert (seen[:, 2] > 0.3).all()
    assert np.degrees(np.arctan2(np.hypot(seen[:, 0], seen[:, 1]), seen[:, 2])).max() < 50
    assert rates(path)[1].max() < 0.75
    if closed:
        np.testing.assert_allclose(motion(0.0), motion(15.0), atol=0.02)


def test_a_passer_by_walks_on_the_floor_and_stops_at_the_end() -> None:
    motion = stroll_by(CORNER, 1.0, 2.0)
    np.testing.assert_allclose(motion(0.0)[:3, 3], [0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(motion(5.0)[:3, 3], [0, 0, 3], atol=0.02)
    np.testing.assert_allclose(motion(100.0)[:3, 3], [9, 0, 0], atol=0.02)
    np.testing.assert_allclose(motion(4.0)[:3, 2], [0, 0, 1], atol=1e-6)
