"""Furniture that people sit at, sit on and sleep in.

Each function makes a mesh with its base on the floor, its front towards +z and its back towards a wall, of true size.
"""

from __future__ import annotations

import numpy as np

from vode.world.materials import Palette
from vode.world.mesh import Mesh, cylinder, join, place
from vode.world.objects.indoor.parts import (
    FABRICS,
    WHITE,
    Block,
    bar,
    blocks,
    cushion,
    fabric,
    metal,
    plastic,
    vary,
    wood,
)
from vode.world.objects.indoor.storage import drawers
from vode.world.objects.shapes import tilt


def table(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A dining or meeting table, square, long or round."""
    width, depth = rng.uniform(0.8, 2.0), rng.uniform(0.75, 1.0)
    return _table(rng, palette, width, depth, rng.uniform(0.71, 0.77))


def coffee_table(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A low table before a sofa."""
    return _table(rng, palette, rng.uniform(0.6, 1.2), rng.uniform(0.5, 0.7), rng.uniform(0.35, 0.48))


def _table(rng: np.random.Generator, palette: Palette, width: float, depth: float, height: float) -> Mesh:
    board, thick = wood(rng, palette), rng.uniform(0.02, 0.05)
    legs = board if rng.random() < 0.5 else metal(rng, palette)
    if rng.random() < 0.2:
        return join(
            [
                cylinder(depth / 2, thick, board, bottom=height - thick, sides=20),
                cylinder(0.04, height - thick, legs),
                cylinder(0.28, 0.03, legs, sides=14),
            ]
        )
    across, along = width / 2 - 0.06, depth / 2 - 0.06
    corners = [(x, z) for x in (-across, across) for z in (-along, along)]
    side = rng.uniform(0.04, 0.08)
    parts: list[Block] = [(board, 0, height - thick, 0, width, thick, depth)]
    parts += [(legs, x, 0, z, side, height - thick, side) for x, z in corners]
    if rng.random() < 0.6:
        parts += [(legs, 0, height - thick - 0.08, z, 2 * across, 0.08, 0.02) for z in (-along, along)]
    return blocks(parts)


def desk(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A desk with drawers or panels beneath; one sits on its +z side."""
    width, depth, height = rng.uniform(1.1, 1.8), rng.uniform(0.6, 0.85), rng.uniform(0.7, 0.76)
    board, frame = wood(rng, palette), wood(rng, palette)
    legs = metal(rng, palette)
    parts: list[Block] = [(board, 0, height - 0.03, 0, width, 0.03, depth)]
    if rng.random() < 0.5:
        side = width / 2 - 0.03
        parts += [(frame, x, 0, 0, 0.03, height - 0.03, depth - 0.06) for x in (-side, side)]
        parts += [(frame, 0, 0.3, -depth / 2 + 0.06, width - 0.06, height - 0.35, 0.02)]
    else:
        for x in (-width / 2 + 0.1, width / 2 - 0.1):
            parts += [(legs, x, 0.03, -0.05, 0.06, height - 0.06, 0.06), (legs, x, 0, 0, 0.08, 0.03, depth - 0.05)]
        parts += [(legs, 0, height - 0.1, -0.05, width - 0.2, 0.04, 0.04)]
    if rng.random() < 0.65:
        x = rng.choice([-1, 1]) * (width / 2 - 0.28)
        parts += drawers(rng, palette, frame, (x, 0.03, -0.04), (0.4, height - 0.1, depth - 0.15), 3)
    return blocks(parts)


def chair(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A chair with four legs; one faces +z."""
    width, height, top = rng.uniform(0.4, 0.48), rng.uniform(0.43, 0.47), rng.uniform(0.78, 1.0)
    frame = wood(rng, palette) if rng.random() < 0.65 else metal(rng, palette)
    seat = frame if rng.random() < 0.5 else fabric(rng, palette)
    half = width / 2 - 0.02
    parts: list[Block] = [(seat, 0, height - 0.04, 0, width, 0.04, width)]
    parts += [(frame, x, 0, half, 0.035, height - 0.04, 0.035) for x in (-half, half)]
    parts += [(frame, x, 0, -half, 0.035, top, 0.035) for x in (-half, half)]
    if rng.random() < 0.5:
        rungs = int(rng.integers(2, 4))
        for k in range(rungs):
            parts += [(frame, 0, height + (top - height) * (k + 0.7) / rungs - 0.03, -half, 2 * half, 0.05, 0.02)]
    else:
        parts += [(seat, 0, height + 0.12, -half, 2 * half, top - height - 0.12, 0.03)]
    return blocks(parts)


def office_chair(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A turning chair on five castors; one faces +z."""
    cloth, frame = palette.plain(vary(rng, FABRICS), noise=0.12), plastic(rng, palette)
    height, top = rng.uniform(0.44, 0.52), rng.uniform(0.9, 1.2)
    parts = [bar((0, 0.06, 0), (0, height - 0.06, 0), 0.03, metal(rng, palette))]
    for angle in np.arange(5) * 2 * np.pi / 5:
        x, z = 0.3 * np.sin(angle), 0.3 * np.cos(angle)
        parts += [
            bar((0, 0.1, 0), (x, 0.07, z), 0.022, frame, sides=5),
            place(cylinder(0.03, 0.06, frame, sides=6), (x, 0, z)),
        ]
    parts += [
        cushion((0.5, 0.09, 0.48), cloth, bottom=height - 0.06, detail=5),
        place(tilt(cushion((0.46, top - height - 0.06, 0.08), cloth, detail=5), 0.12), (0, -height - 0.06, -0.2)),
        bar((0, height - 0.03, -0.2), (0, height + 0.2, -0.25), 0.025, frame),
    ]
    if rng.random() < 0.7:
        parts += [blocks([(frame, x, height + 0.17, 0, 0.05, 0.03, 0.28) for x in (-0.27, 0.27)])]
        parts += [blocks([(frame, x, height - 0.03, 0, 0.03, 0.2, 0.05) for x in (-0.27, 0.27)])]
    return join(parts)


def stool(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A low stool or a bar stool."""
    height, radius = float(rng.choice([0.45, 0.65, 0.75])), rng.uniform(0.15, 0.2)
    seat, frame = wood(rng, palette), metal(rng, palette)
    legs = [(np.cos(a) * radius, np.sin(a) * radius) for a in np.pi / 4 + np.arange(4) * np.pi / 2]
    return join(
        [cylinder(radius, 0.04, seat, bottom=height - 0.04, sides=14)]
        + [bar((1.1 * x, 0, 1.1 * z), (0.8 * x, height - 0.04, 0.8 * z), 0.014, frame, sides=5) for x, z in legs]
    )


def sofa(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A sofa of two or three seats."""
    return _seats(rng, palette, int(rng.integers(2, 4)))


def armchair(rng: np.random.Generator, palette: Palette) -> Mesh:
    """An upholstered chair for one."""
    return _seats(rng, palette, 1)


def _seats(rng: np.random.Generator, palette: Palette, count: int) -> Mesh:
    cloth, loose = fabric(rng, palette), fabric(rng, palette)
    seat, depth, arm = rng.uniform(0.55, 0.72), rng.uniform(0.8, 0.95), rng.uniform(0.12, 0.22)
    width, low, back = count * seat, rng.uniform(0.28, 0.34), rng.uniform(0.72, 0.9)
    middle = -depth / 2 + 0.09
    parts = [
        blocks([(cloth, 0, 0.06, 0, width, low - 0.06, depth), (metal(rng, palette), 0, 0, 0, width - 0.1, 0.06, 0.5)])
    ]
    parts += [cushion((width + 0.1, back - 0.1, 0.24), cloth, bottom=0.1, detail=5)]
    parts[-1] = place(parts[-1], (0, 0, middle))
    for x in (-(width + arm) / 2, (width + arm) / 2):
        parts += [place(cushion((arm, rng.uniform(0.52, 0.64), depth), cloth, detail=5), (x, 0, 0))]
    for k in range(count):
        x = (k - (count - 1) / 2) * seat
        parts += [place(cushion((seat, 0.17, depth - 0.2), cloth, bottom=low - 0.02, detail=5), (x, 0, 0.1))]
        back_cushion = tilt(cushion((seat - 0.04, 0.45, 0.18), cloth, detail=5), 0.15)
        parts += [place(back_cushion, (x, -low - 0.12, middle + 0.2))]
        if rng.random() < 0.5:
            pillow = tilt(cushion((0.42, 0.4, 0.14), loose, detail=5), 0.3)
            parts += [place(pillow, (x + rng.uniform(-0.1, 0.1), -low - 0.13, middle + 0.36))]
    return join(parts)


def bed(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bed for one or two, its head at the wall, with blanket and pillows."""
    double = rng.random() < 0.6
    width, length, height = (rng.uniform(1.4, 1.8) if double else 0.95), 2.05, rng.uniform(0.3, 0.42)
    frame, blanket = wood(rng, palette), fabric(rng, palette)
    sheet = palette.plain(vary(rng, (WHITE, (0.8, 0.78, 0.72), (0.6, 0.68, 0.75))), noise=0.06)
    head = -length / 2
    parts = [
        blocks(
            [
                (frame, 0, 0.08, 0, width, height - 0.08, length),
                (frame, 0, 0, head, width + 0.06, rng.uniform(0.8, 1.2), 0.05),
                (sheet, 0, height, 0.02, width - 0.05, 0.14, length - 0.08),
            ]
        ),
        place(
            cushion((width + 0.06, 0.22, length * 0.68), blanket, bottom=height - 0.02, detail=7), (0, 0, 0.17 * length)
        ),
    ]
    for x in (-width / 4, width / 4) if double else (0.0,):
        parts += [
            place(
                cushion((0.62, 0.16, 0.42), sheet, bottom=height + 0.12, detail=5),
                (x, 0, head + 0.32),
                yaw=rng.normal(0, 0.1),
            )
        ]
    return join(parts)


def lamp(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A floor lamp with a shade."""
    height, pole = rng.uniform(1.4, 1.8), metal(rng, palette)
    shade = palette.plain(vary(rng, (WHITE, (0.8, 0.7, 0.5))), noise=0.05)
    return join(
        [
            cylinder(0.14, 0.03, pole),
            bar((0, 0.03, 0), (0, height - 0.2, 0), 0.012, pole),
            cylinder(0.22, 0.25, shade, bottom=height - 0.25, top_radius=0.15, sides=14),
        ]
    )
