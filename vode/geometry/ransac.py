"""Robust essential matrices: RANSAC batched over pairs and hypotheses, local optimisation, refinement.

Everything runs on calibrated rays (pixels through K^-1), with distances told in pixels by the focal
length, so that the essential constraint can be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vode.geometry.epipolar import eight_point, sampson_distance, skew


@dataclass(frozen=True)
class RansacOptions:
    """Effort of the robust estimation."""

    hypotheses: int = 192
    """minimal samples of 8 points, drawn by score"""
    preview: int = 600
    """points that hypotheses are first judged on"""
    finalists: int = 6
    """hypotheses that are optimised and judged on all points"""
    refits: tuple[float, ...] = (4.0, 2.0, 1.0)
    """inlier limits, in thresholds, of successive weighted 8-point refits"""
    iterations: int = 8
    """Gauss-Newton steps on the essential manifold"""


def truncated_cost(distance: Tensor, weights: Tensor, threshold: Tensor) -> Tensor:
    """MSAC (Torr and Zisserman, CVIU 2000): sum over points (..., N) of min(d^2 / t^2, 1) by weight, (...)."""
    return ((distance / threshold).square().clamp(max=1) * weights).sum(-1)


def ransac_essential(
    rays_a: Tensor,
    rays_b: Tensor,
    weights: Tensor,
    threshold: Tensor,
    *,
    seed: int = 0,
    options: RansacOptions = RansacOptions(),
) -> Tensor:
    """Robust essential matrices (B, 3, 3) of rays (B, N, 2) with weights (B, N); 0 = never used.

    threshold (B,) is in the unit of the rays. The same seed gives the same answer, whatever else is in the
    batch: all pairs share their random numbers.
    """
    generator = torch.Generator(rays_a.device).manual_seed(seed)
    count = rays_a.shape[1]
    draws = torch.rand(options.hypotheses, 8, generator=generator, device=rays_a.device, dtype=rays_a.dtype)
    preview = torch.randperm(count, generator=generator, device=rays_a.device)[: options.preview]
    used = (weights > 0).to(rays_a.dtype)
    index = _draw(weights, draws)
    limit = threshold[:, None, None]
    a, b = rays_a.unsqueeze(1), rays_b.unsqueeze(1)
    models = eight_point(_take(rays_a, index), _take(rays_b, index))
    distance = sampson_distance(models, a[:, :, preview], b[:, :, preview])
    cost = truncated_cost(distance, used[:, None, preview], 2 * limit)
    models = _best(models, cost, options.finalists)
    candidates = [models]
    for factor in options.refits:
        distance = sampson_distance(models, a, b)
        weight = _sampson_weight(models, a, b) * (1 - (distance / (factor * limit)).square()).clamp(min=0).square()
        models = eight_point(
            a.expand(-1, models.shape[1], -1, -1), b.expand(-1, models.shape[1], -1, -1), weight * used[:, None]
        )
        candidates.append(models)
    models = torch.cat(candidates, 1)
    cost = truncated_cost(sampson_distance(models, a, b), used[:, None], limit)
    return _best(models, cost, 1)[:, 0]


def refine_pose(
    rotation: Tensor, translation: Tensor, rays_a: Tensor, rays_b: Tensor, weights: Tensor, threshold: Tensor, *, iterations: int
) -> tuple[Tensor, Tensor]:
    """Gauss-Newton on the essential manifold with Sampson residuals and Tukey weights.

    rotation (B, 3, 3), unit translation (B, 3), rays (B, N, 2), weights (B, N), threshold (B,). Five
    degrees of freedom: R exp(w) and two directions on the sphere of t. A step is kept where it lowers the
    cost, so that the result is never worse than the start.
    """
    ones = torch.ones_like(rays_a[..., :1])
    a, b = torch.cat([rays_a, ones], -1), torch.cat([rays_b, ones], -1)
    outer = (b.unsqueeze(-1) * a.unsqueeze(-2)).flatten(-2)
    limit = 2.5 * threshold[:, None]
    cost = _tukey_cost(rotation, translation, rays_a, rays_b, weights, limit)
    damping = torch.full_like(cost, 1e-6)
    eye = torch.eye(5, device=a.device, dtype=a.dtype)
    for _ in range(iterations):
        essential = skew(translation) @ rotation
        line_b, line_a = a @ essential.mT, b @ essential
        slope = (line_a[..., :2].square().sum(-1) + line_b[..., :2].square().sum(-1)).clamp(min=1e-20)
        scale = slope.rsqrt()
        algebraic = (line_b * b).sum(-1)
        residual = algebraic * scale
        change = torch.zeros_like(outer).unflatten(-1, (3, 3))
        change[..., :2, :] += line_b[..., :2].unsqueeze(-1) * a.unsqueeze(-2)
        change[..., :, :2] += b.unsqueeze(-1) * line_a[..., :2].unsqueeze(-2)
        basis, directions = _tangent(rotation, translation)
        jacobian = (
            outer * scale.unsqueeze(-1) - change.flatten(-2) * (algebraic * scale**3).unsqueeze(-1)
        ) @ directions
        weight = weights * (1 - (residual / limit).square()).clamp(min=0).square()
        weighted = jacobian * weight.unsqueeze(-1)
        normal = weighted.mT @ jacobian
        gradient = weighted.mT @ residual.unsqueeze(-1)
        trace = normal.diagonal(dim1=-2, dim2=-1).mean(-1).clamp(min=1e-12)
        step = -torch.linalg.solve(normal + ((damping + 1e-9) * trace)[:, None, None] * eye, gradient)[..., 0]
        new_rotation = rotation @ torch.linalg.matrix_exp(skew(step[:, :3]))
        new_translation = translation + (basis @ step[:, 3:, None])[..., 0]
        new_translation = new_translation / new_translation.norm(dim=-1, keepdim=True).clamp(min=1e-12)
        new_cost = _tukey_cost(new_rotation, new_translation, rays_a, rays_b, weights, limit)
        better = new_cost < cost
        rotation = torch.where(better[:, None, None], new_rotation, rotation)
        translation = torch.where(better[:, None], new_translation, translation)
        cost = torch.where(better, new_cost, cost)
        damping = torch.where(better, damping * 0.1, damping * 100).clamp(1e-9, 1e3)
    return rotation, translation


def _tukey_cost(
    rotation: Tensor, translation: Tensor, rays_a: Tensor, rays_b: Tensor, weights: Tensor, limit: Tensor
) -> Tensor:
    distance = sampson_distance(skew(translation) @ rotation, rays_a, rays_b)
    return ((1 - (1 - (distance / limit).square()).clamp(min=0) ** 3) * weights).sum(-1)


def _tangent(rotation: Tensor, translation: Tensor) -> tuple[Tensor, Tensor]:
    """Basis (B, 3, 2) of the sphere at t, and the change of E (B, 9, 5) along the five directions."""
    # the axis least along t gives the best conditioned cross product
    axis = torch.zeros_like(translation).scatter(-1, translation.abs().argmin(-1, keepdim=True), 1.0)
    first = torch.linalg.cross(translation, axis)
    first = first / first.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    basis = torch.stack([first, torch.linalg.cross(translation, first)], -1)
    generators = skew(torch.eye(3, device=rotation.device, dtype=rotation.dtype))
    turning = (skew(translation) @ rotation).unsqueeze(1) @ generators
    moving = skew(basis.mT) @ rotation.unsqueeze(1)
    return basis, torch.cat([turning, moving], 1).flatten(-2).mT


def _draw(weights: Tensor, draws: Tensor) -> Tensor:
    """Indices (B, H, 8) of points drawn in proportion to weights (B, N) by uniform numbers (H, 8)."""
    edges = weights.cumsum(-1)
    targets = draws.flatten()[None] * edges[:, -1:]
    index = torch.searchsorted(edges, targets.contiguous(), right=True).clamp(max=weights.shape[1] - 1)
    return index.unflatten(-1, draws.shape)


def _take(points: Tensor, index: Tensor) -> Tensor:
    """points (B, N, 2) at index (B, H, 8): (B, H, 8, 2)."""
    flat = index.flatten(1).unsqueeze(-1).expand(-1, -1, 2)
    return points.gather(1, flat).unflatten(1, index.shape[1:])


def _best(models: Tensor, cost: Tensor, count: int) -> Tensor:
    """The ``count`` models (B, count, 3, 3) of the lowest cost (B, H)."""
    index = cost.nan_to_num(float("inf")).topk(count, dim=1, largest=False).indices
    return models.gather(1, index[..., None, None].expand(-1, -1, 3, 3))


def _sampson_weight(models: Tensor, points_a: Tensor, points_b: Tensor) -> Tensor:
    """1 / slope^2 (B, H, N), which turns squared algebraic into squared Sampson distance."""
    line_b = points_a @ models[..., :2].mT + models[..., None, :, 2]
    line_a = points_b @ models[..., :2, :] + models[..., None, 2, :]
    return 1 / (line_a[..., :2].square().sum(-1) + line_b[..., :2].square().sum(-1)).clamp(min=1e-12)
