"""Gauss-Newton on the essential manifold: E = [t]x R with unit t, five degrees of freedom.

Robust sums of squared Sampson distances of calibrated rays, batched over samples and models. The constraint
and its gradient are linear in products of coordinates that never change, so each step is a few matrix products
and one weight per point.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.epipolar import homogeneous, skew, smallest_eigenvector
from vode.geometry.pose import so3_exp

CUT = 4.0
"""Tukey's limit in standard deviations, near the optimum for Gaussian noise among outliers"""
CUTS = (2 * CUT, CUT, CUT)
"""Tukey's limits of successive rounds; the wide one leads out of minima made by single outliers"""
PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""upper-triangular index pairs of a symmetric 3x3 matrix"""

CLEARLY_WORSE = 0.95
"""fraction of the start's score below which a refinement is undone"""


class RayPairs(NamedTuple):
    """Products of the coordinates of the two rays (x, y, 1) of every pair."""

    mixed: Tensor
    """b_i a_j (B, 9, N)"""
    squares: Tensor
    """a_i a_j, then b_i b_j, for i <= j (B, 12, N)"""
    used: Tensor
    """(B, 1, N), 0 or 1"""


def ray_pairs(rays_a: Tensor, rays_b: Tensor, used: Tensor) -> RayPairs:
    """The RayPairs of rays (B, N, 2) and used (B, N), 0 or 1."""
    a, b = (homogeneous(x).mT.contiguous() for x in (rays_a, rays_b))
    first, second = [i for i, _ in PAIRS], [j for _, j in PAIRS]
    mixed = (b.unsqueeze(2) * a.unsqueeze(1)).flatten(1, 2)
    squares = torch.cat([a[:, first] * a[:, second], b[:, first] * b[:, second]], 1)
    return RayPairs(mixed, squares, used.unsqueeze(1))


def five_point(rays_a: Tensor, rays_b: Tensor, *, steps: int = 4) -> Tensor:
    """Essential matrices (..., 3, 3) of five pairs of rays (..., 5, 2), by Newton's method from the identity rotation.

    Finds one solution for rotations of a few degrees between the views; it may fail for larger ones.
    """
    a, b = homogeneous(rays_a), homogeneous(rays_b)
    mixed = (b.unsqueeze(-1) * a.unsqueeze(-2)).flatten(-2)
    normals = torch.linalg.cross(a, b)
    translation = smallest_eigenvector(normals.mT @ normals)
    rotation = torch.eye(3, device=a.device, dtype=a.dtype).expand(*translation.shape, 3)
    for _ in range(steps):
        residual = mixed @ (skew(translation) @ rotation).flatten(-2).unsqueeze(-1)
        jacobian = mixed @ _directions(rotation, translation)
        step = -torch.linalg.solve_ex(jacobian, residual)[0][..., 0].nan_to_num(0.0, 0.0, 0.0)
        step = step / (2 * step.norm(dim=-1, keepdim=True)).clamp(min=1)
        rotation, translation = move(rotation, translation, step)
    return skew(translation) @ rotation


def refine(rotation: Tensor, translation: Tensor, pairs: RayPairs, limits: Tensor) -> tuple[Tensor, Tensor]:
    """Gauss-Newton with Tukey weights: rotations (B, M, 3, 3), unit translations (B, M, 3).

    limits (B, M or 1, K): the Sampson distance beyond which a pair has no weight in step k. No step is rejected.
    """
    for limit in limits.unbind(-1):
        rotation, translation = _step(rotation, translation, *_system(rotation, translation, pairs, limit))
    return rotation, translation


def refine_adaptive(
    rotation: Tensor, translation: Tensor, pairs: RayPairs, threshold: Tensor, *, steps: int = 2
) -> tuple[Tensor, Tensor]:
    """``refine`` of one motion per pair, with limits of ``CUTS`` times the noise, re-estimated before each round.

    Rotation (B, 3, 3), translation (B, 3) with the sign that puts points in front of the cameras: pairs that move
    against it by more than the limit are outliers. threshold (B,), in the unit of the rays, bounds the noise. The
    start is kept where the result is clearly worse at the last limit; smaller differences come from outliers that
    happen to lie near, and mean nothing.
    """
    start = rotation, translation = rotation.unsqueeze(1), translation.unsqueeze(1)
    some = _forward(rotation, translation, pairs, CUT * threshold.unsqueeze(-1))
    for cut in CUTS:
        limit = cut * noise(skew(translation) @ rotation, some, threshold)[0]
        rotation, translation = refine(rotation, translation, some, limit.unsqueeze(-1).repeat(1, 1, steps))
    was, now = (_saved(*motion, pairs, limit) for motion in (start, (rotation, translation)))
    better = (now >= CLEARLY_WORSE * was).unsqueeze(-1)
    return (
        torch.where(better.unsqueeze(-1), rotation, start[0])[:, 0],
        torch.where(better, translation, start[1])[:, 0],
    )


def explore(
    rotation: Tensor, translation: Tensor, pairs: RayPairs, some: RayPairs, threshold: Tensor
) -> tuple[Tensor, Tensor]:
    """A better minimum (B, 3, 3), (B, 3) than that of a motion, if there is one in other directions of t.

    Where points hardly move, outliers, which do, make many local minima. Every direction on rings around t is
    combined with the rotation that best compensates for it; the best are refined on ``some`` pairs and compared on
    all.
    """
    start = rotation, translation = rotation.unsqueeze(1), translation.unsqueeze(1)
    normal, _ = _system(rotation, translation, some, 2 * threshold.unsqueeze(-1))
    eye = torch.eye(3, device=normal.device, dtype=normal.dtype)
    damping = 1e-9 * normal.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None].clamp(min=1e-12) * eye
    turn = -torch.linalg.solve_ex(normal[..., :3, :3] + damping, normal[..., :3, 3:])[0]
    rings = torch.tensor(_rings(), device=normal.device, dtype=normal.dtype)
    steps = torch.cat([rings @ turn[:, 0].mT, rings.expand(len(turn), -1, -1)], -1).nan_to_num(0.0)
    rotation, translation = move(rotation, translation, steps)
    best = _saved(rotation, translation, some, threshold.unsqueeze(-1)).topk(5, dim=1).indices
    rotation = rotation.gather(1, best[..., None, None].expand(-1, -1, 3, 3))
    translation = translation.gather(1, best[..., None].expand(-1, -1, 3))
    limits = threshold[:, None, None] * threshold.new_tensor([3.0, 2.0, 1.5, 1.5])
    rotation, translation = refine(rotation, translation, some, limits)
    rotation, translation = torch.cat([start[0], rotation], 1), torch.cat([start[1], translation], 1)
    best = _saved(rotation, translation, pairs, threshold.unsqueeze(-1)).nan_to_num(-1.0).argmax(1)[:, None, None]
    rotation = rotation.gather(1, best[..., None].expand(-1, -1, 3, 3))
    return rotation[:, 0], translation.gather(1, best.expand(-1, -1, 3))[:, 0]


def _rings() -> list[list[float]]:
    """Steps along the tangents of t: six directions each at 1, 2, 4, 8 and 16 degrees."""
    return [
        [math.tan(math.radians(2.0**k)) * f(math.pi * (2 * j + k) / 6) for f in (math.cos, math.sin)]
        for k in range(5)
        for j in range(6)
    ]


def _forward(rotation: Tensor, translation: Tensor, pairs: RayPairs, limit: Tensor) -> RayPairs:
    """The pairs that do not move against t (B, M, 3) by more than limit (B, M), as used (B, M, N)."""
    return pairs._replace(used=pairs.used * (motion_along(rotation, translation, pairs) > -limit.unsqueeze(-1)))


def _saved(rotation: Tensor, translation: Tensor, pairs: RayPairs, limit: Tensor) -> Tensor:
    """By how much (B, M) the truncated cost is below that of outliers only."""
    some = _forward(rotation, translation, pairs, limit)
    return some.used.sum(-1) - truncated_cost(skew(translation) @ rotation, some, limit)


def motion_along(rotation: Tensor, translation: Tensor, pairs: RayPairs) -> Tensor:
    """Displacement (B, M, N) beyond rotations (B, M, 3, 3), in the direction that t (B, M, 3) moves points in front."""
    a, b = pairs.mixed[:, None, 6:], pairs.mixed[:, None, 2:6:3]
    turned = rotation @ a
    pixels, depth = turned[..., :2, :], turned[..., 2:, :]
    away = translation[..., :2, None] * depth - translation[..., 2:, None] * pixels
    # a ray that the rotation takes behind the camera has no displacement
    beyond = torch.where(depth > 1e-6, b - pixels / depth.clamp(min=1e-6), 0.0)
    return (beyond * away).sum(-2) / away.norm(dim=-2).clamp(min=1e-12)


def sampson_squared(essential: Tensor, pairs: RayPairs) -> Tensor:
    """Squared Sampson distances (B, M, N) of models (B, M, 3, 3)."""
    algebraic, inverse = _algebraic(essential, pairs)
    return algebraic.square_().mul_(inverse)


def _algebraic(essential: Tensor, pairs: RayPairs) -> tuple[Tensor, Tensor]:
    """b^T E a and the inverse of its squared gradient, (B, M, N)."""
    line_b, line_a = essential[..., :2, :], essential[..., :2]
    forms = torch.cat([_upper(line_b.mT @ line_b), _upper(line_a @ line_a.mT)], -1)
    slope = (forms @ pairs.squares).clamp_(min=1e-16)
    return essential.flatten(-2) @ pairs.mixed, slope.reciprocal_()


def _upper(form: Tensor) -> Tensor:
    """Quadratic forms (..., 3, 3) as coefficients (..., 6) of the products of PAIRS."""
    return form.flatten(-2) @ _products(form.dtype, form.device)


@cache
def _products(dtype: torch.dtype, device: torch.device) -> Tensor:
    """How often (9, 6) an entry of a form counts for each of PAIRS: a product with it is faster than to stack six."""
    chosen = torch.zeros(3, 3, len(PAIRS), dtype=dtype, device=device)
    for k, (i, j) in enumerate(PAIRS):
        chosen[i, j, k] = 1 if i == j else 2
    return chosen.flatten(0, 1)


def truncated_cost(essential: Tensor, pairs: RayPairs, threshold: Tensor) -> Tensor:
    """MSAC (Torr and Zisserman, CVIU 2000): sums (B, M) of min(d^2 / t^2, 1) over Sampson distances d.

    Models (B, M, 3, 3), threshold (B, M or 1).
    """
    squared = sampson_squared(essential, pairs)
    return (squared.div_(threshold.square().unsqueeze(-1)).clamp_(max=1) * pairs.used).sum(-1)


def noise(essential: Tensor, pairs: RayPairs, threshold: Tensor, *, steps: int = 5) -> tuple[Tensor, Tensor]:
    """Standard deviation (B, M) of the inliers' Sampson distances, and the expected outliers within the threshold.

    For models (B, M, 3, 3), by expectation maximisation of Gaussian inliers and uniform outliers within 4 thresholds
    (MLESAC, Torr and Zisserman, CVIU 2000); the deviation is clamped to 0.02 to 1 threshold.
    """
    squared, used = sampson_squared(essential, pairs), pairs.used
    threshold = threshold[:, None, None]
    window = 4 * threshold
    seen = used * (squared < window.square())
    count = seen.sum(-1, keepdim=True).clamp(min=1)
    sigma, floor = (threshold / 2).expand_as(count), torch.full_like(count, 0.05)
    for _ in range(steps):
        density = torch.exp(squared / (-2 * sigma.square()))
        weight = seen * density / (density + floor)
        inliers = weight.sum(-1, keepdim=True).clamp(min=1)
        variance = (weight * squared).sum(-1, keepdim=True) / inliers
        sigma = variance.sqrt().maximum(0.02 * threshold).minimum(threshold)
        outliers = (count - inliers).maximum(0.01 * count)
        floor = outliers / inliers * sigma * (2 * torch.pi) ** 0.5 / (2 * window)
    return sigma[..., 0], ((count - inliers) * threshold / window)[..., 0]


def _system(rotation: Tensor, translation: Tensor, pairs: RayPairs, limit: Tensor) -> tuple[Tensor, Tensor]:
    """Normal matrix (B, M, 5, 5) and gradient (B, M, 5) of the Tukey-weighted squared Sampson distances.

    The matrix treats the denominators as constant; the gradient does not, so the minimum is exact.
    """
    essential = skew(translation) @ rotation
    algebraic, inverse = _algebraic(essential, pairs)
    squared = algebraic.square() * inverse
    tukey = squared.div(-limit.square().unsqueeze(-1)).add_(1).clamp_(min=0).square_().mul_(pairs.used)
    weight = tukey.mul_(inverse)
    change = ((weight * algebraic) @ pairs.mixed.mT).unflatten(-1, (3, 3))
    bend = squared.mul_(weight) @ pairs.squares.mT
    full = _full(weight.device)
    change[..., :2, :] -= essential[..., :2, :] @ bend[..., full]
    change[..., :2] -= bend[..., 6 + full] @ essential[..., :2]
    directions = _directions(rotation, translation)
    jacobian = directions.mT @ pairs.mixed.unsqueeze(1)
    normal = (jacobian * weight.unsqueeze(-2)) @ jacobian.mT
    return normal, (directions.mT @ change.flatten(-2).unsqueeze(-1))[..., 0]


@cache
def _full(device: torch.device) -> Tensor:
    """Which of PAIRS is the entry of a symmetric form, (3, 3)."""
    return torch.tensor([[PAIRS.index((min(i, j), max(i, j))) for j in range(3)] for i in range(3)], device=device)


def deviation(rotation: Tensor, translation: Tensor, pairs: RayPairs, sigma: Tensor) -> Tensor:
    """Standard deviation (B, M), in radians, of the direction of t, given noise sigma (B, M) of the pairs.

    From the inverse of the Gauss-Newton matrix; large where pairs do not determine the motion.
    """
    normal, _ = _system(rotation, translation, pairs, CUT * sigma)
    finite = normal.isfinite().flatten(-2).all(-1)[..., None, None]
    values, vectors = torch.linalg.eigh(torch.where(finite, normal, 0.0))
    fraction = vectors[..., 3:, :].square().sum(-2)
    floor = 1e-12 * values[..., -1:].clamp(min=1e-12)
    return sigma * (fraction / values.maximum(floor)).sum(-1).sqrt()


def _tangent(translation: Tensor) -> Tensor:
    """Orthonormal basis (..., 3, 2) of the sphere at unit vectors (..., 3)."""
    # the axis most perpendicular to t gives the best conditioned cross product
    axis = torch.zeros_like(translation).scatter(-1, translation.abs().argmin(-1, keepdim=True), 1.0)
    first = torch.linalg.cross(translation, axis)
    first = first / first.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    return torch.stack([first, torch.linalg.cross(translation, first)], -1)


def _directions(rotation: Tensor, translation: Tensor) -> Tensor:
    """Derivative of E, row by row, (..., 9, 5) along R exp(w) and the two tangents of t."""
    generators = skew(torch.eye(3, device=rotation.device, dtype=rotation.dtype))
    turning = (skew(translation) @ rotation).unsqueeze(-3) @ generators
    moving = skew(_tangent(translation).mT) @ rotation.unsqueeze(-3)
    return torch.cat([turning, moving], -3).flatten(-2).mT


def _step(rotation: Tensor, translation: Tensor, normal: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The slightly damped Gauss-Newton step of a system, at most a radian long."""
    trace = normal.diagonal(dim1=-2, dim2=-1).mean(-1).clamp(min=1e-12)
    eye = torch.eye(5, device=normal.device, dtype=normal.dtype)
    damped = normal + (1e-6 * trace)[..., None, None] * eye
    step = -torch.linalg.solve_ex(damped, gradient.unsqueeze(-1))[0][..., 0]
    step = step / step.norm(dim=-1, keepdim=True).clamp(min=1)
    return move(rotation, translation, step)


def move(rotation: Tensor, translation: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """R exp(w) and the unit vector at t + tangent v, for steps (w, v) (..., 5)."""
    moved = translation + (_tangent(translation) @ step[..., 3:, None])[..., 0]
    return rotation @ so3_exp(step[..., :3]), moved / moved.norm(dim=-1, keepdim=True).clamp(min=1e-12)
