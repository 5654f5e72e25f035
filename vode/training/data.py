"""The sequences that a configuration names, to train on and to score at the end."""

from __future__ import annotations

import dataclasses

from vode.datasets.base import Sequence, validation_parts
from vode.datasets.dataset import Dataset
from vode.datasets.kitti import leakage
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.training.config import RunConfig


def training_dataset(config: RunConfig, size: tuple[int, int] | None = None) -> Dataset:
    """The data set of a run; one that is rendered has images of ``size`` (height, width), by default the run's."""
    return open_dataset(config, world=dataclasses.replace(config.world, size=size or config.size))


def training_sequences(config: RunConfig) -> list[Sequence]:
    """Every sequence that a run trains on; InputError if one belongs to a test set and that is not overridden."""
    dataset = training_dataset(config)
    names = dataset.chosen("train")
    if not config.allow_leak:
        leakage.refuse_training(config.dataset, names)
    return dataset.open_all(names)


def validation_sequences(config: RunConfig, trained: list[Sequence]) -> list[Sequence]:
    """The sequences that are named for it or that the data set has for it, or what those that are trained on keep.

    InputError if there is nothing.
    """
    dataset = training_dataset(config)
    names = config.validation or dataset.names("validation")
    kept = dataset.open_all(names) if names else validation_parts(trained)
    if not kept:
        raise InputError(f"{config.dataset} keeps no frames for validation; name sequences for it", "validation")
    return kept


def scoring_sequence(config: RunConfig) -> Sequence:
    """What a finished run is scored on: the first test sequence if no folder is needed for it, else of training."""
    dataset = training_dataset(config)
    return dataset.open(dataset.chosen("train")[0] if dataset.needs_folder else dataset.names("test")[0])
