"""A resized copy of a data set, which is read faster than the originals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vode.datasets.dataset import Dataset, Split
from vode.datasets.options import DataOptions
from vode.datasets.prepared.copying import prepare
from vode.datasets.prepared.manifest import Manifest
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.pipelines.options import CopyOptions

SPLITS: tuple[Split, Split] = "train", "test"


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
    training, test = (tuple(name for name in sequences if name in _of(dataset, split)) for split in SPLITS)
    manifest = Manifest(
        where.dataset,
        options.size,
        options.kind,
        options.quality,
        where.cameras,
        sequences,
        training,
        options.shards,
        test,
    )
    written = prepare(
        out,
        manifest,
        dataset.open,
        workers=workers,
        on_progress=on_progress,
    )
    return sequences, written


def _of(dataset: Dataset, split: Split) -> tuple[str, ...]:
    """The data set's own sequences of a split; none if it has none of them."""
    try:
        return dataset.names(split)
    except InputError:
        return ()
