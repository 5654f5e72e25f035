"""How a stage does on pairs that it is not trained on."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vode.augmentation.photometric import finish
from vode.datasets.sample import collate
from vode.training.clip_dataset import Snippets
from vode.training.config import StageConfig
from vode.training.distributed import Group


@torch.no_grad()
def validation_losses(
    stage: nn.Module, options: StageConfig, pairs: Snippets, group: Group, *, most: int, batch: int
) -> dict[str, float]:
    """Means of the losses, and of their weighted sum as ``loss``, over at most ``most`` pairs, spread evenly.

    The same for any number of processes. Networks are left in evaluation mode.
    """
    stage.eval()
    every = max(len(pairs) // most, 1)
    chosen = range(0, len(pairs), every)[:most]
    torch.manual_seed(0)
    sums: dict[str, Tensor] = {}
    for at in range(0, len(chosen), batch):
        samples = [pairs[i] for i in chosen[at : at + batch]]
        losses, _ = stage(finish({key: value.to(group.device) for key, value in collate(samples).items()}))
        losses["loss"] = options.weights.total(losses)
        for name, value in losses.items():
            sums[name] = sums.get(name, 0) + value * len(samples)
    return {name: float(value) / len(chosen) for name, value in sums.items()}
