"""Triangle meshes of the built-in world: plain arrays, basic shapes, and how they are placed.

Axes are those of the map: x right, y down, z forward, so that what stands on the ground reaches to negative y. Shapes
are made upright with their base on the ground (y = 0), in metres. A ``material`` is a row of the scene's table of
materials; where a function makes several pieces, it may also be a sequence of one row a piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

Materials = int | np.ndarray | Sequence[int]
"""One row of the table of materials for all pieces, or one a piece"""

FACES = ("front", "back", "right", "left", "top", "underside")
"""faces of a box, in the order in which they are made: those towards +z, -z, +x, -x, -y and +y"""

# corners of the faces of a box of width and length 2 and height 1, y upwards
_CUBE = np.array(
    [
        [[-1, 0, 1], [1, 0, 1], [1, 1, 1], [-1, 1, 1]],
        [[1, 0, -1], [-1, 0, -1], [-1, 1, -1], [1, 1, -1]],
        [[1, 0, 1], [1, 0, -1], [1, 1, -1], [1, 1, 1]],
        [[-1, 0, -1], [-1, 0, 1], [-1, 1, 1], [-1, 1, -1]],
        [[-1, 1, 1], [1, 1, 1], [1, 1, -1], [-1, 1, -1]],
        [[-1, 0, -1], [1, 0, -1], [1, 0, 1], [-1, 0, 1]],
    ],
    float,
)
_CUBE_NORMALS = np.array([[0, 0, 1], [0, 0, -1], [1, 0, 0], [-1, 0, 0], [0, -1, 0], [0, 1, 0]], float)
# uv of these corners as fractions of the face, and which of width, height and length they are fractions of
_CUBE_UV = np.stack(
    [
        (np.take_along_axis(_CUBE, np.array([0, 0, 2, 2, 0, 0])[:, None, None], 2)[..., 0] + 1) / 2,
        np.where(np.arange(6)[:, None] < 4, _CUBE[..., 1], (1 - _CUBE[..., 2]) / 2),
    ],
    -1,
)
_CUBE_UV_SIZE = np.array([[0, 1], [0, 1], [2, 1], [2, 1], [0, 2], [0, 2]])
_QUAD = np.array([[0, 1, 2], [0, 2, 3]])


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
"""A mesh without triangles"""


def build(
    vertices: np.ndarray,
    normals: np.ndarray,
    uv: np.ndarray,
    faces: np.ndarray,
    material: Materials,
    *,
    pieces: int = 1,
) -> Mesh:
    """A mesh of arrays (..., 3), (..., 3), (..., 2) and (..., 3), of ``pieces`` with equally many consecutive faces."""
    faces = np.asarray(faces, np.int32).reshape(-1, 3)
    rows = np.broadcast_to(np.asarray(material, np.int32), (pieces,))
    return Mesh(
        np.asarray(vertices, np.float32).reshape(-1, 3),
        np.asarray(normals, np.float32).reshape(-1, 3),
        np.asarray(uv, np.float32).reshape(-1, 2),
        faces,
        np.repeat(rows, len(faces) // max(pieces, 1)),
    )


def join(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of several."""
    parts = [EMPTY, *meshes]
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


def on_ground(mesh: Mesh) -> Mesh:
    """A mesh moved up or down so that its lowest point is on the ground."""
    return mesh._replace(vertices=mesh.vertices - mesh.vertices[:, 1].max() * np.array([0, 1, 0], np.float32))


def boxes(rows: Sequence | np.ndarray, material: Materials, *, hidden: str = "underside") -> Mesh:
    """Upright boxes, rows (N, 6): x, height of the underside and z of its middle; width, height and length.

    ``hidden`` names the ``FACES`` that are left out, separated by spaces. The uv of a face start at its lower corner.
    """
    rows = np.asarray(rows, float).reshape(-1, 6)
    made = [k for k, name in enumerate(FACES) if name not in hidden.split()]
    base, size = rows[:, None, None, :3] * [1, -1, 1], rows[:, None, None, 3:] * [0.5, -1, 0.5]
    uv = _CUBE_UV[made] * rows[:, 3:][:, _CUBE_UV_SIZE[made]][:, :, None]
    normals = np.tile(np.repeat(_CUBE_NORMALS[made], 4, 0), (len(rows), 1))
    faces = _QUAD + 4 * np.arange(len(made) * len(rows))[:, None, None]
    return build(base + _CUBE[made] * size, normals, uv, faces, material, pieces=len(rows))


def box(half: tuple[float, float, float], material: int, *, bottom: float = 0.0, hidden: str = "") -> Mesh:
    """A box of half width, half height and half length, its underside ``bottom`` metres above the ground."""
    return boxes([(0, bottom, 0, *np.multiply(half, 2.0))], material, hidden=hidden)


def quads(corners: np.ndarray, material: Materials, *, uv: np.ndarray | None = None) -> Mesh:
    """Flat quadrilaterals of corners (N, 4, 3), counter-clockwise as seen from the front.

    ``uv`` (N, 4, 2) are by default metres along the first side of each and away from it.
    """
    corners = np.asarray(corners, float)
    normals = unit(cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]))
    if uv is None:
        along = unit(corners[:, 1] - corners[:, 0])
        axes = np.stack([along, cross(normals, along)], 1)
        uv = np.einsum("nki,nai->nka", corners - corners[:, :1], axes)
    faces = _QUAD + 4 * np.arange(len(corners))[:, None, None]
    return build(corners, np.repeat(normals, 4, 0), uv, faces, material, pieces=len(corners))


def quad(corners: np.ndarray, material: int, *, uv: np.ndarray | None = None) -> Mesh:
    """A flat quadrilateral of corners (4, 3), with uv (4, 2), as in ``quads``."""
    return quads(corners[None], material, uv=None if uv is None else uv[None])


def cylinder(
    radius: float,
    height: float,
    material: int,
    *,
    bottom: float = 0.0,
    top_radius: float | None = None,
    sides: int = 10,
) -> Mesh:
    """An upright cylinder or truncated cone with a lid, without an underside; smooth around."""
    top_radius = radius if top_radius is None else top_radius
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], 1)
    low, high = ring * radius - [0, bottom, 0], ring * top_radius - [0, bottom + height, 0]
    outwards = unit(ring - [0, (radius - top_radius) / max(height, 1e-9), 0])
    uv = np.stack([np.tile(angle * radius, 2), np.repeat([0.0, height], sides + 1)], 1)
    wall = build(np.stack([low, high]), np.stack([outwards, outwards]), uv, lattice(1, sides), material)
    lid = np.concatenate([high[:-1], [[0, -(bottom + height), 0]]])
    first = np.arange(sides)
    fan = np.stack([first, (first + 1) % sides, np.full(sides, sides)], 1)
    return join([wall, build(lid, np.tile([0.0, -1.0, 0.0], (sides + 1, 1)), lid[:, [0, 2]], fan, material)])


def ellipsoid(half: tuple[float, float, float], material: int, *, bottom: float = 0.0, detail: int = 5) -> Mesh:
    """An ellipsoid of ``detail`` bands and twice as many sectors, smooth; its lowest point at height ``bottom``."""
    polar, around = np.meshgrid(
        np.linspace(0, np.pi, detail + 1), np.linspace(0, 2 * np.pi, 2 * detail + 1), indexing="ij"
    )
    points = np.stack([np.sin(polar) * np.cos(around), -np.cos(polar), np.sin(polar) * np.sin(around)], -1)
    uv = np.stack([around * max(half[0], half[2]), (np.pi - polar) * half[1]], -1)
    faces = lattice(detail, 2 * detail).reshape(detail, 2 * detail, 2, 3)
    # one side of these triangles is the pole
    proper = np.ones(faces.shape[:3], bool)
    proper[0, :, 0] = proper[-1, :, 1] = False
    return build(points * half - [0, half[1] + bottom, 0], unit(points / np.asarray(half)), uv, faces[proper], material)


def ribbon(left: np.ndarray, right: np.ndarray, along: np.ndarray, lateral: tuple[float, float], material: int) -> Mesh:
    """A strip of ground between two lines of points (N, 3), seen from above, with two faces for each piece of it.

    ``along`` (N,) metres and the ``lateral`` metres of both sides are its v and u.
    """
    uv = np.stack([np.tile(lateral, len(along)), np.repeat(along, 2)], 1).reshape(-1, 2, 2)
    return grid_surface(np.stack([left, right], 1), uv, material, np.array([0.0, -1.0, 0.0]))


def grid_surface(points: np.ndarray, uv: np.ndarray, material: int, outwards: np.ndarray) -> Mesh:
    """A smooth surface through a lattice of points (M, N, 3) with uv (M, N, 2), normals towards ``outwards`` (3,)."""
    rows, columns = points.shape[:2]
    mesh = build(points, np.zeros_like(points), uv, lattice(rows - 1, columns - 1), material)
    return mesh._replace(normals=_smooth_normals(mesh, outwards))


def _smooth_normals(mesh: Mesh, outwards: np.ndarray) -> np.ndarray:
    """Normals (V, 3) that are the mean of the triangles around each vertex, on the side of ``outwards`` (3,)."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(float) for k in range(3))
    area = cross(b - a, c - a)
    area *= np.where(area @ outwards < 0, -1.0, 1.0)[:, None]
    normals = np.zeros(mesh.vertices.shape)
    for k in range(3):
        np.add.at(normals, mesh.faces[:, k], area)
    return unit(normals).astype(np.float32)


def lattice(rows: int, columns: int) -> np.ndarray:
    """Triangles (F, 3) of a lattice of (rows + 1) x (columns + 1) vertices, row by row, two for each of its cells."""
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    below = first + columns + 1
    return np.stack([first, first + 1, below + 1, first, below + 1, below], 1).reshape(-1, 3)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product (..., 3); several times faster than numpy's on small arrays."""
    a, b = np.broadcast_arrays(a, b) if a.shape != b.shape else (a, b)
    out = np.empty(a.shape)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        out[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return out


def lengths(a: np.ndarray) -> np.ndarray:
    """Lengths (...) of vectors (..., 3)."""
    return np.sqrt(np.einsum("...i,...i", a, a))


def unit(a: np.ndarray) -> np.ndarray:
    """Vectors (..., 3) scaled to unit length; zeros stay zeros."""
    return a / np.maximum(lengths(a), 1e-12)[..., None]
