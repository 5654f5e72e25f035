"""The video family: flow and depth networks, trained on pairs of frames without labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar, cast

import torch
from torch import nn

from vode.datasets.base import Sequence
from vode.evaluation.runs import score_run
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.weights import without_download
from vode.run_folder import RunFolder, find_run
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.config import OdometryConfig, VideoConfig
from vode.training.data import scoring_sequence, training_sequences, validation_sequences
from vode.training.options import TaskOptions
from vode.training.tasks.base import Task
from vode.training.tasks.depth import DepthTask
from vode.training.tasks.flow import FlowTask
from vode.training.tasks.joint import JointTask

Config = TypeVar("Config", bound=OdometryConfig)


def networks(config: OdometryConfig, *, fresh: bool = True) -> dict[str, nn.Module]:
    """The flow and the depth network; see ``Family.networks``."""
    depth = config.depth.for_images(config.size)
    if fresh and config.start_from:
        start = find_run(config.start_from)
        return {
            "flow": start.load_start(FlowNet, config.flow, "flow"),
            "depth": start.load_start(DepthNet, depth, "depth"),
        }
    return {"flow": FlowNet(config.flow), "depth": DepthNet.build(depth if fresh else without_download(depth))}


def settled(config: Config, networks: nn.ModuleDict) -> Config:
    """The configuration with the networks' options."""
    flow, depth = both(networks)
    return replace(config, flow=flow.options, depth=depth.options)


def both(networks: nn.ModuleDict) -> tuple[FlowNet, DepthNet]:
    """The flow and the depth network."""
    return cast(FlowNet, networks["flow"]), cast(DepthNet, networks["depth"])


def prepare(config: Config, folder: RunFolder) -> Config:
    """Nothing to do: samples are read from the data set alone."""
    return config


def samples(config: VideoConfig, folder: RunFolder) -> ClipDataset:
    """The augmented training pairs."""
    return pairs(config, training_sequences(config))


def validation(config: VideoConfig, trained: ClipDataset) -> ClipDataset:
    """The validation pairs, not augmented."""
    return pairs(config, validation_sequences(config, trained.sequences), vary=False)


def pairs(config: VideoConfig, sequences: list[Sequence], *, vary: bool = True) -> ClipDataset:
    """Pairs of frames of the sequences, augmented if ``vary``."""
    clips = ClipDataset(
        sequences,
        ClipShape(stride=config.stride, every=config.clip_every),
        size=config.size,
        augment=config.augment if vary else None,
        seed=config.seed,
        raw=True,
    )
    return clips.kept(config.block, config.reuse) if vary and config.block else clips


def stage_samples(name: str, samples: ClipDataset, config: VideoConfig) -> ClipDataset:
    """The same samples in every stage."""
    return samples


def begin(networks: nn.ModuleDict, samples: ClipDataset) -> None:
    """Nothing to do: these networks do not depend on the scene."""


def task(name: str, config: VideoConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
    """The Task of the stage ``name``."""
    stage = getattr(config, f"{name}_stage")
    options = TaskOptions(
        motion=config.motion,
        flow_loss=stage.flow_loss,
        triangulation_loss=config.triangulation_loss,
        geometry_loss=config.geometry_loss,
        separate_images=config.separate_images,
        weights=stage.weights,
        mixed=mixed,
    )
    flow, depth = both(networks)
    if name == "flow":
        return FlowTask(flow, options)
    if name == "depth":
        return DepthTask(flow, depth, options)
    return JointTask(flow, depth, options, flow_only=config.joint_flow_only)


def measures(name: str, networks: nn.ModuleDict, samples: ClipDataset, config: VideoConfig) -> dict[str, float]:
    """Errors of depth and odometry on the first sequence; none in the flow stage."""
    if name == "flow":
        return {}
    found = score_run(*both(networks), samples.sequences[0], config.size, config.tracker)
    return {name: value for name, value in found.items() if value is not None}


def finish(
    networks: nn.ModuleDict, samples: ClipDataset, config: OdometryConfig
) -> tuple[dict[str, float | None], list[str]]:
    """Nothing to decide."""
    return {}, []


def score(networks: nn.ModuleDict, config: OdometryConfig) -> dict[str, float | None]:
    """Errors of flow, depth and odometry on the sequence that a finished run is scored on."""
    return score_run(*both(networks), scoring_sequence(config), config.size, config.tracker)
