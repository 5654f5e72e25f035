"""Ways of the cost volume, forward and backward, at the sizes of the five levels that it is computed at.

    python benchmarks/cost_volume.py [--size 256 832] [--batch 4] [--compiled]

The batch holds both directions. Ways take turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
import tyro
from report import machine, table
from torch import Tensor
from train_step import sliced_cost_volume

from vode.networks.cost_volume import cost_volume
from vode.networks.flow import PYRAMID
from vode.training.distributed import device_name

LEVELS = (6, 5, 4, 3, 2)


@dataclass(frozen=True)
class Options:
    """What is measured."""

    size: tuple[int, int] = (256, 832)
    batch: int = 4
    turns: int = 5
    compiled: bool = False
    """torch.compile of the slices too: takes minutes to build"""
    device: str = "auto"


def unfolded(features_a: Tensor, features_b: Tensor, search: int) -> Tensor:
    """All neighbourhoods of b laid out, and one product a pixel."""
    batch, channels, height, width = features_a.shape
    size = 2 * search + 1
    around = F.unfold(features_b, size, padding=search).view(batch, channels, size * size, height * width)
    product = torch.einsum("bcn,bckn->bkn", features_a.flatten(2), around)
    return product.view(batch, size * size, height, width)


def main(options: Options) -> None:
    device = torch.device(device_name(options.device))
    ways = {"tiles (ours)": cost_volume, "81 slices": sliced_cost_volume, "unfold, one product": unfolded}
    if options.compiled:
        ways["81 slices, compiled"] = torch.compile(sliced_cost_volume)
    times: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for level in LEVELS:
        height, width = (-(-side // 2**level) for side in options.size)
        a, b = (
            torch.randn(options.batch, PYRAMID[level - 1], height, width, device=device)
            .contiguous(memory_format=torch.channels_last)
            .requires_grad_()
            for _ in range(2)
        )
        expected = sliced_cost_volume(a, b, 4)
        for turn in range(options.turns + 1):
            for name, way in ways.items():
                if not turn:
                    torch.testing.assert_close(way(a, b, 4), expected, rtol=1e-3, atol=1e-3)
                elapsed = timed(way, a, b, device)
                if turn:
                    times.setdefault((name, level), []).append(elapsed)
    print(machine())
    head = ["way", *(f"level {level}" for level in LEVELS), "all"]
    rows = []
    for name in ways:
        medians = [[statistics.median(each[k] for each in times[name, level]) for k in (0, 1)] for level in LEVELS]
        medians.append([sum(each[k] for each in medians) for k in (0, 1)])
        rows.append([name, *(f"{1000 * forward:.1f} + {1000 * backward:.1f}" for forward, backward in medians)])
    print(f"ms forward + backward, batch {options.batch}, {options.size[1]}x{options.size[0]}")
    print(table(head, rows))


def timed(way: Callable[..., Tensor], a: Tensor, b: Tensor, device: torch.device) -> tuple[float, float]:
    """Seconds of the forward and of the backward pass."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    a.grad = b.grad = None
    start = now()
    cost = way(a, b, 4)
    middle = now()
    cost.backward(torch.ones_like(cost))
    return middle - start, now() - middle


if __name__ == "__main__":
    main(tyro.cli(Options))
