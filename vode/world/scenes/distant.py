"""What stands far from the camera: simple shapes that look right from a hundred metres away."""

from __future__ import annotations

import math

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, box, cylinder, ellipsoid, grid_surface, join, place
from vode.world.motions import arc_lengths, points_at
from vode.world.objects.plants import leafy
from vode.world.scenes.ground import Land

DECIDUOUS_WOODS, CONIFEROUS_WOODS = leafy((0.20, 0.30, 0.12)), leafy((0.14, 0.22, 0.12))
"""what woods on the skyline look like"""


def far_tree(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A round tree of 5 to 15 m."""
    height = rng.uniform(5, 15)
    shade = rng.uniform(0.75, 1.35)
    leaves = palette.add(leafy((0.20 * shade, 0.30 * shade, 0.12 * shade)))
    wide = height * rng.uniform(0.2, 0.34)
    parts = [cylinder(0.025 * height, 0.4 * height, palette.plain((0.25, 0.2, 0.16)), sides=4)]
    for _ in range(2):
        half = (wide * rng.uniform(0.6, 1.0), height * rng.uniform(0.22, 0.32), wide * rng.uniform(0.6, 1.0))
        crown = ellipsoid(half, leaves, bottom=height * rng.uniform(0.22, 0.4), detail=4)
        parts.append(place(_ragged(crown, rng), (rng.uniform(-0.3, 0.3) * wide, 0.0, rng.uniform(-0.3, 0.3) * wide)))
    return join(parts)


def far_conifer(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A pointed tree of 8 to 18 m."""
    height = rng.uniform(8, 18)
    leaves = palette.add(leafy((0.11, 0.19, 0.10)))
    low = cylinder(0.17 * height, 0.6 * height, leaves, bottom=0.1 * height, top_radius=0.05 * height, sides=7)
    return join([low, cylinder(0.12 * height, 0.55 * height, leaves, bottom=0.45 * height, top_radius=0.01, sides=7)])


def far_building(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A box with windows, three to eight floors high."""
    grey = rng.choice([0.4, 0.5, 0.6, 0.7]) * np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.8, 1.0)])
    colour = (float(grey[0]), float(grey[1]), float(grey[2]))
    walls = palette.add(Material(colour, Pattern.WINDOWS, (0.12, 0.14, 0.17), (rng.uniform(2, 3), 3.0)))
    half = (rng.uniform(5, 9), 1.5 * rng.integers(3, 9), rng.uniform(7, 14))
    top = place(box((half[0] + 0.2, 0.3, half[2] + 0.2), palette.plain((0.35, 0.33, 0.32))), (0.0, -2 * half[1], 0.0))
    return join([box(half, walls, hidden="top underside"), top])


def _ragged(crown: Mesh, rng: np.random.Generator) -> Mesh:
    """A crown with dents."""
    middle = (crown.vertices.max(0) + crown.vertices.min(0)) / 2
    wave = rng.uniform(2.5, 6.0, (3, 3)) / np.ptp(crown.vertices, axis=0).max()
    dent = 1 + 0.22 * np.sin(2 * (crown.vertices - middle) @ wave + rng.uniform(0, 6, 3)).mean(1, keepdims=True)
    return crown._replace(vertices=(middle + (crown.vertices - middle) * dent).astype(np.float32))


def skyline(land: Land, line: np.ndarray, heights: tuple[float, float], material: int) -> None:
    """An upright wall with a ragged top along a line (N, 2): the edge of a wood, or far roofs."""
    rng = land.site.rng
    length = float(arc_lengths(line)[-1])
    arcs = np.linspace(0, length, math.ceil(length / (2.5 if length < 500 else 6.0)) + 1)
    points = points_at(line, arcs)
    base = land.height(points) - 1.0
    knots = np.arange(0, length + 25.0, 25.0)
    fraction = 0.6 * np.interp(arcs, knots, rng.uniform(0, 1, len(knots))) + 0.4 * rng.uniform(0, 1, len(arcs))
    if np.linalg.norm(line[0] - line[-1]) > 1.0:  # an end is rounded
        fraction *= np.sqrt(np.clip(np.minimum(arcs, length - arcs) / 20.0, 0.02, 1.0))
        heights = (0.3 * heights[0], heights[1])
    top = base + 1.0 + heights[0] + (heights[1] - heights[0]) * fraction
    rows = [np.stack([points[:, 0], -h, points[:, 1]], 1) for h in (base, top)]
    uv = [np.stack([arcs, h], 1) for h in (base, top)]
    land.site.parts.append(grid_surface(np.stack(rows), np.stack(uv), material, np.array([0.0, -1.0, 0.0])))
