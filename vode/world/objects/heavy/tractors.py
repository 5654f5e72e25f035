"""Cabs of lorries, and tractors that pull trailers."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Colour, Material, Palette
from vode.world.mesh import Mesh, boxes, join, place, quads
from vode.world.objects import shapes
from vode.world.objects.heavy.chassis import DECK, WIDTH, frame, running_gear
from vode.world.objects.wheels import glass, paint

CABS: tuple[Colour, ...] = (
    *((0.8, 0.8, 0.79), (0.75, 0.75, 0.74), (0.5, 0.05, 0.04), (0.04, 0.12, 0.38), (0.75, 0.42, 0.04)),
    *((0.03, 0.16, 0.13), (0.06, 0.06, 0.065), (0.35, 0.36, 0.38), (0.7, 0.6, 0.1), (0.1, 0.3, 0.5)),
)
TRACTOR = 5.9
"""length of a tractor in metres"""


def cab(rng: np.random.Generator, palette: Palette, height: float) -> Mesh:
    """A cab over the engine, its front at z = 0 and about 2.2 m long: doors, steps, mirrors, grille, visor, lamps."""
    body, pane = paint(rng, palette, CABS), glass(palette)
    dark = palette.plain((0.05, 0.05, 0.055), noise=0.1)
    lamp = palette.add(Material((0.75, 0.75, 0.74), noise=0.1, gloss=0.3))
    length, wide, lean = rng.uniform(1.7, 2.35), WIDTH - 0.06, rng.uniform(0.08, 0.25)
    belt = 1.85 if height > 3.0 else 1.5
    brow = belt + rng.uniform(0.85, 1.05)
    roof = max(height, brow + 0.12)
    outline = [(-0.06, 0.45), (0.0, belt), (-lean, brow), (-lean - 0.45, roof), (-length, roof - 0.05), (-length, 0.8)]
    x = wide / 2 - 0.1
    screen = np.array([[-x, -belt, 0.02], [x, -belt, 0.02], [x, -brow, 0.02 - lean], [-x, -brow, 0.02 - lean]])
    rows: list[tuple[float, ...]] = [
        (0, 0.38, -0.02, wide + 0.04, 0.4, 0.22),
        *((0, belt - 0.32 - 0.2 * k, 0.02, 1.7, 0.1, 0.05) for k in range(int(rng.integers(2, 5)))),
        (0, brow - 0.05, 0.05 - lean, wide - 0.1, 0.2, 0.3),
    ]
    kinds = [body if rng.random() < 0.6 else dark, *[dark] * (len(rows) - 2), dark]
    for side in (-1, 1):
        out = side * (wide / 2 + 0.005)
        rows += [
            (out, belt - 0.05, -0.62, 0.03, brow - belt, 0.85),
            (out, 0.95, -1.22, 0.03, brow - 0.95, 0.025),
            (out, 0.95, -0.16, 0.03, brow - 0.95, 0.025),
            *((out, step, -0.75, 0.06, 0.07, 0.6) for step in (0.5, 0.85)),
            (out, 1.35, -1.08, 0.05, 0.05, 0.14),
            (side * (wide / 2 - 0.28), 0.5, 0.1, 0.42, 0.24, 0.06),
            (side * (wide / 2 + 0.16), belt + 0.05, 0.02, 0.22, 0.68, 0.14),
            (side * (wide / 2 + 0.07), belt + 0.7, -0.05, 0.2, 0.05, 0.06),
        ]
        kinds += [pane, dark, dark, dark, dark, dark, lamp, dark, dark]
    shell = shapes.prism(outline, wide, body, body)
    front = shapes.facing_out(quads(screen[None], pane), np.array([0, -1.0, -1.0]))
    return join([shell, front, boxes(rows, kinds, hidden="")])


def tractor(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A tractor for trailers, its front at z = 0: cab, tanks, pipes behind the cab, mudguards, the plate that pulls."""
    height = float(rng.uniform(2.9, 3.85))
    dark = palette.plain((0.05, 0.05, 0.055), noise=0.2)
    silver = palette.add(Material((0.6, 0.6, 0.61), noise=0.1, gloss=0.3))
    axles = [-1.35, -4.95] if rng.random() < 0.75 else [-1.35, -3.9, -5.05]
    tank = silver if rng.random() < 0.6 else dark
    rows: list[tuple[float, ...]] = [
        (0, DECK - 0.02, -4.6, 1.0, 0.12, 1.0),
        (0, 1.0, -2.6, 1.6, 1.3, 0.25),
        (0.75, 1.0, -2.75, 0.2, height - 1.3, 0.2),
        *((side * (WIDTH / 2 - 0.33), 0.42, -3.0, 0.6, 0.62, 1.3) for side in (-1, 1)),
        *((side * (WIDTH / 2 - 0.03), 0.55, -3.0, 0.03, 0.12, 1.32) for side in (-1, 1)),
        (0, 0.55, -TRACTOR + 0.1, 2.3, 0.2, 0.1),
    ]
    kinds = [dark, dark, silver if rng.random() < 0.5 else dark, tank, tank, dark, dark, dark]
    red = palette.add(Material((0.5, 0.02, 0.02), noise=0.1, gloss=0.3, emission=0.15))
    rows += [(side * 0.95, 0.72, -TRACTOR + 0.08, 0.4, 0.18, 0.1) for side in (-1, 1)]
    parts = [place(cab(rng, palette, height)), boxes(rows, [*kinds, red, red], hidden="")]
    if height < 3.5 and rng.random() < 0.5:
        wing = paint(rng, palette, CABS)
        parts.append(shapes.prism([(-0.8, height), (-1.9, height + 0.75), (-2.0, height)], 2.1, wing, wing))
    parts += [frame((-TRACTOR, -0.4), palette, (0.08, 0.08, 0.085)), running_gear(rng, axles, palette)]
    return join(parts)
