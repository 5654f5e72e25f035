"""The sequences of a mapped scene, to train and to test on."""

from __future__ import annotations

from vode.datasets.base import Capability, Sequence, only_frames
from vode.datasets.dataset import Dataset
from vode.datasets.kitti import leakage
from vode.errors import InputError
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.posed_images import time_blocks
from vode.training.data import training_dataset


def scene_sequences(config: RelocalizationConfig) -> tuple[list[Sequence], list[Sequence]]:
    """The sequences of a mapped scene to train and to test on.

    Those of the scene's own lists, or, where it has none, parts of every sequence: blocks of time, so that few of the
    tested images have neighbours among those that are trained on. InputError if that leaves too few.
    """
    # of the built-in world a sequence as high as views are cut from, and not much wider
    dataset = training_dataset(config, (config.views.resize, config.views.resize * 4 // 3))
    whole = dataset.open_all(scene_names(dataset))
    mapped = all(Capability.MAP in sequence.capabilities for sequence in whole)
    if mapped and dataset.names("test") != dataset.names("train"):
        return _with_list(config, dataset, whole)
    count = sum(map(len, whole))
    if count < config.views.every:
        where = config.data or config.dataset
        raise InputError(f"{where}: {count} images with a place; at least {config.views.every} make a scene")
    parts = [time_blocks(len(sequence), config.views) for sequence in whole]
    trained, tested = ([only_frames(s, part[i]) for s, part in zip(whole, parts, strict=True)] for i in (0, 1))
    return trained, tested


def scene_names(dataset: Dataset) -> tuple[str, ...]:
    """The sequences that the options name, or those that are trained on; of a rendered world, one, which is a scene."""
    names = dataset.chosen("train")
    return names if dataset.needs_folder or dataset.options.sequences else names[:1]


def _with_list(
    config: RelocalizationConfig, dataset: Dataset, trained: list[Sequence]
) -> tuple[list[Sequence], list[Sequence]]:
    names = dataset.names("test")
    both = [sequence.name for sequence in trained if sequence.name in names]
    if both and not config.allow_leak:
        tested = f"{', '.join(both)}: tested on in {config.data}"
        raise InputError(f"{tested}; train on others, {leakage.OVERRIDE}", "allow_leak")
    if sum(map(len, trained)) < 2:
        raise InputError(f"{config.data}: one training image; at least 2 make a scene")
    return trained, dataset.open_all(names)
