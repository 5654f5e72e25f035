"""The length of every step of a trajectory: by tracks from one to the next, by the level of predicted depth over many.

Points that two pairs of frames share tell the lengths of the two relative to each other to a per cent, and drift over
hundreds of frames. The depth that a network predicts for a single frame is too large or too small by much more, but
does not drift; that of its points on the ground swings less than that of all. Robust least squares over all steps take
from each what it knows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor

from vode.adaptation.options import LevelOptions
from vode.adaptation.structure import Estimates, Pair

REWEIGHTINGS = 10
"""of robust least squares"""
ROBUST = 2.0
"""standard deviations beyond which Cauchy's cost lets go of an equation"""
SPREAD = 1.4826
"""standard deviation of a normal distribution in median absolute deviations"""
POINTS, GROUND = "points", "ground"
"""what tells a level: all points of a frame, or those on the ground"""
GROSS = 3.0
"""deviations of the ground's level from which on that of all points is wrong"""


class _Equation(NamedTuple):
    """That the logarithm of the length of a pair, relative to that of another one if there is one, has this value."""

    pair: int
    other: int | None
    value: float
    deviation: float
    source: str | None = None
    """what tells a level; None of a ratio by tracks"""


class Predicted(NamedTuple):
    """What a network says of the drawn pixels of a frame."""

    log_depth: Tensor
    """(P,)"""
    on_ground: Tensor
    """(P,) bool: which of them show the ground"""


def levelled(poses: Tensor, pairs: list[Pair], predicted: list[Predicted], options: LevelOptions) -> Tensor:
    """The trajectory (N, 4, 4) with the lengths of its steps in the unit of the depth ``predicted`` of each frame.

    The depths of ``pairs`` are in the unit of the trajectory as it is. NaN poses stay. Without pairs, so does
    everything.
    """
    equations = list(_equations(pairs, predicted, options))
    if not equations:
        return poses
    steps = poses[1:, :3, 3] - poses[:-1, :3, 3]
    shares = torch.stack([_shares(steps, pair) for pair in pairs])
    longer = _solve(_agreeing(equations, shares, options), shares, options).exp()[:, None] * steps
    moved = poses.clone()
    moved[1:, :3, 3] = poses[0, :3, 3].nan_to_num() + longer.nan_to_num().cumsum(0)
    return torch.where(poses.isfinite(), moved, poses)


def _agreeing(equations: list[_Equation], shares: Tensor, options: LevelOptions) -> list[_Equation]:
    """Equations whose levels by all points and by the ground are the same in the middle.

    The ground tells how the level changes. Its mean is taken to that of all points, which are more; but where these
    are grossly apart, as where most of a view is far away, they are taken to the ground.
    """
    if {POINTS, GROUND} - {e.source for e in equations}:
        return equations
    by_points, by_ground = (
        _solve([e for e in equations if e.source in (None, source)], shares, options) for source in (POINTS, GROUND)
    )
    told = shares.abs().sum(0) > 0
    apart = float((by_points - by_ground)[told].median())
    gross = abs(apart) > GROSS * options.ground_deviation
    source, shift = (POINTS, -apart) if gross else (GROUND, apart)
    return [e._replace(value=e.value + shift) if e.source == source else e for e in equations]


def relevelled(pairs: list[Pair], before: Tensor, after: Tensor) -> list[Pair]:
    """Pairs whose estimates are in the unit of another trajectory of the same motions."""
    found = []
    for pair in pairs:
        lengths = [(poses[pair.b, :3, 3] - poses[pair.a, :3, 3]).norm() for poses in (after, before)]
        change = float((lengths[0] / lengths[1]).log())
        a, b = (Estimates(each.log_depth + change, each.variance) for each in (pair.of_a, pair.of_b))
        found.append(Pair(pair.a, pair.b, a, b))
    return found


def _equations(pairs: list[Pair], predicted: list[Predicted], options: LevelOptions) -> Iterator[_Equation]:
    """What the predicted depth of each frame says of its pairs, and the points that its pairs share of two of them."""
    of_frame: dict[int, list[tuple[int, Estimates]]] = {}
    for k, pair in enumerate(pairs):
        of_frame.setdefault(pair.a, []).append((k, pair.of_a))
        of_frame.setdefault(pair.b, []).append((k, pair.of_b))
    for frame, estimates in of_frame.items():
        usable = [(k, each) for k, each in estimates if int(each.variance.isfinite().sum()) >= options.least_points]
        yield from _levels(usable, predicted[frame], POINTS, options)
        if options.ground_deviation:
            shown = [(k, int((each.variance.isfinite() & predicted[frame].on_ground).sum())) for k, each in estimates]
            ground = {k for k, count in shown if count >= options.ground_points}
            yield from _levels([x for x in estimates if x[0] in ground], predicted[frame], GROUND, options)
        for (k, one), (n, other) in combinations(usable, 2):
            variance = one.variance + other.variance
            if (shared := int(variance.isfinite().sum())) >= options.least_points:
                ratio, spread = _median(one.log_depth - other.log_depth, variance)
                deviation = spread / (shared / options.together) ** 0.5
                yield _Equation(n, k, ratio, (options.track_deviation**2 + deviation**2) ** 0.5)


def _levels(
    usable: list[tuple[int, Estimates]], predicted: Predicted, source: str, options: LevelOptions
) -> Iterator[_Equation]:
    """What the predicted depth of a frame says of the lengths of its pairs, by all points or by those on the ground."""
    deviation = options.level_deviation if source == POINTS else options.ground_deviation
    among = torch.ones_like(predicted.on_ground) if source == POINTS else predicted.on_ground
    for k, each in usable:
        variance = torch.where(among, each.variance, torch.inf)
        level, _ = _median(predicted.log_depth - each.log_depth, variance + options.depth_deviation**2)
        # a frame errs as a whole, however many pairs it has
        yield _Equation(k, None, level, deviation * len(usable) ** 0.5, source)


def _shares(steps: Tensor, pair: Pair) -> Tensor:
    """Derivatives (S,) of the logarithm of a pair's length by those of the steps'."""
    inside = torch.zeros(len(steps), dtype=steps.dtype, device=steps.device)
    across = steps[pair.a : pair.b].sum(0)
    inside[pair.a : pair.b] = steps[pair.a : pair.b] @ across / across.square().sum().clamp(min=1e-24)
    return inside


def _solve(equations: list[_Equation], shares: Tensor, options: LevelOptions) -> Tensor:
    """Corrections (S,) of log lengths by robust least squares, 0 where none of the equations tells one."""
    rows = torch.stack([shares[e.pair] - (0 if e.other is None else shares[e.other]) for e in equations])
    values, deviations = (rows.new_tensor(x) for x in zip(*((e.value, e.deviation) for e in equations), strict=True))
    weight = 1 / deviations
    held = torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device) / options.free
    for _ in range(REWEIGHTINGS):
        left = torch.cat([rows * weight[:, None], held])
        right = torch.cat([values * weight, values.new_zeros(len(held))])
        found = torch.linalg.lstsq(left, right[:, None]).solution[:, 0]
        off = (rows @ found - values) / deviations / ROBUST
        weight = 1 / deviations / (1 + off.square()).sqrt()
    return found


def _median(values: Tensor, variance: Tensor) -> tuple[float, float]:
    """Median of the values whose variance is finite, weighted by precision, and their spread about it."""
    known = variance.isfinite()
    values, weight = values[known], 1 / variance[known]
    middle = _weighted_median(values, weight)
    return float(middle), SPREAD * float(_weighted_median((values - middle).abs(), weight))


def _weighted_median(values: Tensor, weight: Tensor) -> Tensor:
    order = values.argsort()
    total = weight[order].cumsum(0)
    return values[order[int(torch.searchsorted(total, total[-1] / 2))]]
