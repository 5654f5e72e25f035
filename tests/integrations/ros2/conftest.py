"""The ROS 2 package and a stand-in for ROS on the path, and a camera that drives through the rendered world."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from vode.cameras.lens import Camera
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Classical, DepthFunction
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

HERE = Path(__file__).parent
PACKAGE = HERE.parents[2] / "integrations" / "ros2"
SIZE = (72, 240)


# before the tests are collected, which import from there; rosidl makes the packages of messages
sys.path[:0] = [str(PACKAGE), str(HERE / "stub")]
importlib.import_module("rosidl")


class Drive:
    """Images of a rendered drive with exact poses and depth, and a model that knows the depth of these images."""

    source, metric = "exact", True
    tracker = TrackerOptions(refine="window")

    def __init__(self, frames: int = 6) -> None:
        self.sequence = WorldSequence(8, WorldOptions(size=SIZE, frames=frames, moving=False))
        self.images = [self._image(i) for i in range(frames)]
        self.poses = self.sequence.poses.double().numpy()
        self.seconds = [1000.0 + float(t) for t in self.sequence.timestamps]
        intrinsics = self.sequence.intrinsics
        self.camera = Camera(SIZE, tuple(intrinsics.diagonal()[:2].tolist()), tuple(intrinsics[:2, 2].tolist()))
        self._index = {image.tobytes(): i for i, image in enumerate(self.images)}

    def _image(self, i: int) -> np.ndarray:
        pixels = (self.sequence.frame(i) * 255).round().to(torch.uint8)
        return np.ascontiguousarray(pixels.movedim(0, -1).numpy())

    def depth(self, image: np.ndarray) -> np.ndarray:
        """Metres, 0 where there is nothing; 10 m everywhere in other images."""
        index = self._index.get(image.tobytes())
        return np.full(SIZE, 10.0) if index is None else self.sequence.depth(index)[0].numpy()

    def perception(self, tracker=None) -> Classical:
        return Classical(DepthFunction(self.depth))

    def tracking_size(self, size: tuple[int, int], tracker=None) -> tuple[int, int]:
        return size


@pytest.fixture(scope="session")
def drive() -> Drive:
    return Drive()


@pytest.fixture(scope="session")
def package() -> Path:
    """Folder of the package."""
    return PACKAGE
