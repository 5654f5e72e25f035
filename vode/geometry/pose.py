"""Rigid motions (..., 4, 4) and rotations as matrices, vectors, quaternions (w first), Euler angles and 6-D.

Any leading shape, float32 or float64, radians. Matrices compose by ``@``, the right one applied first; quaternions by
``quaternion_multiply`` in the same order.
"""

from __future__ import annotations

import roma
import torch
from torch import Tensor

from vode.geometry.epipolar import skew

SMALL = 0.05
"""angle in radians below which a series is more accurate than the closed form"""


def inverse(T_b_a: Tensor) -> Tensor:
    """T_a_b of a rigid motion (..., 4, 4)."""
    rotation = T_b_a[..., :3, :3].mT
    return from_rotation_translation(rotation, -(rotation @ T_b_a[..., :3, 3:])[..., 0])


def relative(T_world_a: Tensor, T_world_b: Tensor) -> Tensor:
    """T_b_a of two poses (..., 4, 4): takes points of frame a to frame b."""
    return inverse(T_world_b) @ T_world_a


def from_rotation_translation(rotation: Tensor, translation: Tensor) -> Tensor:
    """(..., 3, 3), (..., 3) -> (..., 4, 4)."""
    top = torch.cat([rotation, translation.unsqueeze(-1)], -1)
    last = top.new_tensor([0.0, 0.0, 0.0, 1.0]).expand(*top.shape[:-2], 1, 4)
    return torch.cat([top, last], -2)


def orthonormal(T_b_a: Tensor) -> Tensor:
    """The nearest rigid motions of (..., 4, 4) whose rotations are rounded: by polar decomposition."""
    return from_rotation_translation(roma.special_procrustes(T_b_a[..., :3, :3]), T_b_a[..., :3, 3])


def rotation_angle(rotation: Tensor) -> Tensor:
    """Angle in 0..pi of rotations (..., 3, 3), accurate near 0 and pi, unlike the arc cosine of the trace."""
    sine = _vee(rotation - rotation.mT).norm(dim=-1)
    cosine = rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1
    return torch.atan2(sine, cosine)


def so3_exp(vector: Tensor) -> Tensor:
    """Rotation (..., 3, 3) by a rotation vector (..., 3) in radians (Rodrigues)."""
    angle = vector.square().sum(-1)[..., None, None].clamp(min=1e-30).sqrt()
    cross = skew(vector)
    eye = torch.eye(3, device=vector.device, dtype=vector.dtype)
    # sinc keeps both factors accurate near zero, where sin(x) / x and (1 - cos x) / x^2 are not
    half = torch.sinc(angle / (2 * torch.pi))
    return eye + torch.sinc(angle / torch.pi) * cross + 0.5 * half.square() * (cross @ cross)


def so3_log(rotation: Tensor) -> Tensor:
    """Rotation vector (..., 3) in radians, of length 0..pi, of rotations (..., 3, 3)."""
    w, axis = matrix_to_quaternion(rotation).split([1, 3], -1)
    return 2 * _quaternion_logarithm(w, axis)


def se3_exp(twist: Tensor) -> Tensor:
    """Motion (..., 4, 4) of a twist (..., 6): translational part first, then the rotation vector in radians.

    Barfoot, State Estimation for Robotics, eq. 7.85.
    """
    vector = twist[..., 3:]
    squared = vector.square().sum(-1)[..., None, None]
    angle, cross = squared.clamp(min=1e-30).sqrt(), skew(vector)
    half = torch.sinc(angle / (2 * torch.pi))
    series = 1 / 6 - squared / 120 + squared.square() / 5040
    third = torch.where(angle < SMALL, series, (1 - torch.sinc(angle / torch.pi)) / squared.clamp(min=SMALL**2))
    eye = torch.eye(3, device=twist.device, dtype=twist.dtype)
    jacobian = eye + 0.5 * half.square() * cross + third * (cross @ cross)
    return from_rotation_translation(so3_exp(vector), (jacobian @ twist[..., :3, None])[..., 0])


def se3_log(T_b_a: Tensor) -> Tensor:
    """Twist (..., 6) of a motion (..., 4, 4), the inverse of ``se3_exp`` for rotations below pi."""
    vector = so3_log(T_b_a[..., :3, :3])
    squared = vector.square().sum(-1)[..., None, None]
    angle, cross = squared.clamp(min=1e-30).sqrt(), skew(vector)
    half = torch.sinc(angle / (2 * torch.pi))
    series = 1 / 12 + squared / 720 + squared.square() / 30240
    exact = (1 - torch.sinc(angle / torch.pi) / half.square().clamp(min=1e-12)) / squared.clamp(min=SMALL**2)
    eye = torch.eye(3, device=T_b_a.device, dtype=T_b_a.dtype)
    inverse_jacobian = eye - 0.5 * cross + torch.where(angle < SMALL, series, exact) * (cross @ cross)
    return torch.cat([(inverse_jacobian @ T_b_a[..., :3, 3:])[..., 0], vector], -1)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Quaternions (..., 4), w first, of any non-zero length -> rotations (..., 3, 3)."""
    return roma.unitquat_to_rotmat(_w_last(roma.quat_normalize(quaternion)))


def matrix_to_quaternion(rotation: Tensor) -> Tensor:
    """Rotations (..., 3, 3) -> unit quaternions (..., 4), w first and non-negative (Markley, JGCD 2008)."""
    quaternion = _w_first(roma.rotmat_to_unitquat(rotation))
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def quaternion_multiply(a: Tensor, b: Tensor) -> Tensor:
    """Product (..., 4) of quaternions (..., 4), w first: rotation b, then a, as with matrices."""
    return _w_first(roma.quat_product(_w_last(a), _w_last(b)))


def quaternion_conjugate(quaternion: Tensor) -> Tensor:
    """Conjugate (..., 4): the inverse of a unit quaternion."""
    return torch.cat([quaternion[..., :1], -quaternion[..., 1:]], -1)


def quaternion_exp(vector: Tensor) -> Tensor:
    """Unit quaternion (..., 4) of a quaternion logarithm (..., 3): the axis times HALF the angle in radians."""
    return _w_first(roma.rotvec_to_unitquat(2 * vector))


def quaternion_log(quaternion: Tensor) -> Tensor:
    """Quaternion logarithm: axis times half the angle (..., 3), of length 0..pi, of unit quaternions (..., 4).

    q and -q have different logarithms, each the inverse of ``quaternion_exp``. At -1, where any axis would do,
    it is pi about x.
    """
    # roma's divides by the sine of the rounded angle: 1e-4 from pi only three digits of float32 remain
    w = quaternion[..., :1]
    log = _quaternion_logarithm(w, quaternion[..., 1:])
    lost = (w < 0) & (log.square().sum(-1, keepdim=True) < 1)
    return torch.where(lost, torch.pi * torch.eye(1, 3, device=log.device, dtype=log.dtype)[0], log)


def near_sign(quaternion: Tensor, reference: Tensor) -> Tensor:
    """``quaternion`` (..., 4) or its negative, the same rotation, whichever is nearer to ``reference`` (..., 4)."""
    return torch.where((quaternion * reference).sum(-1, keepdim=True) < 0, -quaternion, quaternion)


def quaternion_distance(a: Tensor, b: Tensor) -> Tensor:
    """Angle (...) in 0..pi of the rotation between unit quaternions (..., 4), the same for a and -a.

    Four times the arc sine of half the chord: accurate near 0 and pi, and with a gradient of 0 at 0.
    """
    return roma.unitquat_geodesic_distance(a, b)


def slerp(a: Tensor, b: Tensor, fraction: Tensor | float) -> Tensor:
    """Unit quaternions (..., 4) at a fraction (...) of the shorter arc from a to b (Shoemake, SIGGRAPH 1985)."""
    # roma's evaluates every fraction for every pair and indexes by a mask
    arc = quaternion_log(quaternion_multiply(quaternion_conjugate(a), near_sign(b, a)))
    return quaternion_multiply(a, quaternion_exp(_column(fraction) * arc))


def interpolate(T_a: Tensor, T_b: Tensor, fraction: Tensor | float) -> Tensor:
    """Motions (..., 4, 4) at a fraction (...) of the screw motion from T_a to T_b; 0 gives T_a, 1 gives T_b."""
    twist = se3_log(inverse(T_a) @ T_b)
    return T_a @ se3_exp(_column(fraction) * twist)


def geodesic_distance(rotation_a: Tensor, rotation_b: Tensor) -> Tensor:
    """Angle (...) in 0..pi of the rotation between two (..., 3, 3)."""
    # roma's arc sine loses half the digits near pi, and its gradient is unbounded there
    return rotation_angle(rotation_a.mT @ rotation_b)


def matrix_to_rotation_6d(rotation: Tensor) -> Tensor:
    """6-D representation: the first two columns (..., 6) of rotations (..., 3, 3), concatenated."""
    return rotation[..., :2].mT.flatten(-2)


def rotation_6d_to_matrix(rotation_6d: Tensor) -> Tensor:
    """Any two columns (..., 6) -> rotations (..., 3, 3) by Gram-Schmidt (Zhou et al., CVPR 2019).

    Parallel or zero columns give a finite matrix that is not a rotation.
    """
    return roma.special_gramschmidt(rotation_6d.unflatten(-1, (2, 3)).mT, epsilon=1e-8)


def euler_to_matrix(angles: Tensor, order: str = "xyz") -> Tensor:
    """Angles (..., 3) in radians about the three axes of ``order`` -> rotations (..., 3, 3).

    Any of the 12 orders, named as in scipy: "xyz" rotates about fixed axes (extrinsic, R = Rz Ry Rx: roll, pitch,
    yaw), "XYZ" about rotating axes (intrinsic, R = Rx Ry Rz).
    """
    _check_order(order)
    return roma.euler_to_rotmat(order, angles)


def matrix_to_euler(rotation: Tensor, order: str = "xyz") -> Tensor:
    """Angles (..., 3) of rotations (..., 3, 3), the inverse of ``euler_to_matrix``: first and third in -pi..pi.

    The second lies in -pi/2..pi/2 for three different axes, in 0..pi for orders such as "zxz". At either end
    (gimbal lock) only the sum or difference of the others is determined: the third is then set to 0, as in scipy.
    Bernardes and Viollet, PLOS ONE 2022.
    """
    # roma's has NaN gradients at gimbal lock and synchronises with the GPU
    _check_order(order)
    fixed = order.islower()
    i, j, k = ("xyz".index(axis) for axis in (order if fixed else order.lower()[::-1]))
    proper = i == k
    k = 3 - i - j if proper else k
    parity = (i - j) * (j - k) * (k - i) // 2
    w, *xyz = matrix_to_quaternion(rotation).unbind(-1)
    a, b, c, d = w, xyz[i], xyz[j], parity * xyz[k]
    if not proper:
        a, b, c, d = a - c, b + d, c + a, d - b
    near, far = torch.stack([c, d], -1).norm(dim=-1), torch.stack([a, b], -1).norm(dim=-1)
    second = 2 * torch.atan2(near, far)
    lock = 16 * torch.finfo(rotation.dtype).eps
    at_zero, at_pi = near < lock, far < lock
    # atan2 has no gradient at (0, 0); the angle is free there and chosen so that the third is 0
    total = torch.atan2(torch.where(at_pi, 0.0, b), torch.where(at_pi, 1.0, a))
    difference = torch.atan2(torch.where(at_zero, 0.0, d), torch.where(at_zero, 1.0, c))
    sign = 1 if fixed else -1
    total = torch.where(at_pi, -sign * difference, total)
    difference = torch.where(at_zero, -sign * total, difference)
    first, third = total - difference, total + difference
    if not proper:
        second, third = second - torch.pi / 2, parity * third
    angles = torch.stack([first, second, third] if fixed else [third, second, first], -1)
    return angles - 2 * torch.pi * (angles / (2 * torch.pi)).round()


def _quaternion_logarithm(w: Tensor, axis: Tensor) -> Tensor:
    """Logarithm (..., 3) from the parts (..., 1) and (..., 3) of a unit quaternion; wrong at -1, where it is 0."""
    # kornia's quaternion_exp_to_log has no gradient at 1: here the factor is a constant there
    sine = axis.norm(dim=-1, keepdim=True)
    return axis * torch.where(sine > 1e-9, torch.atan2(sine, w) / sine.clamp(min=1e-9), 1.0)


def _check_order(order: str) -> None:
    one_case = order.islower() or order.isupper()
    if not one_case or len(order) != 3 or set(order.lower()) - set("xyz") or order[1] in (order[0], order[2]):
        raise ValueError(f"Euler angles have an order such as 'xyz', 'ZXZ' or 'YXZ', not {order!r}")


def _column(fraction: Tensor | float) -> Tensor | float:
    return fraction.unsqueeze(-1) if isinstance(fraction, Tensor) else fraction


def _w_first(quaternion: Tensor) -> Tensor:
    return quaternion.roll(1, -1)


def _w_last(quaternion: Tensor) -> Tensor:
    return quaternion.roll(-1, -1)


def _vee(skewed: Tensor) -> Tensor:
    """(..., 3) of an antisymmetric matrix (..., 3, 3)."""
    return torch.stack([skewed[..., 2, 1], skewed[..., 0, 2], skewed[..., 1, 0]], -1)


SKEWED = 0.01
"""largest entry of R R^T - I that still passes for a rotation"""


def is_rigid(poses: Tensor) -> Tensor:
    """Whether poses (N, 4, 4) are finite, with a last row of 0 0 0 1 and proper rotations: bool (N,)."""
    rotation, last = poses[:, :3, :3], torch.eye(4, dtype=poses.dtype)[3]
    skew = (rotation @ rotation.mT - torch.eye(3, dtype=poses.dtype)).abs().amax((1, 2))
    whole = poses.isfinite().all(-1).all(-1) & ((poses[:, 3] - last).abs() < 1e-6).all(-1)
    return whole & (skew.nan_to_num(1.0) < SKEWED) & (torch.linalg.det(rotation) > 0)


def from_first(poses: Tensor) -> Tensor:
    """World-from-camera poses (..., N, 4, 4) moved so that the world is the first camera: inv(T_0) T_i.

    The one place where the world is set. N may be 0.
    """
    # poses of files are rotations to a few digits only: solved, the first still becomes the identity
    return torch.linalg.solve(poses[..., :1, :, :], poses)
