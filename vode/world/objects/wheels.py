"""Wheels of vehicles, and the paint that vehicles have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.world.materials import Colour, Material, Palette
from vode.world.mesh import Mesh, join
from vode.world.objects import shapes

RUBBER: Colour = (0.035, 0.035, 0.035)
PAINTS: tuple[Colour, ...] = (
    *((0.80, 0.80, 0.79), (0.55, 0.56, 0.57), (0.30, 0.31, 0.32), (0.12, 0.12, 0.13), (0.03, 0.03, 0.035)),
    *((0.05, 0.11, 0.30), (0.10, 0.20, 0.45), (0.42, 0.04, 0.04), (0.25, 0.03, 0.05), (0.06, 0.17, 0.09)),
    *((0.45, 0.38, 0.28), (0.65, 0.30, 0.05), (0.75, 0.60, 0.08), (0.30, 0.45, 0.50)),
)


def paint(rng: np.random.Generator, palette: Palette, colours: Sequence[Colour] = PAINTS, gloss: float = 0.25) -> int:
    """Glossy paint; plain colours are the more frequent."""
    plain = rng.random() < 0.55 and colours is PAINTS
    return palette.add(Material(shapes.tint(rng, colours[:5] if plain else colours), noise=0.05, gloss=gloss))


def glass(palette: Palette) -> int:
    """Dark window panes."""
    return palette.add(Material((0.045, 0.055, 0.06), noise=0.05, gloss=0.45))


def wheels(
    centres: Sequence | np.ndarray, radius: float, width: float, rim: int, palette: Palette, *, sides: int = 10
) -> Mesh:
    """Wheels about axes along x, whose visible face is away from x = 0; centres (K, 3) are (x, height, z)."""
    centres = np.asarray(centres, float)
    tyre = palette.plain(RUBBER, noise=0.15)
    side = np.where(centres[:, 0] < 0, -1.0, 1.0)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    at = np.array([-0.5, 0.42, 0.5, 0.46]) * width
    radii = np.array([1.0, 1.0, 0.66, 0.06]) * radius
    points = np.empty((len(centres), 4, sides + 1, 3))
    points[..., 0] = (centres[:, 0, None] + side[:, None] * at)[:, :, None]
    points[..., 1] = -centres[:, 1, None, None] + np.outer(radii, np.cos(angle))
    points[..., 2] = centres[:, 2, None, None] + np.outer(radii, np.sin(angle))
    tread = shapes.sheet(points[:, :2], tyre, closed=True)
    faces = shapes.sheet(points[:, 1:], np.array([tyre, rim]), closed=True)
    outwards = np.zeros_like(faces.normals)
    outwards[:, 0] = np.repeat(side, 3 * (sides + 1))
    return join([tread, faces._replace(normals=outwards)])


def arches(centres: np.ndarray, radius: float, palette: Palette) -> Mesh:
    """Dark half discs (K, ...) where the body makes room for wheels; centres (K, 3) as for ``wheels``."""
    dark = palette.plain((0.015, 0.015, 0.015), noise=0.0)
    angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 7)
    parts = []
    for x, height, z in centres:
        points = np.zeros((7, 3))
        points[:, 0], points[:, 1], points[:, 2] = x, -height - radius * np.cos(angle), z + radius * np.sin(angle)
        parts.append(shapes.polygon(points, dark, (np.sign(x), 0, 0)))
    return join(parts)
