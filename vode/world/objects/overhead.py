"""What reaches over streets: gantries, bridges, poles with wires, billboards."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, quads
from vode.world.objects import shapes

_WHITE: Colour = (0.75, 0.75, 0.74)


def gantry(rng: np.random.Generator, palette: Palette, span: float) -> Mesh:
    """A portal across x of that clear width; its boards face +z (some also -z), 5.2 m or more above the road."""
    steel = palette.plain(shapes.tint(rng, ((0.40, 0.41, 0.42), (0.25, 0.26, 0.27))), noise=0.2)
    low, half = rng.uniform(5.6, 6.4), span / 2 + 0.25
    deep = rng.uniform(0.5, 1.0)
    high = low + deep
    legs = [[(s * half, 0, 0), (s * half, -high, 0)] for s in (-1, 1)]
    chords = [[(-half, -y, 0), (half, -y, 0)] for y in (low, high)]
    count = max(int(span / 1.6), 2)
    x = np.linspace(-half, half, count + 1)
    braces = [[(x[k], -(low if k % 2 else high), 0), (x[k + 1], -(high if k % 2 else low), 0)] for k in range(count)]
    sizes = np.array([0.2] * 2 + [0.09] * 2 + [0.05] * count)
    parts = [shapes.tubes(legs + chords + braces, sizes, steel, sides=6)]
    colour: Colour = shapes.tint(rng, ((0.03, 0.12, 0.42), (0.03, 0.25, 0.12), (0.03, 0.12, 0.42)))
    face, ink = (
        palette.plain(colour, noise=0.1),
        palette.add(Material(_WHITE, Pattern.CHECKS, colour, (0.22, 0.6), 0.1)),
    )
    edge = palette.plain(_WHITE, noise=0.1)
    boards = max(int(rng.integers(1, 4)), 1)
    rows: list[shapes.Row] = []
    kinds: list[int] = []
    for k in range(boards):
        room = span / boards
        wide, tall = min(room * 0.85, rng.uniform(2.5, 5.5)), rng.uniform(1.6, 3.0)
        at, base = (k - (boards - 1) / 2) * room, low - 0.3
        for side in (1, -1) if rng.random() < 0.4 else (1,):
            z = side * 0.22
            rows += [(at, base, z, wide, tall, 0.06), (at, base + 0.06, z, wide - 0.12, tall - 0.12, 0.09)]
            rows += [(at, base + tall * y, z, wide * rng.uniform(0.4, 0.75), 0.3, 0.11) for y in (0.2, 0.58)]
            kinds += [edge, face, ink, ink]
    return join([*parts, boxes(rows, kinds, hidden="")])


def bridge(rng: np.random.Generator, palette: Palette, span: float) -> Mesh:
    """An overpass across x, 4.8 to 5.8 m above the road: deck, pillars or walls, parapets, and banks beyond."""
    concrete = palette.plain(shapes.tint(rng, ((0.42, 0.41, 0.39), (0.33, 0.32, 0.31))), noise=0.45)
    dark = palette.plain(shapes.tint(rng, ((0.22, 0.22, 0.22), (0.10, 0.22, 0.20), (0.30, 0.14, 0.10))), noise=0.3)
    low, thick, deep = rng.uniform(4.8, 5.8), rng.uniform(0.8, 1.5), rng.uniform(6.0, 14.0)
    half, arm = span / 2, 9.0
    whole = span + 2 * arm
    rows: list[shapes.Row] = [
        (0, low + 0.5 * thick, 0, whole, 0.5 * thick, deep),
        *((0, low, z, whole, 0.5 * thick, 0.6) for z in np.linspace(-deep / 2 + 0.8, deep / 2 - 0.8, 3)),
        *((s * (half + arm - 1.0), 0, 0, 2.0, low, deep) for s in (-1, 1)),
        *((0, low + thick, s * (deep / 2 - 0.15), whole, 0.35, 0.3) for s in (-1, 1)),
    ]
    kinds = [concrete] * 8
    if rng.random() < 0.5:
        places = [(s * (half + 0.5), z) for s in (-1, 1) for z in (-0.32 * deep, 0.32 * deep)]
        rows += [(x, 0, z, 0.8, low, 1.0) for x, z in places]
        kinds += [concrete] * 4
    else:
        rows += [(s * (half + 0.4), 0, 0, 0.8, low, deep) for s in (-1, 1)]
        kinds += [concrete] * 2
    rails = [
        (0, low + thick + 0.35 + y, s * (deep / 2 - 0.15), whole, 0.06, 0.06) for s in (-1, 1) for y in (0.3, 0.65)
    ]
    posts = [
        (x, low + thick + 0.35, s * (deep / 2 - 0.15), 0.06, 0.7, 0.06)
        for s in (-1, 1)
        for x in np.arange(-whole / 2, whole / 2, 2.5)
    ]
    slopes = []
    for side in (-1, 1):
        foot, head = side * (half + 1.5), side * (half + arm)
        z = deep / 2 + 1.0
        slopes.append([[foot, 0, -z], [foot, 0, z], [head, -low, z], [head, -low, -z]])
    bank = shapes.facing_out(
        quads(np.array(slopes), palette.plain((0.30, 0.30, 0.24), noise=0.5)), np.array([0, 20.0, 0])
    )
    return join([boxes(rows, kinds, hidden=""), boxes([*rails, *posts], dark, hidden=""), bank])


def utility_pole(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A pole of wood or concrete with cross arms along x and insulators, 7 to 11 m; sometimes with a transformer."""
    height = float(rng.uniform(7.0, 11.0))
    wood = palette.plain(shapes.tint(rng, ((0.20, 0.14, 0.10), (0.28, 0.24, 0.20), (0.42, 0.41, 0.39))), noise=0.45)
    dark = palette.plain((0.12, 0.09, 0.07), noise=0.3)
    parts = [shapes.tubes([[(0, 0, 0), (0, -height, 0)]], [[0.15, 0.09]], wood, sides=7)]
    rows: list[shapes.Row] = []
    for k in range(int(rng.integers(1, 3))):
        level, reach = height - 0.4 - 0.9 * k, rng.uniform(0.8, 1.3)
        rows.append((0, level, 0.1, 2 * reach, 0.12, 0.1))
        rows += [(x * reach, level + 0.12, 0.1, 0.07, 0.16, 0.07) for x in (-0.9, -0.4, 0.4, 0.9)]
    parts.append(boxes(rows, dark, hidden=""))
    if rng.random() < 0.3:
        can = shapes.rings(height - np.array([2.6, 1.6]), [0.25, 0.25], [0.25, 0.25], middle=(0.0, -0.34))
        parts.append(shapes.sheet(can, palette.plain((0.4, 0.41, 0.42)), closed=True))
    return join(parts)


def wires(start: np.ndarray, end: np.ndarray, palette: Palette, *, sag: float = 0.5, count: int = 3) -> Mesh:
    """Wires side by side, 0.6 m apart, from one point (3,) of the map to another, sagging as parabolas."""
    part = np.linspace(0, 1, 9)
    line = np.asarray(start) + part[:, None] * (np.asarray(end) - np.asarray(start))
    line[:, 1] += 4 * sag * part * (1 - part)
    span = line[-1] - line[0]
    across = np.array([span[2], 0.0, -span[0]]) / max(np.hypot(span[0], span[2]), 1e-9)
    shift = (np.arange(count) - (count - 1) / 2)[:, None, None] * 0.6 * across
    lines = line + shift
    ends = np.stack([lines[:, :-1], lines[:, 1:]], 2).reshape(-1, 2, 3)
    return shapes.tubes(ends, 0.018, palette.plain((0.03, 0.03, 0.03), noise=0.0), sides=3)


def billboard(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A board with a poster on it, on posts: 2.5 to 8 m wide."""
    width, tall, low = rng.uniform(2.5, 8.0), rng.uniform(1.7, 3.5), rng.uniform(0.8, 3.5)
    steel, frame = (
        palette.plain((0.25, 0.26, 0.27)),
        palette.plain(shapes.tint(rng, ((0.6, 0.6, 0.6), (0.1, 0.2, 0.15)))),
    )
    bright = ((0.7, 0.1, 0.1), (0.1, 0.3, 0.6), (0.75, 0.6, 0.1), (0.7, 0.7, 0.7), (0.2, 0.5, 0.25), (0.6, 0.3, 0.5))
    poster = palette.add(
        Material(shapes.tint(rng, bright), Pattern.SPOTS, shapes.tint(rng, bright), (rng.uniform(0.4, 1.2),) * 2)
    )
    text = palette.add(Material(shapes.tint(rng, bright), Pattern.CHECKS, shapes.tint(rng, bright), (0.18, 0.4)))
    rows: list[shapes.Row] = [(0, low, 0, width, tall, 0.16), (0, low + 0.1, 0.06, width - 0.2, tall - 0.2, 0.06)]
    at, up = rng.uniform(-0.15, 0.15) * width, low + tall * rng.uniform(0.15, 0.6)
    rows.append((at, up, 0.07, width * 0.5, tall * 0.2, 0.06))
    posts = [[(s * width * 0.35, 0, -0.06), (s * width * 0.35, -low - 0.9 * tall, -0.06)] for s in (-1, 1)]
    return join([boxes(rows, [frame, poster, text], hidden=""), shapes.tubes(posts, 0.09, steel, sides=6)])
