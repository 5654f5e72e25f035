"""Similarities, Sim(3): matrices (..., 4, 4) of s R and t, and their tangents (..., 7).

A tangent holds the translational part, the rotation vector in radians, and the logarithm of the scale. Matrices compose
by ``@``, the right one applied first. Strasdat, Local Accuracy and Global Consistency for Efficient Visual SLAM, 2012,
section 2.4; the series are left to the matrix exponential, which needs no cases for small angles.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry.epipolar import skew
from vode.geometry.pose import from_rotation_translation, so3_log


def from_parts(scale: Tensor, rotation: Tensor, translation: Tensor) -> Tensor:
    """(...), (..., 3, 3), (..., 3) -> (..., 4, 4)."""
    return from_rotation_translation(scale[..., None, None] * rotation, translation)


def scale(S: Tensor) -> Tensor:
    """The scale (...) of similarities (..., 4, 4)."""
    return S[..., :3, :3].square().sum((-2, -1)).div(3).sqrt()


def rigid(S: Tensor) -> Tensor:
    """Similarities (..., 4, 4) without their scale: the pose of a camera whose points they take elsewhere."""
    return from_rotation_translation(S[..., :3, :3] / scale(S)[..., None, None], S[..., :3, 3])


def inverse(S: Tensor) -> Tensor:
    """Inverse (..., 4, 4) of similarities."""
    back = S[..., :3, :3].mT / scale(S).square()[..., None, None]
    return from_rotation_translation(back, -(back @ S[..., :3, 3:])[..., 0])


def exp(tangent: Tensor) -> Tensor:
    """Similarity (..., 4, 4) of a tangent (..., 7)."""
    top = torch.cat([_linear(tangent), tangent[..., :3, None]], -1)
    return torch.linalg.matrix_exp(torch.cat([top, torch.zeros_like(top[..., :1, :])], -2))


def log(S: Tensor) -> Tensor:
    """Tangent (..., 7) of similarities (..., 4, 4), the inverse of ``exp`` for rotations below pi."""
    size = scale(S)
    vector = so3_log(S[..., :3, :3] / size[..., None, None])
    tangent = torch.cat([torch.zeros_like(vector), vector, size.log().unsqueeze(-1)], -1)
    along = torch.linalg.solve(_integral(_linear(tangent)), S[..., :3, 3])
    return torch.cat([along, tangent[..., 3:]], -1)


def adjoint(S: Tensor) -> Tensor:
    """(..., 7, 7) with S exp(x) inverse(S) = exp(adjoint(S) x)."""
    rotation, translation = S[..., :3, :3] / scale(S)[..., None, None], S[..., :3, 3]
    return _blocks(S[..., :3, :3], skew(translation) @ rotation, -translation, rotation, 1.0)


def right_jacobian_inverse(tangent: Tensor) -> Tensor:
    """(..., 7, 7): derivative of log(exp(tangent) exp(x)) by x at 0, of tangents (..., 7)."""
    u, w = tangent[..., :3], tangent[..., 3:6]
    generator = _blocks(_linear(tangent), skew(u), -u, skew(w), 0.0)
    return torch.linalg.inv(_integral(-generator))


def _linear(tangent: Tensor) -> Tensor:
    """Rotation and scale of a tangent as a matrix (..., 3, 3)."""
    eye = torch.eye(3, dtype=tangent.dtype, device=tangent.device)
    return skew(tangent[..., 3:6]) + tangent[..., 6, None, None] * eye


def _integral(matrix: Tensor) -> Tensor:
    """Integral of the exponentials of 0..1 times a matrix (..., N, N) (Van Loan, IEEE TAC 1978)."""
    count = matrix.shape[-1]
    eye = torch.eye(count, dtype=matrix.dtype, device=matrix.device).expand_as(matrix)
    top = torch.cat([matrix, eye], -1)
    return torch.linalg.matrix_exp(torch.cat([top, torch.zeros_like(top)], -2))[..., :count, count:]


def _blocks(along: Tensor, turning: Tensor, growing: Tensor, rotation: Tensor, last: float) -> Tensor:
    """(..., 7, 7) that maps the translational part by ``along``, ``turning`` (3, 3) and ``growing`` (3)."""
    zeros = torch.zeros_like(rotation)
    column = torch.zeros_like(growing).unsqueeze(-1)
    rows = [
        torch.cat([along, turning, growing.unsqueeze(-1)], -1),
        torch.cat([zeros, rotation, column], -1),
        torch.cat([column.mT, column.mT, torch.full_like(column[..., :1, :], last)], -1),
    ]
    return torch.cat(rows, -2)
