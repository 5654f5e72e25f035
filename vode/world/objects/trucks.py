"""Trucks, buses and trailers."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, place, quads
from vode.world.objects import shapes
from vode.world.objects.wheels import arches, glass, paint, wheels

_LIVERY = (
    (0.8, 0.8, 0.79),
    (0.6, 0.6, 0.6),
    (0.5, 0.06, 0.05),
    (0.05, 0.13, 0.4),
    (0.75, 0.45, 0.05),
    (0.1, 0.3, 0.15),
)


def truck(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A lorry: cab and box, tarpaulin, tank, tipper or flatbed; rigid of 7 m up to an articulated one of 16 m."""
    long = rng.random() < 0.4
    body_length = rng.uniform(11.5, 13.3) if long else rng.uniform(4.5, 7.5)
    width, cab_length = 2.5, rng.uniform(1.7, 2.3)
    height = rng.uniform(3.6, 4.0) if long else rng.uniform(2.9, 3.7)
    gap = 0.9 if long else 0.15
    total = cab_length + gap + body_length
    cab_middle, body_middle = total / 2 - cab_length / 2, -total / 2 + body_length / 2
    radius = 0.5 if height > 3.3 else 0.42
    rear = [-total / 2 + 1.2, -total / 2 + 2.4, -total / 2 + 3.6] if long else [-total / 2 + 0.25 * body_length]
    axles = [total / 2 - 1.25, *rear, *([total / 2 - cab_length - 1.3] if long else [])]
    centres = np.array([(side * (width / 2 - 0.16), radius, z) for z in axles for side in (-1, 1)])
    rim = palette.plain((0.35, 0.35, 0.35), noise=0.1)
    dark = palette.plain((0.04, 0.04, 0.045), noise=0.2)
    cab = _cab(cab_length, width, min(height, rng.uniform(2.7, 3.5)), rng, palette)
    frame = boxes([(0, 0.7, 0, 0.9, 0.3, total - 0.6), (0, 0.45, -total / 2 + 0.1, 2.3, 0.14, 0.1)], dark)
    return join(
        [
            place(cab, (0, 0, cab_middle)),
            frame,
            place(_load(body_length, width, height, rng, palette), (0, 0, body_middle)),
            wheels(centres, radius, 0.32, rim, palette, sides=8),
            _tail(width, -total / 2, palette),
        ]
    )


def parked_trailer(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A trailer that stands on its own: a caravan, or a small one with a tarpaulin or an open bed."""
    metal = palette.plain((0.3, 0.3, 0.3))
    if rng.random() < 0.5:
        length, height = rng.uniform(4.2, 6.2), rng.uniform(2.4, 2.65)
        body = palette.add(Material(shapes.tint(rng, ((0.78, 0.77, 0.74),), 0.1), noise=0.1, gloss=0.15))
        band = paint(rng, palette, _LIVERY)
        h, low = length / 2, 0.42
        outline = [(h - 0.1, low), (h, 1.0), (h - 0.25, height - 0.3), (h - 0.7, height)]
        outline += [(-h + 0.5, height), (-h, height - 0.4), (-h, 0.9), (-h + 0.15, low)]
        shell = shapes.prism(outline, 2.2, body, body)
        panes = [(0, 1.25, z, 2.23, 0.6, 0.9) for z in (-0.3 * length, 0.25 * length)]
        extra = boxes([(0, 0.85, 0, 2.22, 0.18, length - 0.2), *panes], [band, glass(palette), glass(palette)])
        size = 0.32
    else:
        length, height = rng.uniform(2.4, 3.6), rng.uniform(0.9, 2.1)
        body = paint(rng, palette, _LIVERY, 0.1)
        shell = boxes([(0, 0.5, 0, 1.7, height - 0.5, length)], body)
        extra = boxes([(0, 0.5, 0, 1.74, 0.35, length + 0.04)], metal)
        size = 0.3
    bar = boxes([(0, 0.42, length / 2 + 0.5, 0.12, 0.1, 1.1), (0, 0.0, length / 2 + 0.9, 0.08, 0.45, 0.08)], metal)
    centres = [(side * (1.0 if size > 0.31 else 0.8), size, -0.1) for side in (-1, 1)]
    return join([shell, extra, bar, wheels(centres, size, 0.22, metal, palette, sides=8)])


def bus(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A city bus or a coach, 9 to 12.5 m."""
    length, width, height = rng.uniform(9.0, 12.5), 2.52, rng.uniform(2.95, 3.5)
    body, second = paint(rng, palette, _LIVERY), paint(rng, palette, _LIVERY)
    pane, h, low = glass(palette), length / 2, 0.28
    belt, brow = rng.uniform(1.05, 1.45), height - 0.45
    outline = [
        (h - 0.06, low),
        (h, 1.0),
        (h - 0.10, brow),
        (h - 0.35, height),
        (-h + 0.2, height),
        (-h, brow),
        (-h, low),
    ]
    shell = shapes.prism(outline, width, body, second if rng.random() < 0.3 else body)
    count = int(length // 1.5)
    z = np.linspace(-h + 0.9, h - 0.9, count)
    pitch = float(z[1] - z[0])
    sides = [(side * (width / 2 - 0.03), belt, at, 0.08, brow - belt, pitch - 0.10) for at in z for side in (-1, 1)]
    doors = [(-width / 2 + 0.03, low + 0.05, at, 0.1, brow - low - 0.05, 1.15) for at in (h - 0.75, -0.3)]
    ends = [(0, 1.05, h - 0.02, width - 0.24, brow - 1.05, 0.06), (0, 1.3, -h, width - 0.4, brow - 1.35, 0.06)]
    lamp = palette.add(Material((0.75, 0.75, 0.74), noise=0.1, gloss=0.3))
    board = palette.add(Material((0.5, 0.3, 0.04), noise=0.6))
    dark = palette.plain((0.04, 0.04, 0.04), noise=0.1)
    rows = [*sides, *doors, *ends, (0, low, 0, width + 0.04, 0.3, length - 0.3)]
    kinds = [pane] * (len(sides) + 4) + [second]
    rows += [(s * 0.95, 0.6, h - 0.02, 0.35, 0.2, 0.1) for s in (-1, 1)] + [(0, brow + 0.06, h - 0.2, 1.7, 0.28, 0.2)]
    rows += [(s * (width / 2 + 0.12), brow - 0.5, h + 0.05, 0.16, 0.4, 0.1) for s in (-1, 1)]
    kinds += [lamp, lamp, board, dark, dark]
    axles = [h - 2.5, -h + 2.9]
    centres = np.array([(side * (width / 2 - 0.12), 0.48, at) for at in axles for side in (-1, 1)])
    rim = palette.plain((0.3, 0.3, 0.3), noise=0.1)
    spaces = arches(centres * [0, 1, 1] + np.sign(centres) * [width / 2 + 0.025, 0, 0], 0.58, palette)
    parts = [shell, boxes(rows, kinds), wheels(centres, 0.48, 0.30, rim, palette, sides=8), spaces]
    return join([*parts, _tail(width, -h, palette)])


def _cab(length: float, width: float, height: float, rng: np.random.Generator, palette: Palette) -> Mesh:
    """A cab over the engine, its middle at z = 0."""
    body, pane = paint(rng, palette, _LIVERY), glass(palette)
    dark = palette.plain((0.05, 0.05, 0.05), noise=0.1)
    lamp = palette.add(Material((0.75, 0.75, 0.74), noise=0.1, gloss=0.3))
    h, belt = length / 2, 1.55 if height > 2.9 else 1.35
    brow = min(height - 0.15, belt + 1.0)
    lean = rng.uniform(0.05, 0.25)
    outline = [(h - 0.05, 0.4), (h, belt), (h - lean, brow), (h - lean - 0.4, height), (-h, height - 0.05), (-h, 0.6)]
    shell = shapes.prism(outline, width - 0.1, body, body)
    x = (width - 0.1) / 2 - 0.12
    screen = np.array(
        [[-x, -belt, h + 0.02], [x, -belt, h + 0.02], [x, -brow, h - lean + 0.02], [-x, -brow, h - lean + 0.02]]
    )
    rows = [
        *(
            (side * (width / 2 - 0.04), belt + 0.05, 0.12 * length, 0.02, brow - belt - 0.1, length * 0.5)
            for side in (-1, 1)
        ),
        *((side * (width / 2 - 0.04), 0.45, 0.2 * length, 0.03, 0.5, length * 0.45) for side in (-1, 1)),
        (0, 0.35, h, width - 0.08, 0.35, 0.2),
        *((side * 0.9, 0.5, h + 0.06, 0.4, 0.2, 0.12) for side in (-1, 1)),
        (0, 0.85, h, 1.6, 0.4, 0.06),
        *((side * (width / 2 + 0.1), belt + 0.1, h - 0.1, 0.2, 0.5, 0.1) for side in (-1, 1)),
    ]
    kinds = [pane, pane, dark, dark, dark, lamp, lamp, dark, dark, dark]
    return join([shell, shapes.facing_out(quads(screen[None], pane), np.array([0, -1.0, 0])), boxes(rows, kinds)])


def _load(length: float, width: float, height: float, rng: np.random.Generator, palette: Palette) -> Mesh:
    """What a lorry carries, its middle at z = 0."""
    kind = int(rng.integers(5))
    base, h = 1.05, length / 2
    metal = palette.plain((0.35, 0.35, 0.36), noise=0.2)
    if kind == 0:
        steel = palette.add(Material(shapes.tint(rng, ((0.6, 0.6, 0.62), (0.75, 0.75, 0.73))), noise=0.1, gloss=0.35))
        radius = min((height - base) / 2, width / 2 - 0.05)
        angle = np.linspace(0, 2 * np.pi, 13)
        points = np.empty((4, 13, 3))
        size = np.array([0.75, 1, 1, 0.75])[:, None] * radius
        points[..., 0], points[..., 1] = size * np.cos(angle), -base - radius - size * np.sin(angle)
        points[..., 2] = np.array([h, h - 0.25, -h + 0.25, -h])[:, None]
        ends = [shapes.polygon(points[k, :-1], steel, (0, 0, side)) for k, side in ((0, 1), (3, -1))]
        hoops = boxes([(0, base - 0.15, z, 1.8, 0.3, 0.3) for z in (-0.6 * h, 0.6 * h)], metal)
        return join([shapes.sheet(points, steel, closed=True), *ends, hoops])
    if kind == 1:
        goods = palette.add(
            Material(shapes.tint(rng, ((0.4, 0.28, 0.15), (0.4, 0.4, 0.4))), Pattern.PLANKS, pitch=(0.2, 1.0))
        )
        stacks = [(0, base + 0.15, z * h, 2.1, rng.uniform(0.4, 1.5), 0.45 * length) for z in (-0.48, 0.46)]
        board = (0, base, h - 0.05, width, min(height - base, 1.6), 0.1)
        return boxes([(0, base, 0, width, 0.15, length), board, *stacks], [metal, metal, goods, goods])
    if kind == 2:
        side = paint(rng, palette, _LIVERY, 0.1)
        top = min(base + 1.5, height)
        outline = [(h, base), (h, top), (-h + 0.3, top), (-h, base + 0.2), (-h, base)]
        ribs = boxes(
            [(0, base, z, width + 0.08, top - base - 0.05, 0.1) for z in np.linspace(-h + 0.6, h - 0.1, 5)], side
        )
        return join([shapes.prism(outline, width, side, side), ribs])
    if kind == 3:
        cloth = palette.add(
            Material(shapes.tint(rng, _LIVERY), Pattern.STRIPES, shapes.tint(rng, _LIVERY), (0.6, 1.0), 0.2)
        )
        return boxes(
            [(0, base, 0, width, height - base, length), (0, base - 0.15, 0, width + 0.04, 0.25, length)],
            [cloth, metal],
        )
    box, edge = paint(rng, palette, _LIVERY, 0.1), paint(rng, palette, _LIVERY, 0.1)
    rows = [(0, base, 0, width, height - base, length), (0, base - 0.1, 0, width + 0.05, 0.2, length)]
    logo = (
        0,
        base + 0.5,
        rng.uniform(-0.2, 0.2) * length,
        width + 0.03,
        (height - base) * 0.45,
        length * rng.uniform(0.3, 0.6),
    )
    return boxes([*rows, logo], [box, metal, edge])


def _tail(width: float, z: float, palette: Palette) -> Mesh:
    """Lights and number plate of a rear end at z."""
    red = palette.add(Material((0.40, 0.02, 0.02), noise=0.1, gloss=0.3))
    plate = palette.plain((0.78, 0.78, 0.76), noise=0.1)
    rows = [(side * (width / 2 - 0.3), 0.62, z + 0.01, 0.4, 0.18, 0.12) for side in (-1, 1)]
    return boxes([*rows, (0, 0.62, z + 0.01, 0.52, 0.12, 0.1)], [red, red, plate])
