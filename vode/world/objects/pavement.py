"""Small things on pavements."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join
from vode.world.objects import shapes
from vode.world.objects.wheels import glass

_METALS = ((0.42, 0.43, 0.44), (0.05, 0.05, 0.05), (0.08, 0.18, 0.11), (0.25, 0.26, 0.27))


def bollard(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bollard of iron, stone or plastic, .7 to 1.1 m."""
    height, radius = rng.uniform(0.7, 1.1), rng.uniform(0.05, 0.13)
    body = palette.plain(shapes.tint(rng, (*_METALS, (0.45, 0.44, 0.42))))
    band = palette.plain((0.75, 0.75, 0.74) if rng.random() < 0.5 else (0.5, 0.05, 0.05), noise=0.1)
    heights = np.array([0, 0.72, 0.72, 0.86, 0.86, 0.96, 1.0]) * height
    size = np.array([1, 0.95, 1, 1, 0.95, 0.8, 0.05]) * radius
    heights[2::2] += 0.002
    return shapes.sheet(shapes.rings(heights, size, size), np.array([body, body, band, body, body, body]), closed=True)


def bin(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A litter bin, or a wheeled dustbin."""
    if rng.random() < 0.5:
        metal, dark = palette.plain(shapes.tint(rng, _METALS)), palette.plain((0.03, 0.03, 0.03))
        height, radius = rng.uniform(0.7, 1.1), rng.uniform(0.18, 0.3)
        heights = np.array([0, 0.75, 0.78, 0.90, 0.92, 1.0]) * height
        size = np.array([0.85, 1, 0.9, 0.9, 1.05, 0.1]) * radius
        return shapes.sheet(
            shapes.rings(heights, size, size), np.array([metal, metal, dark, metal, metal]), closed=True
        )
    width, height = rng.uniform(0.5, 0.7), rng.uniform(0.95, 1.15)
    shell = palette.plain(
        shapes.tint(rng, ((0.05, 0.05, 0.05), (0.06, 0.2, 0.1), (0.05, 0.12, 0.35), (0.3, 0.2, 0.1))), gloss=0.1
    )
    lid = palette.plain(shapes.tint(rng, ((0.05, 0.05, 0.05), (0.6, 0.5, 0.08), (0.05, 0.15, 0.4))), gloss=0.1)
    body = shapes.prism([(0.24, 0.0), (0.34, height), (-0.34, height), (-0.26, 0.0)], width, shell, shell)
    top = shapes.prism(
        [(0.37, height), (0.35, height + 0.06), (-0.30, height + 0.1), (-0.40, height)], width + 0.05, lid, lid
    )
    return join([body, top])


def bench(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bench of slats along x, its back at -z."""
    length = rng.uniform(1.4, 2.2)
    wood = palette.plain(shapes.tint(rng, ((0.30, 0.18, 0.09), (0.40, 0.33, 0.25), (0.10, 0.2, 0.12))), noise=0.4)
    metal = palette.plain(shapes.tint(rng, _METALS))
    seat = [(0, 0.42, z, length, 0.04, 0.12) for z in (-0.16, 0.0, 0.16)]
    back = [(0, y, -0.28 - 0.1 * (y - 0.5), length, 0.11, 0.04) for y in (0.56, 0.74)]
    legs = [(s * length * 0.42, 0, z, 0.06, 0.42, 0.06) for s in (-1, 1) for z in (-0.2, 0.2)]
    stays = [(s * length * 0.42, 0.42, -0.27, 0.05, 0.45, 0.05) for s in (-1, 1)]
    return boxes([*seat, *back, *legs, *stays], [wood] * 5 + [metal] * 6, hidden="")


def bus_stop(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A shelter of glass on a frame with bench and poster, open towards +z."""
    length, deep, high = rng.uniform(2.6, 4.5), rng.uniform(1.2, 1.7), rng.uniform(2.3, 2.6)
    metal = palette.plain(shapes.tint(rng, _METALS))
    pane = palette.add(Material((0.35, 0.40, 0.40), noise=0.1, gloss=0.4))
    bright = ((0.7, 0.1, 0.1), (0.1, 0.3, 0.6), (0.75, 0.6, 0.1), (0.2, 0.5, 0.25))
    poster = palette.add(Material(shapes.tint(rng, bright), Pattern.SPOTS, shapes.tint(rng, bright), (0.4, 0.4)))
    x, z = length / 2, deep / 2
    rows: list[shapes.Row] = [(s * x, 0, at, 0.07, high, 0.07) for s in (-1, 1) for at in (-z, z)]
    rows += [(0, high, 0.1, length + 0.3, 0.12, deep + 0.4), (0, 0.45, -z + 0.35, length * 0.6, 0.05, 0.35)]
    rows += [(s * length * 0.25, 0, -z + 0.35, 0.06, 0.45, 0.06) for s in (-1, 1)]
    rows += [(0, 0.2, -z, length, high - 0.3, 0.03), (-x, 0.2, 0, 0.03, high - 0.3, deep * 0.9)]
    rows += [
        (x, 0.2, -0.05, 0.12, high - 0.4, deep * 0.75),
        (x + 0.6, 0, z, 0.07, 2.9, 0.07),
        (x + 0.6, 2.4, z, 0.5, 0.5, 0.05),
    ]
    kinds = [metal] * 8 + [pane, pane, poster, metal, palette.plain((0.7, 0.55, 0.05), noise=0.1)]
    return boxes(rows, kinds, hidden="")


def hydrant(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A fire hydrant, .6 to .9 m."""
    height = rng.uniform(0.6, 0.9)
    body = palette.plain(shapes.tint(rng, ((0.5, 0.04, 0.03), (0.7, 0.5, 0.05), (0.05, 0.15, 0.4))), gloss=0.1)
    heights = np.array([0, 0.06, 0.08, 0.68, 0.70, 0.76, 0.9, 1.0]) * height
    size = np.array([0.16, 0.16, 0.10, 0.10, 0.14, 0.14, 0.09, 0.02])
    level = -0.55 * height
    arms = shapes.tubes([[(-0.2, level, 0), (0.2, level, 0)], [(0, level, 0), (0, level, 0.19)]], 0.05, body, sides=6)
    return join([shapes.sheet(shapes.rings(heights, size, size), body, closed=True), arms])


def traffic_cone(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A cone in orange and white, .45 to .9 m."""
    height = rng.uniform(0.45, 0.9)
    orange, white = palette.plain((0.65, 0.16, 0.03), noise=0.15), palette.plain((0.75, 0.75, 0.74), noise=0.1)
    part = np.array([0.0, 0.35, 0.58, 0.72, 0.88, 1.0])
    size = height * (0.19 - 0.15 * part)
    cone = shapes.rings(0.04 + part * (height - 0.04), size, size)
    foot = boxes([(0, 0, 0, 0.5 * height, 0.04, 0.5 * height)], palette.plain((0.08, 0.08, 0.08)))
    return join([shapes.sheet(cone, np.array([orange, white, orange, white, orange]), closed=True), foot])


def post_box(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A letter box: a pillar, or a box on a post."""
    colour = shapes.tint(rng, ((0.5, 0.03, 0.03), (0.7, 0.5, 0.04), (0.03, 0.12, 0.40)))
    body, dark = palette.plain(colour, noise=0.1, gloss=0.15), palette.plain((0.03, 0.03, 0.03))
    if rng.random() < 0.5:
        heights, size = (
            np.array([0, 0.12, 0.13, 1.35, 1.37, 1.45, 1.55]),
            np.array([0.26, 0.26, 0.23, 0.23, 0.28, 0.27, 0.05]),
        )
        pillar = shapes.sheet(
            shapes.rings(heights, size, size, sides=10), np.array([dark, dark, body, body, body, body]), closed=True
        )
        return join([pillar, boxes([(0, 1.15, 0.22, 0.26, 0.05, 0.03)], dark)])
    rows = [
        (0, 0, 0, 0.09, 0.75, 0.09),
        (0, 0.75, 0, 0.5, 0.65, 0.4),
        (0, 1.22, 0.2, 0.38, 0.05, 0.03),
        (0, 0.9, 0.2, 0.3, 0.2, 0.02),
    ]
    return boxes(rows, [dark, body, dark, palette.plain((0.75, 0.75, 0.74))], hidden="")


def kiosk(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A kiosk or telephone box with an open counter towards +z."""
    width, deep, high = rng.uniform(1.8, 3.5), rng.uniform(1.6, 2.5), rng.uniform(2.3, 2.8)
    walls = palette.plain(
        shapes.tint(rng, ((0.08, 0.2, 0.13), (0.5, 0.05, 0.05), (0.6, 0.6, 0.58), (0.05, 0.15, 0.35))), gloss=0.1
    )
    trim, dark = palette.plain(shapes.tint(rng, ((0.7, 0.7, 0.68), (0.3, 0.3, 0.3)))), palette.plain((0.03, 0.03, 0.03))
    z = deep / 2
    rows = [
        (0, 0, 0, width, high, deep),
        (0, high, 0.15, width + 0.5, 0.16, deep + 0.8),
        (0, 1.05, z, width * 0.75, 1.0, 0.04),
    ]
    rows += [
        (0, 0.98, z + 0.15, width * 0.8, 0.06, 0.4),
        (0, high + 0.16, 0.3, width * 0.8, 0.4, 0.12),
        (0, 1.1, 0, width + 0.04, 0.9, deep * 0.5),
    ]
    sign = palette.add(Material((0.7, 0.55, 0.1), Pattern.CHECKS, (0.05, 0.05, 0.05), (0.12, 0.25)))
    return boxes(rows, [walls, trim, dark, trim, sign, glass(palette)], hidden="")


def delineator(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A white post at a road's edge with a black band and a reflector, or a stone that tells kilometres."""
    if rng.random() < 0.15:
        stone, paint = palette.plain((0.5, 0.49, 0.46), noise=0.4), palette.plain((0.6, 0.1, 0.05))
        half, top = rng.uniform(0.12, 0.18), rng.uniform(0.5, 0.7)
        outline = [(-half, 0), (half, 0), (half, 0.8 * top), (0.6 * half, top), (-0.6 * half, top), (-half, 0.8 * top)]
        return join(
            [
                shapes.prism(outline, 0.2, stone, stone, across="z"),
                boxes([(0, 0.3, 0.1, 0.2, 0.12, 0.01)], paint),
            ]
        )
    white, black = palette.plain((0.75, 0.75, 0.74), noise=0.1), palette.plain((0.03, 0.03, 0.03), noise=0.1)
    lamp = palette.plain((0.65, 0.35, 0.05), noise=0.05, gloss=0.3)
    low, wide = rng.uniform(0.6, 0.78), rng.uniform(0.09, 0.13)
    rows: list[shapes.Row] = [(0, 0, 0, wide, low, 0.08), (0, low, 0, wide, 0.2, 0.08)]
    rows += [(0, low + 0.2, 0, wide, 0.1, 0.08), *((0, low + 0.02, z, 0.05, 0.16, 0.02) for z in (0.04, -0.04))]
    return boxes(rows, [white, black, white, lamp, lamp])
