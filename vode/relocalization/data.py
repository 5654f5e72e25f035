"""The sequences of a mapped scene, to train and to test on."""

from __future__ import annotations

import dataclasses

from vode.datasets.base import Sequence
from vode.datasets.kitti import leakage
from vode.datasets.registry import held_out_names, open_sequences, reader
from vode.errors import InputError
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.posed_images import time_blocks
from vode.training.data import only_frames, training_names, world_seeds
from vode.world.sequence import WorldSequence


def scene_sequences(config: RelocalizationConfig) -> tuple[list[Sequence], list[Sequence]]:
    """The sequences of a mapped scene to train and to test on.

    Those of the scene's own lists, or, where it has none, parts of every sequence: blocks of time, so that few of the
    tested images have neighbours among those that are trained on. InputError if that leaves too few.
    """
    if config.dataset == "world":
        # a drive as high as views are cut from, and not much wider
        options = dataclasses.replace(config.world, size=(config.views.resize, config.views.resize * 4 // 3))
        whole = [WorldSequence(seed, options) for seed in world_seeds(config.sequences or ("0",))]
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
    return tuple([only_frames(s, part[i]) for s, part in zip(whole, parts, strict=True)] for i in (0, 1))


def _with_list(config: RelocalizationConfig, trained: list[Sequence]) -> tuple[list[Sequence], list[Sequence]]:
    names = held_out_names(config)
    both = [sequence.name for sequence in trained if sequence.name in names]
    if both and not config.allow_leak:
        raise InputError(f"{', '.join(both)}: tested on in {config.data}; train on others, {leakage.OVERRIDE}")
    if sum(map(len, trained)) < 2:
        raise InputError(f"{config.data}: one training image; at least 2 make a scene")
    return trained, open_sequences(config, names)
