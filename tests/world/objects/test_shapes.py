"""Shapes: areas, normals and coordinates against geometry known beforehand."""

import numpy as np
import pytest

from vode.world.mesh import boxes
from vode.world.objects import shapes


def area(mesh):
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_a_closed_sheet_of_rings_is_a_cylinder():
    mesh = shapes.sheet(shapes.rings([0.0, 2.0], [0.5, 0.5], [0.5, 0.5], sides=96), 3, closed=True)
    assert area(mesh) == pytest.approx(2 * np.pi * 0.5 * 2.0, rel=1e-3)
    np.testing.assert_allclose(mesh.normals, mesh.vertices * [2, 0, 2], atol=1e-6)
    assert np.ptp(mesh.uv[:, 0]) == pytest.approx(np.pi, rel=1e-3)


def test_tubes_follow_their_ends_with_normals_across():
    ends = np.array([[[0, 0, 0], [1.0, -2.0, 0.5]]])
    mesh = shapes.tubes(ends, [[0.2, 0.1]], 0, sides=8)
    axis = ends[0, 1] / np.linalg.norm(ends[0, 1])
    np.testing.assert_allclose(mesh.normals @ axis, 0, atol=1e-6)
    off = mesh.vertices - np.outer(mesh.vertices @ axis, axis)
    np.testing.assert_allclose(np.linalg.norm(off, axis=1), np.repeat([0.2, 0.1], 9), atol=1e-6)


@pytest.mark.parametrize("across", ["x", "z"])
def test_a_prism_has_the_surface_of_its_profile(across):
    profile = [(-1.0, 0.0), (1.0, 0.0), (1.0, 2.0), (-1.0, 2.0)]
    mesh = shapes.prism(profile, 3.0, [1, 2, 3, 4], 5, across=across)
    assert area(mesh) == pytest.approx(2 * 4 + 8 * 3)
    centre = (mesh.vertices.max(0) + mesh.vertices.min(0)) / 2
    assert (((mesh.vertices - centre) * mesh.normals).sum(1) > 0.9).all()
    assert set(mesh.material) == {1, 2, 3, 4, 5}
    assert np.ptp(mesh.vertices[:, "xyz".index(across)]) == pytest.approx(3)


def test_tilting_turns_about_the_pivot():
    mesh = boxes([(0, 0, 0, 0.1, 1.0, 0.1)], 0)
    turned = shapes.tilt(mesh, np.pi / 2, pivot=(0, -1.0, 0))
    np.testing.assert_allclose(turned.vertices[:, 1].min(), -1.05, atol=1e-6)
    np.testing.assert_allclose([turned.vertices[:, 2].min(), turned.vertices[:, 2].max()], [0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(turned.normals, axis=1), 1, atol=1e-6)


def test_a_polygon_faces_the_way_it_is_asked():
    mesh = shapes.polygon(np.array([[0, 0, 0], [1, 0, 0], [1, -1, 0], [0, -1, 0]]), 2, (0, 0, -3))
    assert area(mesh) == pytest.approx(1)
    np.testing.assert_allclose(mesh.normals, [[0, 0, -1]] * 4)
