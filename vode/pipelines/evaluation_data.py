"""The sequences that a run is evaluated on."""

from __future__ import annotations

from pathlib import Path

from vode.datasets.base import Sequence
from vode.datasets.kitti import leakage
from vode.datasets.registry import DATASETS, held_out_names, open_sequences
from vode.errors import InputError
from vode.pipelines.options import EvaluationData
from vode.run_folder import RunFolder
from vode.world import sequence as world


def evaluation_sequences(
    where: EvaluationData, size: tuple[int, int] | None, *, run: Path | None = None, also: tuple[str, ...] = ()
) -> list[Sequence]:
    """The sequences that are named, or the data set's test sequences; images of the world have ``size``.

    ``also`` are names of data sets that the message about an unknown one adds. InputError if the ``run`` was trained on
    a published test set among them.
    """
    if where.data is None:
        if size is None:
            raise InputError("name the folder of the data that was predicted")
        return [world.held_out_sequence(size)]
    if where.dataset not in DATASETS:
        known = ", ".join(dict.fromkeys([*DATASETS, *also]))
        raise InputError(f"no data set is called {where.dataset!r}; choose one of {known}")
    if len(where.camera) > 1:
        raise InputError(f"cameras {', '.join(map(str, where.camera))}: evaluation takes one camera; choose it")
    names = where.sequences or held_out_names(where)
    refuse_leak(where, run, names)
    return open_sequences(where, names)


def refuse_leak(where: EvaluationData, run: Path | None, names: tuple[str, ...] = ()) -> None:
    """InputError if a run has seen what it is to be tested on, and that is not overridden."""
    if run is not None and not where.allow_leak:
        leakage.refuse_testing(RunFolder(run).kitti_drives(), where.dataset, names)
