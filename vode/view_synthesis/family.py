"""The view-synthesis family: depth and pose networks, trained on snippets of frames without labels."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import nn

from vode.datasets.base import Sequence, only_frames
from vode.errors import InputError
from vode.evaluation.runs import score_depth
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions, PoseOptions
from vode.networks.pose import PoseNet
from vode.networks.weights import Network, without_download
from vode.run_folder import RunFolder, find_run
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.data import scoring_sequence, training_sequences, validation_sequences
from vode.training.tasks.base import Task
from vode.training.video import begin, finish, prepare, stage_samples
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.view_synthesis.task import ViewSynthesisTask

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


def networks(config: ViewSynthesisConfig, *, fresh: bool = True) -> dict[str, nn.Module]:
    """The depth and the pose network; see ``Family.networks``. A start without a pose network gives the depth alone."""
    depth, pose = config.depth, config.pose
    if not fresh:
        return {"depth": DepthNet.build(without_download(depth)), "pose": PoseNet(without_download(pose))}
    if config.start_from is None:
        return {"depth": DepthNet.build(depth), "pose": PoseNet(pose)}
    start = find_run(config.start_from)
    has_pose = (start.path / f"{PoseNet.kind}.safetensors").is_file()
    found: dict[str, Network] = {"depth": start.load_network(DepthNet)}
    found["pose"] = start.load_network(PoseNet) if has_pose else PoseNet(pose)
    for name, asked, default in (("depth", depth, DepthOptions()), ("pose", pose, PoseOptions())):
        if without_download(asked) not in (default, without_download(found[name].options)):
            raise InputError(
                f"{config.start_from}: options cannot change its {name} network; leave them out, or set start_from "
                "to None for new networks",
                name,
                "start_from",
            )
    return {**found}


def settled(config: ViewSynthesisConfig, networks: nn.ModuleDict) -> ViewSynthesisConfig:
    """The configuration with the networks' options."""
    depth, pose = both(networks)
    return replace(config, depth=depth.options, pose=pose.options)


def both(networks: nn.ModuleDict) -> tuple[DepthNet, PoseNet]:
    """The depth and the pose network."""
    return cast(DepthNet, networks["depth"]), cast(PoseNet, networks["pose"])


def samples(config: ViewSynthesisConfig, folder: RunFolder) -> ClipDataset:
    """The augmented training snippets."""
    return snippets(config, training_sequences(config))


def validation(config: ViewSynthesisConfig, trained: ClipDataset) -> ClipDataset:
    """The validation snippets, not augmented."""
    return snippets(config, validation_sequences(config, trained.sequences), vary=False)


def snippets(config: ViewSynthesisConfig, sequences: list[Sequence], *, vary: bool = True) -> ClipDataset:
    """Snippets of the sequences, augmented if ``vary``: those whose target, in the middle, may begin a sample."""
    before = config.snippet.length // 2 * config.snippet.stride
    clips = ClipDataset(
        [around_starts(sequence, before) for sequence in sequences],
        ClipShape(config.snippet.length, config.snippet.stride, config.clip_every),
        size=config.size,
        augment=config.augment if vary else None,
        seed=config.seed,
        raw=True,
    )
    return clips.kept(config.block, config.reuse) if vary and config.block else clips


def around_starts(sequence: Sequence, before: int) -> Sequence:
    """The sequence, of which samples begin so many frames before those that it names, which are the targets."""
    if sequence.starts is None:
        return sequence
    return only_frames(sequence, [i - before for i in sequence.starts if i >= before])


def task(name: str, config: ViewSynthesisConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
    """The Task of the stage ``name``."""
    depth, pose = both(networks)
    return ViewSynthesisTask(depth, pose, config.synthesis, config.depth_stage.weights, mixed)


def measures(name: str, networks: nn.ModuleDict, samples: ClipDataset, config: ViewSynthesisConfig) -> dict[str, float]:
    """Errors of depth on the first sequence."""
    found = _scores(networks, samples.sequences[0], config)
    return {name: value for name, value in found.items() if value is not None}


def score(networks: nn.ModuleDict, config: ViewSynthesisConfig) -> dict[str, float | None]:
    """Errors of depth on the sequence that a finished run is scored on."""
    return _scores(networks, scoring_sequence(config), config)


def _scores(networks: nn.ModuleDict, sequence: Sequence, config: ViewSynthesisConfig) -> dict[str, float | None]:
    depth, _ = both(networks)
    every = max(len(sequence) // 80, 1)
    results: dict[str, float | None] = {"depth_abs_rel": None, "depth_abs_rel_constant": None}
    if sequence.has_depth(0):
        errors = score_depth(depth, sequence, depth.input_size(config.size, sequence.size), every=every)
        results = {"depth_abs_rel": errors["abs_rel"], "depth_abs_rel_constant": errors["abs_rel_constant"]}
    return results
