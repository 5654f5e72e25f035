"""A sequence of the built-in world and its ground truth, as the tracker sees it; and sequences with bad frames."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor

from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (96, 320)


class GroundTruth:
    """Exact flow and depth of a sequence; what the other frame does not show is sent far away."""

    device = torch.device("cpu")

    def __init__(self, sequence: WorldSequence) -> None:
        self.sequence = sequence
        self.asked: list[tuple[int, int]] = []

    def flow(self, a, b) -> tuple[Tensor, Tensor]:
        self.asked.append((a.index, b.index))
        return self.between(a.index, b.index), self.between(b.index, a.index)

    def between(self, i: int, j: int) -> Tensor:
        flow, seen = self.sequence.flow_between(i, j)
        return torch.where(seen, flow, 1e3)[None]

    def depth(self, frame) -> Tensor:
        depth = self.sequence.depth(frame.index)[None]
        return torch.where(depth > 0, depth, 500.0)


class Corrupted(Sequence):
    """A sequence some of whose frames are replaced: by another's image, by one colour, or by an error."""

    def __init__(self, sequence, **corrupted):
        self.sequence, self.corrupted = sequence, {int(k[1:]): v for k, v in corrupted.items()}
        self.name, self.size, self.intrinsics = sequence.name, sequence.size, sequence.intrinsics
        self.poses, self.timestamps = sequence.poses, sequence.timestamps

    def __len__(self):
        return len(self.sequence)

    def frame(self, i):
        what = self.corrupted.get(i)
        if what == "lost":
            raise InputError(f"{i}.png: the image is cut short or damaged; copy it again")
        if what in ("black", "grey"):
            return torch.full((3, *self.size), 0.0 if what == "black" else 0.5)
        return self.sequence.frame(i if what is None else what)


@pytest.fixture(scope="session")
def ground_truth():
    return GroundTruth


@pytest.fixture(scope="session")
def corrupted():
    return Corrupted


class Rendered(WorldSequence):
    """A sequence of the world that renders every image and flow once."""

    def __init__(self, *args):
        super().__init__(*args)
        self.frame, self.flow_between = cache(super().frame), cache(super().flow_between)


@pytest.fixture(scope="session")
def world():
    """A function of a seed and a number of frames."""
    return cache(lambda seed, frames: Rendered(seed, WorldOptions(size=SIZE, frames=frames)))
