"""The sequences that a configuration names, to train on and to score at the end."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterable

from vode.datasets.base import Sequence
from vode.datasets.kitti import leakage
from vode.datasets.registry import open_sequences, reader
from vode.errors import InputError
from vode.training.config import RunConfig
from vode.world.sequence import WorldSequence, held_out_sequence

VALIDATION_SEEDS = ("20000", "20001", "20002", "20003")
"""of drives of the built-in world, neither trained on nor tested on"""


def training_sequences(config: RunConfig) -> list[Sequence]:
    """Every sequence that a run trains on; InputError if one belongs to a test set and that is not insisted on."""
    if config.dataset == "world":
        options = dataclasses.replace(config.world, size=config.size)
        return [WorldSequence(seed, options) for seed in world_seeds(config.sequences)]
    names = training_names(config)
    if not config.allow_leak:
        leakage.refuse_training(config.dataset, names)
    return open_sequences(config, names)


def validation_sequences(config: RunConfig, trained: list[Sequence]) -> list[Sequence]:
    """The sequences that are named for it, or what those that are trained on keep for it; InputError if nothing is."""
    if config.dataset == "world":
        options = dataclasses.replace(config.world, size=config.size)
        return [WorldSequence(seed, options) for seed in world_seeds(config.validation or VALIDATION_SEEDS)]
    if config.validation:
        return open_sequences(config, config.validation)
    kept = [only_frames(sequence, sequence.validation) for sequence in trained if sequence.validation]
    if not kept:
        raise InputError(f"{config.dataset} keeps no frames for validation; name sequences for it")
    return kept


def only_frames(sequence: Sequence, frames: Iterable[int]) -> Sequence:
    """The same sequence, of which only some frames may begin a snippet."""
    part = copy.copy(sequence)
    part.starts = tuple(frames)
    return part


def training_names(config: RunConfig) -> tuple[str, ...]:
    """The names of those sequences."""
    if config.dataset == "world":
        return config.sequences
    return config.sequences or reader(config).training(config.data)


def scoring_sequence(config: RunConfig) -> Sequence:
    """What a finished run is scored on: a held-out drive of the world, or the first training sequence."""
    if config.dataset == "world":
        return held_out_sequence(config.size)
    return open_sequences(config, training_names(config)[:1])[0]


def world_seeds(names: tuple[str, ...]) -> list[int]:
    try:
        return [int(name) for name in names]
    except ValueError:
        raise InputError(f"sequences of the built-in world are numbers, not {', '.join(names)}") from None
