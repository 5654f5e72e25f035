"""The adaptation family: the networks of a start, adapted to unlabelled video, and kept only where that helps."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any

import torch
from torch import nn

from vode.adaptation.clips import StructureClips, cut, split
from vode.adaptation.config import AdaptationConfig
from vode.adaptation.preparation import prepared_structure
from vode.adaptation.tasks import AdaptDepthTask, AdaptFlowTask
from vode.adaptation.verdict import judge, residual
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.sample import collate
from vode.devices import device_name
from vode.errors import InputError
from vode.run_folder import RunFolder
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.data import training_sequences
from vode.training.loop import build_networks, network_type
from vode.training.tasks.base import Task, total_loss
from vode.training.video import both, networks, score, settled

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

STRIDE = 32
"""pixels: crops are multiples of the stride of the coarsest features, or whole images"""
TIMED = 3
"""training steps of each stage whose time sets the number of steps"""


def prepare(config: AdaptationConfig, folder: RunFolder) -> AdaptationConfig:
    """Track and triangulate the video, once, into the run's folder; and let the minutes set the steps of the stages.

    Stages for which the video shows too little motion get no steps.
    """
    clips = samples(config, folder)
    steps = {name: stage.steps if _clips(name, clips, config, held_out=False) else 0 for name, stage in config.plan()}
    if config.minutes:
        # a copy of the networks takes the steps that are timed
        timed = build_networks(config, device_name(config.device))
        seconds = {name: _seconds(name, clips, config, timed) for name, count in steps.items() if count}
        total = sum(steps[name] * seconds[name] for name in seconds)
        steps = {
            name: max(round(count * 60 * config.minutes / total), 1) if count else 0 for name, count in steps.items()
        }
    stages: dict[str, Any] = {f"{name}_stage": replace(stage, steps=steps[name]) for name, stage in config.plan()}
    return replace(config, minutes=0.0, **stages)


def samples(config: AdaptationConfig, folder: RunFolder) -> StructureClips:
    """All clips of the parts of the videos."""
    parts = cut(training_sequences(config), config.part, config.most_frames)
    if len({tuple(part.size) for part in parts}) > 1:
        raise InputError("videos of several sizes; adapt to those of one camera at a time", "sequences")
    structures = {part.name: prepared_structure(part, config, folder) for part in parts}
    height, width = structures[parts[0].name].start.shape[-2:]
    shape, size = ClipShape(1), (height, width)
    return StructureClips(parts, structures, shape, size=size, augment=config.augment, seed=config.seed)


def validation(config: AdaptationConfig, trained: ClipDataset) -> ClipDataset:
    """None besides the verdict's own."""
    raise InputError("adaptation holds frames out for its verdict; set validate_every to 0", "validate_every")


def stage_samples(name: str, samples: ClipDataset, config: AdaptationConfig) -> ClipDataset:
    """Clips for depth, pairs of consecutive frames for flow, of the frames that are not held out."""
    return _training_clips(name, samples, config)


def begin(networks: nn.ModuleDict, samples: ClipDataset) -> None:
    """Nothing to do: the networks have been trained."""


def task(name: str, config: AdaptationConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
    """The Task of the stage ``name``."""
    flow, depth = both(networks)
    if name == "flow":
        return AdaptFlowTask(flow, config.flow_stage.weights, config.flow_stage.flow_loss, mixed)
    return AdaptDepthTask(depth, config.depth_stage.loss, mixed)


def measures(name: str, networks: nn.ModuleDict, samples: ClipDataset, config: AdaptationConfig) -> dict[str, float]:
    """Nothing: there is no validation during a stage."""
    return {}


def finish(
    adapted: nn.ModuleDict, samples: ClipDataset, config: AdaptationConfig
) -> tuple[dict[str, float | None], list[str]]:
    """Judge the adapted networks on the frames held out, and give those that are no better their start's weights.

    Returns the residuals as results, and the verdicts in words.
    """
    start = nn.ModuleDict(networks(config))
    results: dict[str, float | None] = {}
    lines = []
    for name in config.stages:
        before, after = (partial(residual, task(name, config, each.eval())) for each in (start, adapted))
        verdict = judge(before, after, _clips(name, samples, config, held_out=True))
        if not verdict.better:
            adapted[name].load_state_dict(start[name].state_dict())
        numbers = {"before": verdict.before, "after": verdict.after, "adapted": float(verdict.better)}
        # of too few clips held out there are none
        results |= {f"{name}_{key}": value if isfinite(value) else None for key, value in numbers.items()}
        lines.append(verdict.describe(name))
    return results, lines


def _clips(name: str, samples: ClipDataset, config: AdaptationConfig, *, held_out: bool) -> StructureClips | None:
    """The clips of a stage, to train on or ``held_out``; None if there are none."""
    assert isinstance(samples, StructureClips)
    # those held out are short, so that a short video has some
    long = name == "depth" and not held_out
    shape = ClipShape(config.clip_length, config.clip_stride) if long else ClipShape(2)
    span = (shape.length - 1) * shape.stride
    sequences = [split(each, config.held_out, span)[held_out] for each in samples.sequences]
    try:
        return samples.of_shape(sequences, shape, vary=not held_out)
    except InputError:
        return None


def _training_clips(name: str, samples: ClipDataset, config: AdaptationConfig) -> StructureClips:
    """The clips that a stage with steps trains on, cropped."""
    found = _clips(name, samples, config, held_out=False)
    assert found is not None
    assert found.size is not None
    height, width = (max(round(config.crop * side / STRIDE), 1) * STRIDE for side in found.size)
    window = min(height, found.size[0]), min(width, found.size[1])
    return found.cropped((window,), config.batch)


def _seconds(name: str, samples: ClipDataset, config: AdaptationConfig, networks: nn.ModuleDict) -> float:
    """Seconds that a training step of a stage takes."""
    clips = _training_clips(name, samples, config)
    device = next(networks.parameters()).device
    timed = task(name, config, networks, network_type(config.precision, device))
    times = []
    for step in range(TIMED):
        begun = time.monotonic()
        drawn = [clips[(step * config.batch + k) % len(clips)] for k in range(config.batch)]
        batch = to_float_and_augment({key: value.to(device) for key, value in collate(drawn).items()})
        total_loss(timed(batch).losses, timed.weights).backward()
        times.append(time.monotonic() - begun)
    return min(times)
