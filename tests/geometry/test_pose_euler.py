"""Euler angles of every order against scipy."""

import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.geometry import pose

EXTRINSIC = ["".join(axes) for axes in itertools.product("xyz", repeat=3) if axes[1] not in (axes[0], axes[2])]
ORDERS = EXTRINSIC + [order.upper() for order in EXTRINSIC]
BOUNDS = {torch.float32: 1e-5, torch.float64: 1e-10}


@pytest.mark.parametrize("order", ORDERS)
def test_euler_angles_are_scipys(order):
    """Also beyond 2 pi."""
    angles = np.random.default_rng(2).uniform(-10, 10, (50, 3))
    expected = Rotation.from_euler(order, angles)
    matrix = pose.euler_to_matrix(torch.from_numpy(angles), order)
    torch.testing.assert_close(matrix, torch.from_numpy(expected.as_matrix()), atol=1e-12, rtol=0)
    torch.testing.assert_close(
        pose.matrix_to_euler(matrix, order), torch.from_numpy(expected.as_euler(order)), atol=1e-9, rtol=0
    )


def test_euler_angles_are_roll_pitch_and_yaw_unless_named():
    angles = torch.tensor([0.1, -0.2, 0.3])
    roll, pitch, yaw = pose.so3_exp(torch.diag(angles))
    torch.testing.assert_close(pose.euler_to_matrix(angles), yaw @ pitch @ roll)
    torch.testing.assert_close(pose.matrix_to_euler(yaw @ pitch @ roll), angles)


@pytest.mark.parametrize("order", ORDERS)
def test_at_gimbal_lock_the_third_angle_is_zero_as_scipys(order):
    ends = (0, math.pi) if order[0] == order[2] else (-math.pi / 2, math.pi / 2)
    given = [[first, end, third] for first in (0.3, 2.0, -3.0) for end in ends for third in (0.0, -0.8)]
    matrix = Rotation.from_euler(order, given).as_matrix()
    with warnings.catch_warnings(action="ignore"):
        expected = torch.from_numpy(Rotation.from_matrix(matrix).as_euler(order))
    for dtype, bound in BOUNDS.items():
        angles = pose.matrix_to_euler(torch.from_numpy(matrix).to(dtype), order)
        assert (angles[:, 2] == 0).all()
        # an angle and that angle less a whole turn are the same
        turns = ((angles - expected) / (2 * math.pi)).round() * 2 * math.pi
        torch.testing.assert_close(angles, (expected + turns).to(dtype), atol=bound, rtol=0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dtype", BOUNDS)
def test_near_gimbal_lock_the_rotation_keeps_its_digits(dtype, order):
    end = 0 if order[0] == order[2] else math.pi / 2
    away = np.logspace(-16, -2, 60)
    given = np.stack([np.linspace(-3, 3, 60), end - away, np.linspace(2, -2, 60)], -1)
    matrix = torch.from_numpy(Rotation.from_euler(order, given).as_matrix()).to(dtype)
    again = pose.euler_to_matrix(pose.matrix_to_euler(matrix, order), order)
    assert (again - matrix).abs().max() < BOUNDS[dtype]


@pytest.mark.parametrize("order", ["xy", "xxy", "xYz", "abc", "xyzx", ""])
def test_an_order_that_is_none_is_refused(order):
    with pytest.raises(ValueError, match="order"):
        pose.euler_to_matrix(torch.zeros(3), order)
    with pytest.raises(ValueError, match="order"):
        pose.matrix_to_euler(torch.eye(3), order)
