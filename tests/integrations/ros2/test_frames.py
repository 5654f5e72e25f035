"""Axes of cameras and robots."""

import numpy as np
from scipy.linalg import expm
from vode_ros.frames import BODY_FROM_OPTICAL, adjoint, inverse, skew


def matrix_of_twist(twist):
    matrix = np.zeros((4, 4))
    matrix[:3, :3], matrix[:3, 3] = skew(twist[3:]), twist[:3]
    return matrix


def test_what_a_camera_sees_ahead_right_and_below_is_ahead_right_and_below_of_the_body():
    ahead, right, below = [0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0]
    np.testing.assert_array_equal(BODY_FROM_OPTICAL @ ahead, [1, 0, 0, 0])
    np.testing.assert_array_equal(BODY_FROM_OPTICAL @ right, [0, -1, 0, 0])
    np.testing.assert_array_equal(BODY_FROM_OPTICAL @ below, [0, 0, -1, 0])
    assert np.linalg.det(BODY_FROM_OPTICAL) == 1


def test_a_twist_moves_a_body_alike_in_two_of_its_frames():
    rng = np.random.default_rng(0)
    T_b_a = expm(matrix_of_twist(rng.normal(size=6)))
    twist = rng.normal(size=6)
    moved = T_b_a @ expm(matrix_of_twist(twist)) @ inverse(T_b_a)
    np.testing.assert_allclose(expm(matrix_of_twist(adjoint(T_b_a) @ twist)), moved, atol=1e-12)
    np.testing.assert_allclose(inverse(T_b_a) @ T_b_a, np.eye(4), atol=1e-12)
