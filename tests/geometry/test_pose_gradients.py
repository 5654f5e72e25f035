"""Gradients of rotations: finite everywhere, those of differences, and without waiting for values."""

import itertools
import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.geometry import pose
from vode.geometry.epipolar import skew

EXTRINSIC = ["".join(axes) for axes in itertools.product("xyz", repeat=3) if axes[1] not in (axes[0], axes[2])]
ORDERS = EXTRINSIC + [order.upper() for order in EXTRINSIC]
BOUNDS = {torch.float32: 1e-5, torch.float64: 1e-10}
AXES = torch.nn.functional.normalize(torch.tensor([[1.0, 2.0, -1.0], [-0.5, 0.3, 2.0]], dtype=torch.float64), dim=-1)


@pytest.mark.parametrize("angle", [1e-6, 0.5, 3.0])
def test_gradients_of_exp_and_log(angle):
    vector = angle * AXES
    assert torch.autograd.gradcheck(pose.so3_exp, vector.requires_grad_(), atol=1e-6)
    assert torch.autograd.gradcheck(lambda v: pose.so3_log(pose.so3_exp(v)), vector, atol=1e-6)


def test_gradients_at_no_rotation_are_those_of_a_small_one():
    vector = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(pose.so3_exp, vector)
    generators = torch.linalg.cross(torch.eye(3, dtype=torch.float64)[:, None], torch.eye(3)[None].double())
    torch.testing.assert_close(jacobian, generators.permute(2, 1, 0))
    around = torch.autograd.functional.jacobian(lambda v: pose.so3_log(pose.so3_exp(v)), vector)
    torch.testing.assert_close(around, torch.eye(3, dtype=torch.float64))


def eye_like(rotation):
    return torch.eye(3, dtype=rotation.dtype, device=rotation.device).expand_as(rotation)


OF_MATRIX = {
    "so3_log": pose.so3_log,
    "se3_log": lambda R: pose.se3_log(pose.from_rotation_translation(R, R[..., 0])),
    "geodesic_distance": lambda R: pose.geodesic_distance(R, eye_like(R)),
    "matrix_to_quaternion": pose.matrix_to_quaternion,
    "quaternion_log": lambda R: pose.quaternion_log(pose.matrix_to_quaternion(R)),
    "other quaternion_log": lambda R: pose.quaternion_log(-pose.matrix_to_quaternion(R)),
    "quaternion_distance": lambda R: pose.quaternion_distance(
        pose.matrix_to_quaternion(R), pose.matrix_to_quaternion(eye_like(R))
    ),
    "slerp": lambda R: pose.slerp(pose.matrix_to_quaternion(eye_like(R)), pose.matrix_to_quaternion(R), 0.3),
    "interpolate": lambda R: pose.interpolate(
        pose.from_rotation_translation(eye_like(R), R[..., 1]), pose.from_rotation_translation(R, R[..., 0]), 0.3
    ),
    "matrix_to_six": lambda R: pose.rotation_6d_to_matrix(pose.matrix_to_rotation_6d(R)),
} | {order: lambda R, order=order: pose.matrix_to_euler(R, order) for order in ORDERS}
OF_VECTOR = {
    "so3_exp": pose.so3_exp,
    "se3_exp": lambda v: pose.se3_exp(torch.cat([v, v], -1)),
    "quaternion_exp": pose.quaternion_exp,
    "quaternion_to_matrix": lambda v: pose.quaternion_to_matrix(pose.quaternion_exp(v)),
    "six_to_matrix": lambda v: pose.rotation_6d_to_matrix(torch.cat([v, v.flip(-1)], -1)),
} | {order: lambda v, order=order: pose.euler_to_matrix(v, order) for order in ORDERS}
FUNCTIONS = [(function, "matrix") for function in OF_MATRIX] + [(function, "vector") for function in OF_VECTOR]
HARD = [0.0, 1e-30, 1e-12, 1e-7, math.pi / 2, math.pi - 1e-4, math.pi - 1e-12, math.pi, 2 * math.pi, 7.0]
"""lengths of rotation vectors"""


def function_and_input(name, of, lengths):
    """About x, y, z and two other axes."""
    axes = torch.cat([torch.eye(3, dtype=torch.float64), AXES])
    vector = torch.tensor(lengths, dtype=torch.float64)[:, None, None] * axes
    if of == "vector":
        return OF_VECTOR[name], vector
    matrix = torch.from_numpy(Rotation.from_rotvec(vector.flatten(0, 1).numpy()).as_matrix()).unflatten(0, (-1, 5))
    # the half turns about x, y and z in exact numbers: scipy's are off by 1e-16
    return OF_MATRIX[name], torch.where((matrix - matrix.round()).abs() < 1e-15, matrix.round(), matrix)


@pytest.mark.parametrize(("name", "of"), FUNCTIONS)
@pytest.mark.parametrize("dtype", BOUNDS)
def test_gradients_are_finite_at_0_near_pi_at_pi_and_beyond(dtype, name, of):
    function, given = function_and_input(name, of, HARD)
    given = given.to(dtype).requires_grad_()
    value = function(given)
    weights = torch.rand(value.shape, generator=torch.Generator().manual_seed(0), dtype=dtype)
    (gradient,) = torch.autograd.grad((value * weights).sum(), given)
    assert value.isfinite().all()
    assert gradient.isfinite().all()


@pytest.mark.parametrize(("name", "of"), FUNCTIONS)
def test_gradients_are_those_of_differences(name, of):
    """Of a matrix along the rotations: off them a function may go on as it likes."""
    function, given = function_and_input(name, of, [2.0])
    given = given[0, 3:]  # no axis alone: the Euler angles of some orders are locked there
    if of == "vector":
        assert torch.autograd.gradcheck(function, given.requires_grad_(), atol=1e-6, fast_mode=True)
    else:
        turn = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
        turned = lambda v: function(given @ torch.linalg.matrix_exp(skew(v)))  # noqa: E731
        assert torch.autograd.gradcheck(turned, turn, atol=1e-6, fast_mode=True)


@pytest.mark.parametrize(("name", "of"), FUNCTIONS)
def test_any_shape_and_no_waiting_for_values(name, of):
    """Tensors on the device `meta` have no values."""
    function, given = function_and_input(name, of, [2.0])
    one = function(given[0, 3])
    assert function(given[:, :0]).shape == (1, 0, *one.shape)
    torch.testing.assert_close(function(given.unsqueeze(1))[0, 0, 3], one)
    assert function(given.to("meta")).shape == (1, 5, *one.shape)
