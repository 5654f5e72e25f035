from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from embreex import rtcore_scene
from embreex.mesh_construction import TriangleMesh

from vode.world.scene import Scene
from vode.world.scenes import SCENES, Wanted, build_scene

OUTDOORS = ("town", "residential", "country", "highway", "jam", "car_park", "tunnel")
SECONDS = {
    "town": 75.0,
    "residential": 80.0,
    "country": 60.0,
    "highway": 90.0,
    "jam": 190.0,
    "car_park": 200.0,
    "tunnel": 100.0,
}
"""that a lap takes at the usual speed"""


@lru_cache(maxsize=4)
def made(kind: str, seed: int, *, closed: bool = False) -> Scene:
    wanted = Wanted(seconds=SECONDS[kind] if closed else 20.0, height=1.65, closed=closed)
    return build_scene(kind, np.random.default_rng(seed), wanted)


class Rays:
    """What stands in a scene, asked by rays."""

    def __init__(self, scene: Scene) -> None:
        self.caster = rtcore_scene.EmbreeScene(robust=True)
        TriangleMesh(self.caster, scene.static.vertices, scene.static.faces)

    def reach(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Metres to the first thing along rays (N, 3)."""
        origins, directions = origins.astype(np.float32), directions.astype(np.float32)
        found = self.caster.run(origins, directions, query="INTERSECT", output=1)
        return np.where(found["primID"] < 0, np.inf, found["tfar"])


def test_every_kind_has_its_module() -> None:
    assert set(OUTDOORS) < set(SCENES)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", OUTDOORS)
def test_a_scene_is_sound(kind: str, seed: int) -> None:
    scene = made(kind, seed)
    mesh = scene.static
    assert np.isfinite(mesh.vertices).all()
    assert np.isfinite(mesh.uv).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1.0, atol=1e-3)
    assert mesh.faces.min() >= 0
    assert mesh.faces.max() < len(mesh.vertices)
    assert mesh.material.max() < len(scene.palette.table().pattern)
    for mover in scene.movers:
        assert np.isfinite(mover.motion(3.0)).all()


@pytest.mark.parametrize("kind", OUTDOORS)
def test_a_scene_is_a_pure_function_of_its_seed(kind: str) -> None:
    wanted = Wanted(seconds=10.0)
    one, two = (build_scene(kind, np.random.default_rng(5), wanted) for _ in range(2))
    np.testing.assert_array_equal(one.static.vertices, two.static.vertices)
    np.testing.assert_array_equal(one.static.material, two.static.material)
    np.testing.assert_array_equal(one.camera(7.0), two.camera(7.0))
    assert one.light == two.light
    assert len(one.movers) == len(two.movers)
    other = build_scene(kind, np.random.default_rng(6), wanted)
    assert one.static.vertices.shape != other.static.vertices.shape


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("kind", OUTDOORS)
def test_the_way_is_free_and_its_ground_where_it_should_be(kind: str, seed: int, closed: bool) -> None:
    scene = made(kind, seed, closed=closed)
    poses = np.stack([scene.camera(t) for t in np.arange(0, SECONDS[kind] if closed else 20.0, 0.1)])
    rays, origins = Rays(scene), poses[:, :3, 3]
    np.testing.assert_allclose(rays.reach(origins, np.tile([0.0, 1.0, 0.0], (len(poses), 1))), 1.65, atol=0.05)
    right, ahead = poses[:, :3, 0], poses[:, :3, 2] * [1.0, 0.0, 1.0]
    for lateral in (-0.8, 0.0, 0.8):
        for lower in (0.0, 0.9):
            assert rays.reach(origins + lateral * right + [0.0, lower, 0.0], ahead).min() > 0.5


@pytest.mark.parametrize("kind", OUTDOORS)
def test_a_closed_way_comes_back(kind: str) -> None:
    scene = made(kind, 1, closed=True)
    times = np.arange(0, SECONDS[kind], 0.1)
    positions = np.stack([scene.camera(t)[:3, 3] for t in times])
    gone = np.concatenate([[0.0], np.linalg.norm(np.diff(positions, axis=0), axis=1).cumsum()])
    assert gone[-1] >= 500.0
    away = np.where(gone >= 500.0, np.linalg.norm(positions - positions[0], axis=1), np.inf)
    poses = np.stack([scene.camera(t) for t in times[away.argmin()] + np.arange(-0.15, 0.15, 0.005)])
    back = poses[np.linalg.norm(poses[:, :3, 3] - positions[0], axis=1).argmin()]
    assert np.linalg.norm(back[:3, 3] - positions[0]) < 0.3
    cosine = (np.trace(back[:3, :3].T @ scene.camera(0.0)[:3, :3]) - 1) / 2
    assert np.degrees(np.arccos(np.clip(cosine, -1, 1))) < 2.0


@pytest.mark.parametrize("kind", OUTDOORS)
def test_nothing_moves_when_nothing_may(kind: str) -> None:
    wanted = Wanted(seconds=10.0, moving=False)
    assert build_scene(kind, np.random.default_rng(2), wanted).movers == []


@pytest.mark.parametrize("kind", OUTDOORS)
def test_speed_and_height_are_as_wanted(kind: str) -> None:
    scene = build_scene(
        kind, np.random.default_rng(2), Wanted(seconds=10.0, speed=(6.0, 7.0), height=2.1, moving=False)
    )
    positions = np.stack([scene.camera(t)[:3, 3] for t in np.arange(0, 10, 0.1)])
    speed = np.linalg.norm(np.diff(positions, axis=0), axis=1) / 0.1
    assert speed.min() > 6.0 * 0.7  # the inside of a bend is shorter
    assert speed.max() < 7.0 * 1.3
    down = Rays(scene).reach(positions, np.tile([0.0, 1.0, 0.0], (len(positions), 1)))
    np.testing.assert_allclose(down, 2.1, atol=0.05)


@pytest.mark.parametrize("kind", OUTDOORS)
def test_nobody_drives_through_the_camera(kind: str) -> None:
    scene = made(kind, 0)
    for t in np.arange(0, 20, 0.2):
        camera = scene.camera(t)[:3, 3]
        for mover in scene.movers:
            local = np.linalg.inv(mover.motion(t)) @ [*camera, 1.0]
            low, high = mover.mesh.vertices.min(0) - 0.3, mover.mesh.vertices.max(0) + 0.3
            assert not ((local[[0, 2]] > low[[0, 2]]) & (local[[0, 2]] < high[[0, 2]])).all()
