"""``vode data check`` and ``vode prepare``: what is on disk, and a copy of it that is read faster."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vode.cli.common import save_json
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.pipelines.options import CopyOptions

if TYPE_CHECKING:
    from vode.datasets.check import ListReport, Report, SequenceReport

WORKERS = os.cpu_count() or 1
SHOWN = 10
"""problems of a sequence, or missing sequences, that are printed; --json has all"""


def check(
    where: Annotated[DataOptions, tyro.conf.arg(name="")] = DataOptions(),
    annotated: Path | None = None,
    quick: bool = False,
    workers: int = WORKERS,
    json: Path | None = None,
) -> None:
    """Walk a data set and print what is in it, what is missing, and what is damaged, which gives status 2.

    Args:
        annotated: KITTI's annotated depth maps, for kitti-eigen-benchmark.
        quick: do not read the images.
        workers: files that are read at a time.
        json: file for the whole report.
    """
    from vode.datasets.check import check as check_data
    from vode.datasets.check import check_list

    listed = check_list(where, annotated=annotated)
    if listed is not None:
        _print_list(listed)
        content, problems = dataclasses.asdict(listed), 0
    else:
        with _progress() as on_progress:
            report = check_data(where, quick=quick, workers=workers, on_progress=on_progress)
        _print(report)
        content, problems = dataclasses.asdict(report) | {"problems": report.problems}, report.problems
    if json is not None:
        save_json(json, content)
    if problems:
        raise InputError(f"{where.data}: {problems} problems, named above; copy those files again")


def prepare(
    out: Path,
    where: Annotated[DataOptions, tyro.conf.arg(name="")] = DataOptions(),
    options: Annotated[CopyOptions, tyro.conf.arg(name="")] = CopyOptions(),
    workers: int = WORKERS,
) -> None:
    """Write a resized copy of a data set, for --data of training; run it again to resume after an interruption.

    Args:
        out: folder of the copy.
        workers: images that are worked on at a time.
    """
    from vode.pipelines.prepare import prepare_copy

    with _progress() as on_progress:
        sequences, written = prepare_copy(out, where, options, workers=workers, on_progress=on_progress)
    print(f"{out}: {len(sequences)} sequences, {written} images written; train with --data {out}")


def _print_list(report: ListReport) -> None:
    print(f"{report.dataset}: {report.frames - len(report.missing)} of {report.frames} test frames are there")
    for note in report.notes:
        print(f"  note: {note}")
    _some([f"{name}: {file}" for name, file in report.missing.items()], "missing")


def _print(report: Report) -> None:
    print(f"{report.dataset} in {report.data}: {len(report.sequences)} sequences")
    for sequence in report.sequences:
        print(_line(sequence))
        _some(sequence.problems, "problem")
    notes = Counter(note for sequence in report.sequences for note in sequence.notes)
    _some([f"{note} ({count} sequences)" if count > 1 else note for note, count in notes.items()], "note")
    frames = sum(sequence.frames for sequence in report.sequences)
    print(f"in all {frames} frames, {report.problems} problems, {len(report.missing)} of the official list missing")
    _some(report.missing, "missing")


def _line(sequence: SequenceReport) -> str:
    if sequence.size is None:
        return f"{sequence.name}, camera {sequence.camera}: cannot be opened"
    height, width = sequence.size
    camera = ", ".join(f"{name} {value:.1f}" for name, value in sequence.intrinsics.items())
    ground_truth = [name for name in ("poses", "timestamps") if getattr(sequence, name)]
    ground_truth += [f"{name} of {count}" for name in ("depth", "flow") if (count := getattr(sequence, name))]
    starts = "" if sequence.starts is None else f"; {sequence.starts} to train on"
    return (
        f"{sequence.name}, camera {sequence.camera}: {sequence.frames} frames{starts}; {width}x{height}; {camera}; "
        f"truth: {', '.join(ground_truth) or 'none'}"
    )


def _some(lines: list[str], kind: str) -> None:
    for line in lines[:SHOWN]:
        print(f"  {kind}: {line}")
    if len(lines) > SHOWN:
        print(f"  and {len(lines) - SHOWN} more; --json has all")


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar a sequence on the error stream, and a function that moves it."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        tasks = {}

        def on_progress(name: str, done: int, total: int) -> None:
            if name not in tasks or done == 1:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done)
            if done == total:
                progress.remove_task(tasks.pop(name))

        yield on_progress
