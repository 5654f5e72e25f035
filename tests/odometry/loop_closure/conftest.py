"""A course through the world that comes back to where it began, its middle replaced by noise, and its keyframes."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from vode.odometry.frames import Frame
from vode.odometry.loop_closure.closure import LoopCloser
from vode.odometry.loop_closure.keyframes import describe
from vode.odometry.options import LoopOptions
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (128, 416)
WORLD = WorldOptions(size=SIZE, frames=580, closed=True)
SEED = 500
GAP = 12
"""keyframes, for courses of few"""


class Course:
    """Images, depth and true poses of some frames of a closed course; between them images of noise."""

    options = LoopOptions(gap=GAP, points=300)

    def __init__(self, sequence: WorldSequence, start: int = 24, end: int = 24, middle: int = 14) -> None:
        count = len(sequence)
        # a frame about every 2 m
        first, last = list(range(0, start, 3)), list(range(count - end, count, 2))
        between = torch.linspace(start, count - end - 2, middle).long().tolist()
        self.intrinsics = sequence.intrinsics
        self.sequence, self.numbers, self.noise = sequence, first + between + last, set(between)
        self.poses = sequence.poses[self.numbers]
        self.poses[0] = torch.eye(4, dtype=torch.float64)

    def __len__(self) -> int:
        return len(self.numbers)

    @cache  # noqa: B019
    def seen(self, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Image (1, 3, H, W) and depth (1, 1, H, W)."""
        if self.numbers[i] in self.noise:
            generator = torch.Generator().manual_seed(i)
            return torch.rand(1, 3, *SIZE, generator=generator), torch.full((1, 1, *SIZE), 12.0)
        return self.sequence.frame(self.numbers[i])[None], self.sequence.depth(self.numbers[i])[None]

    def frame(self, i: int, number: int | None = None) -> Frame:
        return Frame(i if number is None else number, self.seen(i)[0], self.intrinsics[None])

    def keyframe(self, i: int, scale: float = 1.0):
        return describe(self.frame(i), scale * self.seen(i)[1], self.options)

    def closed(self, poses, scales, order=None, options=None) -> LoopCloser:
        """The closer after the frames in this order, with these poses of odometry and scales of depth."""
        closer, changes = LoopCloser(self.intrinsics, options or self.options), []
        for k, i in enumerate(range(len(self)) if order is None else order):
            depth = float(scales[k]) * self.seen(i)[1]
            changes.append(closer.add(self.frame(i, k), depth, list(poses[: k + 1].unbind())))
        closer.changes = changes
        return closer


@pytest.fixture(scope="session")
def course() -> Course:
    return Course(WorldSequence(SEED, WORLD))
