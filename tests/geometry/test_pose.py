"""Rotations and rigid motions against scipy."""

import itertools
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from scipy.spatial.transform import Rotation, Slerp

from vode.geometry import pose
from vode.geometry.epipolar import skew

SHAPES = [(), (5,), (2, 0), (2, 3)]
EXTRINSIC = ["".join(axes) for axes in itertools.product("xyz", repeat=3) if axes[1] not in (axes[0], axes[2])]
ORDERS = EXTRINSIC + [order.upper() for order in EXTRINSIC]
BOUNDS = {torch.float32: 1e-5, torch.float64: 1e-10}
KINDS = {"uniform": None, "1e-7 from identity": 1e-7, "1e-4 from pi": math.pi - 1e-4}


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


def uniform(shape, seed=0):
    matrix = Rotation.random(math.prod(shape), rng=np.random.default_rng(seed)).as_matrix()
    return torch.from_numpy(matrix).view(*shape, 3, 3)


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


@pytest.mark.parametrize("dtype", BOUNDS)
@pytest.mark.parametrize("name", ["vector", "quaternion", "other quaternion", "half vector", "6d", "twist", *ORDERS])
def test_round_trips_of_rotations_stay_below_the_bounds(name, dtype):
    to, back = {
        "vector": (pose.so3_log, pose.so3_exp),
        "quaternion": (pose.matrix_to_quaternion, pose.quaternion_to_matrix),
        "other quaternion": (lambda R: -pose.matrix_to_quaternion(R), pose.quaternion_to_matrix),
        "half vector": (
            lambda R: pose.quaternion_log(-pose.matrix_to_quaternion(R)),
            lambda v: pose.quaternion_to_matrix(pose.quaternion_exp(v)),
        ),
        "6d": (pose.matrix_to_rotation_6d, pose.rotation_6d_to_matrix),
        "twist": (pose.se3_log, pose.se3_exp),
    }.get(name) or (lambda R: pose.matrix_to_euler(R, name), lambda angles: pose.euler_to_matrix(angles, name))
    for shape, kind in itertools.product([(), (1,), (3, 1, 2), (500,)], KINDS):
        matrix = uniform(shape) if kind == "uniform" else rotations(shape, angle=KINDS[kind])[1]
        matrix = matrix.to(dtype)
        if name == "twist":
            matrix = pose.from_rotation_translation(matrix, matrix[..., 0] - 0.5)
        again = back(to(matrix))
        assert (again.shape, again.dtype) == (matrix.shape, dtype)
        assert (again - matrix).abs().max() < BOUNDS[dtype], kind


@pytest.mark.parametrize("angle", [0.0, 1e-7, 1e-3, 1.0, math.pi - 1e-4])
@pytest.mark.parametrize("dtype", BOUNDS)
def test_round_trips_of_vectors_stay_below_the_bounds(dtype, angle):
    for shape in [(), (1,), (3, 1, 2), (500,)]:
        vector = rotations(shape, angle=angle)[0].to(dtype)
        twist = torch.cat([vector.flip(-1) + 1, vector], -1)
        for given, again in [
            (vector, pose.so3_log(pose.so3_exp(vector))),
            (vector, pose.quaternion_log(pose.quaternion_exp(vector))),
            (twist, pose.se3_log(pose.se3_exp(twist))),
        ]:
            assert (again.shape, again.dtype) == (given.shape, dtype)
            assert (again - given).abs().max() < BOUNDS[dtype]


@pytest.mark.parametrize("shape", SHAPES)
def test_quaternions_multiply_and_conjugate_as_rotations_do(shape):
    (_, a), (_, b) = rotations(shape, seed=1), rotations(shape, seed=2)
    product = pose.quaternion_multiply(pose.matrix_to_quaternion(a), pose.matrix_to_quaternion(b))
    torch.testing.assert_close(pose.quaternion_to_matrix(product), a @ b, atol=1e-12, rtol=0)
    conjugate = pose.quaternion_conjugate(pose.matrix_to_quaternion(a))
    torch.testing.assert_close(pose.quaternion_to_matrix(conjugate), a.mT, atol=1e-12, rtol=0)


def test_quaternions_multiply_by_hamiltons_rule_and_broadcast():
    one, i, j, k = torch.eye(4)
    product = pose.quaternion_multiply(i, torch.stack([one, i, j, k]))
    torch.testing.assert_close(product, torch.stack([i, -one, k, -j]))


def test_the_quaternion_exponential_takes_half_the_rotation_vector():
    vector, matrix = rotations((50,))
    torch.testing.assert_close(pose.quaternion_to_matrix(pose.quaternion_exp(vector / 2)), matrix, atol=1e-12, rtol=0)
    assert (pose.quaternion_exp(vector / 2)[:, 0] > 0).all()


@pytest.mark.parametrize("angle", KINDS.values(), ids=list(KINDS))
@pytest.mark.parametrize("dtype", BOUNDS)
def test_the_quaternion_log_tells_the_two_covers_apart(dtype, angle):
    vector, matrix = rotations((500,), angle=angle)
    # rounded, as it comes from a product: that of quaternion_exp(vector) keeps the vector's own rounding
    quaternion = pose.matrix_to_quaternion(matrix).to(dtype)
    other = vector / 2 - math.pi * vector / vector.norm(dim=-1, keepdim=True)
    for given, log in [(quaternion, vector / 2), (-quaternion, other)]:
        torch.testing.assert_close(pose.quaternion_log(given), log.to(dtype), atol=BOUNDS[dtype], rtol=0)
        torch.testing.assert_close(pose.quaternion_exp(log.to(dtype)), given, atol=BOUNDS[dtype], rtol=0)
        rotation = pose.quaternion_to_matrix(given)
        torch.testing.assert_close(rotation, matrix.to(dtype), atol=BOUNDS[dtype], rtol=0)
        torch.testing.assert_close(pose.matrix_to_quaternion(rotation), quaternion, atol=BOUNDS[dtype], rtol=0)


def test_the_quaternion_log_at_one_and_minus_one():
    one = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)
    assert pose.quaternion_log(one).tolist() == [0, 0, 0]
    assert pose.quaternion_log(-one).tolist() == [math.pi, 0, 0]
    jacobian = torch.autograd.functional.jacobian(pose.quaternion_log, one)
    torch.testing.assert_close(jacobian, torch.eye(4, dtype=torch.float64)[1:])


def test_near_sign_gives_the_half_of_the_sphere_of_the_reference():
    quaternion, reference = (pose.matrix_to_quaternion(uniform((50,), seed)) for seed in (0, 1))
    reference = reference * torch.tensor([1.0, -1.0]).repeat(25).unsqueeze(-1)
    near = pose.near_sign(quaternion, reference)
    assert ((near - reference).norm(dim=-1) <= (near + reference).norm(dim=-1)).all()
    turned = (near != quaternion).all(-1)
    assert 5 < turned.sum() < 45
    assert torch.equal(near[turned], -quaternion[turned])
    assert torch.equal(pose.near_sign(-quaternion, reference), near)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-7, 1e-3, 1.0, math.pi - 1e-4, math.pi - 1e-7, math.pi])
def test_distances_are_the_angle_between(angle):
    base, turn = uniform((50,)), rotations((50,), angle=angle)[1]
    expected = torch.full((50,), angle, dtype=torch.float64)
    # at a distance of 0 the rounding of the entries is all there is
    torch.testing.assert_close(pose.geodesic_distance(base, base @ turn), expected, atol=1e-14, rtol=0)
    a, b = pose.matrix_to_quaternion(base), pose.matrix_to_quaternion(base @ turn)
    for sign in (1, -1):
        distance = pose.quaternion_distance(a, sign * b)
        torch.testing.assert_close(distance, expected, atol=2e-15 if angle == 0 else 5e-15, rtol=0)


def test_six_numbers_need_be_neither_unit_nor_orthogonal():
    matrix = uniform((20,))
    torch.testing.assert_close(pose.matrix_to_rotation_6d(matrix), torch.cat([matrix[..., 0], matrix[..., 1]], -1))
    x, y = matrix[..., 0], matrix[..., 1]
    again = pose.rotation_6d_to_matrix(torch.cat([3 * x, 0.01 * y - 2 * x], -1))
    torch.testing.assert_close(again, matrix, atol=1e-12, rtol=0)


@pytest.mark.parametrize("fraction", [-0.5, 0.0, 0.3, 1.0])
def test_slerp_is_scipys_for_all_signs(fraction):
    a, b = uniform((20,)), uniform((20,), seed=1)
    expected = [
        Slerp([-1, 0, 1], Rotation.concatenate([A * B.inv() * A, A, B]))(fraction).as_matrix()
        for A, B in zip(Rotation.from_matrix(a.numpy()), Rotation.from_matrix(b.numpy()), strict=True)
    ]
    for sign_a, sign_b in itertools.product((1, -1), repeat=2):
        between = pose.slerp(sign_a * pose.matrix_to_quaternion(a), sign_b * pose.matrix_to_quaternion(b), fraction)
        matrix = pose.quaternion_to_matrix(between)
        torch.testing.assert_close(matrix, torch.from_numpy(np.stack(expected)), atol=1e-12, rtol=0)


def test_slerp_and_interpolation_take_a_share_a_sample():
    _, matrix = rotations((4, 1))
    fraction = torch.rand(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64)
    between = pose.slerp(one, pose.matrix_to_quaternion(matrix), fraction)
    assert between.shape == (4, 3, 4)
    T = pose.from_rotation_translation(matrix, matrix[..., 0])
    motion = pose.interpolate(torch.eye(4, dtype=torch.float64), T, fraction)
    torch.testing.assert_close(pose.quaternion_to_matrix(between), motion[..., :3, :3], atol=1e-12, rtol=0)
    torch.testing.assert_close(pose.rotation_angle(motion[..., :3, :3]), fraction * pose.rotation_angle(matrix))


def test_interpolation_runs_along_the_screw():
    T_a = pose.from_rotation_translation(uniform(()), torch.tensor([1.0, 2, 3], dtype=torch.float64))
    T_b = pose.from_rotation_translation(uniform((), seed=1), torch.tensor([-4.0, 0, 2], dtype=torch.float64))
    for fraction in (0.0, 0.25, 1.0, 1.5):
        way = scipy.linalg.expm(fraction * scipy.linalg.logm(np.linalg.inv(T_a.numpy()) @ T_b.numpy()).real)
        torch.testing.assert_close(
            pose.interpolate(T_a, T_b, fraction), T_a @ torch.from_numpy(way), atol=1e-12, rtol=0
        )


def test_vectors_beyond_a_whole_turn_give_the_same_rotation():
    vector, matrix = rotations((20,))
    axis = vector / vector.norm(dim=-1, keepdim=True)
    for turns in (-2, 1, 3):
        longer = vector + 2 * math.pi * turns * axis
        torch.testing.assert_close(pose.so3_exp(longer), matrix, atol=1e-12, rtol=0)
        torch.testing.assert_close(pose.so3_log(pose.so3_exp(longer)), vector, atol=1e-9, rtol=0)
        # the quaternion has turned round after one turn, and is itself again after two
        turned = (-1) ** turns * pose.quaternion_exp(vector / 2)
        torch.testing.assert_close(pose.quaternion_exp(longer / 2), turned, atol=1e-12, rtol=0)


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


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4), (0,)])
def test_from_first_makes_the_first_camera_the_world(shape):
    rotation = rotations(shape, 6)[1]
    poses = pose.from_rotation_translation(rotation, 100 * rotation[..., 0])
    # a file's rotations are ones to a few digits only
    poses = (1e6 * poses).round() / 1e6
    moved = pose.from_first(poses)
    assert moved.shape == poses.shape
    if shape != (0,):
        expected = torch.eye(4, dtype=torch.float64).expand(*shape[:-1], 4, 4)
        torch.testing.assert_close(moved[..., 0, :, :], expected, atol=1e-13, rtol=0)
        back = np.linalg.inv(poses[..., :1, :, :].numpy()) @ poses.numpy()
        np.testing.assert_allclose(moved, back, atol=1e-10)
