"""What the training loop asks of a family of runs; each family is a module of these functions."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from vode.training.clip_dataset import ClipDataset
from vode.training.tasks.base import Task


class Family(Protocol):
    """``config`` is the family's own type of RunConfig."""

    def networks(self, config: Any, *, fresh: bool) -> dict[str, nn.Module]:
        """From ``config.start_from`` or from their random start; not ``fresh``: about to be filled by a checkpoint."""
        ...

    def settled(self, config: Any, networks: nn.ModuleDict) -> Any:
        """The configuration with the options of new networks, which those that a run starts from bring along."""
        ...

    def samples(self, config: Any) -> ClipDataset:
        """What is trained on."""
        ...

    def validation(self, config: Any, trained: ClipDataset) -> ClipDataset:
        """What is validated on; InputError if there is nothing."""
        ...

    def begin(self, networks: nn.ModuleDict, samples: ClipDataset) -> None:
        """Tell new networks of what they are about to be trained on."""
        ...

    def task(self, name: str, config: Any, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
        """The Task of the stage of that name, its networks in the type ``mixed``."""
        ...

    def measures(self, name: str, networks: nn.ModuleDict, samples: ClipDataset, config: Any) -> dict[str, float]:
        """Errors on validation samples, where they have ground truth, after some steps of the stage of that name."""
        ...

    def score(self, networks: nn.ModuleDict, config: Any) -> dict[str, float | None]:
        """The results of a finished run."""
        ...
