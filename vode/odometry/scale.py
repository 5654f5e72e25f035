"""The one scale between predicted depth and depth triangulated with a baseline of unit length.

A scale is named by what it multiplies: ``translation_scale`` brings the translation of unit length, and with it the
triangulated depth, to the unit of the predicted depth; ``prediction_scale`` brings the predicted depth to baselines.
Predicted and triangulated depths (B, N) belong to the same points; those that are not positive and finite take no part.
Without gradient, in float32 or better.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.ground import SPREAD
from vode.odometry.options import ScaleOptions

CUT = 4.685
"""Tukey's limit in standard deviations"""
LEAST_POINTS = 20
"""points from which on a scale for losses is known"""


class Scale(NamedTuple):
    """Predicted over triangulated depth, of a batch."""

    value: Tensor
    """(B,), 1 where it is not known"""
    deviation: Tensor
    """(B,): relative standard deviation, infinite where nothing determines the scale"""
    known: Tensor
    """bool (B,)"""


@torch.no_grad()
def translation_scale(
    predicted: Tensor,
    triangulated: Tensor,
    parallax: Tensor,
    noise: Tensor,
    valid: Tensor,
    places: Tensor,
    options: ScaleOptions = ScaleOptions(),
) -> Scale:
    """Predicted over triangulated depth by the mean of log ratios, weighted with their precision; for tracking.

    A triangulated depth has the relative error noise (B,) over parallax (B, N), both in radians; to it comes the
    spread of the predicted depth, which is estimated. Tukey weights, from the median. The parallax counts that the
    predicted depth lets expect: points that noise brings nearer show more of it, and would weigh more. ``valid``
    (B, N) are the points that may take part. ``places`` (B, N, 2), in 0..1, are the points' positions in the image:
    the uncertainty is the cluster-robust one over the regions that they fall in (Liang and Zeger, Biometrika 1986),
    for depth is wrong in whole objects.
    """
    predicted, triangulated, valid = _usable(predicted, triangulated, valid)
    error = noise.unsqueeze(-1) / parallax.clamp(min=1e-9)
    ratio = predicted.clamp(min=1e-12).log() - triangulated.clamp(min=1e-12).log()
    middle = torch.where(valid & (error < options.accuracy), ratio, float("nan")).nanmedian(-1, keepdim=True).values
    error = error * (ratio - middle).exp()
    valid = valid & (error < options.accuracy)
    ratio = torch.where(valid, ratio, float("nan"))
    middle = ratio.nanmedian(-1, keepdim=True).values
    for _ in range(4):
        away = (ratio - middle).abs()
        spread = SPREAD * away.nanmedian(-1, keepdim=True).values
        variance = (spread.square() - _mean(error.square(), valid)).clamp(min=0) + error.square()
        reach = away.square() / (CUT**2 * variance.clamp(min=1e-12))
        weight = torch.where(valid, (1 - reach).clamp(min=0).square() / variance.clamp(min=1e-12), 0.0)
        middle = (weight * ratio.nan_to_num(0.0)).sum(-1, keepdim=True) / weight.sum(-1, keepdim=True).clamp(min=1e-12)
    deviation = _deviation(weight, (ratio - middle).nan_to_num(0.0), places, options.grid)
    deviation = deviation.clamp(min=options.least_deviation)
    known = (valid.sum(-1) >= options.least_points) & (deviation <= options.deviation)
    return Scale(torch.where(known, middle[:, 0].exp(), 1.0), deviation, known)


def both(a: Scale, b: Scale) -> Scale:
    """Two measurements of one scale, weighted with their precision; that which is known where the other is not."""
    precision_a, precision_b = (
        torch.where(x.known, x.deviation.clamp(min=1e-9).square().reciprocal(), 0.0) for x in (a, b)
    )
    total = precision_a + precision_b
    log = (precision_a * a.value.log() + precision_b * b.value.log()) / total.clamp(min=1e-12)
    known = a.known | b.known
    return Scale(log.exp(), torch.where(known, total.rsqrt(), torch.minimum(a.deviation, b.deviation)), known)


@torch.no_grad()
def prediction_scale(
    predicted: Tensor, triangulated: Tensor, valid: Tensor, *, outlier: float | None = None
) -> tuple[Tensor, Tensor]:
    """Triangulated over predicted depth (B,) of ``valid`` points (B, N), and whether it is known (B,); for losses.

    The median of D / d of triangulated D and predicted d, then, where ``outlier`` is given, the closed form
    sum(d/D) / sum((d/D)^2), which minimises sum (1 - a d/D)^2, over the points within that factor of the median (Zhao
    et al., CVPR 2020, section 3.3). A loss must be at its own minimum over the scale, or it drives the network's scale
    away: mean |log| goes with the median, the mean square with the closed form over all points (``inf``). Known where
    at least ``LEAST_POINTS`` took part; 1 elsewhere.
    """
    predicted, triangulated, valid = _usable(predicted, triangulated, valid)
    ratio = torch.where(valid, triangulated / torch.where(valid, predicted, 1.0), float("nan"))
    scale = ratio.nanmedian(-1).values.nan_to_num(1.0)
    if outlier is not None:
        median = scale.unsqueeze(-1)
        valid = valid & (ratio > median / outlier) & (ratio < median * outlier)
        fraction = torch.where(valid, 1 / torch.where(valid, ratio, 1.0), 0.0)
        scale = fraction.sum(-1) / fraction.square().sum(-1).clamp(min=1e-20)
    known = valid.sum(-1) >= LEAST_POINTS
    return torch.where(known, scale, 1.0), known


def _usable(predicted: Tensor, triangulated: Tensor, valid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Both depths in float32 or better, and the valid points at which both are depths."""
    predicted, triangulated = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (predicted, triangulated))
    positive = (predicted > 0) & (triangulated > 0) & predicted.isfinite() & triangulated.isfinite()
    return predicted, triangulated, positive & (valid > 0)


def _mean(values: Tensor, valid: Tensor) -> Tensor:
    count = valid.sum(-1, keepdim=True).clamp(min=1)
    return torch.where(valid, values, 0.0).sum(-1, keepdim=True) / count


def _deviation(weight: Tensor, residual: Tensor, places: Tensor, grid: tuple[int, int]) -> Tensor:
    """Standard deviation (B,) of a weighted mean whose residuals are correlated within each region."""
    rows, columns = grid
    column = (places[..., 0] * columns).long().clamp(0, columns - 1)
    row = (places[..., 1] * rows).long().clamp(0, rows - 1)
    region = row * columns + column
    sums = weight.new_zeros(len(weight), rows * columns).scatter_add(1, region, weight * residual)
    total = weight.sum(-1)
    return torch.where(total > 0, sums.square().sum(-1).sqrt() / total.clamp(min=1e-12), float("inf"))
