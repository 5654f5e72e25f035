"""What a run learns: depth and odometry from videos, or places in a scene. Each task is a module of these functions."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn

from vode.errors import InputError
from vode.relocalization import task
from vode.training.clip_dataset import Snippets
from vode.training.config import StageConfig, TrainConfig
from vode.training.tasks import video


class Task(Protocol):
    """What the loop asks of a task."""

    def networks(self, config: TrainConfig, *, fresh: bool) -> dict[str, nn.Module]:
        """From ``config.start_from`` or from their random start; not ``fresh``: about to be filled by a checkpoint."""
        ...

    def settled(self, config: TrainConfig, networks: nn.ModuleDict) -> TrainConfig:
        """The configuration with the options of new networks, which those that a run starts from bring along."""
        ...

    def samples(self, config: TrainConfig) -> Snippets:
        """What is trained on."""
        ...

    def validation(self, config: TrainConfig, trained: Snippets) -> Snippets:
        """What is validated on; InputError if there is nothing."""
        ...

    def begin(self, networks: nn.ModuleDict, samples: Snippets) -> None:
        """Tell new networks of what they are about to be trained on."""
        ...

    def stage(
        self, name: str, config: TrainConfig, options: StageConfig, networks: nn.ModuleDict, mixed: torch.dtype | None
    ) -> nn.Module:
        """The stage of that name, its networks in the type ``mixed``."""
        ...

    def measures(self, name: str, networks: nn.ModuleDict, samples: Snippets, config: TrainConfig) -> dict[str, float]:
        """Errors on validation samples, where they have a truth, after some steps of the stage of that name."""
        ...

    def score(self, networks: nn.ModuleDict, config: TrainConfig) -> dict[str, float | None]:
        """The results of a finished run."""
        ...


def task_of(config: TrainConfig) -> Task:
    """The task of a run's stages; InputError if they are of both."""
    names = {name for name, _ in config.plan()}
    places = names & {"coarse", "pose"}
    if not places:
        return video
    if names != places:
        raise InputError(f"the stages {', '.join(sorted(names))} share no networks; train coarse and pose alone")
    return task
