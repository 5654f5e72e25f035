"""Blocks, bars, cushions and finishes that furniture and fittings are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, cylinder, ellipsoid, transform

Maker = Callable[[np.random.Generator, Palette], Mesh]
"""What makes an object with its base at y = 0 and its front towards +z"""

Block = tuple[int, float, float, float, float, float, float]
"""material, x of the middle, height of the underside, z of the middle, width, height, depth"""

WOODS = ((0.62, 0.47, 0.31), (0.45, 0.30, 0.19), (0.76, 0.62, 0.44), (0.30, 0.20, 0.14), (0.83, 0.76, 0.64))
FABRICS = (
    (0.45, 0.46, 0.48),
    (0.25, 0.28, 0.36),
    (0.62, 0.56, 0.48),
    (0.40, 0.22, 0.20),
    (0.28, 0.36, 0.30),
    (0.78, 0.75, 0.70),
    (0.16, 0.16, 0.18),
)
PLASTICS = ((0.12, 0.12, 0.13), (0.85, 0.85, 0.84), (0.35, 0.36, 0.38), (0.60, 0.60, 0.58))
BRIGHTS = (
    (0.75, 0.15, 0.12),
    (0.12, 0.30, 0.60),
    (0.85, 0.68, 0.15),
    (0.18, 0.48, 0.25),
    (0.85, 0.84, 0.80),
    (0.12, 0.12, 0.14),
    (0.48, 0.30, 0.50),
    (0.85, 0.45, 0.15),
    (0.50, 0.70, 0.75),
    (0.55, 0.42, 0.30),
)
WHITE: Colour = (0.86, 0.86, 0.84)
STEEL: Colour = (0.62, 0.63, 0.65)

# the axes that u and v of the six faces run along, two faces an axis
_ALONG, _UP = [2, 2, 0, 0, 0, 0], [1, 1, 2, 2, 1, 1]


def _unit_box() -> tuple[np.ndarray, np.ndarray]:
    """Corners (6, 4, 3) and normals (6, 4, 3) of the faces of a box from -1 to 1."""
    corners, normals = np.zeros((6, 4, 3)), np.zeros((6, 4, 3))
    signs = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    for face in range(6):
        corners[face][:, _ALONG[face]], corners[face][:, _UP[face]] = signs[:, 0], signs[:, 1]
        corners[face][:, face // 2] = normals[face][:, face // 2] = 2 * (face % 2) - 1
    return corners, normals


_CORNERS, _NORMALS = _unit_box()


def blocks(parts: Sequence[Block], *, hidden: str = "") -> Mesh:
    """Upright boxes, all in one go; without their ``hidden`` faces: underside "u", back "b"."""
    rows = np.array(parts, float)
    half = rows[:, [4, 5, 6]] / 2
    middle = np.stack([rows[:, 1], -rows[:, 2] - half[:, 1], rows[:, 3]], 1)
    local = _CORNERS[None] * half[:, None, None]
    vertices = local + middle[:, None, None]
    u, v = (local[:, range(6), :, axes].transpose(1, 0, 2) for axes in (_ALONG, _UP))
    uv = np.stack([half[:, _ALONG, None] + u, half[:, _UP, None] - v], -1)
    kept = [face for face in range(6) if not (face == 3 and "u" in hidden) and not (face == 4 and "b" in hidden)]
    quads = len(kept) * len(rows)
    faces = np.array([[0, 1, 2], [0, 2, 3]])[None] + 4 * np.arange(quads)[:, None, None]
    return Mesh(
        vertices[:, kept].reshape(-1, 3).astype(np.float32),
        np.tile(_NORMALS[kept].reshape(-1, 3), (len(rows), 1)).astype(np.float32),
        uv[:, kept].reshape(-1, 2).astype(np.float32),
        faces.reshape(-1, 3).astype(np.int32),
        np.repeat(rows[:, 0].astype(np.int32), 2 * len(kept)),
    )


def bar(start: Sequence[float], end: Sequence[float], radius: float, material: int, *, sides: int = 6) -> Mesh:
    """A round bar from one point to another, both (x, height, z)."""
    a, b = (np.array([p[0], -p[1], p[2]], float) for p in (start, end))
    length = float(np.linalg.norm(b - a))
    up = (a - b) / length  # a cylinder grows towards negative y
    other = np.array([1.0, 0, 0]) if abs(up[0]) < 0.9 else np.array([0, 0, 1.0])
    z = np.cross(other, up)
    z /= np.linalg.norm(z)
    matrix = np.eye(4)
    matrix[:3, :3] = np.stack([np.cross(up, z), up, z], 1)
    matrix[:3, 3] = a
    return transform(cylinder(radius, length, material, sides=sides), matrix)


def cushion(size: tuple[float, float, float], material: int, *, bottom: float = 0.0, detail: int = 6) -> Mesh:
    """A soft box of width, height and depth with rounded edges: a superellipsoid."""
    ball = ellipsoid((1.0, 1.0, 1.0), material, detail=detail)
    unit = ball.normals.astype(float)
    half = np.array(size) / 2
    shape = np.sign(unit) * np.abs(unit) ** 0.4 * half
    normals = np.sign(unit) * np.abs(unit) ** 1.2 / half
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    vertices = shape - [0, half[1] + bottom, 0]
    uv = np.stack([vertices[:, 0] + 0.5 * vertices[:, 1], vertices[:, 2] + 0.5 * vertices[:, 1]], 1)
    solid = ball._replace(
        vertices=vertices.astype(np.float32), normals=normals.astype(np.float32), uv=uv.astype(np.float32)
    )
    return without_slivers(solid)


def without_slivers(mesh: Mesh) -> Mesh:
    """A mesh without the triangles that have no area, as at the poles of a ball."""
    a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
    keep = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-6
    return mesh._replace(faces=mesh.faces[keep], material=mesh.material[keep])


def ball(half: tuple[float, float, float], material: int, *, bottom: float = 0.0, detail: int = 5) -> Mesh:
    """An ellipsoid without the empty triangles of its poles."""
    return without_slivers(ellipsoid(half, material, bottom=bottom, detail=detail))


def tilted(mesh: Mesh, pitch: float, position: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Mesh:
    """A mesh leaned back by ``pitch`` radians (its top towards -z), then moved to (x, height, z)."""
    cos, sin = np.cos(pitch), np.sin(pitch)
    matrix = np.eye(4)
    matrix[1:3, 1:3] = [[cos, -sin], [sin, cos]]
    matrix[:3, 3] = [position[0], -position[1], position[2]]
    return transform(mesh, matrix)


def vary(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 0.04) -> Colour:
    """One of some colours, a little lighter or darker and off, rounded so that equal ones are met again."""
    base = np.array(colours[int(rng.integers(len(colours)))])
    r, g, b = np.round(np.clip(base * rng.uniform(0.8, 1.2) + rng.uniform(-spread, spread, 3), 0.03, 0.95), 2)
    return float(r), float(g), float(b)


def darker(colour: Colour, factor: float = 0.7) -> Colour:
    """A colour times a factor."""
    r, g, b = (round(min(c * factor, 0.97), 3) for c in colour)
    return r, g, b


def wood(rng: np.random.Generator, palette: Palette) -> int:
    """A wooden or laminated board; some are painted white or grey."""
    if rng.random() < 0.3:
        return palette.plain(vary(rng, (WHITE, (0.75, 0.74, 0.71), (0.45, 0.46, 0.48), (0.2, 0.2, 0.21))), noise=0.05)
    colour = vary(rng, WOODS, 0.03)
    if rng.random() < 0.4:
        return palette.plain(colour, noise=0.15, gloss=0.03)
    pitch = float(rng.choice([0.06, 0.1, 0.16]))
    return palette.add(Material(colour, Pattern.PLANKS, darker(colour), (pitch, 1.0), noise=0.15, gloss=0.03))


def fabric(rng: np.random.Generator, palette: Palette) -> int:
    """Upholstery, bedding or curtains: plain, striped, checked or with large patches."""
    colour = vary(rng, FABRICS + BRIGHTS[:5])
    kind = rng.random()
    if kind < 0.6:
        return palette.plain(colour, noise=float(rng.choice([0.06, 0.12, 0.2])))
    pattern = Pattern.STRIPES if kind < 0.72 else Pattern.CHECKS if kind < 0.82 else Pattern.SPOTS
    pitch = float(rng.choice([0.03, 0.06, 0.12]))
    return palette.add(Material(colour, pattern, vary(rng, FABRICS + BRIGHTS), (pitch, pitch), noise=0.1))


def metal(rng: np.random.Generator, palette: Palette) -> int:
    """Steel, chrome or black lacquer."""
    return palette.plain(vary(rng, (STEEL, (0.1, 0.1, 0.1), (0.75, 0.75, 0.77)), 0.01), noise=0.06, gloss=0.1)


def plastic(rng: np.random.Generator, palette: Palette) -> int:
    """A grey, black or white case."""
    return palette.plain(vary(rng, PLASTICS, 0.02), noise=0.05, gloss=0.05)


def bright(rng: np.random.Generator, palette: Palette) -> int:
    """A colour that small things have."""
    return palette.plain(vary(rng, BRIGHTS), noise=0.08, gloss=float(rng.choice([0.0, 0.06])))


def print_of(rng: np.random.Generator, palette: Palette, size: float) -> int:
    """A picture, label, screen or cover: patches of two colours of about ``size`` metres."""
    pattern = Pattern(rng.choice([Pattern.SPOTS, Pattern.SPOTS, Pattern.STRIPES, Pattern.CHECKS]))
    pitch = round(size * float(rng.choice([0.5, 1.0])), 3)
    return palette.add(Material(vary(rng, BRIGHTS + FABRICS), pattern, vary(rng, BRIGHTS), (pitch, pitch), noise=0.2))


def extent(mesh: Mesh) -> tuple[float, float, float, float, float]:
    """x from, x to, z from, z to, and the height of a mesh."""
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    return float(low[0]), float(high[0]), float(low[2]), float(high[2]), float(-low[1])
