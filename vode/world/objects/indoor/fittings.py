"""What belongs to walls, ceilings and floors: doors, windows, pictures, radiators, lights, stairs, pillars and pipes.

Each function makes a mesh with its base at y = 0. What hangs on a wall has its back at z = 0 and its front towards +z.
"""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette
from vode.world.mesh import Mesh, cylinder, grid_surface, join, place
from vode.world.objects.indoor.parts import (
    BRIGHTS,
    FABRICS,
    WHITE,
    WOODS,
    Block,
    bar,
    blocks,
    bright,
    cushion,
    fabric,
    metal,
    plastic,
    print_of,
    vary,
    wood,
)


def picture(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A framed picture or a poster."""
    width, height = rng.uniform(0.25, 1.1), rng.uniform(0.25, 0.9)
    edge = 0.03 if rng.random() < 0.7 else 0.004
    return blocks(
        [
            (wood(rng, palette), 0, 0, 0.012, width, height, 0.024),
            (palette.plain(WHITE, noise=0.05), 0, edge, 0.025, width - 2 * edge, height - 2 * edge, 0.002),
            (print_of(rng, palette, 0.2), 0, 2 * edge, 0.027, width - 4 * edge, height - 4 * edge, 0.002),
        ]
    )


def curtain(rng: np.random.Generator, palette: Palette) -> Mesh:
    """One wing of a curtain, in folds."""
    width, height, cloth = rng.uniform(0.3, 0.7), rng.uniform(1.6, 2.3), fabric(rng, palette)
    return folds(cloth, width, height, rng.uniform(0.08, 0.14))


def folds(cloth: int, width: float, height: float, pitch: float) -> Mesh:
    """Cloth that hangs in folds ``pitch`` metres apart."""
    across = np.linspace(0, 1, max(8, round(width / pitch * 6)))
    wave = 0.06 + 0.04 * np.sin(2 * np.pi * across * width / pitch)
    points, uv = np.zeros((2, len(across), 3)), np.zeros((2, len(across), 2))
    points[..., 0], points[..., 2] = (across - 0.5) * width, wave
    points[1, :, 1] = -height
    uv[..., 0], uv[1, :, 1] = 1.5 * across * width, height
    return grid_surface(points, uv, cloth, np.array([0.0, 0.0, 1.0]))


def radiator(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A radiator with its ribs and pipes."""
    width, height, paint = rng.uniform(0.6, 1.6), rng.uniform(0.4, 0.7), palette.plain(vary(rng, (WHITE,)), noise=0.04)
    ribs = np.arange(-width / 2 + 0.05, width / 2 - 0.02, 0.08)
    parts: list[Block] = [(paint, x, 0.12, 0.075, 0.055, height - 0.12, 0.09) for x in ribs]
    parts += [(paint, 0, y, 0.06, width, 0.03, 0.05) for y in (0.15, height - 0.06)]
    return blocks([*parts, (metal(rng, palette), width / 2, 0, 0.06, 0.02, 0.2, 0.02)])


def door_frame(material: int, width: float, height: float, thickness: float) -> Mesh:
    """The lining and architraves of an opening in a wall, whose middle is z = 0."""
    deep = thickness + 0.03
    side = width / 2 - 0.01
    return blocks(
        [(material, x, 0, 0, 0.02, height, deep) for x in (-side, side)]
        + [(material, 0, height - 0.02, 0, width, 0.02, deep)]
        + [
            (material, x, 0, z, 0.07, height + 0.05, 0.015)
            for x in (-side - 0.035, side + 0.035)
            for z in (-deep / 2, deep / 2)
        ]
        + [(material, 0, height, z, width + 0.1, 0.06, 0.015) for z in (-deep / 2, deep / 2)]
    )


def door_leaf(rng: np.random.Generator, palette: Palette, width: float, height: float) -> Mesh:
    """A door, hinged at x = 0 and reaching to x = ``width``, with panels or a pane and handles on both sides."""
    colours = (WHITE, *WOODS, (0.5, 0.55, 0.6), (0.35, 0.42, 0.5), (0.55, 0.25, 0.2))
    leaf = palette.plain(vary(rng, colours, 0.03), noise=0.06)
    inset = palette.plain(vary(rng, colours, 0.03), noise=0.06)
    handle, middle = metal(rng, palette), width / 2
    parts: list[Block] = [(leaf, middle, 0.005, 0, width, height - 0.01, 0.04)]
    kind = rng.random()
    if kind < 0.4:
        parts += [
            (leaf, middle, y, 0, 0.65 * width, tall, 0.06)
            for y, tall in ((0.2, 0.32 * height), (0.55 * height, 0.36 * height))
        ]
    elif kind < 0.6:
        parts += [(inset, middle, 0.55 * height, 0, 0.25 * width, 0.33 * height, 0.046)]
    parts += [(handle, width - 0.08, 1.02, 0, 0.03, 0.16, 0.05), (handle, width - 0.13, 1.06, 0, 0.12, 0.02, 0.14)]
    return blocks(parts)


def door(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A closed door in its frame on a wall, often with a sign beside it."""
    width, height = rng.uniform(0.8, 0.95), 2.05
    parts = [place(door_leaf(rng, palette, width, height), (-width / 2, 0, 0.0))]
    parts += [door_frame(wood(rng, palette), width + 0.04, height + 0.02, 0.02)]
    if rng.random() < 0.5:
        parts += [blocks([(print_of(rng, palette, 0.03), width / 2 + 0.22, 1.4, 0.01, 0.18, 0.14, 0.02)])]
    return join(parts)


def window_frame(material: int, width: float, height: float, panes: int) -> Mesh:
    """The frame and mullions of a window, without glass."""
    half = width / 2 - 0.025
    parts: list[Block] = [(material, 0, y, 0, width, 0.05, 0.06) for y in (0, height - 0.05)]
    parts += [(material, x, 0, 0, 0.05, height, 0.06) for x in np.linspace(-half, half, panes + 1)]
    return blocks(parts)


def whiteboard(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A whiteboard with what was written on it."""
    width, height, rim = rng.uniform(1.2, 2.4), rng.uniform(0.9, 1.2), metal(rng, palette)
    ink = [palette.plain(colour, noise=0.05) for colour in ((0.1, 0.1, 0.1), (0.1, 0.2, 0.6), (0.7, 0.1, 0.1))]
    parts: list[Block] = [
        (rim, 0, 0, 0.012, width, height, 0.024),
        (palette.plain((0.9, 0.9, 0.9), noise=0.03, gloss=0.06), 0, 0.03, 0.015, width - 0.06, height - 0.06, 0.024),
        (rim, 0, 0.0, 0.05, 0.5 * width, 0.02, 0.08),
    ]
    for _ in range(rng.integers(4, 24)):
        x, y = rng.uniform(-0.4, 0.3) * width, rng.uniform(0.12, 0.88) * height
        parts += [(ink[rng.integers(3)], x, y, 0.0275, rng.uniform(0.02, 0.3), rng.choice([0.01, 0.01, 0.1]), 0.001)]
    return blocks(parts)


def notice_board(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A cork board with sheets of paper."""
    width, height = rng.uniform(0.8, 2.0), rng.uniform(0.7, 1.1)
    cork = palette.plain(vary(rng, ((0.62, 0.48, 0.33), *FABRICS)), noise=0.2)
    parts: list[Block] = [
        (wood(rng, palette), 0, 0, 0.01, width, height, 0.02),
        (cork, 0, 0.03, 0.012, width - 0.06, height - 0.06, 0.02),
    ]
    for _ in range(rng.integers(3, 14)):
        x, y = rng.uniform(-0.42, 0.42) * width, rng.uniform(0.05, 0.65) * height
        sheet = print_of(rng, palette, 0.05) if rng.random() < 0.5 else palette.plain(vary(rng, (WHITE,)), noise=0.1)
        parts += [(sheet, x, y, 0.023 + 0.001 * len(parts) / 10, 0.21, rng.uniform(0.15, 0.3), 0.002)]
    return blocks(parts)


def fire_extinguisher(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A red extinguisher with its hose, and its sign above."""
    red, black = (
        palette.plain((0.75, 0.08, 0.06), noise=0.06, gloss=0.06),
        palette.plain((0.08, 0.08, 0.08), noise=0.05),
    )
    label = palette.plain(WHITE, noise=0.1)
    radius, height = rng.uniform(0.065, 0.085), rng.uniform(0.36, 0.48)
    body = [
        cylinder(radius, height, red, sides=12),
        cylinder(radius + 0.001, 0.14, label, bottom=0.15, sides=12),
        cylinder(0.03, 0.1, black, bottom=height, sides=8),
    ]
    hose = bar((0.03, height + 0.06, 0.1), (0.1, 0.15, 0.1), 0.012, black)
    sign = blocks([(red, 0, 0.8, 0.005, 0.2, 0.2, 0.01)])
    return join([*(place(part, (0, 0, 0.1)) for part in body), hose, sign])


def ceiling_light(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A lit panel, tube or round lamp that sits under a ceiling."""
    glow = palette.add(Material((0.95, 0.93, 0.88), noise=0.02, emission=1.0))
    rim, kind = palette.plain((0.8, 0.8, 0.8), noise=0.04), rng.integers(3)
    if kind == 0:
        return blocks([(glow, 0, 0, 0, 0.56, 0.02, 0.56), (rim, 0, 0.02, 0, 0.62, 0.03, 0.62)])
    if kind == 1:
        return blocks([(glow, 0, 0, 0, 0.12, 0.04, 1.2), (rim, 0, 0.04, 0, 0.18, 0.03, 1.26)])
    return join([cushion((0.36, 0.1, 0.36), glow, detail=5), cylinder(0.2, 0.03, rim, bottom=0.08, sides=16)])


def pendant(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A lamp that hangs over a table, with 0.8 m of cable."""
    radius, height = rng.uniform(0.12, 0.28), rng.uniform(0.14, 0.25)
    glow = palette.add(Material((0.95, 0.88, 0.7), noise=0.02, emission=0.9))
    shade = cylinder(radius, height, bright(rng, palette), top_radius=0.3 * radius, sides=16)
    bulb = cushion((0.1, 0.1, 0.1), glow, bottom=0.01, detail=4)
    return join([shade, bulb, bar((0, height, 0), (0, height + 0.8, 0), 0.005, plastic(rng, palette), sides=4)])


def stairs(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A flight of stairs that rises towards -z, with a railing."""
    count, width, rise, tread = int(rng.integers(9, 17)), rng.uniform(1.0, 1.5), 0.175, 0.28
    step, side = wood(rng, palette), palette.plain(vary(rng, (WHITE, (0.5, 0.5, 0.48))), noise=0.06)
    middle = (np.arange(count)[::-1] - (count - 1) / 2) * tread
    parts: list[Block] = [(step, 0, 0, z, width, rise * (k + 1), tread) for k, z in enumerate(middle)]
    parts += [(side, width / 2 + 0.02, 0, z, 0.04, rise * (k + 1) + 0.05, tread) for k, z in enumerate(middle)]
    rail = metal(rng, palette)
    first, last = (float(middle[0]), rise + 0.9), (float(middle[-1]), rise * count + 0.9)
    bars = [bar((width / 2, first[1], first[0]), (width / 2, last[1], last[0]), 0.025, rail)]
    bars += [
        bar((width / 2, rise * (k + 1), middle[k]), (width / 2, rise * (k + 1) + 0.9, middle[k]), 0.012, rail, sides=4)
        for k in range(count)
    ]
    return join([blocks(parts), *bars])


def pillar(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A round or square column, 3 m high: scale it to the ceiling."""
    radius, face = rng.uniform(0.15, 0.3), palette.plain(vary(rng, (WHITE, (0.55, 0.54, 0.52))), noise=0.1)
    if rng.random() < 0.5:
        return cylinder(radius, 3.0, face, sides=18)
    return blocks(
        [
            (face, 0, 0, 0, 2 * radius, 3.0, 2 * radius),
            (wood(rng, palette), 0, 0, 0, 2 * radius + 0.02, 0.1, 2 * radius + 0.02),
        ]
    )


def beam(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A beam under a ceiling, 1 m along x: scale it to the room."""
    board = palette.plain(vary(rng, (*WOODS, WHITE)), noise=0.15)
    return blocks([(board, 0, 0, 0, 1.0, rng.uniform(0.1, 0.22), rng.uniform(0.1, 0.2))])


def pipes(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Two or three pipes along x, 1 m long: scale them to the room."""
    radius, steel = rng.uniform(0.02, 0.06), metal(rng, palette)
    step = 2 * radius + 0.03
    lines = [((-0.5, radius, k * step), (0.5, radius, k * step)) for k in range(rng.integers(2, 4))]
    return join([bar(start, end, radius, steel, sides=8) for start, end in lines])


def switch(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Light switches or sockets."""
    face, count = palette.plain(vary(rng, (WHITE, *BRIGHTS[4:6]), 0.02), noise=0.04), rng.integers(1, 4)
    return blocks([(face, 0.08 * k, 0, 0.006, 0.075, 0.08, 0.012) for k in range(count)])
