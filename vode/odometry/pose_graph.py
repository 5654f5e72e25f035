"""Pose graph over similarities: poses and scales of keyframes from measured relative ones, by sparse least squares.

Strasdat, Montiel, Davison, Scale Drift-Aware Large Scale Monocular SLAM, RSS 2010.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from scipy import sparse
from scipy.sparse.linalg import splu
from torch import Tensor

from vode.geometry import similarity

SIZE = 7
"""unknowns of a node"""
ITERATIONS = 100
"""most steps that are tried"""
CONVERGED = 1e-16
"""gain of a step, relative to the cost, below which it is the last"""
ROUNDING = 1e-12
"""relative rise of the cost that passes for none"""
NOTHING = 1e-20
"""cost that is rounding alone"""
DAMPING = (1e-6, 10.0, 1e8)
"""damping after the first step that fails, relative to the diagonal; factor of a change; where it is given up"""


@dataclass(frozen=True)
class PoseGraph:
    """N nodes and E measurements between two of them, float64 on the processor."""

    nodes: Tensor
    """(N, 4, 4) similarities, world-from-node"""
    first: Tensor
    """int64 (E,): the node a measurement starts from"""
    second: Tensor
    """int64 (E,)"""
    measured: Tensor
    """(E, 4, 4) similarities, first-from-second"""
    information: Tensor
    """(E, 7, 7) inverse covariance of the measurements, in the axes of the second node"""


class Solution(NamedTuple):
    """What a pose graph was optimised to."""

    nodes: Tensor
    """(N, 4, 4), the first as it was"""
    cost: float
    """half the sum of squared errors, weighted with the information"""
    converged: bool


def residuals(graph: PoseGraph) -> Tensor:
    """Errors (E, 7): tangents from what is measured to what the nodes say."""
    between = similarity.inverse(graph.nodes[graph.first]) @ graph.nodes[graph.second]
    return similarity.log(similarity.inverse(graph.measured) @ between)


def optimize(graph: PoseGraph, *, precision: float = CONVERGED) -> Solution:
    """Nodes of least squared error, all but the first free.

    Gauss-Newton, damped where a step fails (Levenberg-Marquardt), until a step gains less than ``precision``, relative
    to the cost. Measurements must connect every node with the first; ValueError where they do not.
    """
    _check(graph)
    damping, cost = 0.0, _cost(graph)
    matrix, gradient = _normal_equations(graph)
    for _ in range(ITERATIONS):
        step = _solve(matrix, gradient, damping)
        moved = graph if step is None else replace(graph, nodes=graph.nodes @ similarity.exp(step))
        after = np.inf if step is None else _cost(moved)
        if step is None or after > cost * (1 + ROUNDING) + NOTHING:
            damping = max(damping * DAMPING[1], DAMPING[0])
            if damping > DAMPING[2]:
                break
            continue
        expected = -0.5 * float(gradient @ step[1:].flatten().numpy())
        graph, cost = moved, after
        if damping < DAMPING[0] and expected <= precision * cost + NOTHING:
            return Solution(graph.nodes, cost, True)
        damping = damping / DAMPING[1] if damping > DAMPING[0] else 0.0
        matrix, gradient = _normal_equations(graph)
    return Solution(graph.nodes, cost, False)


def _check(graph: PoseGraph) -> None:
    count = len(graph.nodes)
    ones = np.ones(len(graph.first))
    links = sparse.coo_array((ones, (graph.first.numpy(), graph.second.numpy())), shape=(count, count))
    parts, _ = sparse.csgraph.connected_components(links, directed=False)
    if parts > 1:
        raise ValueError(f"the measurements leave {parts} parts that nothing connects")


def _cost(graph: PoseGraph) -> float:
    error = residuals(graph)
    return 0.5 * float(torch.einsum("ei,eij,ej->", error, graph.information, error))


def _normal_equations(graph: PoseGraph) -> tuple[sparse.csc_array, np.ndarray]:
    """Matrix and gradient over the free nodes, each moved by a tangent in its own axes."""
    error = residuals(graph)
    own = similarity.right_jacobian_inverse(error)
    back = similarity.inverse(graph.nodes[graph.second]) @ graph.nodes[graph.first]
    slopes = torch.stack([-own @ similarity.adjoint(back), own], 1)
    weighted = graph.information[:, None] @ slopes
    blocks = slopes.mT[:, :, None] @ weighted[:, None]
    gradient = (weighted.mT @ error[:, None, :, None])[..., 0]

    ends = torch.stack([graph.first, graph.second], 1)
    count = SIZE * len(graph.nodes)
    total = torch.zeros(len(graph.nodes), SIZE, dtype=error.dtype).index_add_(0, ends.flatten(), gradient.flatten(0, 1))
    unknown = SIZE * ends[..., None] + torch.arange(SIZE)
    rows, columns = torch.broadcast_tensors(unknown[:, :, None, :, None], unknown[:, None, :, None, :])
    entries = (blocks.flatten().numpy(), (rows.flatten().numpy(), columns.flatten().numpy()))
    matrix = sparse.coo_array(entries, shape=(count, count)).tocsc()
    return matrix[SIZE:, SIZE:], total[1:].flatten().numpy()


def _solve(matrix: sparse.csc_array, gradient: np.ndarray, damping: float) -> Tensor | None:
    """Step (N, 7) of the nodes, that of the first zero; None where the matrix is singular."""
    if damping:
        matrix = (matrix + sparse.diags_array(damping * matrix.diagonal())).tocsc()
    try:
        solver = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:
        return None
    step = torch.from_numpy(-solver.solve(gradient)).view(-1, SIZE)
    return torch.cat([torch.zeros(1, SIZE, dtype=step.dtype), step])
