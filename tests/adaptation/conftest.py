"""Sequences of the built-in world whose exact flow between any two frames replaces the networks', and standing ones."""

from __future__ import annotations

import pytest
import torch

from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import so3_exp
from vode.odometry.frames import Frame
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (64, 192)


class Exact:
    """Exact flow and depth of a sequence; what the other frame does not show is sent far away."""

    device = torch.device("cpu")

    def __init__(self, sequence):
        self.sequence = sequence

    def frame(self, i):
        intrinsics = resize_intrinsics(self.sequence.intrinsics, self.sequence.size, self.sequence.size)
        return Frame(i, self.sequence.frame(i)[None], intrinsics[None])

    def flow(self, a, b):
        return self._between(a.index, b.index), self._between(b.index, a.index)

    def depth(self, frame):
        depth = self.sequence.depth(frame.index)[None]
        return torch.where(depth > 0, depth, 500.0)

    def _between(self, i, j):
        flow, seen = self.sequence.flow_between(i, j)
        return torch.where(seen, flow, 1e3)[None]


class Standing(WorldSequence):
    """A camera that stays at a place, and turns by ``turn`` radians a second; others may drive past."""

    turn = 0.0

    def __init__(self, *args):
        super().__init__(*args)
        self.name = f"{type(self).__name__} {self.name}"
        self._key = (*self._key, type(self).__name__)

    def _pose(self, time, eye=0):
        pose = super()._pose(0.0, eye)
        axis = torch.tensor([0.0, self.turn * time, 0.0], dtype=torch.float64)
        pose[:3, :3] = pose[:3, :3] @ so3_exp(axis)
        return pose


class Turning(Standing):
    turn = 0.2


class Traffic(Standing):
    """Of what passes nothing else is seen: all around it is grey."""

    def _levels(self, i):
        return torch.where(self.moving(i), super()._levels(i), 128)


@pytest.fixture(scope="session")
def sequence():
    return WorldSequence(8, WorldOptions(size=SIZE, frames=16))


@pytest.fixture(scope="session")
def exact(sequence):
    return Exact(sequence)


@pytest.fixture(scope="session")
def standing():
    return Standing


@pytest.fixture(scope="session")
def turning():
    return Turning


@pytest.fixture(scope="session")
def traffic():
    return Traffic
