"""The sequences that a configuration names, to train on and to score at the end."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vode.datasets.base import Sequence
from vode.datasets.kitti import leakage
from vode.datasets.registry import held_out_names, open_sequences, reader
from vode.errors import InputError
from vode.io.atomic import write_bytes
from vode.relocalization.posed_images import time_blocks
from vode.training.config import TrainConfig
from vode.world.sequence import WorldSequence, held_out_sequence

VALIDATION_SEEDS = ("20000", "20001", "20002", "20003")
"""of drives of the built-in world, neither trained on nor tested on"""
RECORD = "data.json"
"""in the folder of a run: what it was trained on"""


def training_sequences(config: TrainConfig) -> list[Sequence]:
    """Every sequence that a run trains on; InputError if one belongs to a test set and that is not insisted on."""
    if config.dataset == "world":
        options = dataclasses.replace(config.world, size=config.size)
        return [WorldSequence(seed, options) for seed in _seeds(config.sequences)]
    names = training_names(config)
    if not config.allow_leak:
        leakage.refuse_training(config.dataset, names)
    return open_sequences(config, names)


def validation_sequences(config: TrainConfig, trained: list[Sequence]) -> list[Sequence]:
    """The sequences that are named for it, or what those that are trained on keep for it; InputError if nothing is."""
    if config.dataset == "world":
        options = dataclasses.replace(config.world, size=config.size)
        return [WorldSequence(seed, options) for seed in _seeds(config.validation or VALIDATION_SEEDS)]
    if config.validation:
        return open_sequences(config, config.validation)
    kept = [_only(sequence, sequence.validation) for sequence in trained if sequence.validation]
    if not kept:
        raise InputError(f"{config.dataset} keeps no frames for validation; name sequences with --validation")
    return kept


def scene_sequences(config: TrainConfig) -> tuple[list[Sequence], list[Sequence]]:
    """The sequences of a mapped scene to train and to test on.

    Those of the scene's own lists, or, where it has none, parts of every sequence: blocks of time, so that few of the
    tested images have neighbours among those that are trained on. InputError if that leaves too few.
    """
    if config.dataset == "world":
        # a drive as high as views are cut from, and not much wider
        options = dataclasses.replace(config.world, size=(config.views.resize, config.views.resize * 4 // 3))
        whole = [WorldSequence(seed, options) for seed in _seeds(config.sequences or ("0",))]
    else:
        whole = open_sequences(config, training_names(config))
        mapped = all(sequence.poses_in_scene is not None for sequence in whole)
        if mapped and held_out_names(config) != reader(config).training(config.data):
            return _with_list(config, whole)
    count = sum(map(len, whole))
    if count < config.views.every:
        where = config.data or config.dataset
        raise InputError(f"{where}: {count} images with a place; at least {config.views.every} make a scene")
    parts = [time_blocks(len(sequence), config.views) for sequence in whole]
    return tuple([_only(s, part[i]) for s, part in zip(whole, parts, strict=True)] for i in (0, 1))


def _with_list(config: TrainConfig, trained: list[Sequence]) -> tuple[list[Sequence], list[Sequence]]:
    names = held_out_names(config)
    both = [sequence.name for sequence in trained if sequence.name in names]
    if both and not config.allow_leak:
        raise InputError(f"{', '.join(both)}: tested on in {config.data}; train on others, {leakage.INSIST}")
    if sum(map(len, trained)) < 2:
        raise InputError(f"{config.data}: one training image; at least 2 make a scene")
    return trained, open_sequences(config, names)


def _only(sequence: Sequence, frames: Iterable[int]) -> Sequence:
    """The same sequence, of which only some frames may begin a snippet."""
    part = copy.copy(sequence)
    part.starts = tuple(frames)
    return part


def training_names(config: TrainConfig) -> tuple[str, ...]:
    """The names of those sequences."""
    if config.dataset == "world":
        return config.sequences
    return config.sequences or reader(config).training(config.data)


def scoring_sequence(config: TrainConfig) -> Sequence:
    """What a finished run is scored on: a held-out drive of the world, or the first training sequence."""
    if config.dataset == "world":
        return held_out_sequence(config.size)
    return open_sequences(config, training_names(config)[:1])[0]


def record(config: TrainConfig, folder: Path) -> None:
    """Write down in the folder of a new run what it trains on, and the KITTI drives that its start has seen."""
    names = training_names(config)
    seen = leakage.drives(config.dataset, names) | (seen_drives(config.start_from) if config.start_from else set())
    content: dict[str, Any] = {"dataset": config.dataset, "sequences": names, "kitti_drives": sorted(seen)}
    write_bytes(folder / RECORD, json.dumps(content, indent=1).encode())


def seen_drives(folder: Path) -> frozenset[str]:
    """The drives of KITTI raw that a run's networks were trained on; none if it was not written down."""
    path = folder / RECORD
    if not path.is_file():
        return frozenset()
    try:
        return frozenset(map(str, json.loads(path.read_text("utf-8"))["kitti_drives"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a record of training data ({error}); copy the run again") from None


def _seeds(names: tuple[str, ...]) -> list[int]:
    try:
        return [int(name) for name in names]
    except ValueError:
        raise InputError(f"sequences of the built-in world are numbers, not {', '.join(names)}") from None
