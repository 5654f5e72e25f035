"""Robust two-view models: RANSAC batched over pairs and hypotheses, local optimisation, refinement.

Pairs never interact and share their random numbers, so that the result of a pair does not depend on its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from vode.geometry.epipolar import (
    choose_motion,
    decompose_essential,
    eight_point,
    normalise_points,
    sampson_distance,
    skew,
)
from vode.geometry.two_view.refinement import (
    RayPairs,
    explore,
    five_point,
    motion_along,
    ray_pairs,
    refine,
    refine_adaptive,
    sampson_squared,
    truncated_cost,
)

VAGUE = 3.0
"""displacement beyond the rotation, in thresholds, above which the direction of t is well determined"""


@dataclass(frozen=True)
class RansacOptions:
    """How much is computed in the robust estimation."""

    rounds: int = 32
    """maximum number of rounds of hypotheses"""
    confidence: float = 0.9999
    """probability of an outlier-free sample after which a pair needs no further round"""
    eight_point: int = 24
    """hypotheses per round from samples of 8 points, which work for any motion"""
    five_point: int = 96
    """hypotheses per round from samples of 5 points, which work for small rotations, planes and many outliers"""
    preview: int = 500
    """usable points on which hypotheses are scored"""
    finalists: int = 6
    """number of hypotheses that are optimised"""
    polish: int = 1500
    """usable points on which finalists are optimised and scored; the best is refined on all"""
    explorations: int = 2
    """maximum number of searches for a better minimum where points hardly move"""
    limits: tuple[float, ...] = (6.0, 3.0, 2.0, 1.5, 1.5)
    """inlier limits, in thresholds, of successive steps of the local optimisation"""


@torch.no_grad()
def ransac_essential(
    rays_a: Tensor,
    rays_b: Tensor,
    weights: Tensor,
    threshold: Tensor,
    *,
    seed: int = 0,
    options: RansacOptions = RansacOptions(),
) -> tuple[Tensor, Tensor]:
    """Robust motion between rays (B, N >= 8, 2): R (B, 3, 3) and unit t (B, 3), most points in front of both cameras.

    Rays are pixels through K^-1; weights (B, N) are proportional to the probability that a pair is drawn, 0 = never
    used; threshold (B,) is a Sampson distance in the unit of the rays. Hypotheses from 8 and from 5 points are scored
    by a truncated cost (MSAC), the best optimised on the essential manifold (LO-RANSAC, Chum et al., DAGM 2003), the
    winner refined on all points by its own noise. Meant for float64.
    """
    generator = torch.Generator(rays_a.device).manual_seed(seed)
    order = _usable_first(weights, generator)
    a, b, w = _take(rays_a, order), _take(rays_b, order), weights.gather(1, order)

    def hypotheses() -> Tensor:
        eight = _draw(w, options.eight_point, 8, generator)
        five = _draw(w, options.five_point, 5, generator)
        return torch.cat([eight_point(_take(a, eight), _take(b, eight)), five_point(_take(a, five), _take(b, five))], 1)

    models = _search(hypotheses, a, b, w, threshold, options, size=5, count=options.five_point)
    rotations, translations = decompose_essential(models)
    rotation, translation = rotations[..., 0, :, :], translations[..., 0, :]
    used = (w > 0).to(a.dtype)
    some = slice(options.polish)
    pairs = ray_pairs(a[:, some], b[:, some], used[:, some])
    limits = threshold[:, None, None] * threshold.new_tensor(options.limits)
    optimised = refine(rotation, translation, pairs, limits)
    rotation = torch.cat([rotation, optimised[0]], 1)
    translation = torch.cat([translation, optimised[1]], 1)
    essential = skew(translation) @ rotation
    essential = _best(essential, truncated_cost(essential, pairs, threshold[:, None]), 1)[:, 0]
    near = used[:, some] * (sampson_distance(essential, a[:, some], b[:, some]) < 2 * threshold[:, None])
    camera = torch.eye(3, device=a.device, dtype=a.dtype).expand_as(essential)
    T_b_a = choose_motion(essential.nan_to_num(0.0), a[:, some], b[:, some], camera, near)
    everything = ray_pairs(a, b, used)
    rotation, translation = refine_adaptive(T_b_a[:, :3, :3], T_b_a[:, :3, 3], everything, threshold)
    for _ in range(options.explorations):
        vague = _hardly_moves(rotation, translation, pairs, threshold)
        if vague.device.type == "cpu" and not bool(vague.any()):
            break
        better = refine_adaptive(*explore(rotation, translation, everything, pairs, threshold), everything, threshold)
        rotation = torch.where(vague[:, None, None], better[0], rotation)
        translation = torch.where(vague[:, None], better[1], translation)
    return rotation, translation


def _hardly_moves(rotation: Tensor, translation: Tensor, pairs: RayPairs, threshold: Tensor) -> Tensor:
    """Whether the median displacement of the pairs near their epipolar lines is below ``VAGUE`` thresholds, (B,)."""
    motion = motion_along(rotation[:, None], translation[:, None], pairs)
    near = sampson_squared((skew(translation) @ rotation)[:, None], pairs) < threshold[:, None, None].square()
    motion = torch.where(near & (pairs.used > 0), motion, float("nan"))
    return motion.flatten(1).nanmedian(-1).values.abs() < VAGUE * threshold


@torch.no_grad()
def ransac_fundamental(
    points_a: Tensor,
    points_b: Tensor,
    weights: Tensor,
    threshold: Tensor,
    *,
    seed: int = 0,
    options: RansacOptions = RansacOptions(),
) -> Tensor:
    """Robust fundamental matrices (B, 3, 3) of pixels (B, N >= 8, 2), for unknown cameras.

    Weights and threshold as in ``ransac_essential``, but in pixels. Local optimisation by weighted 8-point
    refits.
    """
    generator = torch.Generator(points_a.device).manual_seed(seed)
    order = _usable_first(weights, generator)
    a, b, w = _take(points_a, order), _take(points_b, order), weights.gather(1, order)
    count = options.eight_point + options.five_point

    def hypotheses() -> Tensor:
        index = _draw(w, count, 8, generator)
        return eight_point(_take(a, index), _take(b, index))

    models = _search(hypotheses, a, b, w, threshold, options, size=8, count=count)
    some = slice(options.polish)
    optimised = _refit(models, a[:, some], b[:, some], w[:, some], threshold, options.limits)
    models = torch.cat([models, optimised], 1)
    models = _best(models, _cost(models, a[:, some], b[:, some], w[:, some], threshold), 1)
    models = torch.cat([models, _refit(models, a, b, w, threshold, (2.0, 2.0, 2.0))], 1)
    return _best(models, _cost(models, a, b, w, threshold), 1)[:, 0]


def _search(
    hypotheses: Callable[[], Tensor],
    a: Tensor,
    b: Tensor,
    weights: Tensor,
    threshold: Tensor,
    options: RansacOptions,
    *,
    size: int,
    count: int,
) -> Tensor:
    """The best models (B, finalists, 3, 3), scored on the first points, of rounds of hypotheses (B, H, 3, 3).

    ``count`` samples of ``size`` points per round enter the confidence. A pair that has reached it ignores later
    rounds; on the CPU, where asking costs nothing, the rounds end when all pairs have.
    """
    few = slice(options.preview)
    # float32 is precise enough to rank hypotheses once coordinates are near 1
    weights = weights[:, few]
    a, T_a = normalise_points(a[:, few], weights)
    b, T_b = normalise_points(b[:, few], weights)
    inverse_a, inverse_b = torch.linalg.inv(T_a).unsqueeze(1), torch.linalg.inv(T_b).mT.unsqueeze(1)
    limit = 2 * (threshold * (T_a[:, 0, 0] * T_b[:, 0, 0]).sqrt()).float()
    pairs = ray_pairs(a.float(), b.float(), (weights > 0).float())
    usable = pairs.used.sum((1, 2)).clamp(min=1)
    best, lowest = a.new_zeros(len(a), 0, 3, 3), usable.new_zeros(len(a), 0)
    done = torch.zeros_like(usable, dtype=torch.bool)
    for number in range(1, options.rounds + 1):
        models = hypotheses()
        cost = truncated_cost((inverse_b @ models @ inverse_a).float(), pairs, limit[:, None])
        cost = torch.where(done[:, None], float("inf"), cost.nan_to_num(float("inf")))
        models, cost = torch.cat([best, models], 1), torch.cat([lowest, cost], 1)
        best, lowest = _best(models, cost, options.finalists), _best(cost, cost, options.finalists)
        # a point costs at most 1, so the cost bounds the number of inliers from below
        fraction = (1 - lowest[:, 0] / usable).clamp(0, 1).double()
        missed = (1 - fraction**size).pow(number * count)
        done = done | (missed < 1 - options.confidence)
        if done.device.type == "cpu" and bool(done.all()):
            break
    return best


def _refit(
    models: Tensor, a: Tensor, b: Tensor, weights: Tensor, threshold: Tensor, limits: tuple[float, ...]
) -> Tensor:
    """Iteratively reweighted 8-point with Tukey weights of the Sampson distance: (B, M, 3, 3)."""
    a, b, used = a.unsqueeze(1), b.unsqueeze(1), (weights > 0).unsqueeze(1)
    for limit in limits:
        distance = sampson_distance(models, a, b)
        tukey = (1 - (distance / (limit * threshold[:, None, None])).square()).clamp(min=0).square()
        line_b = a @ models[..., :2, :2].mT + models[..., None, :2, 2]
        line_a = b @ models[..., :2, :2] + models[..., None, 2, :2]
        slope = line_a.square().sum(-1) + line_b.square().sum(-1)
        weight = tukey * used / slope.clamp(min=1e-30)
        expanded_a, expanded_b = (x.expand(-1, models.shape[1], -1, -1) for x in (a, b))
        models = eight_point(expanded_a, expanded_b, weight)
    return models


def _cost(models: Tensor, a: Tensor, b: Tensor, weights: Tensor, threshold: Tensor) -> Tensor:
    pairs = ray_pairs(a, b, (weights > 0).to(a.dtype))
    return truncated_cost(models, pairs, threshold[:, None])


def _usable_first(weights: Tensor, generator: torch.Generator) -> Tensor:
    """A random order (B, N) of the points, those of weight 0 last."""
    rank = torch.rand(weights.shape[1], generator=generator, device=weights.device)
    return (rank + 2 * (weights <= 0)).argsort(dim=1)


def _draw(weights: Tensor, count: int, size: int, generator: torch.Generator) -> Tensor:
    """Indices (B, count, size) of points drawn in proportion to weights (B, N).

    Systematic sampling: one point from each of ``size`` equal parts of the total weight, with a random offset
    for every sample, so that a point is drawn twice only if it spans two parts.
    """
    shape = (count, size + 1)
    uniform = torch.rand(shape, generator=generator, device=weights.device, dtype=weights.dtype)
    place = (torch.arange(size, device=weights.device) + uniform[:, 1:]) / size
    # rounding must never reach past the last point with weight
    place = ((place + uniform[:, :1]) % 1).clamp(max=1 - 1e-6)
    edges = weights.cumsum(-1)
    index = torch.searchsorted(edges, (place.flatten() * edges[:, -1:]).contiguous(), right=True)
    return index.clamp(max=weights.shape[1] - 1).unflatten(-1, place.shape)


def _take(points: Tensor, index: Tensor) -> Tensor:
    """points (B, N, 2) at index (B, ...): (B, ..., 2)."""
    flat = index.flatten(1).unsqueeze(-1).expand(-1, -1, 2)
    return points.gather(1, flat).unflatten(1, index.shape[1:])


def _best(values: Tensor, cost: Tensor, count: int) -> Tensor:
    """The ``count`` values of the lowest cost (B, M), out of values (B, M, ...)."""
    index = cost.nan_to_num(float("inf")).topk(min(count, cost.shape[1]), dim=1, largest=False).indices
    index = index.view(*index.shape, *[1] * (values.ndim - 2))
    return values.gather(1, index.expand(-1, -1, *values.shape[2:]))
