"""What is below the load of a lorry: frame, wheels, guards, boxes, lights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join
from vode.world.objects import shapes
from vode.world.objects.wheels import wheels

WIDTH = 2.5
"""metres; the widest that is allowed on roads is 2.55"""
RADIUS = 0.5
"""of the wheels"""
DECK = 1.15
"""height of the frame's upper side"""


def running_gear(rng: np.random.Generator, axles: Sequence[float], palette: Palette) -> Mesh:
    """Wheels on axles at z, with hubs and mudguards."""
    dark = palette.plain((0.05, 0.05, 0.055), noise=0.2)
    rim = palette.add(Material(shapes.tint(rng, ((0.62, 0.62, 0.62), (0.4, 0.1, 0.08), (0.25, 0.25, 0.26))), noise=0.1))
    centres = np.array([(side * (WIDTH / 2 - 0.16), RADIUS, z) for z in axles for side in (-1, 1)])
    hubs = [(side * (WIDTH / 2 - 0.06), RADIUS - 0.12, z, 0.14, 0.24, 0.24) for z in axles for side in (-1, 1)]
    guards = [(side * (WIDTH / 2 - 0.2), 2 * RADIUS + 0.06, z, 0.4, 0.05, 1.0) for z in axles for side in (-1, 1)]
    flaps = [(side * (WIDTH / 2 - 0.2), 0.3, min(axles) - 0.62, 0.38, 0.75, 0.03) for side in (-1, 1)]
    return join(
        [
            wheels(centres, RADIUS, 0.32, rim, palette, sides=14),
            boxes(hubs, rim),
            boxes([*guards, *flaps], dark, hidden=""),
        ]
    )


def frame(span: tuple[float, float], palette: Palette, colour: tuple[float, float, float]) -> Mesh:
    """Two long beams and cross-members between z."""
    steel = palette.plain(colour, noise=0.25)
    middle, length = (span[0] + span[1]) / 2, span[1] - span[0]
    beams = [(side * 0.42, DECK - 0.38, middle, 0.12, 0.36, length) for side in (-1, 1)]
    across = [(0.0, DECK - 0.25, z, WIDTH - 0.3, 0.14, 0.1) for z in np.arange(span[0] + 0.4, span[1] - 0.2, 1.3)]
    return boxes([*beams, *across], steel, hidden="")


def side_guards(rng: np.random.Generator, span: tuple[float, float], palette: Palette) -> Mesh:
    """What keeps people from below the wheels on both sides between z: rails, panels, or boxes and a spare wheel."""
    metal = palette.add(Material(shapes.tint(rng, ((0.7, 0.7, 0.7), (0.3, 0.3, 0.31), (0.1, 0.1, 0.11))), noise=0.15))
    dark = palette.plain((0.06, 0.06, 0.065), noise=0.2)
    middle, length, x = (span[0] + span[1]) / 2, span[1] - span[0], WIDTH / 2 - 0.06
    style = rng.random()
    rows: list[tuple[float, ...]] = []
    kinds: list[int] = []
    for side in (-1, 1):
        if style < 0.7:
            rails = [(side * x, height, middle, 0.04, 0.13, length) for height in (0.45, 0.82)]
            posts = [(side * x, 0.45, z, 0.05, 0.65, 0.06) for z in np.arange(span[0] + 0.1, span[1], 1.5)]
            rows += rails + posts
            kinds += [metal] * (len(rails) + len(posts))
        else:
            rows.append((side * x, 0.32, middle, 0.05, 0.78, length))
            kinds.append(metal)
        size = rng.uniform(0.5, 1.3)
        rows.append(
            (side * (x - 0.35), 0.42, rng.uniform(span[0] + 0.7, max(span[1] - 0.7, span[0] + 0.8)), 0.5, 0.55, size)
        )
        kinds.append(dark)
    return boxes(rows, kinds, hidden="")


def rear_end(rng: np.random.Generator, z: float, palette: Palette) -> Mesh:
    """Bumper, lights, plates and warning stripes of a rear end that looks towards -z."""
    dark = palette.plain((0.05, 0.05, 0.055), noise=0.2)
    red = palette.add(Material((0.45, 0.02, 0.02), noise=0.1, gloss=0.3, emission=float(rng.choice([0.0, 0.25]))))
    amber = palette.add(Material((0.6, 0.3, 0.03), noise=0.1, gloss=0.3))
    plate = palette.plain((0.78, 0.78, 0.76), noise=0.1)
    stripes = palette.add(Material((0.75, 0.6, 0.08), Pattern.CHECKS, (0.6, 0.05, 0.04), (0.22, 0.5), noise=0.1))
    rows = [(0.0, 0.42, z, 2.36, 0.16, 0.12), (0.0, 0.75, z + 0.05, 2.4, 0.26, 0.08)]
    kinds = [dark, dark]
    for side in (-1, 1):
        rows += [(side * 1.0, 0.8, z, 0.36, 0.16, 0.1), (side * 0.76, 0.8, z, 0.12, 0.16, 0.1)]
        kinds += [red, amber]
    rows += [(0.0, 0.8, z, 0.52, 0.12, 0.06), (side * 0.35, 0.62, z, 0.4, 0.2, 0.05)]
    kinds += [plate, dark]
    if rng.random() < 0.5:
        rows += [(side * 0.75, 1.06, z - 0.01, 0.9, 0.16, 0.03) for side in (-1, 1)]
        kinds += [stripes, stripes]
    return boxes(rows, kinds, hidden="")


def markers(length: float, middle: float, palette: Palette) -> Mesh:
    """Amber lights along both sides of a load of that length."""
    amber = palette.add(Material((0.7, 0.35, 0.04), noise=0.05, emission=0.1))
    places = middle + np.arange(-length / 2 + 0.5, length / 2 - 0.3, 2.2)
    return boxes(
        [(side * (WIDTH / 2 + 0.01), DECK - 0.1, z, 0.03, 0.06, 0.12) for z in places for side in (-1, 1)], amber
    )
