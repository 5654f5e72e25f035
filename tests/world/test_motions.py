"""Paths on the ground and poses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vode.world.motions import arc_lengths, points_at, pose, resampled, rotations

BEND = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 10.0]])


def test_points_are_found_by_their_distance_along_the_path() -> None:
    np.testing.assert_allclose(arc_lengths(BEND), [0, 5, 11])
    np.testing.assert_allclose(
        points_at(BEND, np.array([0.0, 2.5, 5.0, 8.0, 99.0])), [[0, 0], [1.5, 2], [3, 4], [3, 7], [3, 10]]
    )


def test_a_resampled_path_has_even_steps_and_the_same_ends() -> None:
    path = resampled(BEND, 0.5)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.max() == pytest.approx(0.5)
    np.testing.assert_allclose(path[[0, -1]], BEND[[0, -1]])
    assert resampled(np.zeros((3, 2)), 0.1).shape == (1, 2)


def test_rotations_are_yaw_then_pitch_then_roll() -> None:
    angles = np.random.default_rng(0).uniform(-1.5, 1.5, (4, 5, 3))
    # upwards is about +x and clockwise as seen from behind about +z, with y down; yaw is about +y
    known = Rotation.from_euler("YXZ", angles.reshape(-1, 3)).as_matrix().reshape(4, 5, 3, 3)
    np.testing.assert_allclose(rotations(angles), known, atol=1e-12)


def test_a_pose_looks_right_up_and_leans_right() -> None:
    position = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(pose(position, np.pi / 2)[:3, [2, 3]].T, [[1, 0, 0], position], atol=1e-12)
    assert pose(position, 0.0, 0.3)[1, 2] == pytest.approx(-np.sin(0.3))
    assert pose(position, 0.0, 0.0, 0.2)[1, 0] == pytest.approx(np.sin(0.2))
    np.testing.assert_array_equal(pose(position, 0.1, 0.2, 0.3)[3], [0, 0, 0, 1])
