"""Blocks, bars, cushions and finishes that furniture and fittings are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, build, cylinder, ellipsoid, transform, unit
from vode.world.objects.shapes import darker

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


def blocks(parts: Sequence[Block], *, hidden: str = "") -> Mesh:
    """Upright boxes, each with its own material, without their ``hidden`` faces (of ``mesh.FACES``)."""
    rows = np.array(parts, float)
    return boxes(rows[:, 1:], rows[:, 0].astype(int), hidden=hidden)


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
    towards, half = ball.normals.astype(float), np.array(size) / 2
    vertices = np.sign(towards) * np.abs(towards) ** 0.4 * half - [0, half[1] + bottom, 0]
    normals = unit(np.sign(towards) * np.abs(towards) ** 1.2 / half)
    uv = np.stack([vertices[:, 0] + 0.5 * vertices[:, 1], vertices[:, 2] + 0.5 * vertices[:, 1]], 1)
    return build(vertices, normals, uv, ball.faces, material)


def vary(rng: np.random.Generator, colours: Sequence[Colour], spread: float = 0.04) -> Colour:
    """One of several colours, a little lighter or darker and shifted, rounded so that equal ones recur."""
    base = np.array(colours[int(rng.integers(len(colours)))])
    r, g, b = np.round(np.clip(base * rng.uniform(0.8, 1.2) + rng.uniform(-spread, spread, 3), 0.03, 0.95), 2)
    return float(r), float(g), float(b)


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
