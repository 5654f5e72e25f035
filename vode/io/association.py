"""Which poses of an estimate and of the ground truth belong together: by frame index, or by time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.trajectory import Trajectory


class Matches(NamedTuple):
    """Frames that an estimate and the ground truth share: M rows of each, and how they were found."""

    estimate: Trajectory
    ground_truth: Trajectory
    ground_truth_rows: Tensor
    by: str


def associate(
    estimate: Trajectory, ground_truth: Trajectory, *, by: str = "auto", max_difference: float = 0.02
) -> Matches:
    """Match an estimate with the ground truth, by frame index or by nearest time.

    ``by`` is "index", "time", or "auto": time where both have timestamps, else index. By time, each estimated
    pose takes the nearest true one within ``max_difference`` seconds, and each true one is taken once.
    Raises InputError if nothing matches, or times are asked for and missing.
    """
    if by not in ("auto", "index", "time"):
        raise ValueError(f"by is auto, index or time, not {by!r}")
    times, true_times = estimate.timestamps, ground_truth.timestamps
    if times is not None and true_times is not None and by != "index":
        rows, ground_truth_rows = _match_times(times, true_times, max_difference)
        how, remedy = "time", f"their timestamps differ by more than {max_difference} s: check the clocks"
    elif by == "time":
        lacking = estimate if times is None else ground_truth
        raise InputError(f"{lacking.name}: no timestamps; match by index, or give a TUM file")
    else:
        rows, ground_truth_rows = _match_indices(estimate.indices, ground_truth.indices)
        how, remedy = "index", "check that both belong to one video"
    if len(rows) == 0:
        raise InputError(f"{estimate.name}: no frame matches {ground_truth.name} by {how}; {remedy}")
    return Matches(estimate.select(rows), ground_truth.select(ground_truth_rows), ground_truth_rows, how)


def _match_indices(estimate: Tensor, ground_truth: Tensor) -> tuple[Tensor, Tensor]:
    if len(ground_truth) == 0:
        return torch.arange(0), torch.arange(0)
    order = ground_truth.argsort(stable=True)
    at = torch.searchsorted(ground_truth[order], estimate).clamp(max=len(ground_truth) - 1)
    same = ground_truth[order][at] == estimate
    return same.nonzero().flatten(), order[at[same]]


def _match_times(estimate: Tensor, ground_truth: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    if len(ground_truth) == 0 or len(estimate) == 0:
        return torch.arange(0), torch.arange(0)
    order = ground_truth.argsort(stable=True)
    after = torch.searchsorted(ground_truth[order], estimate).clamp(max=len(ground_truth) - 1)
    both = torch.stack([(after - 1).clamp(min=0), after])
    gaps = (ground_truth[order][both] - estimate).abs()
    nearest = gaps.argmin(dim=0)
    gap, taken = gaps.gather(0, nearest[None])[0], both.gather(0, nearest[None])[0]
    # Of the poses that want one true pose, the nearest keeps it.
    best = torch.full_like(ground_truth, float("inf")).scatter_reduce(0, taken, gap, "amin")
    rows = ((gap <= limit) & (gap == best[taken])).nonzero().flatten()
    first = torch.full_like(order, len(estimate)).scatter_reduce(0, taken[rows], rows, "amin")
    rows = rows[first[taken[rows]] == rows]
    return rows, order[taken[rows]]
