"""Every data set by its name, whatever it is read for. A new set is one reader, a ``Dataset``, and one line here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vode.datasets.options import DataOptions
from vode.datasets.prepared.storage import is_address
from vode.errors import InputError

if TYPE_CHECKING:
    from vode.datasets.base import Capability, Sequence
    from vode.datasets.dataset import Dataset

DATASETS: Mapping[str, str] = {
    "kitti-odom": "vode.datasets.kitti.odometry:KittiOdometryDataset",
    "kitti-raw": "vode.datasets.kitti.raw:KittiRawDataset",
    "kitti-eigen": "vode.datasets.kitti.eigen:EigenDataset",
    "kitti-eigen-benchmark": "vode.datasets.kitti.eigen:EigenBenchmarkDataset",
    "kitti-2015": "vode.datasets.kitti.stereo:KittiStereoDataset",
    "kitti-2012": "vode.datasets.kitti.stereo:KittiStereoDataset",
    "nyu": "vode.datasets.nyu:NyuDataset",
    "tum": "vode.datasets.tum:TumDataset",
    "7scenes": "vode.datasets.seven_scenes:SevenScenesDataset",
    "cambridge": "vode.datasets.mapped.cambridge:CambridgeDataset",
    "colmap": "vode.datasets.mapped.colmap:ColmapDataset",
    "transforms": "vode.datasets.mapped.transforms_json:TransformsDataset",
    "realitycapture": "vode.datasets.mapped.realitycapture:RealityCaptureDataset",
    "metashape": "vode.datasets.mapped.metashape:MetashapeDataset",
    "bundler": "vode.datasets.mapped.bundler:BundlerDataset",
    "polycam": "vode.datasets.mapped.polycam:PolycamDataset",
    "folder": "vode.datasets.folder:FolderDataset",
    "world": "vode.world.dataset:WorldDataset",
}
"""Module and class of each data set, imported when it is asked for."""
ALIASES = {"kitti-flow": "kitti-2015"}
"""Other names of data sets."""
PREPARED = "vode.datasets.prepared.sequence:PreparedDataset"
MANIFEST = "manifest.json"
"""The file that tells a prepared copy, of whatever data set, by being in its folder."""


def dataset_class(name: str) -> type[Dataset]:
    """The reader of a data set; InputError tells which there are."""
    target = DATASETS.get(ALIASES.get(name, name))
    if target is None:
        known = ", ".join([*DATASETS, *ALIASES])
        raise InputError(f"no data set is called {name!r}; choose one of {known}", "dataset")
    return _imported(target)


def open_dataset(options: DataOptions, **offered: Any) -> Dataset:
    """The data set that the options name, or a prepared copy of it, which may also be at an address.

    ``offered`` are values for options that only some sets have, as ``world=WorldOptions()`` or ``annotated=folder``:
    a set takes those that it declares in ``own_options``.
    """
    kind = dataset_class(options.dataset)
    data = options.data
    if data is not None and (is_address(data) or (data / MANIFEST).is_file()):
        kind = _imported(PREPARED)
    taken = {name: value for name, value in offered.items() if name in kind.own_options}
    return kind(data, options, **taken)


def open_sequences(options: DataOptions, names: tuple[str, ...] = ()) -> list[Sequence]:
    """Those sequences of the data set that the options name, or all that these choose, of every camera."""
    dataset = open_dataset(options)
    return dataset.open_all(names or dataset.chosen("all"))


def capabilities() -> dict[str, frozenset[Capability]]:
    """What each data set can know, without opening any."""
    return {name: dataset_class(name).capabilities for name in DATASETS}


def table() -> str:
    """The data sets, what each can know, and the options of its own, as a table in Markdown."""
    from vode.datasets.base import Capability

    rows = [["data set", *Capability, "options"], ["---"] * (len(Capability) + 2)]
    for name, found in capabilities().items():
        own = ", ".join(sorted(dataset_class(name).own_options))
        rows.append([f"`{name}`", *("x" if capability in found else "" for capability in Capability), own])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _imported(target: str) -> type[Dataset]:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)
