"""Triangle meshes of the built-in world: plain arrays, the shapes that objects are made of, and how they are placed.

Axes are those of the map: x right, y down, z forward, so that what stands on the ground reaches to negative y. Shapes
are made with their base on the ground (y = 0), upright, in metres.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np


class Mesh(NamedTuple):
    """Triangles, each of one material; they have no front, and are seen from both sides."""

    vertices: np.ndarray
    """(V, 3) float32 metres"""
    normals: np.ndarray
    """(V, 3) float32, of unit length, outwards"""
    uv: np.ndarray
    """(V, 2) float32 metres on the surface: u horizontal, v upwards or along; what patterns are laid out by"""
    faces: np.ndarray
    """(F, 3) int32"""
    material: np.ndarray
    """(F,) int32, rows of the scene's table of materials"""


EMPTY = Mesh(
    np.zeros((0, 3), np.float32),
    np.zeros((0, 3), np.float32),
    np.zeros((0, 2), np.float32),
    np.zeros((0, 3), np.int32),
    np.zeros(0, np.int32),
)


def join(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of several."""
    parts = list(meshes)
    if not parts:
        return EMPTY
    first = np.cumsum([0] + [len(part.vertices) for part in parts[:-1]])
    faces = [part.faces + np.int32(start) for part, start in zip(parts, first, strict=True)]
    return Mesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uv for part in parts]),
        np.concatenate(faces),
        np.concatenate([part.material for part in parts]),
    )


def place(
    mesh: Mesh,
    position: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    yaw: float = 0.0,
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> Mesh:
    """A mesh scaled about the origin, turned by ``yaw`` (radians, from z towards x), and moved.

    Patterns keep their own size.
    """
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    factors = np.asarray(scale, float)
    normals = (mesh.normals / factors) @ turn.T
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    vertices = (mesh.vertices * factors) @ turn.T + np.asarray(position, float)
    return mesh._replace(vertices=vertices.astype(np.float32), normals=normals.astype(np.float32))


def transform(mesh: Mesh, matrix: np.ndarray) -> Mesh:
    """A mesh moved by a rigid motion (4, 4)."""
    vertices = mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    normals = mesh.normals @ matrix[:3, :3].T
    return mesh._replace(vertices=vertices.astype(np.float32), normals=normals.astype(np.float32))


def box(half: tuple[float, float, float], material: int, *, bottom: float = 0.0, sides: str = "xyz") -> Mesh:
    """A box of half width, half height and half length, its underside ``bottom`` metres above the ground.

    ``sides`` are the axes whose two faces are made: "xz" leaves top and underside out.
    """
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    vertices, normals, uv = [], [], []
    for axis in ["xyz".index(name) for name in sides]:
        u, v = [(2, 1), (0, 2), (0, 1)][axis]
        for side in (-1.0, 1.0):
            corner = np.zeros((4, 3))
            corner[:, u], corner[:, v], corner[:, axis] = signs[:, 0], signs[:, 1], side
            points = corner * half
            vertices.append(points - [0, half[1] + bottom, 0])
            normals.append(np.eye(3)[[axis] * 4] * side)
            uv.append(np.stack([points[:, u] + half[u], (half[v] - points[:, v])], 1))
    count = len(vertices)
    quads = np.array([[0, 1, 2], [0, 2, 3]])
    faces = (quads[None] + 4 * np.arange(count)[:, None, None]).reshape(-1, 3)
    return _mesh(np.concatenate(vertices), np.concatenate(normals), np.concatenate(uv), faces, material)


def quad(corners: np.ndarray, material: int, *, uv: np.ndarray | None = None) -> Mesh:
    """A flat quadrilateral of corners (4, 3) in order.

    ``uv`` (4, 2) are by default metres along its first side and away from it.
    """
    along = corners[1] - corners[0]
    normal = np.cross(along, corners[3] - corners[0])
    normal = normal / max(np.linalg.norm(normal), 1e-12)
    if uv is None:
        along = along / max(np.linalg.norm(along), 1e-12)
        away = np.cross(normal, along)
        uv = np.stack([(corners - corners[0]) @ along, (corners - corners[0]) @ away], 1)
    return _mesh(corners, np.tile(normal, (4, 1)), uv, np.array([[0, 1, 2], [0, 2, 3]]), material)


def cylinder(
    radius: float,
    height: float,
    material: int,
    *,
    bottom: float = 0.0,
    top_radius: float | None = None,
    sides: int = 10,
) -> Mesh:
    """An upright cylinder or cone with a lid, no underside; smooth around."""
    top_radius = radius if top_radius is None else top_radius
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], 1)
    low = ring * radius - [0, bottom, 0]
    high = ring * top_radius - [0, bottom + height, 0]
    slope = np.array([0, -(radius - top_radius) / max(height, 1e-9), 0])
    outwards = ring + slope
    outwards = outwards / np.linalg.norm(outwards, axis=1, keepdims=True)
    wall = (np.concatenate([low, high]), np.concatenate([outwards, outwards]))
    around = angle * radius
    uv = np.stack([np.tile(around, 2), np.repeat([0.0, height], sides + 1)], 1)
    first = np.arange(sides)
    faces = np.concatenate(
        [
            np.stack([first, first + 1, first + sides + 2], 1),
            np.stack([first, first + sides + 2, first + sides + 1], 1),
        ]
    )
    lid = np.concatenate([high[:-1], [[0, -(bottom + height), 0]]])
    lid_faces = np.stack([first, (first + 1) % sides, np.full(sides, sides)], 1) + len(wall[0])
    return _mesh(
        np.concatenate([wall[0], lid]),
        np.concatenate([wall[1], np.tile([0.0, -1.0, 0.0], (sides + 1, 1))]),
        np.concatenate([uv, lid[:, [0, 2]]]),
        np.concatenate([faces, lid_faces]),
        material,
    )


def ellipsoid(half: tuple[float, float, float], material: int, *, bottom: float = 0.0, detail: int = 8) -> Mesh:
    """An ellipsoid of ``detail`` bands and twice as many sectors, smooth; its lowest point at height ``bottom``."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, detail + 1), np.linspace(0, 2 * np.pi, 2 * detail + 1), indexing="ij"
    )
    unit = np.stack([np.sin(polar) * np.cos(around), -np.cos(polar), np.sin(polar) * np.sin(around)], -1).reshape(-1, 3)
    normals = unit / np.asarray(half)
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    vertices = unit * half - [0, half[1] + bottom, 0]
    uv = np.stack([around * max(half[0], half[2]), (np.pi - polar) * half[1]], -1).reshape(-1, 2)
    return _mesh(vertices, normals, uv, _lattice(detail, 2 * detail), material)


def ribbon(left: np.ndarray, right: np.ndarray, along: np.ndarray, lateral: tuple[float, float], material: int) -> Mesh:
    """A strip of ground between two lines of points (N, 3), seen from above.

    ``along`` (N,) metres and the ``lateral`` metres of both sides are its v and u.
    """
    vertices = np.stack([left, right], 1).reshape(-1, 3)
    uv = np.stack([np.tile(lateral, len(along)), np.repeat(along, 2)], 1)
    mesh = _mesh(vertices, np.zeros_like(vertices), uv, _lattice(len(along) - 1, 1), material)
    return with_smooth_normals(mesh, np.array([0.0, -1.0, 0.0]))


def grid_surface(points: np.ndarray, uv: np.ndarray, material: int, outwards: np.ndarray) -> Mesh:
    """A smooth surface through a lattice of points (M, N, 3) with uv (M, N, 2), normals towards ``outwards`` (3,)."""
    rows, columns = points.shape[:2]
    flat = points.reshape(-1, 3)
    mesh = _mesh(flat, np.zeros_like(flat), uv.reshape(-1, 2), _lattice(rows - 1, columns - 1), material)
    return with_smooth_normals(mesh, outwards)


def with_smooth_normals(mesh: Mesh, outwards: np.ndarray) -> Mesh:
    """A mesh whose normals are the mean of the triangles around each vertex, on the side of ``outwards`` (3,)."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    area = np.cross(b - a, c - a)
    area *= np.where(area @ outwards < 0, -1.0, 1.0)[:, None]
    normals = np.zeros(mesh.vertices.shape)
    for k in range(3):
        np.add.at(normals, mesh.faces[:, k], area)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    return mesh._replace(normals=normals.astype(np.float32))


def _lattice(rows: int, columns: int) -> np.ndarray:
    """Triangles (F, 3) of a lattice of (rows + 1) x (columns + 1) vertices, row by row."""
    row, column = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    first = (row * (columns + 1) + column).ravel()
    below = first + columns + 1
    return np.concatenate([np.stack([first, first + 1, below + 1], 1), np.stack([first, below + 1, below], 1)])


def _mesh(vertices: np.ndarray, normals: np.ndarray, uv: np.ndarray, faces: np.ndarray, material: int) -> Mesh:
    return Mesh(
        np.asarray(vertices, np.float32),
        np.asarray(normals, np.float32),
        np.asarray(uv, np.float32),
        np.asarray(faces, np.int32),
        np.full(len(faces), material, np.int32),
    )
