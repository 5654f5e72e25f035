"""Epipolar geometry: weighted 8-point, distances, essential matrices. Convention: b^T F a = 0.

a and b are homogeneous pixels (x, y, 1) of the first and the second image. Distances are not squared and
in the unit of the points.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from vode.geometry.camera import rays


def homogeneous(points: Tensor) -> Tensor:
    """Append a coordinate of 1: (..., N, 2) -> (..., N, 3)."""
    return torch.cat([points, torch.ones_like(points[..., :1])], dim=-1)


def skew(vector: Tensor) -> Tensor:
    """Cross-product matrix (..., 3, 3) of (..., 3)."""
    return (vector @ _generators(vector.dtype, vector.device)).unflatten(-1, (3, 3))


@cache
def _generators(dtype: torch.dtype, device: torch.device) -> Tensor:
    """Cross-product matrices (3, 9) of the three axes: a product with them is faster than to stack nine numbers."""
    levi_civita = [[0, 0, 0, 0, 0, -1, 0, 1, 0], [0, 0, 1, 0, 0, 0, -1, 0, 0], [0, -1, 0, 1, 0, 0, 0, 0, 0]]
    return torch.tensor(levi_civita, dtype=dtype, device=device)


def normalise_points(points: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Hartley's normalisation (PAMI 1997): weighted mean 0 and mean distance sqrt 2.

    points (..., N, 2), weights (..., N) -> normalised points (..., N, 2) and the transform T (..., 3, 3) that
    maps to them. Coincident points become 0, and T stays finite.
    """
    weights = torch.ones_like(points[..., 0]) if weights is None else weights
    fraction = (weights / weights.sum(-1, keepdim=True).clamp(min=1e-30)).unsqueeze(-1)
    mean = (points * fraction).sum(-2)
    centred = points - mean.unsqueeze(-2)
    spread = ((centred.square().sum(-1, keepdim=True) + 1e-12).sqrt() * fraction).sum(-2)
    scale = (2**0.5 / spread.clamp(min=1e-6))[..., 0]
    zero, one = torch.zeros_like(scale), torch.ones_like(scale)
    rows = [scale, zero, -scale * mean[..., 0], zero, scale, -scale * mean[..., 1], zero, zero, one]
    return centred * scale[..., None, None], torch.stack(rows, -1).unflatten(-1, (3, 3))


def eight_point(points_a: Tensor, points_b: Tensor, weights: Tensor | None = None) -> Tensor:
    """Weighted normalised 8-point fundamental matrix (..., 3, 3) of rank 2 and unit norm.

    points (..., N >= 8, 2); weights (..., N) >= 0 multiply the squared algebraic errors. On rays (pixels
    through K^-1) the result is an essential matrix up to its singular values. Its largest entry is positive.
    Gradients stay finite for degenerate points, whose matrix is one of those that fit. Hartley,
    PAMI 1997. Raises ValueError for fewer than 8 points.
    """
    if points_a.shape[-2] < 8:
        raise ValueError(f"the 8-point method needs 8 points, got {points_a.shape[-2]}")
    a, T_a = normalise_points(points_a, weights)
    b, T_b = normalise_points(points_b, weights)
    rows = (homogeneous(b).unsqueeze(-1) * homogeneous(a).unsqueeze(-2)).flatten(-2)
    weighted = rows if weights is None else rows * weights.unsqueeze(-1)
    matrix = smallest_eigenvector(weighted.mT @ rows).unflatten(-1, (3, 3))
    direction = smallest_eigenvector(matrix.mT @ matrix).unsqueeze(-1)
    matrix = T_b.mT @ (matrix - matrix @ direction @ direction.mT) @ T_a
    matrix = matrix / matrix.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-30)
    return matrix * _sign_of_largest(matrix.flatten(-2)).unsqueeze(-1)


def smallest_eigenvector(symmetric: Tensor) -> Tensor:
    """Unit eigenvector (..., n) of the smallest eigenvalue of (..., n, n), its largest entry positive.

    The gradient stays finite for repeated eigenvalues, unlike that of ``torch.linalg.eigh``. A matrix with
    non-finite entries gives a finite vector and no gradient.
    """
    finite = symmetric.isfinite().flatten(-2).all(-1)[..., None, None]
    return _SmallestEigenvector.apply(torch.where(finite, symmetric, 0.0))


class _SmallestEigenvector(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, symmetric: Tensor) -> Tensor:
        with torch.autocast(symmetric.device.type, enabled=False):
            values, vectors = torch.linalg.eigh(symmetric)
        vector = vectors[..., 0]
        vector = vector * _sign_of_largest(vector)
        ctx.save_for_backward(values, vectors, vector)
        return vector

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        values, vectors, vector = ctx.saved_tensors
        gap = values[..., 1:] - values[..., :1]
        # eigenvectors of eigenvalues closer than rounding are arbitrary: their contribution is dropped
        floor = 10 * torch.finfo(values.dtype).eps * values.abs().amax(-1, keepdim=True)
        fraction = torch.where(gap > floor, 1 / gap.clamp(min=1e-30), 0.0)
        others = vectors[..., 1:]
        along = fraction * (others.mT @ gradient.unsqueeze(-1))[..., 0]
        moved = -(others @ along.unsqueeze(-1))
        change = moved @ vector.unsqueeze(-2)
        return (change + change.mT) / 2


def _sign_of_largest(vector: Tensor) -> Tensor:
    """+1 or -1 (..., 1): the sign of the entry of (..., n) that is largest by magnitude."""
    largest = vector.gather(-1, vector.detach().abs().argmax(-1, keepdim=True))
    return torch.where(largest < 0, -1.0, 1.0).to(vector.dtype)


def epipolar_distance(fundamental: Tensor, points_a: Tensor, points_b: Tensor) -> Tensor:
    """Distance (..., N) of points_b from the epipolar lines of points_a in image b."""
    line = homogeneous(points_a) @ fundamental.mT
    length = (line[..., 0].square() + line[..., 1].square() + 1e-20).sqrt()
    return (line * homogeneous(points_b)).sum(-1).abs() / length


def sampson_distance(fundamental: Tensor, points_a: Tensor, points_b: Tensor) -> Tensor:
    """First-order distance (..., N) of each pair from the epipolar constraint.

    Hartley and Zisserman, Multiple View Geometry, eq. 11.9 (there squared).
    """
    a, b = homogeneous(points_a), homogeneous(points_b)
    line_b, line_a = a @ fundamental.mT, b @ fundamental
    slope = line_a[..., :2].square().sum(-1) + line_b[..., :2].square().sum(-1)
    return (line_b * b).sum(-1).abs() / (slope + 1e-20).sqrt()


def fundamental_from_essential(essential: Tensor, intrinsics: Tensor) -> Tensor:
    """F = K^-T E K^-1 (..., 3, 3) for two images of the same camera."""
    inverse = torch.linalg.inv(intrinsics)
    return inverse.mT @ essential @ inverse


def essential_from_fundamental(fundamental: Tensor, intrinsics: Tensor) -> Tensor:
    """E = K^T F K (..., 3, 3) for two images of the same camera."""
    return intrinsics.mT @ fundamental @ intrinsics


def essential_from_pose(T_b_a: Tensor) -> Tensor:
    """E = [t]x R (..., 3, 3) of a pose (..., 4, 4)."""
    return skew(T_b_a[..., :3, 3]) @ T_b_a[..., :3, :3]


def decompose_essential(essential: Tensor) -> tuple[Tensor, Tensor]:
    """The four motions of E (..., 3, 3): rotations (..., 4, 3, 3) and unit translations (..., 4, 3).

    Hartley and Zisserman, Multiple View Geometry, result 9.19. The gradient is of no use: E has two equal
    singular values.
    """
    U, _, Vt = torch.linalg.svd(essential)
    U = U * torch.linalg.det(U).sign()[..., None, None]
    Vt = Vt * torch.linalg.det(Vt).sign()[..., None, None]
    W = essential.new_tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    one, two, t = U @ W @ Vt, U @ W.T @ Vt, U[..., 2]
    return torch.stack([one, one, two, two], -3), torch.stack([t, -t, t, -t], -2)


def in_front(T_b_a: Tensor, points_a: Tensor, points_b: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    """Which pairs (..., N) intersect in front of both cameras, and which behind both: in front with -t.

    T_b_a (..., 4, 4), points (..., N, 2) pixels, intrinsics (..., 3, 3). Signs of the midpoint's two depths
    (Hartley and Sturm, CVIU 1997); parallel rays are neither. Meant for float64.
    """
    rotation = T_b_a[..., :3, :3]
    ray_a, ray_b = rays(points_a, intrinsics), rays(points_b, intrinsics) @ rotation
    centre_b = -rotation.mT @ T_b_a[..., :3, 3:]
    ac, bc = (ray_a @ centre_b)[..., 0], (ray_b @ centre_b)[..., 0]
    aa, bb, ab = ray_a.square().sum(-1), ray_b.square().sum(-1), (ray_a * ray_b).sum(-1)
    along_a, along_b = bb * ac - ab * bc, ab * ac - aa * bc
    return (along_a > 0) & (along_b > 0), (along_a < 0) & (along_b < 0)


def choose_motion(essential: Tensor, points_a: Tensor, points_b: Tensor, intrinsics: Tensor, weights: Tensor) -> Tensor:
    """The one of E's four motions (..., 4, 4) with the most weight in front of both cameras, for E (..., 3, 3).

    points (..., N, 2) pixels, intrinsics (..., 3, 3), weights (..., N), 0 = ignored.
    """
    rotations, translations = decompose_essential(essential)
    T_b_a = torch.zeros(*translations.shape[:-1], 4, 4, dtype=essential.dtype, device=essential.device)
    T_b_a[..., :3, :3], T_b_a[..., :3, 3], T_b_a[..., 3, 3] = rotations, translations, 1
    # the second and fourth motions are the first and third with t negated
    views = (x.unsqueeze(-3) for x in (points_a, points_b, intrinsics))
    before, behind = in_front(T_b_a[..., ::2, :, :], *views)
    votes = torch.stack([before, behind], -2) * weights[..., None, None, :]
    best = votes.sum(-1).flatten(-2).argmax(-1)[..., None, None, None]
    return T_b_a.gather(-3, best.expand(*best.shape[:-3], 1, 4, 4))[..., 0, :, :]
