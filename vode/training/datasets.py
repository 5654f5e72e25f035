"""The sequences that a configuration names, to train on and to score at the end."""

from __future__ import annotations

import dataclasses

from vode.data import DATASETS
from vode.data.sequence import Sequence
from vode.data.world import WorldSequence, held_out_sequence
from vode.errors import InputError
from vode.training.config import TrainConfig


def training_sequences(config: TrainConfig) -> list[Sequence]:
    """Every sequence that a run trains on."""
    if config.dataset == "world":
        options = dataclasses.replace(config.world, size=config.size)
        return [WorldSequence(seed, options) for seed in _seeds(config.sequences)]
    if config.data is None:
        raise InputError(f"the data set {config.dataset} needs its folder; give it with --data DIR")
    reader = DATASETS[config.dataset]
    names = config.sequences or reader.training(config.data)
    return [reader(config.data, name, camera=config.camera) for name in names]


def scoring_sequence(config: TrainConfig) -> Sequence:
    """What a finished run is scored on: a held-out drive of the world, or the first training sequence."""
    if config.dataset == "world":
        return held_out_sequence(config.size)
    return training_sequences(config)[0]


def _seeds(names: tuple[str, ...]) -> list[int]:
    try:
        return [int(name) for name in names]
    except ValueError:
        raise InputError(f"sequences of the built-in world are numbers, not {', '.join(names)}") from None
