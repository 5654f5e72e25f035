"""Rotations, quaternions and rigid motions against kornia's."""

import math

import pytest
import torch
from kornia.geometry import Quaternion, Se3, So3
from kornia.geometry.conversions import axis_angle_to_rotation_matrix, rotation_matrix_to_axis_angle

from vode.geometry import pose

ANGLES = [0.0, 1e-6, 1e-3, 0.04, 0.06, 1.0, 3.0, math.pi - 1e-3]
"""radians; series take over from formulas between the two in the middle"""


@pytest.fixture(params=ANGLES)
def vectors(request):
    """Rotation vectors (20, 3) of one length."""
    axes = torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return request.param * axes / axes.norm(dim=-1, keepdim=True)


@pytest.fixture
def translations():
    return 5 * torch.randn(20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def close(found, expected, bound=1e-9):
    torch.testing.assert_close(found, expected, atol=bound, rtol=bound)


def test_so3(vectors):
    matrices = So3.exp(vectors).matrix()
    close(pose.so3_exp(vectors), matrices)
    close(pose.so3_exp(vectors), axis_angle_to_rotation_matrix(vectors), 1e-6)
    close(pose.so3_log(matrices), So3.from_matrix(matrices).log(), 1e-7)
    close(pose.so3_log(matrices), rotation_matrix_to_axis_angle(matrices), 1e-6)


def test_quaternions(vectors):
    expected = Quaternion.from_axis_angle(vectors)
    # half of the angle here, the whole one there
    close(pose.quaternion_exp(vectors / 2), expected.data)
    close(2 * pose.quaternion_log(expected.data), So3(expected).log(), 1e-7)
    close(pose.quaternion_to_matrix(expected.data), expected.matrix())
    close(pose.matrix_to_quaternion(expected.matrix()), expected.data, 1e-7)
    other = Quaternion.from_axis_angle(vectors.flip(0, 1) + 0.1)
    close(pose.quaternion_multiply(expected.data, other.data), (expected * other).data)
    close(pose.quaternion_conjugate(expected.data), expected.inv().data)


def test_slerp(vectors):
    a, b = Quaternion.from_axis_angle(vectors), Quaternion.from_axis_angle(0.3 * vectors.flip(0, 1) + 0.1)
    for fraction in (0.0, 0.25, 1.0):
        found, expected = pose.slerp(a.data, b.data, fraction), a.slerp(b, fraction).data
        close(pose.near_sign(found, expected), expected, 1e-7)


def test_se3(vectors, translations):
    twists = torch.cat([translations, vectors], -1)
    motions = Se3.exp(twists)
    close(pose.se3_exp(twists), motions.matrix(), 1e-7)
    close(pose.se3_log(motions.matrix()), motions.log(), 1e-6)
    close(pose.inverse(motions.matrix()), motions.inverse().matrix())
    other = Se3.exp(twists.flip(0))
    close(pose.relative(motions.matrix(), other.matrix()), (other.inverse() * motions).matrix())
