"""What tells the frames of two trajectories apart: their times or their numbers, and what is to be said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.trajectory import Trajectory
from vode.io.trajectory_formats.clock import UNITS, Times

_MOST_FRAMES = 1e6
"""whole numbers below it may be frame numbers"""
_STRAY = 2
"""frames at the end that a trajectory may lack without a word"""
_RATES = 8.0
"""most by which the rates of frames of two clocks in one unit differ"""
_ALIKE = 0.9
"""fraction of a duration, or of the poses, that is nearly all of it"""


class Keyed(NamedTuple):
    """Two trajectories whose frames are told apart alike: ``by`` "time", or by "index", their frame numbers."""

    estimate: Trajectory
    ground_truth: Trajectory
    by: str
    notes: tuple[str, ...] = ()

    def with_one(self, old: Trajectory, new: Trajectory, note: str, by: str) -> Keyed:
        """The same with ``new`` in the place of ``old``, and a note that says so."""
        estimate = new if self.estimate is old else self.estimate
        ground_truth = new if self.ground_truth is old else self.ground_truth
        return Keyed(estimate, ground_truth, by, (*self.notes, note))


def common_keys(estimate: Trajectory, ground_truth: Trajectory) -> Keyed:
    """Times where both have them, else frame numbers where both have those; whole timestamps may be frame numbers.

    Raises InputError where nothing tells which poses belong together, or where the numbers can be read in two ways.
    """
    times, true_times = estimate.timestamps, ground_truth.timestamps
    if times is None and true_times is None:
        return _dense(Keyed(estimate, ground_truth, "index"))
    if times is not None and true_times is not None:
        return _by_times(estimate, ground_truth)
    return _times_beside_none(estimate, ground_truth)


def numbers(estimate: Trajectory, ground_truth: Trajectory) -> Keyed:
    """Frame numbers, never asked about: those known, whole timestamps of one alone, or the places of the rows."""
    both = Keyed(estimate, ground_truth, "index")
    for timed, other in ((estimate, ground_truth), (ground_truth, estimate)):
        if _has_whole_times(timed) and not _has_whole_times(other) and _rows(timed) != _rows(other):
            return _by_whole_times(both, timed, other) or both
    return both


def with_times(trajectory: Trajectory, times: Times, name: str, by: str = "auto") -> Trajectory:
    """The same poses at the ``times`` of their frames, of a file ``name``; one that has times of its own as it is.

    Timestamps that are frame numbers give way, and a note says so; ``by`` "time" says that they are none. InputError if
    the frames are unknown or not among these.
    """
    seconds, notes = times.seconds, times.note(name)
    if trajectory.timestamps is None:
        _check_density(trajectory, len(seconds), name)
        frames = trajectory.indices
    elif by != "time" and _has_whole_times(trajectory) and not _of_one_video(trajectory.timestamps, seconds):
        if by == "auto" and _fraction_within(trajectory.timestamps, seconds) >= 0.5:
            _check_reach(trajectory, len(seconds), name)
        frames = trajectory.timestamps.to(torch.int64)
        notes += (f"{trajectory.name}: its timestamps are whole numbers, taken as frame numbers of {name}",)
    else:
        return trajectory
    if len(frames) and int(frames.max()) >= len(seconds):
        raise InputError(
            f"{name}: {len(seconds)} times, but {trajectory.name} has a frame {int(frames.max())}, counted "
            "from 0; give a time for each frame",
            "times",
        )
    provenance = replace(trajectory.provenance, notes=(*trajectory.provenance.notes, *notes))
    return replace(trajectory, timestamps=seconds[frames], indices=frames, provenance=provenance)


def _times_beside_none(estimate: Trajectory, ground_truth: Trajectory) -> Keyed:
    timed, other = (ground_truth, estimate) if estimate.timestamps is None else (estimate, ground_truth)
    both = Keyed(estimate, ground_truth, "index")
    if timed.provenance.numbered:
        return _dense(both)
    known = _row_by_row(both, timed, other)
    if known is None and (known := _by_whole_times(both, timed, other)) is not None:
        _check_reach(timed, _extent(other), other.name)
    if known is not None:
        return _dense(known)
    raise InputError(
        f"{timed.name}: it has times and {other.name} has none, so nothing says which poses belong together; give the "
        "time of each frame (times, such as KITTI's times.txt)",
        "times",
    )


def _by_times(estimate: Trajectory, ground_truth: Trajectory) -> Keyed:
    both = _in_one_unit(Keyed(estimate, ground_truth, "time"))
    if both.notes:
        return both
    for whole, other in ((estimate, ground_truth), (ground_truth, estimate)):
        if _has_whole_times(whole) and _has_fractions(other):
            return _whole_beside_fractions(both, whole, other)
    return both


def _whole_beside_fractions(both: Keyed, whole: Trajectory, other: Trajectory) -> Keyed:
    """Whether whole timestamps are seconds, as those of the ``other``, or the numbers of its frames."""
    stamps, seconds = _times_of(whole), _times_of(other)
    if _of_one_video(stamps, seconds):
        return both
    if _fraction_within(stamps, seconds) >= 0.5:
        if float(stamps.max()) >= _extent(other):
            return both
        raise InputError(
            f"{whole.name}: its timestamps are whole numbers, which may be seconds or frame numbers beside "
            f"{other.name}; say which: match by time, or by index",
            "by",
        )
    known = _by_whole_times(both, whole, other) if other.provenance.numbered else _row_by_row(both, whole, other)
    if known is not None:
        return _dense(known)
    raise InputError(
        f"{whole.name}: its timestamps are whole numbers, as of frames, and those of {other.name} are not; give "
        "the time of each frame (times, such as KITTI's times.txt), or match by time if they are seconds",
        "times",
        "by",
    )


def _in_one_unit(both: Keyed) -> Keyed:
    """Both in seconds, where the times of one last a thousand, a million or a billion times as long."""
    for long, other in ((both.estimate, both.ground_truth), (both.ground_truth, both.estimate)):
        times, seconds = _times_of(long), _times_of(other)
        for unit, length in UNITS.items():
            scaled = times * length
            ratio = _duration(scaled) / max(_duration(seconds), 1e-9)
            rate = _step(scaled) / max(_step(seconds), 1e-9)
            # as long as the other, or parts of it, or the other of them, with frames at about the same rate
            partly = 0.25 <= ratio <= 4 or _fraction_within(times, seconds) < 0.5
            comparable = _ALIKE <= ratio <= 1 / _ALIKE or (partly and 1 / _RATES <= rate <= _RATES)
            if comparable and max(_fraction_within(scaled, seconds), _fraction_within(seconds, scaled)) >= _ALIKE:
                note = f"{long.name}: times are taken as {unit}, as those of {other.name} are seconds"
                return both.with_one(long, replace(long, timestamps=scaled), note, "time")
    return both


def _row_by_row(both: Keyed, timed: Trajectory, other: Trajectory) -> Keyed | None:
    """By the places of rows, if both have as many."""
    if _rows(timed) != _rows(other) or _extent(other) > _rows(other):
        return None
    count = _rows(timed)
    note = (
        f"{timed.name} and {other.name} have no times or frame numbers in common, but {count} poses each, "
        "which are matched in order"
    )
    return both.with_one(timed, timed, note, "index")


def _by_whole_times(both: Keyed, timed: Trajectory, other: Trajectory) -> Keyed | None:
    """By the timestamps of ``timed`` as frame numbers, if whole, and among the frames of the ``other`` or 0..N-1."""
    if not _has_whole_times(timed):
        return None
    frames = _times_of(timed).to(torch.int64)
    if int(frames.max()) >= _extent(other) and not torch.equal(frames, torch.arange(len(frames))):
        return None
    numbered = replace(timed, indices=frames, provenance=replace(timed.provenance, numbered=True))
    note = f"{timed.name}: its timestamps are whole numbers, taken as the frame numbers of {other.name}, counted from 0"
    return both.with_one(timed, numbered, note, "index")


def _dense(keyed: Keyed) -> Keyed:
    """The same, if neither may lack frames of the other that rows without frame numbers do not name."""
    for one, other in ((keyed.estimate, keyed.ground_truth), (keyed.ground_truth, keyed.estimate)):
        _check_density(one, _extent(other), other.name)
        _check_start(one, other)
    return keyed


def _check_density(trajectory: Trajectory, frames: int, name: str) -> None:
    """InputError if rows without frame numbers are fewer than the frames of ``name``, by more than ``_STRAY``."""
    count = _rows(trajectory)
    if not trajectory.provenance.numbered and count < max(frames - _STRAY, 1):
        raise InputError(
            f"{trajectory.name}: {count} poses that do not say of which frames they are, beside {frames} of {name}; "
            "write the frame number first in each row (13 numbers), give the time of each row, or match by index if "
            f"they are the first {count} frames",
            "times",
            "by",
        )


def _check_start(numbered: Trajectory, dense: Trajectory) -> None:
    """InputError if frame numbers that end one after the last row of the other seem to be counted from 1."""
    if dense.provenance.numbered or not numbered.provenance.numbered or not len(numbered):
        return
    first, last = int(numbered.indices.min()), int(numbered.indices.max())
    if first > 0 and last == _rows(dense):
        raise InputError(
            f"{numbered.name}: frames {first} to {last}, beside {last} of {dense.name}, which are counted from 0; "
            "number them from 0, or match by index if they are so already",
            "by",
        )


def _check_reach(trajectory: Trajectory, frames: int, name: str) -> None:
    """InputError if whole timestamps end in the first half of the frames of ``name``: seconds would do so too."""
    last = int(_times_of(trajectory).max())
    if 2 * (last + 1) <= frames + 1:
        raise InputError(
            f"{trajectory.name}: its timestamps are whole numbers up to {last}, seconds or frame numbers of the "
            f"{frames} of {name}; match by index if they are frame numbers, by time, with the "
            "times of all frames, if they are seconds",
            "times",
            "by",
        )


def _rows(trajectory: Trajectory) -> int:
    """Rows of the file, with those that hold no pose."""
    return len(trajectory) + trajectory.dropped


def _extent(trajectory: Trajectory) -> int:
    """Number of the first frame after all."""
    return int(trajectory.indices.max()) + 1 if len(trajectory) else 0


def _times_of(trajectory: Trajectory) -> Tensor:
    assert trajectory.timestamps is not None
    return trajectory.timestamps


def _has_whole_times(trajectory: Trajectory) -> bool:
    """Whether its timestamps could be frame numbers: three or more, whole, none negative, none too large."""
    times = trajectory.timestamps
    if times is None or len(times) < 3:
        return False
    return bool(((times == times.round()) & (times >= 0) & (times < _MOST_FRAMES)).all())


def _has_fractions(trajectory: Trajectory) -> bool:
    times = _times_of(trajectory)
    return bool((times != times.round()).any())


def _duration(times: Tensor) -> float:
    return float(times.max() - times.min()) if len(times) else 0.0


def _step(times: Tensor) -> float:
    """The usual time between two poses."""
    return float(times.sort().values.diff().median()) if len(times) > 1 else 0.0


def _fraction_within(times: Tensor, others: Tensor) -> float:
    """Fraction of times between the first and the last of the others."""
    if len(times) == 0 or len(others) == 0:
        return 0.0
    return float(((times >= others.min()) & (times <= others.max())).double().mean())


def _of_one_video(times: Tensor, others: Tensor) -> bool:
    """Whether two clocks begin and end at about the same time, but for a step of the first."""
    step = _step(times)
    short, long = sorted((_duration(times), _duration(others)))
    overlap = (short + step) / max(long, 1e-9)
    return overlap >= _ALIKE and max(_fraction_within(times, others), _fraction_within(others, times)) >= _ALIKE
