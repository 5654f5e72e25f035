"""Every data set by its name, and the sequences that somebody asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from vode.datasets.base import Sequence
from vode.datasets.folder import FolderSequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.raw import KittiRaw
from vode.datasets.kitti.stereo import KittiScene
from vode.datasets.mapped.cambridge import CambridgeSequence
from vode.datasets.mapped.colmap import ColmapSequence
from vode.datasets.mapped.transforms_json import TransformsSequence
from vode.datasets.nyu import NyuScene
from vode.datasets.options import DataOptions
from vode.datasets.prepared import PreparedSequence, is_prepared, read_manifest
from vode.datasets.sequence_slice import SequenceSlice
from vode.datasets.seven_scenes import SevenScenes
from vode.datasets.tum import TumSequence
from vode.errors import InputError


class Reader(Protocol):
    """What a data set's reader, a class, offers: its sequences by name.

    A reader may have ``test(root)``, the names of the sequences that are tested on, and ``official(root)``, the number
    of frames that each should have.
    """

    def __call__(self, root: Path, sequence: str, camera: int = 2) -> Sequence: ...

    def names(self, root: Path) -> tuple[str, ...]:
        """The sequences on disk."""
        ...

    def training(self, root: Path) -> tuple[str, ...]:
        """Those of them that are trained on."""
        ...


DATASETS: Mapping[str, Reader] = {
    "kitti-odom": KittiOdometry,
    "kitti-raw": KittiRaw,
    "kitti-2015": KittiScene,
    "kitti-2012": KittiScene,
    "nyu": NyuScene,
    "tum": TumSequence,
    "7scenes": SevenScenes,
    "cambridge": CambridgeSequence,
    "colmap": ColmapSequence,
    "transforms": TransformsSequence,
    "folder": FolderSequence,
}
"""Reader of each data set by its name on the command line."""


def reader(options: DataOptions) -> Reader:
    """The reader of the data set that is named; InputError if there is none."""
    if options.dataset not in DATASETS:
        raise InputError(f"no data set is called {options.dataset!r}; choose one of {', '.join(DATASETS)}")
    if options.data is None:
        raise InputError(f"the data set {options.dataset} needs its folder; give it with --data DIR")
    if is_prepared(options.data):
        dataset = read_manifest(options.data).dataset
        if dataset != options.dataset:
            raise InputError(f"{options.data}: a prepared copy of {dataset}; give --dataset {dataset}")
        return PreparedSequence
    return DATASETS[options.dataset]


def held_out_names(options: DataOptions) -> tuple[str, ...]:
    """The sequences that a data set is tested on: those of its own list, if it has one, else all on disk."""
    found = reader(options)
    names = getattr(found, "test", found.names)(options.data)
    if not names:
        raise InputError(f"{options.data}: no sequence of {options.dataset} in it; check --data and --dataset")
    return names


def open_sequences(options: DataOptions, names: tuple[str, ...]) -> list[Sequence]:
    """Those sequences, each of every camera that is asked for."""
    return [open_sequence(options, name, camera) for name in names for camera in options.camera]


def open_sequence(options: DataOptions, name: str, camera: int) -> Sequence:
    """One sequence, or the part of it that is asked for."""
    found = reader(options)
    own = {key: getattr(options, key) for key in ("calibration", "fov", "rotate")}
    if found is FolderSequence:
        sequence = FolderSequence(options.data, name, camera, **own)
    elif own != {field.name: field.default for field in dataclasses.fields(DataOptions) if field.name in own}:
        raise InputError(f"--calibration, --fov and --rotate are for --dataset folder; {options.dataset} has its own")
    else:
        sequence = found(options.data, name, camera)
    if (options.start, options.end, options.step) == (0, None, 1):
        return sequence
    return SequenceSlice(sequence, start=options.start, end=options.end, step=options.step)
