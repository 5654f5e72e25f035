"""Epipolar loss: distance of flow from the epipolar lines of a motion (Zhao et al., CVPR 2020, section 3.2)."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.epipolar import epipolar_distance
from vode.losses.masked import masked_mean
from vode.losses.options import GeometryLossOptions

NOISE, OUTLIER = 0.1, 0.5
"""range in pixels of the distances that are penalised"""


def epipolar(fundamental: Tensor, points_a: Tensor, points_b: Tensor, weights: Tensor) -> Tensor:
    """Mean distance in pixels (B,) of points_b from the epipolar lines of points_a, over 0.1 < D < 0.5 px.

    fundamental (B, 3, 3), points (B, N, 2), weights (B, N). Smaller distances are noise, larger ones other motions.
    """
    distance = epipolar_distance(fundamental, points_a, points_b)
    kept = (distance > NOISE) & (distance < OUTLIER)
    return masked_mean(distance, kept * weights)


def epipolar_loss(
    flow_ab: Tensor, fundamental: Tensor, mask: Tensor, options: GeometryLossOptions = GeometryLossOptions()
) -> Tensor:
    """``epipolar`` (B,) of all pixels of a flow (B, 2, H, W), or of those of ``mask`` (B, 1, H, W), by the options."""
    target = warp.flow_target(flow_ab)
    grid = (target - flow_ab).detach()
    weights = mask if options.epipolar == "visible" else torch.ones_like(mask)
    return epipolar(fundamental, grid.flatten(2).mT, target.flatten(2).mT, weights.flatten(1))
