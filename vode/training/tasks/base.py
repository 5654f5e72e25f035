"""The Task contract: a batch in, named losses out. A sample that fails is masked out and counted, alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vode.training import distributed


class TaskOutput(NamedTuple):
    """What a task makes of a batch."""

    losses: dict[str, Tensor]
    """scalars, each of which has a weight"""
    metrics: dict[str, Tensor]
    """scalars for the log alone"""
    visualizations: dict[str, Tensor]
    """(C, H, W) of one sample, by what they show"""


class Task(nn.Module):
    """An objective: a batch -> TaskOutput."""

    weights: Mapping[str, float]
    """of every loss that it gives"""

    def trained(self) -> list[nn.Module]:
        """The networks, or other modules, that it trains."""
        raise NotImplementedError


def total_loss(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The weighted sum of losses; ValueError names one without a weight."""
    unknown = [name for name in losses if name not in weights]
    if unknown:
        raise ValueError(f"no weight for the loss {unknown[0]!r}; there are {', '.join(weights)}")
    return sum((weights[name] * value for name, value in losses.items()), torch.zeros(()))


def run_network(network: nn.Module, *images: Tensor, mixed: torch.dtype | None) -> Any:
    """What ``network`` makes of ``images``, computed in the ``mixed`` type if there is one."""
    with torch.autocast(images[0].device.type, mixed, enabled=mixed is not None):
        return network(*images)


def mean_reliable(values: Tensor, reliable: Tensor) -> Tensor:
    """Mean over the samples (B,) whose geometry holds, among those of all processes; 0 where none does."""
    count = distributed.mean(reliable.sum())
    return torch.where(reliable > 0, values, 0.0).sum() / torch.where(count > 0, count, 1.0)


def detach(visualizations: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors without gradient."""
    return {name: value.detach() for name, value in visualizations.items()}
