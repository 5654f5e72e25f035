"""Paths with known errors, for measures of odometry."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation


def _wandering_path(frames: int, seed: int, speed: float = 1.5) -> np.ndarray:
    """A wandering path (N, 4, 4)."""
    generator = np.random.default_rng(seed)
    pose = np.eye(4)
    poses = [pose]
    for _ in range(frames - 1):
        step = np.eye(4)
        step[:3, :3] = Rotation.from_rotvec(generator.normal(size=3) * [0.005, 0.04, 0.005]).as_matrix()
        step[:3, 3] = generator.normal(size=3) * 0.05 + [0, 0, speed * generator.uniform(0.7, 1.3)]
        pose = pose @ step
        poses.append(pose)
    return np.array(poses)


def _disturbed(poses: np.ndarray, seed: int, scale: float = 0.2) -> np.ndarray:
    """An odometry of the path: every step a little wrong, other units, another origin."""
    generator = np.random.default_rng(seed)
    start = np.eye(4)
    start[:3, :3] = Rotation.random(rng=generator).as_matrix()
    start[:3, 3] = [5, -3, 8]
    out = [start]
    for before, after in pairwise(poses):
        step = np.linalg.inv(before) @ after
        step[:3, :3] = step[:3, :3] @ Rotation.from_rotvec(generator.normal(size=3) * 0.003).as_matrix()
        step[:3, 3] = step[:3, 3] * scale * generator.uniform(0.9, 1.1)
        out.append(out[-1] @ step)
    return np.array(out)


@pytest.fixture
def wandering_path():
    """Function (frames, seed, speed) that gives a path (N, 4, 4)."""
    return _wandering_path


@pytest.fixture
def disturbed():
    """Function (poses, seed, scale) that gives an odometry of a path: wrong steps, other units, another origin."""
    return _disturbed
