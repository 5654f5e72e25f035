from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vode.world.options import WorldOptions
from vode.world.scenes import Wanted, build_scene
from vode.world.sequence import WorldSequence

OPTIONS = WorldOptions(size=(64, 192), frames=20, scenes=("jam",), speed=None)


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """Depth of the first frames of 24 jams."""
    return [WorldSequence(seed, OPTIONS).depth(0)[0].numpy() for seed in range(24)]


def test_something_near_fills_a_third_of_many_images(frames: list[np.ndarray]) -> None:
    upper = [depth[: len(depth) // 2] for depth in frames]  # above the horizon, where no ground is near
    filled = [np.mean((depth > 0) & (depth < 8.0)) for depth in upper]
    assert np.mean(np.array(filled) > 1 / 3) > 0.25


def test_images_show_the_distance_too(frames: list[np.ndarray]) -> None:
    assert np.mean([np.mean((depth == 0) | (depth > 25.0)) > 0.05 for depth in frames]) > 0.6


def test_vehicles_in_a_lane_do_not_drive_into_each_other() -> None:
    for seed in range(6):
        movers = build_scene("jam", np.random.default_rng(seed), Wanted(seconds=8.0)).movers
        for time in (0.0, 8.0):
            boxes = []
            for mover in movers:
                pose, low, high = mover.motion(time), mover.mesh.vertices.min(0), mover.mesh.vertices.max(0)
                boxes.append((pose, low, high))
            for k, (pose, low, high) in enumerate(boxes):
                for other, _, _ in boxes[k + 1 :]:
                    local = (np.linalg.inv(pose) @ other[:, 3])[[0, 2]]
                    assert not ((local > low[[0, 2]]) & (local < high[[0, 2]])).all()


def test_creeping_neighbours_are_marked_as_moving() -> None:
    moving = [WorldSequence(seed, OPTIONS).moving(0).any() for seed in range(8)]
    assert any(moving)
    still = WorldSequence(1, replace(OPTIONS, moving=False))
    assert not still.moving(0).any()
