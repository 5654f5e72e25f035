"""Larger buildings: barns, halls, churches and towers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, place, quads
from vode.world.objects import shapes
from vode.world.objects.facades import pane_material, roof_material, wall_material


def barn(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A barn with a gambrel or plain roof and a large door towards +z, 9 to 20 m long."""
    width, length, eaves = rng.uniform(8, 12), rng.uniform(9, 20), rng.uniform(3, 5)
    wood = palette.add(
        Material(
            shapes.tint(rng, ((0.35, 0.08, 0.06), (0.30, 0.22, 0.15), (0.22, 0.20, 0.18))),
            Pattern.PLANKS,
            pitch=(0.2, 1.0),
        )
    )
    roof, white = roof_material(rng, palette), palette.plain((0.7, 0.7, 0.68))
    h, rise = width / 2, rng.uniform(0.6, 0.9) * width / 2
    if rng.random() < 0.5:
        upper = [(h * 0.62, eaves + rise * 0.72), (0, eaves + rise), (-h * 0.62, eaves + rise * 0.72)]
    else:
        upper = [(0, eaves + rise)]
    outline = [(-h, 0), (h, 0), (h, eaves), *upper, (-h, eaves)]
    slopes = len(upper) + 1
    body = shapes.prism(outline, length, [wood, wood, *[roof] * slopes, wood], wood, across="z")
    edge = [(1.04 * x, y + 0.12) for x, y in [(h, eaves - 0.15), *upper, (-h, eaves - 0.15)]]
    caps = []
    for (x0, y0), (x1, y1) in pairwise(edge):
        half = length / 2 + 0.4
        caps.append([[x0, -y0, -half], [x0, -y0, half], [x1, -y1, half], [x1, -y1, -half]])
    cover = shapes.facing_out(quads(np.array(caps), roof), np.array([0, -eaves * 0.5, 0]))
    wide, high = rng.uniform(3, 4), min(rng.uniform(3, 4), eaves)
    rows: list[shapes.Row] = [(0, 0, 0, wide + 0.3, high + 0.15, length + 0.08), (0, 0, 0, wide, high, length + 0.14)]
    rows.append((0, eaves + 0.3, 0, 1.2, 1.2, length + 0.1))
    return join([body, cover, boxes(rows, [white, wood, white])])


def warehouse(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A hall of an industrial estate or a supermarket, 15 to 40 m wide, with gates, an office and a sign."""
    width, depth, height = rng.uniform(15, 40), rng.uniform(12, 30), rng.uniform(5, 10)
    colours = ((0.55, 0.56, 0.57), (0.35, 0.40, 0.45), (0.68, 0.68, 0.66), (0.10, 0.20, 0.35), (0.40, 0.42, 0.35))
    colour = shapes.tint(rng, colours)
    sheet = palette.add(
        Material(
            colour,
            Pattern.STRIPES,
            shapes.darker(colour, 0.85),
            (rng.uniform(0.2, 1.0), 1.0),
            0.15,
        )
    )
    accent = palette.plain(
        shapes.tint(rng, ((0.5, 0.06, 0.05), (0.05, 0.15, 0.45), (0.7, 0.5, 0.05), (0.05, 0.3, 0.1))), gloss=0.1
    )
    gate = palette.add(Material((0.6, 0.6, 0.58), Pattern.STRIPES, (0.45, 0.45, 0.45), (1.0, 0.4), 0.1))
    trim, glass = palette.plain((0.3, 0.3, 0.3)), pane_material(palette)
    count = int(width // 6)
    z = depth / 2
    rows: list[shapes.Row] = [(0, 0, 0, width, height, depth), (0, height - 0.6, 0, width + 0.2, 0.7, depth + 0.2)]
    kinds = [sheet, accent]
    for x in (np.arange(count) - (count - 1) / 2) * width / count:
        if rng.random() < 0.6:
            rows += [(x, 0, z, 3.9, 4.0, 0.16), (x, 0, z + 0.02, 3.5, 3.8, 0.18)]
            kinds += [trim, gate]
        else:
            rows.append((x, height * 0.62, z, 4.0, 0.9, 0.08))
            kinds.append(glass)
    rows.append((rng.uniform(-0.25, 0.25) * width, height - 0.4, z + 0.1, rng.uniform(4, 8), 1.6, 0.2))
    rows += [(s * (width / 2 + 0.02), 0, 0.3 * depth * k, 0.2, height, 0.3) for s in (-1, 1) for k in (-1, 0, 1)]
    vents = [(x * width, height, 0, 1.6, 0.9, 1.6) for x in rng.uniform(-0.4, 0.4, 3)]
    return boxes([*rows, *vents], [*kinds, accent, *[trim] * 9])


def church(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A village church: a nave with tall windows, and a tower with a spire over the door at +z."""
    width, length, eaves = rng.uniform(8, 12), rng.uniform(14, 24), rng.uniform(5, 8)
    walls, roof, glass = wall_material(rng, palette, town=True), roof_material(rng, palette), pane_material(palette)
    h = width / 2
    outline = [(-h, 0), (h, 0), (h, eaves), (0, eaves + rng.uniform(0.8, 1.1) * h), (-h, eaves)]
    nave = shapes.prism(outline, length, [walls, walls, roof, roof, walls], walls, across="z")
    z = (np.arange(4) - 1.5) * length / 4.4
    rows: list[shapes.Row] = [(0, 0.28 * eaves, at, width + 0.12, 0.52 * eaves, 1.1) for at in z]
    rows += [(s * (h + 0.3), 0, at + length / 8.8, 0.7, 0.75 * eaves, 0.6) for at in z[:3] for s in (-1, 1)]
    openings = boxes(rows, [glass] * 4 + [walls] * 6)
    front = length / 2
    steeple = place(tower(rng, palette, walls=walls, size=rng.uniform(3.6, 5.0)), (0, 0, front - 0.3))
    mesh = join([nave, openings, steeple])
    return mesh._replace(vertices=mesh.vertices - np.array([0, 0, 1.0], np.float32))


def tower(rng: np.random.Generator, palette: Palette, *, walls: int | None = None, size: float | None = None) -> Mesh:
    """A square tower with a clock, belfry windows and a spire, a flat top or a helm; 12 to 35 m."""
    walls = wall_material(rng, palette, town=True) if walls is None else walls
    size = float(rng.uniform(3.5, 6.0)) if size is None else size
    height = size * rng.uniform(2.6, 4.2)
    roof, dark = roof_material(rng, palette), palette.plain((0.05, 0.05, 0.05))
    white, wood = palette.plain((0.7, 0.7, 0.66)), palette.plain((0.18, 0.1, 0.06))
    rows: list[shapes.Row] = [(0, 0, 0, size, height, size), (0, height - 0.3, 0, size + 0.4, 0.3, size + 0.4)]
    kinds = [walls, white]
    belfry = height - 2.8
    rows += [(0, belfry, 0, size + 0.08, 1.9, size * 0.32), (0, belfry, 0, size * 0.32, 1.9, size + 0.08)]
    rows += [(0, belfry - 2.4, 0, size * 0.4, size * 0.4, size + 0.12), (0, 0, 0, 1.8, 2.8, size + 0.14)]
    kinds += [dark, dark, white, wood]
    parts = [boxes(rows, kinds)]
    if rng.random() < 0.75:
        sides = 4 if rng.random() < 0.5 else 8
        half, rise = size / 2 + 0.2, size * rng.uniform(0.8, 2.4)
        angle = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi / sides
        ring = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], 1) * half / np.cos(np.pi / sides) - [0, height, 0]
        tip = np.tile([0.0, -height - rise, 0.0], (sides, 1))
        spire = shapes.triangles(np.stack([ring, np.roll(ring, -1, 0), tip], 1), roof)
        parts.append(shapes.facing_out(spire, np.array([0, -height, 0])))
        parts.append(
            boxes([(0, height + rise - 0.1, 0, 0.08, 1.3, 0.08), (0, height + rise + 0.7, 0, 0.6, 0.08, 0.08)], dark)
        )
    else:
        at = (np.arange(4) - 1.5) * size / 3.4
        teeth = [(x, height, s * size / 2, size / 7, 0.9, 0.4) for x in at for s in (-1, 1)]
        teeth += [(s * size / 2, height, x, 0.4, 0.9, size / 7) for x in at for s in (-1, 1)]
        parts.append(boxes(teeth, walls))
    return join(parts)
