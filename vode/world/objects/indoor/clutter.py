"""Small things that lie on tables and shelves, and how they are scattered.

Each function makes a mesh with its base at y = 0 and its front towards +z, of true size.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, cylinder, ellipsoid, join, place
from vode.world.objects.indoor.devices import appliance, desk_lamp, laptop, telephone
from vode.world.objects.indoor.floor_things import (
    bag,
    basket,
    crates,
    plant,
    shoes,
    small_plant,
    suitcase,
    tool_box,
    waste_bin,
)
from vode.world.objects.indoor.parts import (
    BRIGHTS,
    WHITE,
    bar,
    blocks,
    bright,
    extent,
    fabric,
    metal,
    plastic,
    print_of,
    vary,
    wood,
)
from vode.world.objects.shapes import Maker


def scatter(rng: np.random.Generator, size: tuple[float, float], things: Iterable[Mesh]) -> Mesh:
    """Things on a rectangle of width (x) and depth (z), about the origin, that do not stand in each other."""
    parts: list[Mesh] = []
    taken: list[tuple[float, float, float]] = []
    for thing in things:
        x0, x1, z0, z1, _ = extent(thing)
        radius = 0.5 * float(np.hypot(x1 - x0, z1 - z0))
        room = size[0] / 2 - radius, size[1] / 2 - min(radius, 0.5 * (z1 - z0) + 0.03)
        if min(room) <= 0:
            continue
        for _ in range(4):
            x, z = rng.uniform(-room[0], room[0]), rng.uniform(-room[1], room[1])
            if all(np.hypot(x - a, z - b) > 0.85 * (radius + r) for a, b, r in taken):
                taken.append((x, z, radius))
                parts.append(place(thing, (x, 0, z), yaw=rng.normal(0, 0.35)))
                break
    return join(parts)


def carton(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A cardboard box or a packet with a printed front."""
    size = rng.uniform(0.06, 0.2), rng.uniform(0.06, 0.3), rng.uniform(0.04, 0.2)
    if rng.random() < 0.3:
        cover = palette.plain(vary(rng, ((0.62, 0.48, 0.32),)), noise=0.12)
    else:
        cover = print_of(rng, palette, 0.08)
    return blocks([(cover, 0, 0, 0, *size)])


def bottle(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bottle of glass or plastic with a label."""
    radius, height = rng.uniform(0.03, 0.045), rng.uniform(0.2, 0.32)
    glass = palette.plain(
        vary(rng, ((0.1, 0.25, 0.12), (0.3, 0.18, 0.08), (0.7, 0.75, 0.78), *BRIGHTS)), noise=0.05, gloss=0.15
    )
    return join(
        [
            cylinder(radius, 0.6 * height, glass),
            cylinder(1.03 * radius, 0.25 * height, print_of(rng, palette, 0.04), bottom=0.2 * height),
            cylinder(radius, 0.18 * height, glass, bottom=0.6 * height, top_radius=0.35 * radius),
            cylinder(0.35 * radius, 0.22 * height, bright(rng, palette), bottom=0.78 * height, sides=8),
        ]
    )


def cup(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A mug with its handle."""
    radius, height, glaze = rng.uniform(0.035, 0.048), rng.uniform(0.08, 0.11), bright(rng, palette)
    return join(
        [
            cylinder(0.9 * radius, height, glaze, top_radius=radius, sides=12),
            cylinder(0.8 * radius, 0.002, palette.plain((0.15, 0.09, 0.05), noise=0.05), bottom=height, sides=12),
            blocks(
                [
                    (glaze, radius + 0.02, 0.25 * height, 0, 0.012, 0.5 * height, 0.012),
                    (glaze, radius, 0.7 * height, 0, 0.05, 0.012, 0.012),
                ]
            ),
        ]
    )


def bowl(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bowl, often with fruit."""
    radius = rng.uniform(0.08, 0.15)
    parts = [cylinder(0.5 * radius, 0.6 * radius, bright(rng, palette), top_radius=radius, sides=16)]
    for _ in range(rng.integers(0, 5)):
        fruit = palette.plain(vary(rng, ((0.8, 0.2, 0.1), (0.85, 0.6, 0.1), (0.4, 0.6, 0.15))), noise=0.12)
        x, z = rng.uniform(-0.4, 0.4, 2) * radius
        parts += [place(ellipsoid((0.038, 0.036, 0.038), fruit, bottom=0.5 * radius, detail=4), (x, 0, z))]
    return join(parts)


def plate(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Plates on each other."""
    radius, glaze = rng.uniform(0.09, 0.14), palette.plain(vary(rng, (WHITE, *BRIGHTS)), noise=0.05, gloss=0.08)
    return cylinder(0.6 * radius, 0.02 * rng.integers(1, 5), glaze, top_radius=radius, sides=18)


def pan(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A pot or pan with its handle."""
    radius, height, steel = rng.uniform(0.08, 0.14), rng.uniform(0.05, 0.18), metal(rng, palette)
    handle = bar(
        (radius, 0.8 * height, 0), (radius + rng.uniform(0.06, 0.2), 0.85 * height, 0.02), 0.011, plastic(rng, palette)
    )
    return join([cylinder(radius, height, steel, sides=16), handle])


def books(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A pile of books or papers."""
    height, parts = 0.0, []
    for _ in range(rng.integers(1, 7)):
        step, size = rng.uniform(0.006, 0.04), (rng.uniform(0.15, 0.24), rng.uniform(0.2, 0.3))
        cover = palette.plain(vary(rng, (*BRIGHTS, WHITE, WHITE)), noise=0.12)
        parts += [place(blocks([(cover, 0, height, 0, size[0], step, size[1])]), yaw=rng.normal(0, 0.15))]
        height += step
    return join(parts)


def papers(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Sheets of paper with print."""
    parts = []
    for k in range(rng.integers(1, 5)):
        sheet = palette.add(Material(WHITE, Pattern.STRIPES, (0.45, 0.45, 0.47), (0.008, 0.008), noise=0.1))
        sheet = (
            sheet
            if rng.random() < 0.6
            else palette.plain(vary(rng, (WHITE, (0.9, 0.85, 0.5), (0.6, 0.75, 0.85))), noise=0.06)
        )
        x, z = rng.uniform(-0.06, 0.06, 2)
        parts += [place(blocks([(sheet, 0, 0.002 * k, 0, 0.21, 0.002, 0.297)]), (x, 0, z), yaw=rng.normal(0, 0.3))]
    return join(parts)


def pens(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Pens and scissors in a cup."""
    parts = [cylinder(0.038, 0.1, bright(rng, palette), sides=10)]
    for _ in range(rng.integers(3, 8)):
        a, lean = rng.uniform(0, 2 * np.pi), rng.uniform(0.01, 0.05)
        tip = np.cos(a) * (0.02 + lean), rng.uniform(0.13, 0.19), np.sin(a) * (0.02 + lean)
        parts += [bar((np.cos(a) * 0.02, 0.09, np.sin(a) * 0.02), tip, 0.004, bright(rng, palette), sides=4)]
    return join(parts)


def toy(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A stuffed animal, a ball or a vase."""
    kind, fur = rng.integers(3), fabric(rng, palette)
    if kind == 0:
        return ellipsoid((0.1, 0.1, 0.1), print_of(rng, palette, 0.08))
    if kind == 1:
        glaze = bright(rng, palette)
        return join(
            [
                cylinder(0.04, 0.12, glaze, top_radius=0.08, sides=14),
                cylinder(0.08, 0.14, glaze, bottom=0.12, top_radius=0.035, sides=14),
            ]
        )
    parts = [ellipsoid((0.1, 0.12, 0.09), fur), place(ellipsoid((0.08, 0.08, 0.08), fur, bottom=0.2), (0, 0, 0.02))]
    parts += [place(ellipsoid((0.03, 0.03, 0.02), fur, bottom=0.33, detail=4), (x, 0, 0)) for x in (-0.06, 0.06)]
    parts += [place(ellipsoid((0.04, 0.04, 0.1), fur, detail=4), (x, 0, 0.1)) for x in (-0.07, 0.07)]
    return join(parts)


def board_game(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A flat box, tray or cutting board."""
    cover = print_of(rng, palette, 0.1) if rng.random() < 0.6 else wood(rng, palette)
    return blocks([(cover, 0, 0, 0, rng.uniform(0.2, 0.35), rng.uniform(0.015, 0.06), rng.uniform(0.2, 0.3))])


ON_DESKS: tuple[Maker, ...] = (
    books,
    papers,
    papers,
    cup,
    pens,
    bottle,
    telephone,
    laptop,
    desk_lamp,
    carton,
    small_plant,
)
ON_TABLES: tuple[Maker, ...] = (books, papers, cup, bowl, plate, bottle, carton, small_plant, toy, board_game)
IN_KITCHENS: tuple[Maker, ...] = (pan, pan, bottle, bottle, cup, bowl, plate, carton, carton, appliance, board_game)
ON_SHELVES: tuple[Maker, ...] = (books, books, toy, small_plant, carton, bottle, desk_lamp, board_game)
IN_BATHS: tuple[Maker, ...] = (bottle, bottle, cup, carton, small_plant)
IN_WORKSHOPS: tuple[Maker, ...] = (tool_box, tool_box, carton, bottle, pens, cup, pan, papers)
ON_FLOORS: tuple[Maker, ...] = (bag, waste_bin, crates, plant, shoes, suitcase, basket, toy)
