"""What a run is evaluated on."""

from __future__ import annotations

from pathlib import Path

from vode.datasets.base import Sequence
from vode.datasets.dataset import Dataset
from vode.datasets.kitti import leakage
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.pipelines.options import EvaluationData
from vode.run_folder import find_run
from vode.world.options import WorldOptions
from vode.world.sequence import held_out_sequence


def evaluation_sequences(where: EvaluationData, size: tuple[int, int], *, run: Path | None = None) -> list[Sequence]:
    """The sequences that are named, or the data set's test sequences; images of the world have ``size``.

    InputError if the ``run`` was trained on a published test set among them.
    """
    dataset = evaluation_dataset(where, size)
    if dataset is None:
        return [held_out_sequence(size)]
    if len(where.camera) > 1:
        cameras = ", ".join(map(str, where.camera))
        raise InputError(f"cameras {cameras}: evaluation takes one camera; choose it", "camera")
    names = dataset.chosen("test")
    refuse_leak(where, run, names)
    return dataset.open_all(names)


def evaluation_dataset(where: EvaluationData, size: tuple[int, int] | None, **offered: object) -> Dataset | None:
    """The data set that is named, images of the world having ``size``; None for the world's held-out sequence.

    InputError where a data set or sequences are named, but no folder that holds them.
    """
    if where.data is None and not where.sequences and where.dataset == EvaluationData().dataset:
        return None
    return open_dataset(where, world=WorldOptions() if size is None else WorldOptions(size=size), **offered)


def refuse_leak(where: EvaluationData, run: Path | None, names: tuple[str, ...] = ()) -> None:
    """InputError if a run has seen what it is to be tested on, and that is not overridden."""
    if run is not None and not where.allow_leak:
        leakage.refuse_testing(find_run(run).kitti_drives(), where.dataset, names)
