"""A resized copy of a data set, which is read faster than the originals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vode.datasets import prepared
from vode.datasets.dataset import Dataset
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.pipelines.options import CopyOptions


def prepare_copy(
    out: Path,
    where: DataOptions,
    options: CopyOptions = CopyOptions(),
    *,
    workers: int = 1,
    on_progress: Callable[[str, int, int], None] = lambda *_: None,
) -> tuple[tuple[str, ...], int]:
    """Write what is not there yet of a copy; the names of its sequences and the number of images written."""
    dataset = open_dataset(where)
    sequences = dataset.chosen("train")
    training = tuple(name for name in sequences if name in _training(dataset)) or sequences
    manifest = prepared.Manifest(
        where.dataset,
        options.size,
        options.kind,
        options.quality,
        where.cameras,
        sequences,
        training,
        options.shards,
    )
    written = prepared.prepare(
        out,
        manifest,
        dataset.open,
        workers=workers,
        on_progress=on_progress,
    )
    return sequences, written


def _training(dataset: Dataset) -> tuple[str, ...]:
    """The data set's own training sequences; none if it has none of them."""
    try:
        return dataset.training()
    except InputError:
        return ()
