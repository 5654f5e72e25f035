"""The supervised family: flow and depth networks, as in the video family, trained on ground truth."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from vode.augmentation.options import Augment
from vode.datasets.base import Capability, Sequence, only_frames
from vode.errors import InputError
from vode.run_folder import RunFolder
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.config import SupervisedConfig
from vode.training.data import training_sequences, validation_sequences
from vode.training.tasks.base import Task
from vode.training.tasks.supervised_depth import SupervisedDepthTask
from vode.training.tasks.supervised_flow import SupervisedFlowTask
from vode.training.video import both, finish, networks, prepare, score, settled

__all__ = [
    "begin",
    "finish",
    "measures",
    "networks",
    "prepare",
    "samples",
    "score",
    "settled",
    "stage_samples",
    "task",
    "validation",
]

GROUND_TRUTH = {
    "depth": frozenset({Capability.DEPTH}),
    "flow": frozenset({Capability.FLOW, Capability.FLOW_BACK}),
}
"""what a sample of each stage has of it, as far as there is"""
INITIAL_DEPTH = 10.0
"""metres"""
SKY_UNKNOWN = "world"
"""the data set whose unknown depth is the sky"""
LENGTH = {"depth": 1, "flow": 2}
"""images of a sample of each stage"""


def samples(config: SupervisedConfig, folder: RunFolder) -> ClipDataset:
    """All training images, of which each stage takes its own; InputError if they lack a stage's ground truth."""
    return images(config, training_sequences(config), augment=config.augment)


def validation(config: SupervisedConfig, trained: ClipDataset) -> ClipDataset:
    """All validation images, likewise, not augmented."""
    return images(config, validation_sequences(config, trained.sequences))


def images(config: SupervisedConfig, sequences: list[Sequence], augment: Augment | None = None) -> ClipDataset:
    """Every image of sequences, each of which declares ground truth for every stage that has steps; else InputError."""
    for name, _ in config.plan():
        for sequence in sequences:
            if Capability(name) not in sequence.capabilities:
                raise lacking(f"{sequence.name} of {config.dataset}", name)
    return ClipDataset(sequences, ClipShape(1), size=config.size, augment=augment, seed=config.seed, raw=True)


def stage_samples(name: str, samples: ClipDataset, config: SupervisedConfig) -> ClipDataset:
    """Single images for depth, pairs for flow: those that begin at a frame with ground truth.

    For training (augmented) they are cropped, and kept until they are drawn for the last time.
    """
    sequences = [with_ground_truth(sequence, name) for sequence in samples.sequences]
    if not any(sequence.starts is None or sequence.starts for sequence in sequences):
        raise lacking(config.dataset, name)
    clips = ClipDataset(
        sequences,
        ClipShape(LENGTH[name], every=config.clip_every),
        size=config.size,
        augment=samples.augment,
        seed=config.seed,
        ground_truth=GROUND_TRUTH[name],
        raw=True,
    )
    if samples.augment is None:
        return clips
    clips = clips.cropped(config.crops, config.batch) if config.crops else clips
    return clips.kept(config.block, config.reuse) if config.block else clips


def with_ground_truth(sequence: Sequence, name: str) -> Sequence:
    """The sequence, of which only frames that have ground truth for the stage ``name`` may begin a sample."""
    has = sequence.has_depth if name == "depth" else sequence.has_flow
    starts = range(len(sequence)) if sequence.starts is None else sequence.starts
    kept = [i for i in starts if has(i)]
    return sequence if len(kept) == len(starts) else only_frames(sequence, kept)


def lacking(what: str, name: str) -> InputError:
    """The error of data without the ground truth of the stage ``name``."""
    remedy = "choose sequences or a data set that have it, or train without labels (recipe folder)"
    return InputError(f"{what}: no ground truth of {name} to learn from; {remedy}", "sequences", "dataset")


def begin(networks: nn.ModuleDict, samples: ClipDataset) -> None:
    """Let a new depth network start from ``INITIAL_DEPTH``, which is of the size of metric depth.

    From its own start, below a metre, the first steps go so far that its sigmoid can end where it has no gradient.
    """
    depth = both(networks)[1]
    lowest, increase = depth.options.disparity
    sigma = (1 / INITIAL_DEPTH - lowest) / increase
    for head in depth.heads:
        nn.init.constant_(cast(Tensor, head.bias), math.log(sigma / (1 - sigma)))


def task(name: str, config: SupervisedConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
    """The Task of the stage ``name``."""
    flow, depth = both(networks)
    if name == "flow":
        return SupervisedFlowTask(flow, config.flow_stage.loss, mixed)
    loss = config.depth_stage.loss
    if config.dataset != SKY_UNKNOWN:
        # what a lidar or a depth camera does not see may be anywhere
        loss = replace(loss, far=0.0)
    return SupervisedDepthTask(depth, loss, mixed)


def measures(name: str, networks: nn.ModuleDict, samples: ClipDataset, config: SupervisedConfig) -> dict[str, float]:
    """Nothing: the task's own measures on the validation samples tell its errors."""
    return {}
