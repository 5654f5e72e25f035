"""Rotations and rigid motions against scipy."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.geometry import pose
from vode.geometry.epipolar import skew

SHAPES = [(), (5,), (2, 0), (2, 3)]


def rotations(shape, seed=0, angle=None):
    generator = np.random.default_rng(seed)
    count = math.prod(shape)
    if not count:
        return torch.zeros(*shape, 3, dtype=torch.float64), torch.zeros(*shape, 3, 3, dtype=torch.float64)
    axis = generator.normal(size=(count, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    vector = axis * (generator.uniform(0, math.pi, (count, 1)) if angle is None else angle)
    matrix = Rotation.from_rotvec(vector).as_matrix()
    return torch.from_numpy(vector).view(*shape, 3), torch.from_numpy(matrix).view(*shape, 3, 3)


@pytest.mark.parametrize("shape", SHAPES)
def test_exp_and_log_are_scipys(shape):
    vector, matrix = rotations(shape)
    torch.testing.assert_close(pose.so3_exp(vector), matrix, atol=1e-12, rtol=0)
    torch.testing.assert_close(pose.so3_log(matrix), vector, atol=1e-9, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 1e-7, 1e-3, 1.0, math.pi - 1e-3, math.pi - 1e-7])
def test_exp_log_and_angle_keep_their_digits_near_zero_and_pi(angle):
    vector, matrix = rotations((20,), angle=angle)
    torch.testing.assert_close(pose.so3_exp(vector), matrix, atol=1e-14, rtol=0)
    torch.testing.assert_close(pose.so3_log(matrix), vector, atol=1e-14, rtol=1e-8)
    torch.testing.assert_close(pose.rotation_angle(matrix), vector.norm(dim=-1), atol=1e-14, rtol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("angle", [None, 0.0, 1e-9, 1e-3, 0.049, 0.051, 3.0])
def test_exp_and_log_of_motions_are_scipys(shape, angle):
    vector, _ = rotations(shape, angle=angle)
    twist = torch.cat([torch.from_numpy(np.random.default_rng(1).normal(size=(*shape, 3))), vector], -1)
    generator = torch.zeros(*shape, 4, 4, dtype=torch.float64)
    generator[..., :3, :3], generator[..., :3, 3] = skew(vector), twist[..., :3]
    motion = pose.se3_exp(twist)
    torch.testing.assert_close(motion, torch.linalg.matrix_exp(generator), atol=1e-12, rtol=0)
    torch.testing.assert_close(pose.se3_log(motion), twist, atol=1e-9, rtol=0)


def test_the_log_of_half_a_turn_has_length_pi():
    matrix = torch.diag_embed(torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1]], dtype=torch.float64))
    expected = math.pi * torch.eye(3, dtype=torch.float64)
    torch.testing.assert_close(pose.so3_log(matrix).abs(), expected, atol=1e-12, rtol=0)


def test_the_angle_of_a_small_rotation_survives_float32():
    _, matrix = rotations((10,), angle=1e-4)
    angle = pose.rotation_angle(matrix.float())
    torch.testing.assert_close(angle, torch.full_like(angle, 1e-4), rtol=2e-3, atol=0)


@pytest.mark.parametrize("angle", [1e-6, 0.5, 3.0])
def test_gradients_of_exp_and_log(angle):
    vector, _ = rotations((3,), angle=angle)
    assert torch.autograd.gradcheck(pose.so3_exp, vector.requires_grad_(), atol=1e-6)
    assert torch.autograd.gradcheck(lambda v: pose.so3_log(pose.so3_exp(v)), vector, atol=1e-6)


def test_gradients_at_no_rotation_are_those_of_a_small_one():
    vector = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(pose.so3_exp, vector)
    generators = torch.linalg.cross(torch.eye(3, dtype=torch.float64)[:, None], torch.eye(3)[None].double())
    torch.testing.assert_close(jacobian, generators.permute(2, 1, 0))
    around = torch.autograd.functional.jacobian(lambda v: pose.so3_log(pose.so3_exp(v)), vector)
    torch.testing.assert_close(around, torch.eye(3, dtype=torch.float64))


@pytest.mark.parametrize("shape", SHAPES)
def test_quaternions_are_scipys_with_w_first(shape):
    _, matrix = rotations(shape, seed=1)
    quaternion = pose.matrix_to_quaternion(matrix)
    assert quaternion.shape == (*shape, 4)
    torch.testing.assert_close(pose.quaternion_to_matrix(2 * quaternion), matrix, atol=1e-12, rtol=0)
    if matrix.numel():
        expected = Rotation.from_matrix(matrix.reshape(-1, 3, 3).numpy()).as_quat(canonical=True)
        expected = torch.from_numpy(np.roll(expected, 1, axis=1)).view_as(quaternion)
        torch.testing.assert_close(quaternion, expected, atol=1e-12, rtol=0)


def test_euler_angles_are_scipys():
    angles = torch.from_numpy(np.random.default_rng(2).uniform(-1.5, 1.5, (20, 3)))
    expected = Rotation.from_euler("xyz", angles.numpy()).as_matrix()
    matrix = pose.euler_to_matrix(angles)
    torch.testing.assert_close(matrix, torch.from_numpy(expected), atol=1e-12, rtol=0)
    torch.testing.assert_close(pose.matrix_to_euler(matrix), angles, atol=1e-9, rtol=0)


@pytest.mark.parametrize("pitch", [math.pi / 2, -math.pi / 2])
def test_euler_angles_at_gimbal_lock_still_give_the_rotation(pitch):
    matrix = torch.from_numpy(Rotation.from_euler("xyz", [0.3, pitch, -0.8]).as_matrix())
    angles = pose.matrix_to_euler(matrix)
    torch.testing.assert_close(pose.euler_to_matrix(angles), matrix, atol=1e-7, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_inverse_and_relative(shape):
    generator = torch.Generator().manual_seed(0)
    T = [
        pose.from_rotation_translation(
            rotations(shape, seed)[1], torch.randn(*shape, 3, generator=generator, dtype=torch.float64)
        )
        for seed in (3, 4)
    ]
    torch.testing.assert_close(pose.inverse(T[0]), torch.linalg.inv(T[0]), atol=1e-12, rtol=0)
    torch.testing.assert_close(pose.relative(*T), torch.linalg.inv(T[1]) @ T[0], atol=1e-12, rtol=0)


def test_relative_takes_points_of_the_first_frame_to_the_second():
    T_world_a, T_world_b = torch.eye(4).repeat(2, 1, 1)
    T_world_a[0, 3], T_world_b[0, 3] = 1.0, 5.0
    origin_of_a = torch.tensor([0.0, 0, 0, 1])
    assert (pose.relative(T_world_a, T_world_b) @ origin_of_a).tolist() == [-4, 0, 0, 1]
