"""What the tests of several readers share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vode.datasets.base import Sequence
from vode.geometry import warp
from vode.geometry.camera import project, rays, transform
from vode.geometry.pose import inverse


def _disagreement(sequence: Sequence, i: int, j: int) -> float:
    """Median relative difference of the depth of frame j and that of frame i carried there by the poses."""
    T_j_i = (inverse(sequence.poses[j]) @ sequence.poses[i]).float()
    depth, there = sequence.depth(i), sequence.depth(j)
    height, width = sequence.size
    grid = warp.flow_target(torch.zeros(1, 2, height, width))[0].flatten(1).T
    points = transform(T_j_i, rays(grid, sequence.intrinsics) * depth.flatten()[:, None])
    pixels, z = project(points, sequence.intrinsics)
    inside = warp.inside(pixels.T.view(1, 2, height, width), sequence.size).flatten()
    known = (depth.flatten() > 0) & inside & (z > 0)
    column, row = pixels[known].round().long().unbind(-1)
    measured = there[0][row, column]
    return float((z[known][measured > 0] / measured[measured > 0] - 1).abs().median())


@pytest.fixture(scope="session")
def disagreement() -> Callable[[Sequence, int, int], float]:
    return _disagreement
