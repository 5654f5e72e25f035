"""The relocalization family: an absolute pose regressor, trained on single images with known poses."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import torch
from torch import nn

from vode.datasets.base import Sequence
from vode.networks.weights import without_download
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.data import scene_sequences
from vode.relocalization.evaluation import relocalize
from vode.relocalization.losses import LearnedWeights
from vode.relocalization.network import PoseNet
from vode.relocalization.posed_images import PosedImages
from vode.relocalization.task import PoseTask
from vode.run_folder import RunFolder, find_run
from vode.training.clip_dataset import ClipDataset
from vode.training.data import validation_sequences
from vode.training.tasks.base import Task


def networks(config: RelocalizationConfig, *, fresh: bool = True) -> dict[str, nn.Module]:
    """PoseNet and the learned loss weights; see ``Family.networks``."""
    balance = LearnedWeights(config.pose_loss.start)
    if fresh and config.start_from:
        network = find_run(config.start_from).load_network(PoseNet)
        network.set_dropout(config.pose.dropout)
        balance.fit_scene(network.spread)
    else:
        network = PoseNet(config.pose if fresh else without_download(config.pose))
    return {"pose": network, "balance": balance}


def settled(config: RelocalizationConfig, networks: nn.ModuleDict) -> RelocalizationConfig:
    """The configuration with the network's options."""
    return replace(config, pose=_network(networks).options)


def _network(networks: nn.ModuleDict) -> PoseNet:
    return cast(PoseNet, networks["pose"])


def _balance(networks: nn.ModuleDict) -> LearnedWeights:
    return cast(LearnedWeights, networks["balance"])


def prepare(config: RelocalizationConfig, folder: RunFolder) -> RelocalizationConfig:
    """Nothing to do: samples are read from the data set alone."""
    return config


def samples(config: RelocalizationConfig, folder: RunFolder) -> PosedImages:
    """The augmented training images."""
    return images(config, scene_sequences(config)[0], vary=True, points=_needs_points(config))


def validation(config: RelocalizationConfig, trained: ClipDataset) -> PosedImages:
    """The validation images, not augmented."""
    return images(config, validation_sequences(config, trained.sequences), points=_needs_points(config))


def images(
    config: RelocalizationConfig, sequences: list[Sequence], *, vary: bool = False, points: bool = False
) -> PosedImages:
    """Posed images for testing or, with ``vary``, for training, with scene points if the loss needs them."""
    return PosedImages(
        sequences,
        config.views,
        config.size,
        augment=config.augment if vary else None,
        seed=config.seed,
        vary=vary,
        points=points,
    )


def _needs_points(config: RelocalizationConfig) -> bool:
    return config.pose_loss.kind == "geometric"


def stage_samples(name: str, samples: PosedImages, config: RelocalizationConfig) -> PosedImages:
    """The same samples in every stage."""
    return samples


def begin(networks: nn.ModuleDict, samples: PosedImages) -> None:
    """Fit the network's position units and initial rotation to the scene, and the start of the learned weights."""
    network = _network(networks)
    network.fit_scene(samples.poses())
    _balance(networks).fit_scene(network.spread)


def task(name: str, config: RelocalizationConfig, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
    """The PoseTask of the stage ``name``, "coarse" or "pose"."""
    options, half = config.pose_loss, name == "coarse"
    return PoseTask(_network(networks), _balance(networks), options, config.size, mixed, half=half)


def measures(
    name: str, networks: nn.ModuleDict, samples: PosedImages, config: RelocalizationConfig
) -> dict[str, float]:
    """Median errors on the samples."""
    result = relocalize(_network(networks), samples, half=name == "coarse")
    names = ("median_position_m", "median_rotation_deg")
    return {name: value for name in names if (value := result[name]) is not None}


def finish(
    networks: nn.ModuleDict, samples: PosedImages, config: RelocalizationConfig
) -> tuple[dict[str, float | None], list[str]]:
    """Nothing to decide."""
    return {}, []


def score(networks: nn.ModuleDict, config: RelocalizationConfig) -> dict[str, float | None]:
    """Errors on the scene's test images, compared with a constant pose and the most similar training image."""
    trained, tested = (images(config, part) for part in scene_sequences(config))
    result = relocalize(_network(networks), tested, trained)
    return {number.name: number.value for number in result.numbers}
