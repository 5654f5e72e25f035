"""The task of depth and odometry: flow and depth networks, trained on pairs of frames without labels."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from vode.datasets.base import Sequence
from vode.evaluation.runs import score_run
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.weights import load_weights, without_download
from vode.training.clip_dataset import Snippets
from vode.training.config import StageConfig, TrainConfig
from vode.training.data import scoring_sequence, training_sequences, validation_sequences
from vode.training.tasks.stages import DepthStage, FlowStage, JointStage, StageOptions


def networks(config: TrainConfig, *, fresh: bool = True) -> dict[str, nn.Module]:
    if fresh and config.start_from:
        return {k: load_weights(config.start_from / f"{k}.safetensors", k) for k in ("flow", "depth")}
    depth = config.depth if fresh else without_download(config.depth)
    return {"flow": FlowNet(config.flow), "depth": DepthNet(depth)}


def settled(config: TrainConfig, networks: nn.ModuleDict) -> TrainConfig:
    return replace(config, flow=networks["flow"].options, depth=networks["depth"].options)


def samples(config: TrainConfig) -> Snippets:
    return pairs(config, training_sequences(config))


def validation(config: TrainConfig, trained: Snippets) -> Snippets:
    return pairs(config, validation_sequences(config, trained.sequences), vary=False)


def pairs(config: TrainConfig, sequences: list[Sequence], *, vary: bool = True) -> Snippets:
    """The pairs that a run trains on, or, not varied, validates on."""
    return Snippets(
        sequences,
        stride=config.stride,
        size=config.size,
        augment=config.augment if vary else None,
        seed=config.seed,
        raw=True,
    )


def begin(networks: nn.ModuleDict, samples: Snippets) -> None:
    """Nothing: no network of these knows its scene."""


def stage(
    name: str, config: TrainConfig, options: StageConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None
) -> nn.Module:
    shared = StageOptions(config.motion, options.flow_loss, config.triangulation_loss, mixed)
    if name == "flow":
        return FlowStage(networks["flow"], shared)
    if name == "depth":
        return DepthStage(networks["flow"], networks["depth"], shared)
    return JointStage(networks["flow"], networks["depth"], shared, flow_only=config.joint_flow_only)


def measures(name: str, networks: nn.ModuleDict, samples: Snippets, config: TrainConfig) -> dict[str, float]:
    """Errors of depth and odometry on the first sequence, once the flow is trained."""
    if name == "flow":
        return {}
    found = score_run(networks["flow"], networks["depth"], samples.sequences[0], config.size, config.tracker)
    return {name: value for name, value in found.items() if value is not None}


def score(networks: nn.ModuleDict, config: TrainConfig) -> dict[str, float | None]:
    return score_run(networks["flow"], networks["depth"], scoring_sequence(config), config.size, config.tracker)
