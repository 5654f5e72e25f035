"""What a data set on disk holds, what it lacks, and what in it is damaged."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vode.datasets.base import Capability, Sequence
from vode.datasets.dataset import Dataset
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
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
    """frames with ground truth depth"""
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
        """How many the sequences have together."""
        return sum(len(sequence.problems) for sequence in self.sequences)


@dataclass
class ListReport:
    """What was found of a list of single test frames."""

    dataset: str
    data: str
    frames: int
    """on the list"""
    missing: dict[str, str]
    """the first file that is not there of each frame that lacks one, by the frame's name"""
    notes: tuple[str, ...] = ()


def check(
    options: DataOptions, *, quick: bool = False, workers: int = 2, on_progress: OnProgress = lambda *_: None
) -> Report:
    """Look at the sequences that are named, or at all that are on disk; ``quick`` reads no images.

    InputError if the data set cannot be found at all; what is wrong with a sequence is a problem in its report.
    """
    dataset = open_dataset(options)
    names = dataset.chosen("all")
    if not names:
        raise InputError(f"{options.data}: no sequence of {options.dataset} in it; check the folder", "data", "dataset")
    report = Report(options.dataset, str(options.data))
    for name in names:
        for camera in options.cameras:
            try:
                sequence = dataset.open(name, camera)
            except InputError as error:
                report.sequences.append(SequenceReport(name, camera, problems=[str(error)]))
                continue
            found = _check_sequence(sequence, name, camera)
            if not quick:
                found.problems += _unreadable(sequence, workers, on_progress) + _map_problems(sequence)
            report.sequences.append(found)
    if not options.sequences:
        report.missing = _missing(dataset, report)
    return report


def check_list(options: DataOptions, **offered: Any) -> ListReport | None:
    """Which frames of a data set's list of test frames are there; None if it has no such list.

    ``offered`` are options of single sets, as ``open_dataset`` has them. InputError if the set cannot be found.
    """
    frames = open_dataset(options, **offered).test_frames()
    if frames is None:
        return None
    names = frames.names()
    missing = {names[i]: str(file) for i, file in frames.missing().items()}
    return ListReport(options.dataset, str(options.data), len(frames), missing, frames.notes)


def _check_sequence(sequence: Sequence, name: str, camera: int) -> SequenceReport:
    """What can be told without reading images."""
    (fx, _, cx), (_, fy, cy), _ = sequence.intrinsics.tolist()
    frames = range(len(sequence))
    report = SequenceReport(
        name,
        camera,
        frames=len(sequence),
        size=(sequence.size[0], sequence.size[1]),
        intrinsics={"fx": fx, "fy": fy, "cx": cx, "cy": cy},
        poses=sequence.poses is not None,
        timestamps=sequence.timestamps is not None,
        depth=sum(map(sequence.has_depth, frames)),
        flow=sum(map(sequence.has_flow, frames)),
        starts=None if sequence.starts is None else len(sequence.starts),
        notes=sequence.notes,
    )
    report.notes += _missing_depth_note(sequence)
    report.problems += _timestamp_problems(sequence.timestamps) + _pose_problems(sequence.poses)
    return report


def _missing_depth_note(sequence: Sequence) -> tuple[str, ...]:
    """A note that counts the frames without depth of a sequence that is to have it for all."""
    if Capability.DEPTH not in sequence.capabilities or sequence.sparse_depth:
        return ()
    lacking = [i for i in range(len(sequence)) if not sequence.has_depth(i)]
    first = f"first that of {sequence.frame_name(lacking[0])}" if lacking else ""
    return (f"depth of {len(lacking)} of {len(sequence)} frames is missing, {first}",) if lacking else ()


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
    depth, flow, right = sequence.has_depth(index), sequence.has_flow(index), sequence.has_right(index)
    kinds = {sequence.frame: True, sequence.depth: depth, sequence.flow: flow, sequence.right: right}
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
    return [
        f"{len(back)} of {len(timestamps)} timestamps are not after the one before, first that of frame {int(back[0])}"
    ]


def _pose_problems(poses: Tensor | None) -> list[str]:
    if poses is None or bool(torch.isfinite(poses).all()):
        return []
    bad = (~torch.isfinite(poses).flatten(1).all(1)).nonzero()[:, 0]
    return [f"{len(bad)} of {len(poses)} poses are not finite, first that of frame {int(bad[0])}"]


def _missing(dataset: Dataset, report: Report) -> list[str]:
    """Sequences that are not there, and those that are too short."""
    there: dict[str, int] = {}
    for sequence in report.sequences:
        there[sequence.name] = max(there.get(sequence.name, 0), sequence.frames)
    lines = []
    for name, wanted in dataset.official().items():
        count = there[name] if name in there else _frames(dataset, name)
        if count == 0:
            lines.append(f"{name}: none of {wanted} frames")
        elif count < wanted:
            lines.append(f"{name}: {count} of {wanted} frames")
    return lines


def _frames(dataset: Dataset, name: str) -> int:
    """The frames of a sequence that is not among those that were looked at; 0 if it cannot be opened."""
    try:
        return len(dataset.open(name))
    except InputError:
        return 0
