"""What a data set on disk holds, what it lacks, and what in it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from vode.datasets.base import Sequence
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_sequence, reader
from vode.errors import InputError

OnProgress = Callable[[str, int, int], None]
"""is told a sequence's name, how many of its frames are read, and their total"""


@dataclass
class SequenceReport:
    """What was found of one sequence, seen by one camera."""

    name: str
    camera: int
    frames: int = 0
    size: tuple[int, int] | None = None
    """height and width"""
    intrinsics: dict[str, float] = field(default_factory=dict)
    """fx, fy, cx, cy in pixels"""
    poses: bool = False
    timestamps: bool = False
    depth: int = 0
    """frames with true depth"""
    flow: int = 0
    starts: int | None = None
    """frames that training may start at, where these are not all"""
    notes: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)


@dataclass
class Report:
    """What was found of a data set."""

    dataset: str
    data: str
    sequences: list[SequenceReport] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """what the official list has and the disk has not"""

    @property
    def problems(self) -> int:
        return sum(len(sequence.problems) for sequence in self.sequences)


def check(
    options: DataOptions, *, quick: bool = False, workers: int = 2, on_progress: OnProgress = lambda *_: None
) -> Report:
    """Look at the sequences that are named, or at all that are on disk; ``quick`` reads no images.

    InputError if the data set cannot be found at all; what is wrong with a sequence is a problem in its report.
    """
    found = reader(options)
    names = options.sequences or found.names(options.data)
    if not names:
        raise InputError(f"{options.data}: no sequence of {options.dataset} in it; check --data and --dataset")
    report = Report(options.dataset, str(options.data))
    for name in names:
        for camera in options.camera:
            report.sequences.append(_check_sequence(options, name, camera, quick, workers, on_progress))
    if hasattr(found, "official") and not options.sequences:
        report.missing = _missing(options, found.official(options.data), report)
    return report


def _check_sequence(
    options: DataOptions, name: str, camera: int, quick: bool, workers: int, on_progress: OnProgress
) -> SequenceReport:
    try:
        sequence = open_sequence(options, name, camera)
    except InputError as error:
        return SequenceReport(name, camera, problems=[str(error)])
    (fx, _, cx), (_, fy, cy), _ = sequence.intrinsics.tolist()
    frames = range(len(sequence))
    report = SequenceReport(
        name,
        camera,
        frames=len(sequence),
        size=tuple(sequence.size),
        intrinsics={"fx": fx, "fy": fy, "cx": cx, "cy": cy},
        poses=sequence.poses is not None,
        timestamps=sequence.timestamps is not None,
        depth=sum(map(sequence.has_depth, frames)),
        flow=sum(map(sequence.has_flow, frames)),
        starts=None if sequence.starts is None else len(sequence.starts),
        notes=sequence.notes,
    )
    report.problems += _timestamp_problems(sequence.timestamps) + _pose_problems(sequence.poses)
    if not quick:
        report.problems += _unreadable(sequence, workers, on_progress) + _map_problems(sequence)
    return report


def _unreadable(sequence: Sequence, workers: int, on_progress: OnProgress) -> list[str]:
    """One line for every image, depth map or flow that cannot be read."""
    problems: list[str] = []
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        for done, errors in enumerate(pool.map(partial(_read, sequence), range(len(sequence))), start=1):
            problems += errors
            on_progress(sequence.name, done, len(sequence))
    return problems


def _read(sequence: Sequence, index: int) -> list[str]:
    errors = []
    kinds = {sequence.frame: True, sequence.depth: sequence.has_depth(index), sequence.flow: sequence.has_flow(index)}
    for read, there in kinds.items():
        try:
            if there:
                read(index)
        except InputError as error:
            errors.append(str(error))
    return errors


def _map_problems(sequence: Sequence) -> list[str]:
    """What is wrong with the points of a scene, which are read for all of its frames at once."""
    try:
        sequence.points(0)
    except InputError as error:
        return [str(error)]
    return []


def _timestamp_problems(timestamps: Tensor | None) -> list[str]:
    if timestamps is None or len(timestamps) < 2:
        return []
    back = (timestamps.diff() <= 0).nonzero()[:, 0] + 1
    if not len(back):
        return []
    return [f"{len(back)} of {len(timestamps)} stamps are not after the one before, first that of frame {int(back[0])}"]


def _pose_problems(poses: Tensor | None) -> list[str]:
    if poses is None or bool(torch.isfinite(poses).all()):
        return []
    bad = (~torch.isfinite(poses).flatten(1).all(1)).nonzero()[:, 0]
    return [f"{len(bad)} of {len(poses)} poses are not finite, first that of frame {int(bad[0])}"]


def _missing(options: DataOptions, official: dict[str, int], report: Report) -> list[str]:
    """Sequences that are not there, and those that are too short."""
    there: dict[str, int] = {}
    for sequence in report.sequences:
        there[sequence.name] = max(there.get(sequence.name, 0), sequence.frames)
    lines = []
    for name, wanted in official.items():
        count = there[name] if name in there else _frames(options, name)
        if count == 0:
            lines.append(f"{name}: none of {wanted} frames")
        elif count < wanted:
            lines.append(f"{name}: {count} of {wanted} frames")
    return lines


def _frames(options: DataOptions, name: str) -> int:
    """The frames of a sequence that is not among those that were looked at; 0 if it cannot be opened."""
    try:
        return len(open_sequence(options, name, options.camera[0]))
    except InputError:
        return 0
