"""The Task contract: a batch in, named losses out. Samples whose geometry fails are masked out and counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from vode.training import distributed


class TaskOutput(NamedTuple):
    """Output of a task for a batch."""

    losses: dict[str, Tensor]
    """scalar losses, each with a weight in the task"""
    metrics: dict[str, Tensor]
    """scalars that are only logged"""
    visualizations: dict[str, Tensor]
    """(C, H, W) of the first sample, by name"""


class Task(nn.Module):
    """A training objective: a batch -> TaskOutput."""

    weights: Mapping[str, float]
    """weight of every loss that it returns"""

    def trained(self) -> list[nn.Module]:
        """The networks and other modules that it trains."""
        raise NotImplementedError


def total_loss(losses: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """The weighted sum of losses; ValueError names a loss without a weight."""
    unknown = [name for name in losses if name not in weights]
    if unknown:
        raise ValueError(f"no weight for the loss {unknown[0]!r}; there are {', '.join(weights)}")
    return sum((weights[name] * value for name, value in losses.items()), torch.zeros(()))


def run_network(network: Callable[..., Any], *images: Tensor, mixed: torch.dtype | None) -> Any:
    """The output of ``network`` for ``images``, under autocast to the type ``mixed`` if it is given."""
    with torch.autocast(images[0].device.type, mixed, enabled=mixed is not None):
        return network(*images)


def mean_reliable(values: Tensor, reliable: Tensor) -> Tensor:
    """Mean of values (B,) over the reliable samples (B,), 0 or 1, of all processes; 0 if there are none."""
    count = distributed.mean(reliable.sum())
    return torch.where(reliable > 0, values, 0.0).sum() / torch.where(count > 0, count, 1.0)


def detach(visualizations: dict[str, Tensor]) -> dict[str, Tensor]:
    """The visualizations without gradients."""
    return {name: value.detach() for name, value in visualizations.items()}
