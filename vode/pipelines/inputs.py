"""Sequences of data sets, opened by one call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vode.datasets.base import Sequence
from vode.datasets.dataset import Dataset
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError


def open_sequence(dataset: str, root: Path | str, name: str | None = None, **options: Any) -> Sequence:
    """A sequence of a data set: frames, camera and ground truth, by the names of ``vode.datasets.registry``.

    ``name`` may be left out where there is one sequence. ``options`` are fields of ``DataOptions``, such as
    ``camera=0``, ``fov=60`` or ``step=2``. InputError names what is missing.
    """
    if isinstance(camera := options.get("camera"), int):
        options["camera"] = (camera,)
    try:
        where = replace(DataOptions(), dataset=dataset, data=Path(root), **options)
    except TypeError as error:
        raise InputError(f"{error}; the options of a data set are the fields of DataOptions") from None
    opened = open_dataset(where)
    return opened.open(name or _only_name(opened))


def _only_name(dataset: Dataset) -> str:
    names = dataset.names()
    if len(names) != 1:
        shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
        raise InputError(
            f"{dataset.root}: {len(names)} sequences of {dataset.name} ({shown or 'none'}); name one of them"
        )
    return names[0]
