"""A drive of the built-in world and what it knows, as the tracker sees it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (96, 320)


class Truth:
    """Exact flow and depth of a drive; what is not seen in the other frame is sent far away."""

    device = torch.device("cpu")

    def __init__(self, drive: WorldSequence) -> None:
        self.drive = drive
        self.asked: list[tuple[int, int]] = []

    def flow(self, a, b) -> tuple[Tensor, Tensor]:
        self.asked.append((a.index, b.index))
        return self.between(a.index, b.index), self.between(b.index, a.index)

    def between(self, i: int, j: int) -> Tensor:
        flow, seen = self.drive.flow_between(i, j)
        return torch.where(seen, flow, 1e3)[None]

    def depth(self, frame) -> Tensor:
        depth = self.drive.depth(frame.index)[None]
        return torch.where(depth > 0, depth, 500.0)


@pytest.fixture(scope="session")
def ground_truth():
    return Truth


@pytest.fixture(scope="session")
def world():
    """A function of a seed and a number of frames."""
    return lambda seed, frames: WorldSequence(seed, WorldOptions(size=SIZE, frames=frames))
