"""Validation: the losses of a task on held-out samples."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.sample import collate
from vode.training.clip_dataset import ClipDataset
from vode.training.distributed import Group
from vode.training.tasks.base import Task, total_loss


@torch.no_grad()
def validation_losses(task: Task, samples: ClipDataset, group: Group, *, most: int, batch: int) -> dict[str, float]:
    """Mean losses, and their weighted sum as ``loss``, over at most ``most`` evenly spaced samples.

    The same for any number of processes. Leaves the networks in evaluation mode.
    """
    task.eval()
    every = max(len(samples) // most, 1)
    chosen = range(0, len(samples), every)[:most]
    torch.manual_seed(0)
    sums: dict[str, Tensor] = {}
    for start in range(0, len(chosen), batch):
        part = [samples[i] for i in chosen[start : start + batch]]
        output = task(to_float_and_augment({key: value.to(group.device) for key, value in collate(part).items()}))
        total = total_loss(output.losses, task.weights)
        for name, value in {**output.losses, **output.metrics, "loss": total}.items():
            sums[name] = sums.get(name, 0) + value * len(part)
    return {name: float(value) / len(chosen) for name, value in sums.items()}
