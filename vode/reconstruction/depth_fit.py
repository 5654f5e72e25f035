"""Depth of a network bent to the points that are triangulated in its image: what is smooth in its error goes away."""

from __future__ import annotations

import math

import torch
from torch import Tensor

LEAST_POINTS = 30
"""points from which on more than a factor is fitted"""
FEWEST = 8
"""points without which nothing is fitted"""
SOFTNESS = 0.08
"""difference of log depth, beyond which a point counts less and less"""
STIFFNESS = 3.0
"""points that weigh as much as what holds the bend to none"""
MOST = math.log(1.6)
"""largest change of log depth"""
ROUNDS = 10


def fit_depth(depth: Tensor, pixels: Tensor, z: Tensor) -> Tensor:
    """Depth (H, W), 0 = unknown, corrected by points at ``pixels`` (N, 2) with depth ``z`` (N,).

    The logarithm of the correction is linear in x, y and the logarithm of the depth, and fitted robustly
    (iteratively reweighted least squares with Cauchy's weights).
    """
    height, width = depth.shape
    column, row = pixels.round().long().unbind(-1)
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height) & (z > 0)
    column, row, z = column[inside], row[inside], z[inside].double()
    own = depth[row, column].double()
    known = own > 0
    if int(known.sum()) < FEWEST:
        return depth
    column, row, own, z = column[known], row[known], own[known], z[known]
    middle = float(own.log().median())
    terms = _terms(column.double(), row.double(), own, (height, width), middle)
    wanted = (z / own).log()
    if len(own) < LEAST_POINTS:
        terms = terms[:, :1]
    weights = torch.ones_like(wanted)
    hold = STIFFNESS * torch.eye(terms.shape[1], dtype=torch.float64)
    hold[0, 0] = 1e-6
    solution = torch.zeros(terms.shape[1], dtype=torch.float64)
    solution[0] = wanted.median()
    for _ in range(ROUNDS):
        weights = 1 / (1 + ((wanted - terms @ solution) / SOFTNESS).square())
        weighted = terms * weights[:, None]
        solution = torch.linalg.solve(weighted.mT @ terms + hold, weighted.mT @ wanted)
    y, x = torch.meshgrid(torch.arange(height).double(), torch.arange(width).double(), indexing="ij")
    safe = torch.where(depth > 0, depth, 1.0).double()
    every = _terms(x.flatten(), y.flatten(), safe.flatten(), (height, width), middle)[:, : len(solution)]
    change = solution[0] + (every @ solution - solution[0]).clamp(-MOST, MOST)
    return depth * change.exp().view(height, width).to(depth)


def _terms(x: Tensor, y: Tensor, depth: Tensor, size: tuple[int, int], middle: float) -> Tensor:
    """What the logarithm of the correction is made of (N, 4)."""
    away = (depth.log() - middle).clamp(-1.5, 1.5)
    return torch.stack([torch.ones_like(x), 2 * x / size[1] - 1, 2 * y / size[0] - 1, away], -1)
