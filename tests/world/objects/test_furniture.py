"""Every piece of furniture, fitting and small thing of rooms."""

from __future__ import annotations

import inspect
from importlib import import_module

import numpy as np
import pytest

from vode.world.materials import Palette
from vode.world.mesh import Mesh
from vode.world.objects.indoor.kitchen import kitchen_run
from vode.world.objects.indoor.parts import bar, blocks, cushion, extent
from vode.world.objects.shapes import Maker

MODULES = ("furniture", "storage", "devices", "floor_things", "clutter", "fittings", "kitchen", "printed")
MAKERS: dict[str, Maker] = {
    name: function
    for module in MODULES
    for name, function in vars(import_module(f"vode.world.objects.indoor.{module}")).items()
    if inspect.isfunction(function)
    and function.__module__.endswith(f".{module}")
    and not name.startswith("_")
    and list(inspect.signature(function).parameters) == ["rng", "palette"]
}
MAKERS["kitchen_run"] = lambda rng, palette: kitchen_run(rng, palette, float(rng.uniform(1.8, 3.6)))
TALL = {
    "table": (0.65, 0.8),
    "chair": (0.7, 1.1),
    "sofa": (0.6, 1.1),
    "cupboard": (1.6, 2.3),
    "kitchen_run": (1.8, 2.4),
}


def made(maker: Maker, seed: int) -> tuple[Mesh, Palette]:
    palette = Palette()
    return maker(np.random.default_rng(seed), palette), palette


def areas(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def test_there_are_dozens_of_kinds() -> None:
    assert len(MAKERS) > 55


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_a_sound_mesh_that_stands_on_its_base(name: str) -> None:
    for seed in range(6):
        mesh, palette = made(MAKERS[name], seed)
        assert all(np.isfinite(values).all() for values in (mesh.vertices, mesh.normals, mesh.uv))
        assert abs(mesh.vertices[:, 1].max()) < 0.005
        np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
        assert areas(mesh).min() > 1e-10
        assert mesh.faces.min() >= 0
        assert mesh.faces.max() < len(mesh.vertices)
        assert mesh.material.min() >= 0
        assert mesh.material.max() < len(palette.table().values)
        x0, x1, z0, z1, top = extent(mesh)
        assert 0 < top < 3.6
        assert max(x1 - x0, z1 - z0) < 5.0
        assert len(mesh.faces) < 1500


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_a_pure_function_of_its_seed_and_varies_with_it(name: str) -> None:
    (one, _), (same, _) = made(MAKERS[name], 3), made(MAKERS[name], 3)
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a, b)
    looks = {
        (made(MAKERS[name], seed)[0].vertices.tobytes(), made(MAKERS[name], seed)[1]._rows.__repr__())
        for seed in range(6)
    }
    assert len(looks) > 1


@pytest.mark.parametrize("name", TALL)
def test_furniture_is_as_tall_as_furniture_is(name: str) -> None:
    low, high = TALL[name]
    assert all(low < extent(made(MAKERS[name], seed)[0])[4] < high for seed in range(12))


def test_blocks_lie_where_they_are_put_and_face_outwards() -> None:
    mesh = blocks([(4, 1.0, 0.5, 2.0, 0.4, 0.6, 0.8)])
    np.testing.assert_allclose(mesh.vertices.min(0), [0.8, -1.1, 1.6], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices.max(0), [1.2, -0.5, 2.4], atol=1e-6)
    assert ((mesh.vertices - [1.0, -0.8, 2.0]) * mesh.normals).sum(1).min() > 0.1
    assert set(mesh.material) == {4}
    assert len(blocks([(4, 1.0, 0.5, 2.0, 0.4, 0.6, 0.8)], hidden="underside back").faces) == 8


def test_a_bar_reaches_from_end_to_end() -> None:
    mesh = bar((1.0, 0.2, 0.0), (1.0, 0.8, 0.5), 0.02, 0)
    along = np.array([0.0, -0.6, 0.5]) / np.hypot(0.6, 0.5)
    reach = (mesh.vertices - [1.0, -0.2, 0.0]) @ along
    np.testing.assert_allclose([reach.min(), reach.max()], [0, np.hypot(0.6, 0.5)], atol=1e-5)


def test_a_cushion_fills_its_box_and_is_round() -> None:
    mesh = cushion((0.4, 0.2, 0.6), 0, bottom=0.1)
    np.testing.assert_allclose(mesh.vertices.max(0) - mesh.vertices.min(0), [0.4, 0.2, 0.6], atol=0.02)
    corner = np.abs((mesh.vertices - [0, -0.2, 0]) / [0.2, 0.1, 0.3]).min(1)
    assert corner.max() < 0.97
