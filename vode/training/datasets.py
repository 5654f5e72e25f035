"""The sequences that a configuration names, to train on and to score at the end."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
from typing import Any

from vode.atomic import write_bytes
from vode.data import leakage
from vode.data.datasets import open_sequences, reader
from vode.data.sequence import Sequence
from vode.data.world import WorldSequence, held_out_sequence
from vode.errors import InputError
from vode.training.config import TrainConfig

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
    kept = [copy.copy(sequence) for sequence in trained if sequence.validation]
    if not kept:
        raise InputError(f"{config.dataset} keeps no frames for validation; name sequences with --validation")
    for sequence in kept:
        sequence.starts = sequence.validation
    return kept


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
