"""Basic shapes: areas, bounds, normals and coordinates against geometry known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from vode.world.mesh import (
    EMPTY,
    FACES,
    Mesh,
    box,
    boxes,
    cylinder,
    ellipsoid,
    grid_surface,
    join,
    on_ground,
    place,
    quad,
    quads,
    ribbon,
)

SHAPES = {
    "box": box((0.5, 1.0, 2.0), 3, bottom=0.4),
    "cylinder": cylinder(0.6, 1.5, 3, bottom=0.4, sides=24),
    "cone": cylinder(0.6, 1.5, 3, bottom=0.4, top_radius=0.2, sides=24),
    "ellipsoid": ellipsoid((0.5, 1.0, 2.0), 3, bottom=0.4, detail=8),
}


def areas(mesh: Mesh) -> np.ndarray:
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def areas_of_uv(mesh: Mesh) -> np.ndarray:
    (au, av), (bu, bv), (cu, cv) = (mesh.uv[mesh.faces[:, k]].astype(float).T for k in range(3))
    return np.abs((bu - au) * (cv - av) - (bv - av) * (cu - au)) / 2


@pytest.mark.parametrize("name", SHAPES)
def test_normals_have_unit_length_and_point_outwards(name: str) -> None:
    mesh = SHAPES[name]
    centre = (mesh.vertices.max(0) + mesh.vertices.min(0)) / 2
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert ((mesh.vertices - centre) * mesh.normals).sum(1).min() > 0.05


@pytest.mark.parametrize("name", SHAPES)
def test_normals_are_those_of_the_triangles(name: str) -> None:
    mesh = SHAPES[name]
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    flat = np.cross(b - a, c - a)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert np.abs((mesh.normals[mesh.faces].mean(1) * flat).sum(1)).min() > 0.75


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_stand_at_their_height_without_empty_triangles(name: str) -> None:
    mesh = SHAPES[name]
    assert mesh.vertices[:, 1].max() == pytest.approx(-0.4, abs=1e-6)
    assert areas(mesh).min() > 1e-4
    assert set(mesh.material) == {3}
    assert len(mesh.material) == len(mesh.faces)


@pytest.mark.parametrize("detail", [2, 4, 7])
def test_an_ellipsoid_has_one_triangle_a_sector_at_its_poles(detail: int) -> None:
    mesh = ellipsoid((1.0, 1.0, 1.0), 0, detail=detail)
    assert areas(mesh).min() > 0.02
    assert len(mesh.faces) == 2 * (2 * detail) * (detail - 1)


def test_a_fine_ellipsoid_has_the_surface_of_a_sphere() -> None:
    mesh = ellipsoid((0.5, 0.5, 0.5), 0, detail=32)
    assert areas(mesh).sum() == pytest.approx(np.pi, rel=0.01)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices - [0, -0.5, 0], axis=1), 0.5, atol=1e-6)


def test_boxes_stand_where_they_are_asked_each_of_its_material() -> None:
    mesh = boxes([(1.0, 0.5, -2.0, 2.0, 3.0, 4.0), (0, 0, 0, 1, 1, 1)], [7, 9], hidden="")
    first = mesh.vertices[:24]
    np.testing.assert_allclose(first.min(0), [0.0, -3.5, -4.0])
    np.testing.assert_allclose(first.max(0), [2.0, -0.5, 0.0])
    assert areas(mesh).sum() == pytest.approx(2 * (6 + 8 + 12) + 6)
    assert list(mesh.material) == [7] * 12 + [9] * 12
    np.testing.assert_allclose(
        ((first - first.mean(0)) * mesh.normals[:24]).sum(1).reshape(6, 4).T[0], [2, 2, 1, 1, 1.5, 1.5]
    )


@pytest.mark.parametrize("name", FACES)
def test_hidden_faces_of_boxes_are_left_out(name: str) -> None:
    normal = {"front": (0, 0, 1), "back": (0, 0, -1), "right": (1, 0, 0), "left": (-1, 0, 0), "top": (0, -1, 0)}
    mesh = boxes([(0, 0, 0, 1, 1, 1)], 0, hidden=name)
    assert len(mesh.faces) == 10
    assert not (mesh.normals == normal.get(name, (0, 1, 0))).all(1).any()


def test_uv_of_boxes_are_metres_from_a_corner_of_each_face() -> None:
    mesh = boxes([(5.0, 1.0, -3.0, 2.0, 3.0, 4.0)], 0, hidden="")
    for start, end in ((0, 1), (1, 2), (2, 0)):
        a, b = mesh.faces[:, start], mesh.faces[:, end]
        np.testing.assert_allclose(
            np.linalg.norm(mesh.vertices[a] - mesh.vertices[b], axis=1), np.linalg.norm(mesh.uv[a] - mesh.uv[b], axis=1)
        )
    corners = mesh.uv.reshape(6, 4, 2)
    np.testing.assert_allclose(corners.min(1), 0, atol=1e-6)
    sides = mesh.vertices.reshape(6, 4, 3)[:4]
    np.testing.assert_allclose(corners[:4, :, 1], -1.0 - sides[..., 1], atol=1e-6)  # v is the height above the base


def test_a_box_is_twice_its_halves() -> None:
    mesh = box((0.5, 1.0, 2.0), 0, bottom=0.3)
    np.testing.assert_allclose(mesh.vertices.min(0), [-0.5, -2.3, -2.0])
    np.testing.assert_allclose(mesh.vertices.max(0), [0.5, -0.3, 2.0])


def test_a_cylinder_has_a_wall_and_a_lid() -> None:
    mesh = cylinder(0.5, 2.0, 0, bottom=1.0, sides=96)
    lid = mesh.normals[:, 1] < -0.99
    assert areas(mesh).sum() == pytest.approx(2 * np.pi * 0.5 * 2.0 + np.pi * 0.25, rel=1e-2)
    np.testing.assert_allclose(mesh.vertices[lid, 1], -3.0)
    np.testing.assert_allclose(np.linalg.norm(mesh.vertices[~lid][:, [0, 2]], axis=1), 0.5, atol=1e-6)
    np.testing.assert_allclose(np.ptp(mesh.uv[~lid], axis=0), [np.pi, 2.0], atol=1e-6)


def test_normals_of_a_cone_are_across_its_slope() -> None:
    mesh = cylinder(1.0, 2.0, 0, top_radius=0.5, sides=64)
    wall = mesh.normals[:, 1] > -0.99
    np.testing.assert_allclose(mesh.normals[wall, 1], -0.5 / np.hypot(2.0, 0.5), atol=1e-6)


def test_uv_of_quads_are_metres_along_and_away_from_their_first_side() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    flat = np.array([[[0, 0, 0], [3, 0, 0], [3, 2, 0], [0, 2, 0]], [[0, 0, 1], [1, 0, 1], [2, 1, 1], [0, 1, 1]]], float)
    mesh = quads(flat @ turn.T + [5.0, -2.0, 1.0], [1, 2])
    np.testing.assert_allclose(mesh.uv, flat.reshape(-1, 3)[:, :2], atol=1e-6)
    np.testing.assert_allclose(np.abs(mesh.normals @ turn[:, 2]), 1, atol=1e-6)
    assert list(mesh.material) == [1, 1, 2, 2]
    for one, other in zip(quad(flat[0], 1), quads(flat[:1], 1), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_ribbon_follows_both_its_lines_and_faces_up() -> None:
    along = np.array([0.0, 2.0, 3.0, 7.0])
    left, right = (np.stack([np.full(4, x), [0.0, -0.1, 0.0, -0.3], along], 1) for x in (-1.5, 2.5))
    mesh = ribbon(left, right, along, (-1.5, 2.5), 4)
    np.testing.assert_allclose(mesh.vertices[0::2], left, atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[1::2], right, atol=1e-6)
    np.testing.assert_allclose(mesh.uv, mesh.vertices[:, [0, 2]], atol=1e-6)
    assert mesh.normals[:, 1].max() < -0.9
    middles = mesh.vertices[mesh.faces].mean(1)[:, 2].reshape(3, 2)
    assert ((middles > along[:-1, None]) & (middles < along[1:, None])).all()  # two faces for each piece


def test_normals_of_a_smooth_surface_are_those_of_the_curve() -> None:
    angle, z = np.meshgrid(np.linspace(0.2, 2.9, 60), np.linspace(0, 5, 4), indexing="ij")
    points = np.stack([np.cos(angle), -np.sin(angle), z], -1)
    mesh = grid_surface(points, np.stack([angle, z], -1), 0, np.array([0.0, -1.0, 0.0]))
    expected = (points * [1, 1, 0]).reshape(-1, 3)
    np.testing.assert_allclose(mesh.normals, expected, atol=0.03)
    np.testing.assert_allclose(areas_of_uv(mesh), areas(mesh), rtol=1e-3)


def test_joined_meshes_keep_their_triangles() -> None:
    parts = [SHAPES["box"], EMPTY, SHAPES["cone"]]
    mesh = join(iter(parts))
    expected = np.concatenate([part.vertices[part.faces] for part in parts])
    np.testing.assert_array_equal(mesh.vertices[mesh.faces], expected)
    assert [part.dtype for part in mesh] == [np.float32] * 3 + [np.int32] * 2
    assert [len(part) for part in join([])] == [0] * 5


def test_a_placed_mesh_is_scaled_then_turned_from_z_towards_x_then_moved() -> None:
    mesh = place(quad(np.array([[0, 0, 0], [1, 0, 0], [1, -1, 0], [0, -1, 0]], float), 0), (10.0, -1.0, 20.0))
    np.testing.assert_allclose(mesh.vertices[[0, 2]], [[10, -1, 20], [11, -2, 20]])
    ahead = place(box((0.1, 0.1, 1.0), 0), (1.0, 0.0, 2.0), yaw=np.pi / 2, scale=(1.0, 2.0, 3.0))
    np.testing.assert_allclose(ahead.vertices.min(0), [-2.0, -0.4, 1.9], atol=1e-6)
    np.testing.assert_allclose(ahead.vertices.max(0), [4.0, 0.0, 2.1], atol=1e-6)
    front = ahead.vertices[:, 0] > 3.9
    assert (ahead.normals[front] @ [1, 0, 0] > 0.99).sum() == 4


def test_normals_of_a_stretched_mesh_stay_across_its_surface() -> None:
    ball, scale = ellipsoid((1.0, 1.0, 1.0), 0, detail=12), (1.0, 3.0, 0.5)
    expected = ellipsoid(scale, 0, detail=12)
    for stretched, known in zip(place(ball, scale=scale)[:2], expected[:2], strict=True):
        np.testing.assert_allclose(stretched, known, atol=1e-5)


def test_what_is_put_on_the_ground_touches_it() -> None:
    for height in (-3.0, 0.7):
        mesh = on_ground(place(SHAPES["cone"], (1.0, height, 2.0)))
        assert mesh.vertices[:, 1].max() == pytest.approx(0, abs=1e-6)
        moved = mesh.vertices - SHAPES["cone"].vertices
        np.testing.assert_allclose(moved[:, [0, 2]], np.tile([1.0, 2.0], (len(moved), 1)), atol=1e-5)
