"""The interface between the training loop and a family of runs, which is a module with these functions."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

from vode.run_folder import RunFolder
from vode.training.clip_dataset import ClipDataset
from vode.training.tasks.base import Task


class Family(Protocol):
    """Functions of a family; ``config`` is its own subclass of RunConfig."""

    def networks(self, config: Any, *, fresh: bool) -> dict[str, nn.Module]:
        """The networks, initialised from ``config.start_from`` or randomly; not ``fresh``: a checkpoint fills them."""
        ...

    def settled(self, config: Any, networks: nn.ModuleDict) -> Any:
        """The configuration with the actual options of the networks, which ``start_from`` may have determined."""
        ...

    def prepare(self, config: Any, folder: RunFolder) -> Any:
        """Make in the folder of a new run what it needs; returns the configuration with what that determined."""
        ...

    def samples(self, config: Any, folder: RunFolder) -> ClipDataset:
        """The training samples of the run in a folder."""
        ...

    def validation(self, config: Any, trained: ClipDataset) -> ClipDataset:
        """The validation samples; InputError if there are none."""
        ...

    def stage_samples(self, name: str, samples: ClipDataset, config: Any) -> ClipDataset:
        """Those of the samples' sequences, for training or validation, that the stage ``name`` takes."""
        ...

    def begin(self, networks: nn.ModuleDict, samples: ClipDataset) -> None:
        """Adapt new networks to the samples that they are about to be trained on."""
        ...

    def task(self, name: str, config: Any, networks: nn.ModuleDict, mixed: torch.dtype | None = None) -> Task:
        """The Task of the stage ``name``, its networks computed in the type ``mixed``."""
        ...

    def measures(self, name: str, networks: nn.ModuleDict, samples: ClipDataset, config: Any) -> dict[str, float]:
        """Errors on validation samples with ground truth, during the stage ``name``."""
        ...

    def finish(
        self, networks: nn.ModuleDict, samples: ClipDataset, config: Any
    ) -> tuple[dict[str, float | None], list[str]]:
        """Decide on the networks after the last stage; results, and a line for each decision."""
        ...

    def score(self, networks: nn.ModuleDict, config: Any) -> dict[str, float | None]:
        """The results of a finished run."""
        ...
