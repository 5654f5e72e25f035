"""Shapes and colours that objects are made of; many pieces at a time, base on the ground, up is negative y, metres.

Points of profiles are given as heights above the ground, positive upwards. Boxes, quadrilaterals, cylinders and
ellipsoids are in ``vode.world.mesh``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vode.world.materials import Colour, Palette
from vode.world.mesh import Materials, Mesh, build, cross, join, lattice, lengths, quads, transform, unit

Maker = Callable[[np.random.Generator, Palette], Mesh]
"""Makes an object with its base on the ground (y = 0) and its front towards +z"""

Row = tuple[float, ...]
"""A row of a table of ``mesh.boxes`` or windows"""


def variants(make: Maker, rng: np.random.Generator, palette: Palette, count: int) -> list[Mesh]:
    """A few instances of one kind of object, to be placed many times at different yaw and scale."""
    return [make(rng, palette) for _ in range(count)]


def tint(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 0.15) -> Colour:
    """One of several colours, up to ``spread`` (a fraction) lighter or darker, and slightly shifted in hue."""
    base = colours[int(rng.integers(len(colours)))]
    shade = 1 + spread * rng.uniform(-1, 1)
    shift = rng.uniform(1 - spread / 3, 1 + spread / 3, 3)
    red, green, blue = (float(min(max(c * shade * s, 0.01), 0.95)) for c, s in zip(base, shift, strict=True))
    return (red, green, blue)


def darker(colour: Colour, factor: float = 0.7) -> Colour:
    """A colour times a factor."""
    red, green, blue = (round(min(c * factor, 0.97), 3) for c in colour)
    return red, green, blue


def triangles(corners: np.ndarray, material: Materials, normals: np.ndarray | None = None) -> Mesh:
    """Loose triangles (N, 3, 3), by default with their own normals (N, 3); uv is across and up."""
    corners = np.asarray(corners, float)
    if normals is None:
        normals = unit(cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    uv = np.stack([corners[..., 0] + corners[..., 2], -corners[..., 1]], -1)
    faces = np.arange(3 * len(corners))
    return build(corners, np.repeat(normals, 3, 0), uv, faces, material, pieces=len(corners))


def sheet(points: np.ndarray, material: Materials, *, inside: np.ndarray | None = None, closed: bool = False) -> Mesh:
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
    normals = unit(cross(around, along))
    centre = points[:, :, : columns - closed].mean(2, keepdims=True) if inside is None else np.asarray(inside)
    outwards = (normals * (points - centre)).sum(-1, keepdims=True)
    normals = np.where(outwards < 0, -normals, normals)
    u = np.cumsum(lengths(np.diff(points, axis=2, prepend=points[:, :, :1])), 2)
    v = np.cumsum(lengths(np.diff(points, axis=1, prepend=points[:, :1])), 1)
    faces = lattice(rows - 1, columns - 1) + rows * columns * np.arange(count)[:, None, None]
    bands = np.broadcast_to(np.asarray(material), (count, rows - 1)).ravel()
    return build(points, normals, np.stack([u, v], -1), faces, bands, pieces=len(bands))


def tubes(
    ends: Sequence | np.ndarray, radii: float | Sequence | np.ndarray, material: Materials, *, sides: int = 5
) -> Mesh:
    """Round rods without end faces: points (N, 2, 3) with y down, radii scalar, (N,) or (N, 2)."""
    ends = np.asarray(ends, float).reshape(-1, 2, 3)
    radius = np.asarray(radii, float)
    radius = np.broadcast_to(radius[:, None] if radius.ndim == 1 else radius, (len(ends), 2))
    axis = unit(ends[:, 1] - ends[:, 0])
    helper = np.where(np.abs(axis[:, :1]) < 0.8, [[1.0, 0, 0]], [[0, 0, 1.0]])
    side = unit(cross(axis, helper))
    other = cross(axis, side)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[None, :, None]
    ring = side[:, None] * np.cos(angle) + other[:, None] * np.sin(angle)
    points = ends[:, :, None] + ring[:, None] * radius[:, :, None, None]
    normals = np.broadcast_to(ring[:, None], points.shape)
    u = np.broadcast_to(angle[..., 0][:, None] * radius.mean(1)[:, None, None], points.shape[:3])
    v = lengths(ends[:, 1] - ends[:, 0])[:, None, None] * np.array([0.0, 1.0])[None, :, None]
    uv = np.stack([u, np.broadcast_to(v, u.shape)], -1)
    faces = lattice(1, sides) + 2 * (sides + 1) * np.arange(len(ends))[:, None, None]
    return build(points, normals, uv, faces, material, pieces=len(ends))


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
    """A flat convex polygon (N, 3) that faces ``outwards`` (3,)."""
    points = np.asarray(points, float)
    first = np.arange(1, len(points) - 1)
    faces = np.stack([np.zeros_like(first), first, first + 1], 1)
    normal = unit(np.asarray(outwards, float))
    upright = abs(normal[1]) < 0.9
    along = unit(np.array([normal[2], 0.0, -normal[0]])) if upright else np.array([1.0, 0, 0])
    away = np.array([0.0, -1, 0]) if upright else np.array([0.0, 0, 1])
    uv = np.stack([points @ along, points @ away], 1)
    return build(points, np.tile(normal, (len(points), 1)), uv, faces, material)


def prism(profile: Sequence | np.ndarray, width: float, material: Materials, caps: int, *, across: str = "x") -> Mesh:
    """A convex profile (N, 2), extruded to both sides of the middle over ``width``, with flat faces.

    The profile is (z, height) for ``across="x"`` and (x, height) for ``across="z"``; ``material`` may be one a side
    of it, from each point to the next; ``caps`` is that of both ends.
    """
    profile = np.asarray(profile, float)
    axis = "xyz".index(across)
    ends = np.zeros((2, len(profile), 3))
    ends[:, :, 2 - axis], ends[:, :, 1] = profile[:, 0], -profile[:, 1]
    ends[0, :, axis], ends[1, :, axis] = -width / 2, width / 2
    following = np.roll(ends, -1, 1)
    corners = np.stack([ends[0], ends[1], following[1], following[0]], 1)
    walls = facing_out(quads(corners, material), ends.mean((0, 1)))
    return join([walls, *(polygon(end, caps, side * np.eye(3)[axis]) for end, side in zip(ends, (-1, 1), strict=True))])


def facing_out(mesh: Mesh, inside: np.ndarray) -> Mesh:
    """A mesh whose normals point away from a point (3,) inside it."""
    away = ((mesh.vertices - inside) * mesh.normals).sum(1, keepdims=True)
    return mesh._replace(normals=np.where(away < 0, -mesh.normals, mesh.normals).astype(np.float32))


def tilt(mesh: Mesh, pitch: float, *, pivot: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A mesh leaned back by ``pitch`` radians (its top towards -z) about the axis along x through ``pivot``."""
    cos, sin = np.cos(pitch), np.sin(pitch)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[cos, -sin], [sin, cos]]
    matrix[:3, 3] = pivot - matrix[:3, :3] @ pivot
    return transform(mesh, matrix)


def _after(count: int) -> np.ndarray:
    """Index of the neighbour behind each of ``count``, the last one's being itself."""
    return np.minimum(np.arange(count) + 1, count - 1)


def _before(count: int) -> np.ndarray:
    """Index of the neighbour before each of ``count``, the first one's being itself."""
    return np.maximum(np.arange(count) - 1, 0)
