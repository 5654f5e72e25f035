"""Buildings of towns and villages; more of them in ``landmarks``."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, place
from vode.world.objects import shapes
from vode.world.objects.facades import (
    PLASTER,
    door,
    gable_roof,
    hip_roof,
    roof_material,
    shop_row,
    wall_material,
    windows,
)
from vode.world.objects.landmarks import barn, church, tower, warehouse

__all__ = ["barn", "block", "church", "garage", "house", "shed", "tower", "wall", "warehouse"]


def house(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A detached house of one or two floors, its door towards +z; 7 to 13 m wide, with what belongs to it."""
    width, depth = rng.uniform(7.0, 13.0), rng.uniform(6.5, 10.0)
    floors = 1 if rng.random() < 0.35 else 2
    eaves = 0.35 + 2.65 * floors + rng.uniform(-0.1, 0.3)
    walls, roofing = wall_material(rng, palette), roof_material(rng, palette)
    steep = rng.uniform(0.5, 1.0)
    parts = [boxes([(0, 0, 0, width, eaves, depth)], walls)]
    gabled = rng.random() < 0.65
    along_x = False
    if gabled:
        along_x = rng.random() < 0.7
        roof = gable_roof((width, depth) if along_x else (depth, width), eaves, steep, roofing, walls)
        parts.append(roof if along_x else place(roof, yaw=np.pi / 2))
        ridge = eaves + steep * (depth if along_x else width) / 2
    else:
        parts.append(hip_roof(width, depth, eaves, steep * 0.8, roofing))
        ridge = eaves + steep * 0.8 * min(width, depth) / 2
    entry = rng.uniform(-0.25, 0.25) * width
    parts.append(_openings((width, depth, entry), floors, rng, palette))
    if rng.random() < 0.8:
        brick = palette.add(
            Material(
                shapes.tint(rng, ((0.35, 0.16, 0.11), (0.4, 0.38, 0.36))), Pattern.BRICKS, (0.5,) * 3, (0.24, 0.08)
            )
        )
        x = rng.uniform(-0.35, 0.35) * width
        parts.append(boxes([(x, eaves, rng.uniform(-0.15, 0.15) * depth, 0.6, ridge - eaves + 0.7, 0.6)], brick))
    if along_x and rng.random() < 0.4:
        parts.append(_dormers((width, depth, eaves, steep), rng, palette, walls, roofing))
    parts += _extras((width, depth, eaves, entry), rng, palette, walls, roofing)
    return join(parts)


def block(rng: np.random.Generator, palette: Palette, length: float, depth: float, height: float) -> Mesh:
    """A building of a town: ``length`` along z, ``depth`` along x; shops or doors below, floors, a roof."""
    walls = wall_material(rng, palette, town=True)
    trim = palette.plain(shapes.tint(rng, PLASTER))
    ground = min(rng.uniform(3.3, 4.2), 0.6 * height)
    floor = rng.uniform(2.8, 3.5)
    floors = max(int((height - ground - 0.3) / floor), 0)
    top = max(ground + floors * floor + 0.3, 0.97 * height)
    pitch = rng.uniform(1.7, 3.2)
    bays = max(int(length / pitch), 1)
    relief = floors * bays <= 14
    upper = walls
    if not relief:
        second = (0.07, 0.09, 0.11) if rng.random() < 0.8 else (0.2, 0.25, 0.3)
        colour = shapes.tint(rng, PLASTER)
        upper = palette.add(Material(colour, Pattern.WINDOWS, second, (length / bays, floor), gloss=0.1))
    parts = [
        boxes([(0, 0, 0, depth, ground, length)], palette.plain(shapes.tint(rng, PLASTER), noise=0.3)),
        boxes([(0, ground, 0, depth, top - ground, length)], upper),
    ]
    for side in (-1.0, 1.0):
        parts.append(_facade((length, depth, ground, floor), (floors, bays), rng, palette, relief=relief, side=side))
    if floors and rng.random() < 0.7:
        parts.append(_ends((length, depth, ground, floor), floors, rng, palette, trim))
    cornice = [(0, ground - 0.15, 0, depth + 0.3, 0.25, length), (0, top - 0.3, 0, depth + 0.5, 0.3, length + 0.1)]
    parts.append(boxes(cornice, trim))
    if rng.random() < 0.45 and depth < 16:
        roofing = roof_material(rng, palette)
        parts.append(
            place(gable_roof((length, depth), top, rng.uniform(0.4, 0.9), roofing, walls, over=0.25), yaw=np.pi / 2)
        )
        z = rng.uniform(-0.45, 0.45, 2) * length
        parts.append(boxes([(0.15 * depth, top, at, 0.7, 0.4 * depth + 0.8, 1.0) for at in z], trim))
    else:
        count = int(rng.integers(1, 4))
        at = rng.uniform(-0.35, 0.35, (count, 2)) * [depth, length]
        size = rng.uniform(1.0, 3.0, (count, 3))
        parts.append(boxes(np.stack([at[:, 0], np.full(count, top), at[:, 1], *size.T], 1), trim))
        parts.append(boxes([(s * (depth / 2 - 0.1), top, 0, 0.2, 0.7, length) for s in (-1, 1)], walls))
    return join(parts)


def shed(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A garden shed of planks with a door, a window and a light roof."""
    width, depth, eaves = rng.uniform(1.8, 3.2), rng.uniform(1.6, 2.6), rng.uniform(1.8, 2.1)
    wood = palette.add(
        Material(
            shapes.tint(rng, ((0.3, 0.2, 0.12), (0.2, 0.25, 0.2), (0.4, 0.36, 0.3))), Pattern.PLANKS, pitch=(0.14, 1)
        )
    )
    felt = palette.plain(shapes.tint(rng, ((0.1, 0.1, 0.1), (0.2, 0.22, 0.2))))
    parts = [boxes([(0, 0, 0, width, eaves, depth)], wood)]
    parts.append(gable_roof((width, depth), eaves, rng.uniform(0.3, 0.6), felt, wood, over=0.15))
    parts.append(door(-0.25 * width, depth / 2, rng, palette, height=1.75))
    parts.append(windows([(0.25 * width, 1.0, depth / 2, 0.6, 0.6)], palette.plain((0.5, 0.5, 0.5)), palette))
    return join(parts)


def garage(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A garage for one or two cars with its doors towards +z; flat or pitched roof."""
    count = 2 if rng.random() < 0.3 else 1
    width, depth, height = 0.6 + 2.7 * count, rng.uniform(5.5, 6.5), rng.uniform(2.4, 2.8)
    walls = wall_material(rng, palette)
    panel = palette.add(
        Material(
            shapes.tint(rng, ((0.7, 0.7, 0.68), (0.3, 0.2, 0.13), (0.15, 0.25, 0.2), (0.3, 0.32, 0.35))),
            Pattern.STRIPES,
            (0.25, 0.25, 0.25),
            (0.3, 1.0),
            0.1,
        )
    )
    doors = [((k - (count - 1) / 2) * 2.75, 0, depth / 2, 2.4, 2.1, 0.06) for k in range(count)]
    parts = [boxes([(0, 0, 0, width, height, depth)], walls), boxes(doors, panel)]
    if rng.random() < 0.5:
        parts.append(boxes([(0, height, 0, width + 0.2, 0.22, depth + 0.2)], palette.plain((0.3, 0.3, 0.3))))
    else:
        roof = gable_roof((depth, width), height, rng.uniform(0.4, 0.8), roof_material(rng, palette), walls)
        parts.append(place(roof, yaw=np.pi / 2))
    return join(parts)


def wall(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A garden wall along z with coping and pillars, .6 to 2.2 m high."""
    height, thick = rng.uniform(0.6, 2.2), rng.uniform(0.2, 0.35)
    body = wall_material(rng, palette)
    stone = palette.plain(shapes.tint(rng, ((0.45, 0.44, 0.42), (0.3, 0.29, 0.28))))
    rows: list[shapes.Row] = [(0, 0, 0, thick, height, length), (0, height, 0, thick + 0.1, 0.07, length)]
    kinds = [body, stone]
    if rng.random() < 0.6:
        count = max(int(length / rng.uniform(2.5, 4.0)), 1) + 1
        side = thick + 0.15
        rows += [(0, 0, z, side, height + 0.2, side) for z in np.linspace(-length / 2, length / 2, count)]
        kinds += [body] * count
    return boxes(rows, kinds)


def _openings(size: tuple[float, float, float], floors: int, rng: np.random.Generator, palette: Palette) -> Mesh:
    """Windows on four sides and the door of a house, sometimes with shutters."""
    width, depth, entry = size
    frame = palette.plain(
        shapes.tint(rng, ((0.78, 0.78, 0.76), (0.78, 0.78, 0.76), (0.25, 0.16, 0.1), (0.1, 0.1, 0.1)))
    )
    shutters = palette.plain(shapes.tint(rng, ((0.1, 0.2, 0.13), (0.3, 0.1, 0.08), (0.2, 0.3, 0.4))))
    shuttered = rng.random() < 0.35
    high = rng.uniform(1.1, 1.5)
    parts = [door(entry, depth / 2, rng, palette)]
    for side, (span, out) in enumerate(
        [(width, depth / 2), (depth, width / 2), (width, depth / 2), (depth, width / 2)]
    ):
        bays = max(int(span / rng.uniform(2.6, 3.6)), 1) if side % 2 == 0 else int(rng.integers(1, 3))
        at = (np.arange(bays) - (bays - 1) / 2) * span / bays + rng.uniform(-0.15, 0.15, bays)
        wide = rng.uniform(0.9, 1.7, bays)
        rows = [
            (at[b], 1.2 + 2.7 * f, out, wide[b], high)
            for f in range(floors)
            for b in range(bays)
            if not (f == side == 0 and abs(at[b] - entry) < 0.7 + wide[b] / 2) and rng.random() < 0.92
        ]
        if rows:
            face = windows(rows, frame, palette, shutters=shutters if shuttered and side % 2 == 0 else None)
            parts.append(place(face, yaw=side * np.pi / 2))
    return join(parts)


def _dormers(
    size: tuple[float, float, float, float], rng: np.random.Generator, palette: Palette, walls: int, roofing: int
) -> Mesh:
    """One or two dormers in the front slope of a roof whose ridge runs along x."""
    width, depth, eaves, steep = size
    trim = palette.plain((0.7, 0.7, 0.68))
    front = 0.34 * depth
    base, tall = eaves + steep * (depth / 2 - front), min(rng.uniform(1.1, 1.4), steep * front * 0.9)
    back = front - tall / steep
    parts = []
    for x in (-0.25 * width, 0.25 * width) if rng.random() < 0.5 else (rng.uniform(-0.2, 0.2) * width,):
        rows = [(x, base - 0.3, (front + back) / 2, 1.7, tall + 0.3, front - back)]
        rows.append((x, base + tall, (front + back) / 2 + 0.1, 2.0, 0.16, front - back + 0.3))
        parts.append(boxes(rows, [walls, roofing]))
        parts.append(windows([(x, base + 0.15, front, 1.1, tall - 0.35)], trim, palette))
    return join(parts)


def _extras(
    size: tuple[float, float, float, float], rng: np.random.Generator, palette: Palette, walls: int, roofing: int
) -> list[Mesh]:
    """Porch and annexe of a house."""
    width, depth, eaves, entry = size
    parts = []
    if rng.random() < 0.4:
        out = depth / 2
        posts = [(entry + s * 1.1, 0, out + 1.3, 0.14, 2.4, 0.14) for s in (-1, 1)]
        parts.append(
            boxes([*posts, (entry, 2.4, out + 0.75, 2.6, 0.15, 1.6)], palette.plain((0.7, 0.7, 0.68)), hidden="")
        )
    if rng.random() < 0.45:
        wide, deep, tall = (
            rng.uniform(3.0, 3.8),
            depth * rng.uniform(0.6, 0.85),
            min(rng.uniform(2.4, 2.9), eaves - 0.2),
        )
        side = 1.0 if rng.random() < 0.5 else -1.0
        panel = palette.add(Material((0.65, 0.65, 0.63), Pattern.STRIPES, (0.3, 0.3, 0.3), (0.3, 1.0), 0.1))
        rows = [
            (0, 0, 0, wide, tall, deep),
            (0, 0, deep / 2, 2.4, 2.1, 0.08),
            (0, tall, 0, wide + 0.3, 0.18, deep + 0.3),
        ]
        annexe = boxes(rows, [walls, panel, roofing])
        parts.append(place(annexe, (side * (width + wide) / 2, 0, depth / 2 - deep / 2 - 0.3)))
    return parts


def _ends(
    size: tuple[float, float, float, float], floors: int, rng: np.random.Generator, palette: Palette, trim: int
) -> Mesh:
    """Windows on both short sides of a block, a column or two."""
    length, depth, ground, floor = size
    columns = rng.permutation(np.array([-0.3, 0.0, 0.3]))[: int(rng.integers(1, 3))] * depth
    rows = [(x, ground + floor * k + 0.8, length / 2, 1.0, 0.5 * floor) for k in range(min(floors, 4)) for x in columns]
    end = windows(rows, trim, palette)
    return join([end, place(end, yaw=np.pi)])


def _facade(
    size: tuple[float, float, float, float],
    counts: tuple[int, int],
    rng: np.random.Generator,
    palette: Palette,
    *,
    relief: bool,
    side: float,
) -> Mesh:
    """What sticks out of one long side of a block: windows or strips, balconies or bays, and the ground floor."""
    length, depth, ground, floor = size
    floors, bays = counts
    trim = palette.plain(shapes.tint(rng, PLASTER))
    at = (np.arange(bays) - (bays - 1) / 2) * length / bays
    out = depth / 2
    parts = [shop_row(length, out, ground, rng, palette)]
    levels = ground + floor * np.arange(floors)
    rows: list[shapes.Row]
    if relief and floors:
        rows = [(x, y + 0.75, out, min(length / bays * 0.55, 1.5), floor * 0.55) for y in levels for x in at]
        parts.append(windows(rows, trim, palette))
    elif floors:
        strips = boxes(
            [(0, y - 0.1, out, length, 0.2, 0.16) for y in levels[1:]] or [(0, ground, out, length, 0.2, 0.16)], trim
        )
        parts.append(strips)
    style = rng.random()
    columns = at[rng.random(bays) < 0.4][:2]
    if style < 0.4 and floors and len(columns):
        wide, deep = min(length / bays * 0.9, 2.6), rng.uniform(0.9, 1.4)
        rows = []
        metal = palette.plain(shapes.tint(rng, ((0.1, 0.1, 0.1), (0.5, 0.5, 0.5), (0.6, 0.58, 0.52))))
        for x in columns:
            for y in levels[:3]:
                rows += [(x, y - 0.15, out + deep / 2, wide, 0.15, deep), (x, y, out + deep - 0.03, wide, 1.0, 0.06)]
        parts.append(boxes(rows, [trim, metal] * (len(rows) // 2), hidden=""))
    elif style < 0.6 and floors and len(columns):
        pane = palette.add(Material((0.6, 0.6, 0.58), Pattern.WINDOWS, (0.06, 0.08, 0.1), (0.9, floor), gloss=0.1))
        wide = min(length / bays * 0.9, 2.4)
        parts.append(boxes([(x, ground, out + 0.3, wide, floors * floor, 0.6) for x in columns], pane, hidden=""))
    return place(join(parts), yaw=side * np.pi / 2)
