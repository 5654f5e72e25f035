"""Shapes that objects are made of, many at a time; base on the ground, up is negative y, metres.

Points of profiles are given as heights above the ground, positive upwards. A ``material`` is one row of the
palette, or an array of one a piece.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vode.world.materials import Colour, Palette
from vode.world.mesh import Mesh

Make = Callable[[np.random.Generator, Palette], Mesh]
Rows = int | np.ndarray | Sequence[int]
Row = tuple[float, ...]

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
_QUAD = np.array([[0, 1, 2], [0, 2, 3]])


def variants(make: Make, rng: np.random.Generator, palette: Palette, count: int) -> list[Mesh]:
    """A few instances of one kind of object, to be placed many times at different yaw and scale."""
    return [make(rng, palette) for _ in range(count)]


def pick(rng: np.random.Generator, options: Sequence) -> object:
    """One of several, each as likely."""
    return options[int(rng.integers(len(options)))]


def tint(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 0.15) -> Colour:
    """One of several colours, a bit lighter or darker and shifted."""
    base = colours[int(rng.integers(len(colours)))]
    shade = 1 + spread * rng.uniform(-1, 1)
    shift = rng.uniform(1 - spread / 3, 1 + spread / 3, 3)
    red, green, blue = (float(min(max(c * shade * s, 0.01), 0.95)) for c, s in zip(base, shift, strict=True))
    return (red, green, blue)


def quads(corners: np.ndarray, material: Rows, *, uv: np.ndarray | None = None) -> Mesh:
    """Flat quadrilaterals of corners (N, 4, 3), counter-clockwise from the front; u runs along the first side."""
    corners = np.asarray(corners, float)
    normal = _unit(_cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]))
    if uv is None:
        along = _unit(corners[:, 1] - corners[:, 0])
        away = _cross(normal, along)
        from_first = corners - corners[:, :1]
        uv = np.einsum("nki,nai->nka", from_first, np.stack([along, away], 1))
    faces = (_QUAD + 4 * np.arange(len(corners))[:, None, None]).reshape(-1, 3)
    return build(corners, np.repeat(normal, 4, 0), uv, faces, _each(material, len(corners), 2))


def triangles(corners: np.ndarray, material: Rows, normals: np.ndarray | None = None) -> Mesh:
    """Loose triangles (N, 3, 3), with normals (N, 3) or their own; uv is across and up."""
    corners = np.asarray(corners, float)
    if normals is None:
        normals = _unit(_cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    uv = np.stack([corners[..., 0] + corners[..., 2], -corners[..., 1]], -1)
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    return build(corners, np.repeat(normals, 3, 0), uv, faces, _each(material, len(corners), 1))


def boxes(rows: Sequence | np.ndarray, material: Rows, *, underside: bool = False) -> Mesh:
    """Upright boxes, rows (N, 6): x, height of the underside and z of its middle; width, height and length."""
    rows = np.asarray(rows, float).reshape(-1, 6)
    sides = 6 if underside else 5
    centre, size = rows[:, None, None, :3] * [1, -1, 1], rows[:, None, None, 3:] * [0.5, -1, 0.5]
    local = _CUBE[:sides] * size
    u_axis = np.array([0, 0, 2, 2, 0, 0])[:sides]
    u = np.take_along_axis(local, u_axis[None, :, None, None].repeat(4, 2).repeat(len(rows), 0), 3)[..., 0]
    v = np.where((np.arange(sides) < 4)[None, :, None], -local[..., 1], local[..., 2])
    faces = (_QUAD + 4 * np.arange(sides * len(rows))[:, None, None]).reshape(-1, 3)
    normals = np.tile(np.repeat(_CUBE_NORMALS[:sides], 4, 0), (len(rows), 1))
    return build(local + centre, normals, np.stack([u, v], -1), faces, _each(material, len(rows), 2 * sides))


def sheet(points: np.ndarray, material: Rows, *, inside: np.ndarray | None = None, closed: bool = False) -> Mesh:
    """Smooth surfaces through lattices of points ([K,] M, N, 3), normals away from the point ``inside`` (3,).

    By default ``inside`` is the mean of each row. ``material`` may be one a band of the M - 1 (or K by M - 1). With
    ``closed``, the last column is the first one again.
    """
    points = np.asarray(points, float)
    if points.ndim == 3:
        points = points[None]
    count, rows, columns = points.shape[:3]
    along = points[:, _after(rows)] - points[:, _before(rows)]
    if closed:
        next_, last = np.r_[1:columns, 1], np.r_[columns - 2, : columns - 1]
        around = points[:, :, next_] - points[:, :, last]
    else:
        around = points[:, :, _after(columns)] - points[:, :, _before(columns)]
    normals = _unit(_cross(around, along))
    centre = points[:, :, : columns - closed].mean(2, keepdims=True) if inside is None else np.asarray(inside)
    away = points - centre
    flip = (normals * away).sum(-1, keepdims=True)
    normals = np.where(flip < 0, -normals, normals)
    u = np.cumsum(_length(np.diff(points, axis=2, prepend=points[:, :, :1])), 2)
    v = np.cumsum(_length(np.diff(points, axis=1, prepend=points[:, :1])), 1)
    one = _lattice(rows - 1, columns - 1)
    faces = (one + rows * columns * np.arange(count)[:, None, None]).reshape(-1, 3)
    bands = np.broadcast_to(np.asarray(material), (count, rows - 1)).ravel()
    return build(points, normals, np.stack([u, v], -1), faces, np.repeat(bands, 2 * (columns - 1)))


def tubes(ends: Sequence | np.ndarray, radii: float | Sequence | np.ndarray, material: Rows, *, sides: int = 5) -> Mesh:
    """Round rods without ends: points (N, 2, 3) with y down, radii scalar, (N,) or (N, 2)."""
    ends = np.asarray(ends, float).reshape(-1, 2, 3)
    radius = np.asarray(radii, float)
    radius = np.broadcast_to(radius[:, None] if radius.ndim == 1 else radius, (len(ends), 2))
    axis = _unit(ends[:, 1] - ends[:, 0])
    helper = np.where(np.abs(axis[:, :1]) < 0.8, [[1.0, 0, 0]], [[0, 0, 1.0]])
    side = _unit(_cross(axis, helper))
    other = _cross(axis, side)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[None, :, None]
    ring = side[:, None] * np.cos(angle) + other[:, None] * np.sin(angle)
    points = ends[:, :, None] + ring[:, None] * radius[:, :, None, None]
    normals = np.broadcast_to(ring[:, None], points.shape)
    u = np.broadcast_to(angle[..., 0][:, None] * radius.mean(1)[:, None, None], points.shape[:3])
    v = _length(ends[:, 1] - ends[:, 0])[:, None, None] * np.array([0.0, 1.0])[None, :, None]
    uv = np.stack([u, np.broadcast_to(v, u.shape)], -1)
    faces = (_lattice(1, sides) + 2 * (sides + 1) * np.arange(len(ends))[:, None, None]).reshape(-1, 3)
    return build(points, normals, uv, faces, _each(material, len(ends), 2 * sides))


def rings(
    heights: Sequence | np.ndarray,
    half_x: Sequence | np.ndarray,
    half_z: Sequence | np.ndarray,
    *,
    middle: Sequence | np.ndarray = (0.0, 0.0),
    sides: int = 8,
) -> np.ndarray:
    """Lattice (M, sides + 1, 3) of ellipses one above the other, for ``sheet(..., closed=True)``; middle is (x, z)."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    middle = np.broadcast_to(np.asarray(middle, float), (len(heights), 2))
    points = np.empty((len(heights), sides + 1, 3))
    points[..., 0] = middle[:, :1] + np.outer(half_x, np.cos(angle))
    points[..., 1] = -np.asarray(heights, float)[:, None]
    points[..., 2] = middle[:, 1:] + np.outer(half_z, np.sin(angle))
    return points


def polygon(points: np.ndarray, material: int, outwards: np.ndarray | Sequence[float]) -> Mesh:
    """A flat convex polygon (N, 3) that faces ``outwards``."""
    points = np.asarray(points, float)
    first = np.arange(1, len(points) - 1)
    faces = np.stack([np.zeros_like(first), first, first + 1], 1)
    normal = np.asarray(outwards, float) / np.linalg.norm(outwards)
    upright = abs(normal[1]) < 0.9
    along = _unit(np.array([normal[2], 0.0, -normal[0]])) if upright else np.array([1.0, 0, 0])
    away = np.array([0.0, -1, 0]) if upright else np.array([0.0, 0, 1])
    uv = np.stack([points @ along, points @ away], 1)
    return build(points, np.tile(normal, (len(points), 1)), uv, faces, np.full(len(faces), material))


def prism(profile: Sequence | np.ndarray, width: float, material: Rows, caps: int, *, across: str = "x") -> Mesh:
    """A convex profile (N, 2), drawn out to both sides of the middle over ``width``, with flat faces.

    The profile is (z, height) for ``across="x"`` and (x, height) for ``across="z"``; ``material`` may be one a side
    of it, from each point to the next; ``caps`` close both ends.
    """
    profile = np.asarray(profile, float)
    axis = "xyz".index(across)
    points = np.zeros((2, len(profile), 3))
    points[:, :, 2 - axis], points[:, :, 1] = profile[:, 0], -profile[:, 1]
    points[0, :, axis], points[1, :, axis] = -width / 2, width / 2
    following = np.roll(points, -1, 1)
    corners = np.stack([points[0], points[1], following[1], following[0]], 1)
    walls = facing_out(quads(corners, material), points.mean((0, 1)))
    count, number = len(walls.vertices), len(profile)
    ends = np.concatenate([points[0], points[1]])
    direction = np.zeros((2 * number, 3))
    direction[:number, axis], direction[number:, axis] = -1.0, 1.0
    first = np.arange(1, number - 1)
    fan = np.stack([np.zeros_like(first), first, first + 1], 1)
    return build(
        np.concatenate([walls.vertices, ends]),
        np.concatenate([walls.normals, direction]),
        np.concatenate([walls.uv, np.stack([ends[:, 2 - axis], -ends[:, 1]], 1)]),
        np.concatenate([walls.faces, fan + count, fan + count + number]),
        np.concatenate([walls.material, np.full(2 * len(fan), caps)]),
    )


def facing_out(mesh: Mesh, inside: np.ndarray) -> Mesh:
    """A mesh whose normals point away from a point inside it."""
    away = ((mesh.vertices - inside) * mesh.normals).sum(1, keepdims=True)
    return mesh._replace(normals=np.where(away < 0, -mesh.normals, mesh.normals).astype(np.float32))


def tilt(mesh: Mesh, angle: float, *, axis: str = "x", pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A mesh turned about a horizontal axis through ``pivot``."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array(
        [[1, 0, 0], [0, cos, -sin], [0, sin, cos]] if axis == "x" else [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]
    )
    vertices = (mesh.vertices - np.asarray(pivot)) @ turn.T + np.asarray(pivot)
    normals = mesh.normals @ turn.T
    return mesh._replace(vertices=vertices.astype(np.float32), normals=normals.astype(np.float32))


def build(vertices: np.ndarray, normals: np.ndarray, uv: np.ndarray, faces: np.ndarray, material: np.ndarray) -> Mesh:
    """A mesh of arrays of any shape that ends in the right number."""
    return Mesh(
        np.asarray(vertices, np.float32).reshape(-1, 3),
        np.asarray(normals, np.float32).reshape(-1, 3),
        np.asarray(uv, np.float32).reshape(-1, 2),
        np.asarray(faces, np.int32),
        np.asarray(material, np.int32),
    )


def _each(material: Rows, count: int, repeats: int) -> np.ndarray:
    return np.repeat(np.broadcast_to(np.asarray(material, np.int32), (count,)), repeats)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product; several times faster than numpy's on small arrays."""
    a, b = np.broadcast_arrays(a, b) if a.shape != b.shape else (a, b)
    out = np.empty(a.shape)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        out[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return out


def _length(a: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("...i,...i", a, a))


def _unit(a: np.ndarray) -> np.ndarray:
    return a / np.maximum(_length(a), 1e-12)[..., None]


def _after(count: int) -> np.ndarray:
    return np.minimum(np.arange(count) + 1, count - 1)


def _before(count: int) -> np.ndarray:
    return np.maximum(np.arange(count) - 1, 0)


def _lattice(rows: int, columns: int) -> np.ndarray:
    """Triangles (F, 3) of a lattice of (rows + 1) x (columns + 1) points, row by row, band after band."""
    first = (np.arange(rows)[:, None] * (columns + 1) + np.arange(columns)).ravel()
    below = first + columns + 1
    return np.stack([first, first + 1, below + 1, first, below + 1, below], 1).reshape(-1, 3)
