"""Epipolar geometry: weighted 8-point, distances, essential matrices. Convention: b^T F a = 0."""

from __future__ import annotations

import torch
from torch import Tensor


def homogeneous(points: Tensor) -> Tensor:
    """(..., N, 2) -> (..., N, 3) with a last coordinate of 1."""
    return torch.cat([points, torch.ones_like(points[..., :1])], dim=-1)


def skew(vector: Tensor) -> Tensor:
    """Cross-product matrix (..., 3, 3) of (..., 3)."""
    x, y, z = vector.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


def normalise_points(points: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Hartley's normalisation (PAMI 1997): weighted mean 0 and mean distance sqrt 2.

    points (..., N, 2), weights (..., N) -> points (..., N, 2) and the transform T (..., 3, 3) that gives them.
    """
    weights = torch.ones_like(points[..., 0]) if weights is None else weights
    share = (weights / weights.sum(-1, keepdim=True).clamp(min=1e-12)).unsqueeze(-1)
    mean = (points * share).sum(-2)
    centred = points - mean.unsqueeze(-2)
    spread = ((centred.square().sum(-1, keepdim=True) + 1e-12).sqrt() * share).sum(-2)
    scale = (2**0.5 / spread.clamp(min=1e-6))[..., 0]
    zero, one = torch.zeros_like(scale), torch.ones_like(scale)
    rows = [scale, zero, -scale * mean[..., 0], zero, scale, -scale * mean[..., 1], zero, zero, one]
    return centred * scale[..., None, None], torch.stack(rows, -1).unflatten(-1, (3, 3))


def eight_point(points_a: Tensor, points_b: Tensor, weights: Tensor | None = None) -> Tensor:
    """Weighted normalised 8-point fundamental matrix (..., 3, 3) of rank 2 and unit norm.

    points (..., N >= 8, 2), weights (..., N) >= 0 of the squared algebraic error. In ray coordinates
    (pixels through K^-1) the result is an essential matrix up to its singular values. Hartley, PAMI 1997.
    """
    a, T_a = normalise_points(points_a, weights)
    b, T_b = normalise_points(points_b, weights)
    rows = (homogeneous(b).unsqueeze(-1) * homogeneous(a).unsqueeze(-2)).flatten(-2)
    weighted = rows if weights is None else rows * weights.unsqueeze(-1)
    matrix = _null_vector(weighted.mT @ rows).unflatten(-1, (3, 3))
    matrix = T_b.mT @ _rank_two(matrix) @ T_a
    return matrix / matrix.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-12)


def _null_vector(gram: Tensor) -> Tensor:
    """Eigenvector (..., 9) of the smallest eigenvalue of (..., 9, 9); a zero matrix has any."""
    return torch.linalg.eigh(gram)[1][..., 0]


def _rank_two(matrix: Tensor) -> Tensor:
    """Nearest matrix of rank 2: what its last singular direction maps is taken away."""
    direction = torch.linalg.eigh(matrix.mT @ matrix)[1][..., :1]
    return matrix - matrix @ direction @ direction.mT


def epipolar_distance(fundamental: Tensor, points_a: Tensor, points_b: Tensor) -> Tensor:
    """Distance (..., N), in the unit of the points, of points_b from the epipolar lines of points_a."""
    line = homogeneous(points_a) @ fundamental.mT
    length = (line[..., 0].square() + line[..., 1].square() + 1e-20).sqrt()
    return (line * homogeneous(points_b)).sum(-1).abs() / length


def sampson_distance(fundamental: Tensor, points_a: Tensor, points_b: Tensor) -> Tensor:
    """First-order distance (..., N) of each pair from the epipolar constraint (not squared).

    Hartley and Zisserman, Multiple View Geometry, eq. 11.9.
    """
    a, b = homogeneous(points_a), homogeneous(points_b)
    line_b, line_a = a @ fundamental.mT, b @ fundamental
    slope = line_a[..., :2].square().sum(-1) + line_b[..., :2].square().sum(-1)
    return (line_b * b).sum(-1).abs() / (slope + 1e-20).sqrt()


def fundamental_from_essential(essential: Tensor, intrinsics: Tensor) -> Tensor:
    """F = K^-T E K^-1 for two images of one camera, (..., 3, 3)."""
    inverse = torch.linalg.inv(intrinsics)
    return inverse.mT @ essential @ inverse


def essential_from_fundamental(fundamental: Tensor, intrinsics: Tensor) -> Tensor:
    """E = K^T F K for two images of one camera, (..., 3, 3)."""
    return intrinsics.mT @ fundamental @ intrinsics


def essential_from_pose(T_b_a: Tensor) -> Tensor:
    """E = [t]x R (..., 3, 3) of a pose (..., 4, 4)."""
    return skew(T_b_a[..., :3, 3]) @ T_b_a[..., :3, :3]


def decompose_essential(essential: Tensor) -> tuple[Tensor, Tensor]:
    """The four motions of E (..., 3, 3): rotations (..., 4, 3, 3) and unit translations (..., 4, 3).

    Hartley and Zisserman, Multiple View Geometry, result 9.19.
    """
    U, _, Vt = torch.linalg.svd(essential)
    U = U * torch.linalg.det(U).sign()[..., None, None]
    Vt = Vt * torch.linalg.det(Vt).sign()[..., None, None]
    W = essential.new_tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    one, two, t = U @ W @ Vt, U @ W.T @ Vt, U[..., 2]
    return torch.stack([one, one, two, two], -3), torch.stack([t, -t, t, -t], -2)
