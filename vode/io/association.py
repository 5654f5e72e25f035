"""Which poses of an estimate and of the ground truth belong together: by frame index, or by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.frame_keys import Keyed, common_keys, numbers
from vode.io.trajectory import Trajectory

_FEW = 0.1
"""fraction of the poses that could match, below which two clocks are not the same"""
_MANY = 10
"""poses from which on such a fraction says something"""
_CHANCE = 0.05
"""fraction of the poses of either, below which they may match by chance alone"""


@dataclass(frozen=True)
class AssociationOptions:
    """How the frames of two trajectories are matched."""

    by: Literal["auto", "index", "time"] = "auto"
    """time where both have times, else frame numbers; asked about where neither is certain"""
    max_difference: float = 0.02
    """most seconds between two poses of one time"""


class Matches(NamedTuple):
    """Frames that an estimate and the ground truth share: M rows of each, and how they were found."""

    estimate: Trajectory
    ground_truth: Trajectory
    ground_truth_rows: Tensor
    by: str
    notes: tuple[str, ...] = ()


def associate(
    estimate: Trajectory, ground_truth: Trajectory, *, by: str = "auto", max_difference: float = 0.02
) -> Matches:
    """Match an estimate with the ground truth, by frame index or by nearest time.

    ``by`` is "index", "time", or "auto", which is time where both have timestamps and index where both have frame
    numbers; whole timestamps of one may be the frame numbers of the other, which ``notes`` say. By time, each estimated
    pose takes the nearest true one within ``max_difference`` seconds, and each true one is taken once.
    Raises InputError if nothing matches, if times are asked for and missing, and by "auto" if nothing tells for certain
    which poses belong together: times beside none, rows of every n-th frame, clocks that do not agree.
    """
    if by not in ("auto", "index", "time"):
        raise ValueError(f"by is auto, index or time, not {by!r}")
    if not max_difference >= 0:
        raise InputError(f"a time difference of {max_difference} s; give 0 or more", "max_time_difference")
    keyed = _keyed(estimate, ground_truth, by)
    estimate, ground_truth = keyed.estimate, keyed.ground_truth
    if keyed.by == "time":
        rows, ground_truth_rows = _by_times(estimate, ground_truth, max_difference, certain=by == "time")
    else:
        rows, ground_truth_rows = _match_indices(estimate.indices, ground_truth.indices)
    if len(rows) == 0:
        found = f"{estimate.name}: no frame matches {ground_truth.name} by {keyed.by}"
        if keyed.by == "index":
            raise InputError(f"{found}; check that both belong to one video")
        apart = f"their timestamps differ by more than {max_difference} s"
        raise InputError(f"{found}; {apart}: check the clocks", "time_offset", "max_time_difference")
    selected = estimate.select(rows), ground_truth.select(ground_truth_rows)
    return Matches(*selected, ground_truth_rows, keyed.by, keyed.notes)


def _keyed(estimate: Trajectory, ground_truth: Trajectory, by: str) -> Keyed:
    if by == "time" or not (len(estimate) and len(ground_truth)):
        return Keyed(estimate, ground_truth, "time" if by == "time" else "index")
    return numbers(estimate, ground_truth) if by == "index" else common_keys(estimate, ground_truth)


def _by_times(estimate: Trajectory, ground_truth: Trajectory, limit: float, *, certain: bool) -> tuple[Tensor, Tensor]:
    times, true_times = estimate.timestamps, ground_truth.timestamps
    if times is None or true_times is None:
        lacking = estimate if times is None else ground_truth
        raise InputError(
            f"{lacking.name}: no timestamps; match by index, or give the time of each frame", "by", "times"
        )
    rows, ground_truth_rows = _match_times(times, true_times, limit)
    few = f"{estimate.name}: {len(rows)} poses have one of {ground_truth.name} within {limit} s"
    if 0 < len(rows) < _FEW * _possible(times, true_times, limit):
        remedy = "check the clocks and their unit, or give the offset between them"
        raise InputError(f"{few}, of many at that time; {remedy}", "time_offset", "max_time_difference")
    count = len(times)
    if not certain and 0 < len(rows) < _CHANCE * min(count, len(true_times)):
        remedy = "check the clocks and their unit; match by time if so few are at the same time"
        raise InputError(f"{few}, of {count} and {len(true_times)}; {remedy}", "by", "time_offset")
    if not certain and count == len(true_times) >= _MANY and 0 < 2 * len(rows) < count:
        remedy = "check the clocks; match by index if these are the same frames, by time if they overlap in part"
        raise InputError(f"{few}, though both have {count}; {remedy}", "by", "time_offset")
    return rows, ground_truth_rows


def _possible(times: Tensor, true_times: Tensor, limit: float) -> int:
    """How many pairs there could be within the time of both, if that is many."""
    start = torch.maximum(times.min(), true_times.min()) - limit
    end = torch.minimum(times.max(), true_times.max()) + limit
    count = min(int(((x >= start) & (x <= end)).sum()) for x in (times, true_times))
    return count if count >= _MANY else 0


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
