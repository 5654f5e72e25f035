"""Rigid motions (..., 4, 4) and rotations: inverse, angle, exp and log, Euler angles, quaternions w first."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry.epipolar import skew

SMALL = 0.05
"""radians, below which series are more exact than the formulas"""


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


def rotation_angle(rotation: Tensor) -> Tensor:
    """Angle in 0..pi of rotations (..., 3, 3), exact near 0 and pi, unlike the arc cosine of the trace."""
    sine = _vee(rotation - rotation.mT).norm(dim=-1)
    cosine = rotation.diagonal(dim1=-2, dim2=-1).sum(-1) - 1
    return torch.atan2(sine, cosine)


def so3_exp(vector: Tensor) -> Tensor:
    """Rotation (..., 3, 3) by a rotation vector (..., 3) in radians (Rodrigues)."""
    angle = vector.square().sum(-1)[..., None, None].clamp(min=1e-30).sqrt()
    cross = skew(vector)
    eye = torch.eye(3, device=vector.device, dtype=vector.dtype)
    # sinc keeps both factors exact near zero, where sin(x) / x and (1 - cos x) / x^2 are not
    half = torch.sinc(angle / (2 * torch.pi))
    return eye + torch.sinc(angle / torch.pi) * cross + 0.5 * half.square() * (cross @ cross)


def so3_log(rotation: Tensor) -> Tensor:
    """Rotation vector (..., 3) in radians, of length 0..pi, of rotations (..., 3, 3)."""
    quaternion = matrix_to_quaternion(rotation)
    axis = quaternion[..., 1:]
    sine = axis.norm(dim=-1, keepdim=True)
    half = torch.atan2(sine, quaternion[..., :1])
    factor = torch.where(sine > 1e-9, 2 * half / sine.clamp(min=1e-9), 2.0)
    return axis * factor


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
    w, x, y, z = (quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))


def matrix_to_quaternion(rotation: Tensor) -> Tensor:
    """Rotations (..., 3, 3) -> unit quaternions (..., 4), w first and not negative (Shepperd, 1978)."""
    m = rotation
    xx, yy, zz = m.diagonal(dim1=-2, dim2=-1).unbind(-1)
    x, y, z = _vee(m - m.mT).unbind(-1)
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    # each row is the quaternion times 4 of one of its entries: the largest entry gives the safest one
    rows = torch.stack(
        [
            torch.stack([1 + xx + yy + zz, x, y, z], -1),
            torch.stack([x, 1 + xx - yy - zz, xy, xz], -1),
            torch.stack([y, xy, 1 - xx + yy - zz, yz], -1),
            torch.stack([z, xz, yz, 1 - xx - yy + zz], -1),
        ],
        dim=-2,
    )
    best = rows.diagonal(dim1=-2, dim2=-1).argmax(-1)
    quaternion = rows.gather(-2, best[..., None, None].expand(*best.shape, 1, 4))[..., 0, :]
    quaternion = quaternion / quaternion.norm(dim=-1, keepdim=True)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def euler_to_matrix(angles: Tensor) -> Tensor:
    """Roll, pitch, yaw (..., 3) in radians about x, y, z -> R = Rz(yaw) Ry(pitch) Rx(roll), (..., 3, 3)."""
    axes = torch.eye(3, device=angles.device, dtype=angles.dtype)
    x, y, z = so3_exp(angles.unsqueeze(-1) * axes).unbind(-3)
    return z @ y @ x


def matrix_to_euler(rotation: Tensor) -> Tensor:
    """Roll, pitch, yaw (..., 3) of rotations (..., 3, 3), pitch in -pi/2..pi/2.

    At a pitch of a right angle only the sum or difference of roll and yaw is told: roll is then set to 0.
    """
    level = torch.hypot(rotation[..., 0, 0], rotation[..., 1, 0])
    locked = level < 10 * torch.finfo(rotation.dtype).eps
    roll = torch.atan2(rotation[..., 2, 1], rotation[..., 2, 2])
    pitch = torch.atan2(-rotation[..., 2, 0], level)
    yaw = torch.atan2(rotation[..., 1, 0], rotation[..., 0, 0])
    alone = torch.atan2(-rotation[..., 0, 1], rotation[..., 1, 1])
    return torch.stack([torch.where(locked, 0.0, roll), pitch, torch.where(locked, alone, yaw)], -1)


def _vee(skewed: Tensor) -> Tensor:
    """(..., 3) of an antisymmetric matrix (..., 3, 3)."""
    return torch.stack([skewed[..., 2, 1], skewed[..., 0, 2], skewed[..., 1, 0]], -1)
