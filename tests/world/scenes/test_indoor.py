"""Rooms and corridors as whole scenes."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh

from vode.world.scene import Scene
from vode.world.scenes import corridor, room
from vode.world.scenes.base import Wanted

KINDS = pytest.mark.parametrize("kind", [room, corridor], ids=["room", "corridor"])
AXES = np.concatenate([np.eye(3), -np.eye(3)])


def built(kind: ModuleType, seed: int, wanted: Wanted = Wanted(seconds=12.0)) -> Scene:
    return kind.build(np.random.default_rng(seed), wanted)


def distances(scene: Scene, seconds: float, directions: np.ndarray, step: float = 0.1) -> np.ndarray:
    """Metres (T, D) from the camera to what stands, along directions of the map."""
    caster = rtcore_scene.EmbreeScene(robust=True)
    TriangleMesh(caster, scene.static.vertices, scene.static.faces)
    origins = np.array([scene.camera(t)[:3, 3] for t in np.arange(0, seconds, step)], np.float32)
    rays = np.tile(directions, (len(origins), 1)).astype(np.float32)
    found = caster.run(np.repeat(origins, len(directions), 0), rays, query="DISTANCE")
    return found.reshape(len(origins), len(directions))


@KINDS
@pytest.mark.parametrize("seed", range(6))
def test_the_camera_stays_inside_and_clear_of_things(kind: ModuleType, seed: int) -> None:
    scene = built(kind, seed)
    assert np.isfinite(scene.static.vertices).all()
    assert 1500 < len(scene.static.faces) < 60000
    assert distances(scene, 12.0, AXES).min() > 0.2
    heights = [-scene.camera(t)[1, 3] for t in np.arange(0, 12, 0.5)]
    assert min(heights) > 0.9
    assert max(heights) < 1.9


@KINDS
def test_no_ray_gets_out_where_there_are_no_windows(kind: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = np.random.default_rng(0).normal(size=(400, 3))
    for seed in range(4):
        monkeypatch.setattr(kind, "add_windows", lambda *_args, **_options: None)
        closed_in = distances(built(kind, seed), 12.0, everywhere, 0.5)
        assert np.isfinite(closed_in).all()
        assert closed_in.max() < 60
        monkeypatch.undo()
    assert any(distances(built(kind, seed), 12.0, everywhere, 0.5).max() > 60 for seed in range(4))


@KINDS
@pytest.mark.parametrize("seconds", [12.0, 45.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_closed_way_comes_back(kind: ModuleType, seed: int, seconds: float) -> None:
    camera = built(kind, seed, Wanted(seconds=seconds, closed=True)).camera
    first, last = camera(0.0), camera(seconds)
    assert np.linalg.norm(first[:3, 3] - last[:3, 3]) < 0.3
    assert np.degrees(np.linalg.norm(first[:3, :3] - last[:3, :3]) / np.sqrt(2)) < 2


@KINDS
@pytest.mark.parametrize("seed", range(4))
def test_the_camera_moves_as_a_hand_does(kind: ModuleType, seed: int) -> None:
    camera = built(kind, seed).camera
    path = np.array([camera(t) for t in np.arange(0, 12, 0.02)])
    moved = np.linalg.norm(np.diff(path[:, :3, 3], axis=0), axis=1) / 0.02
    turned = np.linalg.norm(np.diff(path[:, :3, :3], axis=0), axis=(1, 2)) / np.sqrt(2) / 0.02
    assert moved.mean() > 0.01
    assert moved.max() < 2.5
    assert np.degrees(turned).max() < 46


@KINDS
def test_a_scene_is_a_pure_function_of_its_seed(kind: ModuleType) -> None:
    one, same, other = built(kind, 5), built(kind, 5), built(kind, 6)
    np.testing.assert_array_equal(one.static.vertices, same.static.vertices)
    np.testing.assert_array_equal(one.camera(3.0), same.camera(3.0))
    assert one.light == same.light
    assert len(one.movers) == len(same.movers)
    assert one.static.vertices.shape != other.static.vertices.shape or (one.camera(3.0) != other.camera(3.0)).any()


@KINDS
def test_somebody_passes_by_only_if_wanted(kind: ModuleType) -> None:
    assert any(built(kind, seed).movers for seed in range(6))
    assert not any(built(kind, seed, Wanted(seconds=12.0, moving=False)).movers for seed in range(6))


@KINDS
def test_slower_and_faster_walks_are_made_as_wanted(kind: ModuleType) -> None:
    for seed in range(3):
        camera = built(kind, seed, Wanted(seconds=12.0, speed=(0.2, 0.3))).camera
        steps = np.diff([camera(t)[[0, 2], 3] for t in np.arange(0, 12, 0.1)], axis=0)
        assert np.linalg.norm(steps, axis=1).max() / 0.1 < 0.6
