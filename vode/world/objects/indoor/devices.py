"""Screens, lamps and machines that stand on tables, base at y = 0, front towards +z."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, cylinder, ellipsoid, join, place
from vode.world.objects.indoor.parts import (
    BRIGHTS,
    WHITE,
    Block,
    bar,
    blocks,
    bright,
    cushion,
    metal,
    plastic,
    vary,
)
from vode.world.objects.shapes import tilt


def monitor(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A computer's display on its foot."""
    width, rise = rng.uniform(0.45, 0.75), rng.uniform(0.08, 0.16)
    height, case = width * rng.uniform(0.54, 0.66), plastic(rng, palette)
    return blocks(
        [
            (case, 0, 0, 0, 0.24, 0.015, 0.18),
            (case, 0, 0, -0.05, 0.05, rise + 0.1, 0.03),
            (case, 0, rise, 0, width, height, 0.035),
            (_screen(rng, palette, width), 0, rise + 0.015, 0.019, width - 0.03, height - 0.03, 0.002),
        ]
    )


def _screen(rng: np.random.Generator, palette: Palette, width: float) -> int:
    """Dark glass, or a picture that shines."""
    if rng.random() < 0.4:
        return palette.plain((0.04, 0.04, 0.05), noise=0.03, gloss=0.12)
    colours = vary(rng, BRIGHTS), vary(rng, (WHITE, (0.2, 0.3, 0.5), (0.1, 0.1, 0.12)))
    pattern = Pattern(rng.choice([Pattern.SPOTS, Pattern.STRIPES, Pattern.WINDOWS]))
    pitch = round(width / float(rng.choice([3, 6, 12])), 3)
    return palette.add(Material(colours[0], pattern, colours[1], (pitch, pitch), noise=0.1, emission=0.35))


def television(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A flat television on its feet."""
    width = rng.uniform(0.8, 1.4)
    height, case = 0.58 * width, palette.plain((0.05, 0.05, 0.05), noise=0.04)
    return blocks(
        [(case, x, 0, 0, 0.03, 0.06, 0.22) for x in (-width / 3, width / 3)]
        + [
            (case, 0, 0.05, 0, width, height, 0.05),
            (_screen(rng, palette, width), 0, 0.065, 0.026, width - 0.03, height - 0.03, 0.002),
        ]
    )


def laptop(rng: np.random.Generator, palette: Palette) -> Mesh:
    """An open laptop."""
    width, depth, case = rng.uniform(0.3, 0.38), 0.24, plastic(rng, palette)
    keys = palette.add(Material((0.1, 0.1, 0.1), Pattern.TILES, (0.3, 0.3, 0.3), (0.019, 0.019), noise=0.05))
    lid = blocks(
        [
            (case, 0, 0, 0, width, depth, 0.012),
            (_screen(rng, palette, width), 0, 0.012, 0.007, width - 0.02, depth - 0.025, 0.002),
        ]
    )
    base = blocks([(case, 0, 0, 0, width, 0.018, depth), (keys, 0, 0.018, -0.03, width - 0.04, 0.002, 0.11)])
    return join([base, place(tilt(lid, rng.uniform(0.1, 0.5)), (0, -0.015, -depth / 2 + 0.005))])


def keyboard(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A keyboard with its mouse."""
    case = plastic(rng, palette)
    keys = palette.add(
        Material(vary(rng, ((0.1, 0.1, 0.1), WHITE), 0.02), Pattern.TILES, (0.4, 0.4, 0.4), (0.019, 0.019), noise=0.05)
    )
    base = blocks([(case, 0, 0, 0, 0.44, 0.018, 0.15), (keys, 0, 0.018, 0, 0.42, 0.006, 0.13)])
    return join([base, place(ellipsoid((0.03, 0.018, 0.055), case, detail=4), (0.3, 0, 0.01))])


def appliance(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A microwave, toaster or coffee machine."""
    case, dark, trim = (
        plastic(rng, palette),
        palette.plain((0.06, 0.06, 0.06), noise=0.04, gloss=0.1),
        metal(rng, palette),
    )
    kind = rng.integers(3)
    if kind == 0:
        return blocks(
            [
                (case, 0, 0, 0, 0.48, 0.28, 0.34),
                (dark, -0.05, 0.04, 0.171, 0.34, 0.2, 0.004),
                (trim, 0.14, 0.05, 0.18, 0.015, 0.18, 0.02),
            ]
        )
    if kind == 1:
        return join(
            [
                cushion((0.28, 0.19, 0.17), trim),
                blocks([(dark, 0, 0.186, z, 0.2, 0.006, 0.03) for z in (-0.035, 0.035)]),
            ]
        )
    return blocks(
        [
            (case, 0, 0, 0, 0.2, 0.04, 0.26),
            (case, 0, 0.04, -0.08, 0.2, 0.3, 0.1),
            (case, 0, 0.26, 0.02, 0.2, 0.1, 0.2),
            (trim, 0, 0.04, 0.04, 0.1, 0.12, 0.1),
        ]
    )


def telephone(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A desk telephone."""
    case = plastic(rng, palette)
    parts: list[Block] = [(case, 0, 0, 0, 0.2, 0.05, 0.2), (case, -0.07, 0.05, 0, 0.05, 0.04, 0.21)]
    return blocks([*parts, (palette.plain((0.3, 0.35, 0.3), noise=0.05), 0.03, 0.05, -0.06, 0.1, 0.003, 0.05)])


def desk_lamp(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A lamp with a jointed arm."""
    paint, high, reach = bright(rng, palette), rng.uniform(0.3, 0.45), rng.uniform(0.1, 0.22)
    return join(
        [
            cylinder(0.08, 0.02, paint, sides=12),
            bar((0, 0.02, 0), (0, high, -0.12), 0.009, paint, sides=5),
            bar((0, high, -0.12), (0, high + 0.06, reach), 0.009, paint, sides=5),
            place(cylinder(0.075, 0.1, paint, bottom=high - 0.02, top_radius=0.03, sides=12), (0, 0, reach)),
        ]
    )
