"""Kitchens and bathrooms: units with worktop and appliances, washbasin, toilet and bath; their front is towards +z."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, cylinder, ellipsoid, join, place
from vode.world.objects.indoor.parts import (
    BRIGHTS,
    STEEL,
    WHITE,
    WOODS,
    Block,
    bar,
    blocks,
    cushion,
    metal,
    vary,
)

WORKTOP, DEPTH = 0.91, 0.62
"""height and depth of a worktop in metres"""


def kitchen_run(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """Base units with worktop, sink, hob and oven, tiles and wall units above them, a fridge at one end."""
    fronts = (WHITE, (0.5, 0.52, 0.5), (0.2, 0.28, 0.35), (0.6, 0.7, 0.62), *BRIGHTS[:4], *WOODS)
    face = palette.plain(vary(rng, fronts), noise=0.06, gloss=float(rng.choice([0.0, 0.1])))
    case, handle = palette.plain(vary(rng, (WHITE, (0.7, 0.7, 0.68))), noise=0.05), metal(rng, palette)
    stone = vary(rng, ((0.2, 0.2, 0.2), (0.05, 0.05, 0.055), (0.75, 0.73, 0.7), *WOODS))
    top = palette.add(
        Material(
            stone,
            Pattern.SPOTS,
            vary(rng, (stone,), 0.1),
            (0.02, 0.02),
            noise=0.2,
            gloss=float(rng.choice([0.05, 0.15])),
        )
    )
    steel, black = (
        palette.plain(STEEL, noise=0.06, gloss=0.12),
        palette.plain((0.06, 0.06, 0.07), noise=0.04, gloss=0.12),
    )
    fridge = length > 2.3 and rng.random() < 0.75
    start, width = -length / 2, length - (0.64 if fridge else 0.0)
    middle = start + width / 2
    front = DEPTH / 2
    parts: list[Block] = [
        (case, middle, 0.1, -0.02, width, WORKTOP - 0.14, DEPTH - 0.06),
        (black, middle, 0, -0.06, width, 0.1, DEPTH - 0.14),
        (top, middle, WORKTOP - 0.04, 0, width, 0.04, DEPTH),
    ]
    count = max(2, round(width / 0.6))
    step = width / count
    oven = int(rng.integers(count))
    sink = (oven + 1 + int(rng.integers(count - 1))) % count
    for k in range(count):
        x = start + (k + 0.5) * step
        if k == oven:
            parts += _cooker(steel, black, handle, x, step)
        else:
            parts += _fronts(rng, face, handle, x, step)
    x = start + (sink + 0.5) * step
    parts += [
        (steel, x, WORKTOP, 0.02, 0.8 * step, 0.006, 0.44),
        (black, x, WORKTOP + 0.004, 0.05, 0.55 * step, 0.004, 0.3),
    ]
    tiles = palette.add(
        Material(
            vary(rng, (WHITE, (0.6, 0.7, 0.72), (0.75, 0.65, 0.5))),
            Pattern.TILES,
            (0.55, 0.55, 0.55),
            (0.1, 0.1),
            noise=0.05,
        )
    )
    parts += [(tiles, middle, WORKTOP, -DEPTH / 2 + 0.006, width, 0.52, 0.012)]
    parts += _wall_units(rng, (face, case, handle, steel), (start, step, count), oven)
    if fridge:
        white = palette.plain(vary(rng, (WHITE, STEEL, (0.2, 0.2, 0.22))), noise=0.05, gloss=0.05)
        x = length / 2 - 0.31
        parts += [(white, x, 0.03, -0.03, 0.6, 1.8, 0.58), (black, x, 0, -0.05, 0.56, 0.03, 0.5)]
        parts += [(white, x, y, front - 0.02, 0.595, tall, 0.05) for y, tall in ((0.04, 0.62), (0.68, 1.14))]
        parts += [(handle, x - 0.25, y, front + 0.03, 0.025, 0.35, 0.04) for y in (0.3, 0.75)]
    x = start + (sink + 0.5) * step
    tap = bar((x, WORKTOP, -0.2), (x, WORKTOP + 0.28, -0.2), 0.014, handle)
    spout = bar((x, WORKTOP + 0.27, -0.2), (x, WORKTOP + 0.25, 0.0), 0.011, handle)
    return join([blocks(parts), tap, spout])


def _fronts(rng: np.random.Generator, face: int, handle: int, x: float, step: float) -> list[Block]:
    """A door, or three drawers, of a base unit about x."""
    front, low = DEPTH / 2 - 0.04, 0.11
    rows = 1 if rng.random() < 0.6 else 3
    tall = (WORKTOP - 0.06 - low) / rows
    parts: list[Block] = []
    for k in range(rows):
        y = low + k * tall
        parts += [
            (face, x, y, front, step - 0.008, tall - 0.008, 0.02),
            (handle, x, y + tall - 0.07, front + 0.025, min(0.16, 0.4 * step), 0.015, 0.03),
        ]
    return parts


def _cooker(steel: int, black: int, handle: int, x: float, step: float) -> list[Block]:
    """An oven with its hob on the worktop."""
    front = DEPTH / 2 - 0.035
    parts: list[Block] = [
        (steel, x, 0.12, front, step - 0.01, 0.74, 0.02),
        (black, x, 0.24, front + 0.012, step - 0.1, 0.38, 0.004),
        (handle, x, 0.67, front + 0.035, step - 0.12, 0.02, 0.03),
        (black, x, WORKTOP, 0.02, min(0.58, step - 0.02), 0.008, 0.5),
    ]
    parts += [(black, x + dx, 0.78, front + 0.02, 0.035, 0.035, 0.03) for dx in (-0.18, -0.06, 0.06, 0.18)]
    return parts + [
        (steel, x + dx, WORKTOP + 0.008, z, 0.15, 0.004, 0.15) for dx in (-0.13, 0.13) for z in (-0.1, 0.14)
    ]


def _wall_units(
    rng: np.random.Generator, materials: tuple[int, int, int, int], row: tuple[float, float, int], oven: int
) -> list[Block]:
    """Cupboards on the wall over a row of units (start, step, count), a hood over the oven, gaps here and there."""
    (face, case, handle, steel), (start, step, count) = materials, row
    bottom, tall, deep = WORKTOP + 0.54, rng.uniform(0.6, 0.8), 0.34
    back = -DEPTH / 2 + deep / 2
    parts: list[Block] = []
    for k in range(count):
        x = start + (k + 0.5) * step
        if k == oven:
            parts += [
                (steel, x, bottom, back, step - 0.02, 0.08, deep + 0.1),
                (steel, x, bottom, back - 0.06, 0.25, tall, 0.22),
            ]
        elif rng.random() < 0.8:
            parts += [
                (case, x, bottom, back, step - 0.004, tall, deep),
                (face, x, bottom, back + deep / 2 + 0.01, step - 0.01, tall, 0.02),
                (handle, x + 0.3 * step, bottom + 0.06, back + deep / 2 + 0.03, 0.015, 0.12, 0.025),
            ]
        else:
            parts += [(face, x, bottom + 0.15, back, step, 0.03, 0.25)]
    return parts


def refrigerator(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A refrigerator that stands alone."""
    height, white, handle = (
        rng.uniform(0.85, 1.9),
        palette.plain(vary(rng, (WHITE, STEEL)), noise=0.05, gloss=0.05),
        metal(rng, palette),
    )
    return blocks(
        [
            (white, 0, 0, 0, 0.6, height, 0.6),
            (white, 0, 0.05, 0.32, 0.59, height - 0.06, 0.05),
            (handle, -0.24, 0.45 * height, 0.36, 0.025, 0.3, 0.03),
        ]
    )


def washbasin(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A sink on its foot or cupboard, with a tap."""
    white, chrome = palette.plain((0.9, 0.9, 0.89), noise=0.03, gloss=0.1), metal(rng, palette)
    width = rng.uniform(0.45, 0.7)
    cupboard = palette.plain(vary(rng, (*WOODS, WHITE)), noise=0.1)
    parts: list[Block] = [(white, 0, 0, -0.08, 0.16, 0.72, 0.16)]
    if rng.random() < 0.5:
        parts += [(cupboard, 0, 0.15, -0.02, 0.95 * width, 0.6, 0.38)]
    return join(
        [
            blocks(parts),
            cushion((width, 0.16, 0.46), white, bottom=0.7),
            place(
                cylinder(0.13, 0.005, palette.plain((0.55, 0.55, 0.55), noise=0.03), bottom=0.857, sides=14),
                (0, 0, 0.05),
            ),
            bar((0, 0.84, -0.17), (0, 0.98, -0.17), 0.015, chrome),
            bar((0, 0.97, -0.17), (0, 0.94, -0.03), 0.012, chrome),
        ]
    )


def toilet(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A toilet with its cistern."""
    white = palette.plain((0.9, 0.9, 0.89), noise=0.03, gloss=0.1)
    lid = white if rng.random() < 0.7 else palette.plain(vary(rng, WOODS), noise=0.1)
    return join(
        [
            place(cylinder(0.13, 0.36, white, top_radius=0.18, sides=14), (0, 0, 0.08)),
            place(ellipsoid((0.19, 0.03, 0.25), lid, bottom=0.37), (0, 0, 0.1)),
            blocks(
                [
                    (white, 0, 0.36, -0.24, 0.38, 0.36, 0.17),
                    (metal(rng, palette), 0, 0.72, -0.24, 0.05, 0.015, 0.05),
                    (white, 0, 0, -0.15, 0.2, 0.37, 0.2),
                ]
            ),
        ]
    )


def bath(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bathtub along x, its far side at the wall."""
    length, white = rng.uniform(1.5, 1.75), palette.plain((0.9, 0.9, 0.89), noise=0.03, gloss=0.1)
    side = (
        palette.add(Material(WHITE, Pattern.TILES, (0.6, 0.6, 0.6), (0.15, 0.15), noise=0.05))
        if rng.random() < 0.4
        else white
    )
    chrome, across = metal(rng, palette), length / 2
    return join(
        [
            blocks([(side, 0, 0, z, length, 0.55, 0.05) for z in (-0.35, 0.35)]),
            blocks(
                [(side, x, 0, 0, 0.05, 0.55, 0.75) for x in (-across, across)] + [(white, 0, 0, 0, length, 0.15, 0.7)]
            ),
            blocks([(white, 0, 0.55, z, length + 0.06, 0.03, 0.08) for z in (-0.35, 0.35)]),
            blocks([(white, x, 0.55, 0, 0.08, 0.03, 0.78) for x in (-across, across)]),
            bar((across - 0.05, 0.58, 0), (across - 0.05, 0.75, 0), 0.02, chrome),
            bar((across - 0.05, 0.74, 0), (across - 0.2, 0.7, 0), 0.016, chrome),
        ]
    )


def mirror(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bathroom mirror or cabinet, its back at z = 0."""
    width, height, depth = rng.uniform(0.4, 0.8), rng.uniform(0.5, 0.8), rng.uniform(0.02, 0.15)
    glass = palette.plain((0.62, 0.66, 0.68), noise=0.03, gloss=0.2)
    return blocks(
        [
            (palette.plain(WHITE, noise=0.04), 0, 0, depth / 2, width, height, depth),
            (glass, 0, 0.02, depth, width - 0.04, height - 0.04, 0.004),
        ]
    )
