"""The scale of single motions against the ground truth: what drifts under an alignment of the whole path."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.io.association import associate
from vode.io.trajectory import Trajectory

STANDING = 0.1
"""true motions shorter than this fraction of the median one tell no scale"""
PARTS = 10
"""of the path, of which the median scale is given"""


def frame_scales(estimate: Trajectory, ground_truth: Trajectory, rows: Tensor) -> Tensor:
    """True over estimated length of the motions from ``rows`` (M,) to the next ones: (M,), NaN where one is at rest."""
    estimated, true = (x.positions.diff(dim=0).norm(dim=-1)[rows] for x in (estimate, ground_truth))
    moves = (true > STANDING * true.median()) & (estimated > 0) if len(rows) else true > 0
    return torch.where(moves, true / estimated.clamp(min=1e-300), torch.nan)


def consecutive(trajectory: Trajectory) -> Tensor:
    """The rows of frames that the next row's follows at once."""
    return (trajectory.indices.diff() == 1).nonzero().flatten()


def scale_by_distance(estimate: Trajectory, ground_truth: Trajectory) -> tuple[Tensor, Tensor]:
    """Distance (M,) along the true path, in metres, where each motion that tells a scale begins, and that scale (M,).

    The estimate's frames are some of the ground truth's, by number or time.
    """
    matches = associate(estimate, ground_truth)
    rows = consecutive(matches.ground_truth)
    scales = frame_scales(matches.estimate, matches.ground_truth, rows)
    known = scales.isfinite()
    return ground_truth.distances()[matches.ground_truth_rows][rows][known], scales[known]


def scale_deviation(scales: Tensor) -> float | None:
    """Standard deviation of the logarithm of the scales; None of fewer than two."""
    log = scales[scales.isfinite()].log()
    return float(log.std()) if len(log) > 1 else None


def scale_along_path(scales: Tensor) -> dict[str, float]:
    """The median scale of each tenth of the motions, in per cent of the path, without those that tell none."""
    parts = scales.tensor_split(PARTS)
    medians = {f"{100 // PARTS * (i + 1)}": part[part.isfinite()].median() for i, part in enumerate(parts) if len(part)}
    return {name: float(value) for name, value in medians.items() if value.isfinite()}
