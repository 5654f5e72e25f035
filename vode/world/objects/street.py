"""What stands beside and over streets; faces that are read or used are towards +z, long things run along z."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, ellipsoid, join, place, quads
from vode.world.objects import shapes
from vode.world.objects.overhead import billboard, bridge, gantry, utility_pole, wires
from vode.world.objects.pavement import (
    bench,
    bin,
    bollard,
    bus_stop,
    delineator,
    hydrant,
    kiosk,
    post_box,
    traffic_cone,
)
from vode.world.objects.vehicles import parked_trailer

__all__ = [
    "bench",
    "billboard",
    "bin",
    "bollard",
    "bridge",
    "bus_stop",
    "delineator",
    "fence",
    "gantry",
    "guard_rail",
    "hydrant",
    "kiosk",
    "lamp_post",
    "noise_barrier",
    "parked_trailer",
    "post_box",
    "street_sign",
    "traffic_cone",
    "traffic_light",
    "utility_pole",
    "wires",
]

_POSTS: tuple[Colour, ...] = ((0.42, 0.43, 0.44), (0.25, 0.26, 0.27), (0.05, 0.06, 0.06), (0.08, 0.16, 0.11))
_RED, _WHITE, _BLUE = (0.50, 0.03, 0.04), (0.75, 0.75, 0.74), (0.03, 0.12, 0.42)


def lamp_post(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A street lamp of 4 to 10 m; its arm, if any, reaches towards +x."""
    metal = palette.plain(shapes.tint(rng, _POSTS), noise=0.15)
    lamp = palette.plain((0.7, 0.7, 0.68), noise=0.05, gloss=0.2)
    kind = int(rng.integers(3))
    if kind == 0:
        height = rng.uniform(3.2, 5.0)
        pole = shapes.sheet(
            shapes.rings([0, 0.5, 0.55, height], [0.10, 0.09, 0.055, 0.045], [0.10, 0.09, 0.055, 0.045], sides=7),
            metal,
            closed=True,
        )
        if rng.random() < 0.5:
            head = ellipsoid((0.19, 0.19, 0.19), lamp, bottom=height - 0.02)
        else:
            size = np.array([0.10, 0.2, 0.24, 0.03])
            lantern = shapes.rings(height + np.array([0, 0.42, 0.44, 0.66]), size, size, sides=4)
            head = shapes.sheet(lantern, np.array([lamp, metal, metal]), closed=True)
        return join([pole, head])
    height, reach = rng.uniform(6.0, 10.0), rng.uniform(0.8, 2.4)
    bend = np.linspace(0, 1, 4) if kind == 1 else np.array([0.0, 1.0])
    x, y = (
        reach * (1 - np.cos(bend * np.pi / 2)) if kind == 1 else reach * bend,
        height + 0.9 * np.sin(bend * np.pi / 2) * 0.8,
    )
    points = np.stack([x, -y, 0 * x], 1)
    pieces = np.concatenate([[[[0, 0, 0], [0, -height, 0]]], np.stack([points[:-1], points[1:]], 1)])
    sizes = np.array([[0.10, 0.055], *[[0.05, 0.04]] * (len(points) - 1)])
    arms = [shapes.tubes(pieces, sizes, metal, sides=6)]
    arms.append(boxes([(points[-1, 0] + 0.25, -points[-1, 1] - 0.05, 0, 0.75, 0.13, 0.26)], lamp, hidden=""))
    if rng.random() < 0.2:
        arms += [place(arm, yaw=np.pi) for arm in arms[1:]]
        arms.append(place(shapes.tubes(pieces[1:], sizes[1:], metal, sides=6), yaw=np.pi))
    return join(arms)


def street_sign(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A traffic sign on its post: round, triangular, square, octagonal, or a direction board."""
    metal = palette.plain((0.42, 0.43, 0.44), noise=0.15)
    if rng.random() < 0.25:
        return _direction_board(rng, palette, metal)
    size, height = rng.uniform(0.30, 0.45), rng.uniform(2.0, 2.7)
    corners, turn, rim, face = _plate(rng)
    parts = [shapes.tubes([[(0, 0, 0), (0, -height - size - 0.1, 0)]], 0.035, metal, sides=6)]
    for k in range(2 if rng.random() < 0.2 else 1):
        middle = height - 2.1 * size * k
        for part, out, colour in ((1.0, 0.045, rim), (0.8, 0.055, face)):
            parts.append(_disc(corners, turn, size * part, (middle, out), palette.plain(colour, noise=0.1, gloss=0.1)))
        parts.append(_disc(corners, turn, size, (middle, 0.035), metal, back=True))
        symbol = palette.plain((0.03, 0.03, 0.03) if sum(face) > 1 else (0.75, 0.75, 0.74), noise=0.1)
        wide, tall = (0.18, 0.7) if rng.random() < 0.5 else (0.7, 0.2)
        parts.append(boxes([(0, middle - tall * size / 2, 0.057, wide * size, tall * size, 0.01)], symbol))
    return join(parts)


def traffic_light(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Traffic lights on a pole, or also over the road on an arm towards +x."""
    metal = palette.plain(shapes.tint(rng, _POSTS), noise=0.15)
    black = palette.plain((0.03, 0.035, 0.03), noise=0.1)
    lit = int(rng.integers(3))
    colours = ((0.5, 0.03, 0.02), (0.6, 0.35, 0.03), (0.05, 0.45, 0.2))
    lamps = [
        palette.add(
            Material(c if k == lit else (c[0] * 0.2, c[1] * 0.2, c[2] * 0.2), noise=0.0, emission=0.8 * (k == lit))
        )
        for k, c in enumerate(colours)
    ]
    hang = rng.random() < 0.5
    height = rng.uniform(5.5, 6.5) if hang else rng.uniform(3.0, 3.6)
    parts = [shapes.tubes([[(0, 0, 0), (0, -height, 0)]], 0.08 if hang else 0.055, metal, sides=7)]
    places = [(0.0, 2.25)]
    if hang:
        reach = rng.uniform(3.0, 6.5)
        parts.append(shapes.tubes([[(0, -height + 0.2, 0), (reach, -height, 0)]], [[0.06, 0.04]], metal, sides=6))
        places += [(reach - 0.2, height - 1.0)] + ([(reach * 0.5, height - 1.0)] if reach > 4.5 else [])
    board = palette.plain((0.75, 0.75, 0.74), noise=0.1) if rng.random() < 0.3 else black
    for x, low in places:
        rows = [(x, low - 0.06, 0.10, 0.50, 1.1, 0.02), (x, low, 0.17, 0.30, 0.96, 0.18)]
        rows += [(x, low + 0.28 + 0.3 * k, 0.34, 0.24, 0.02, 0.18) for k in range(3)]
        parts.append(boxes(rows, [board, black, black, black, black], hidden=""))
        for k in range(3):
            parts.append(place(_disc(8, 0.0, 0.105, (low + 0.78 - 0.3 * k, 0.265), lamps[k]), (x, 0, 0)))
    return join(parts)


def fence(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A garden fence along z: pickets, panels, wire between posts, rails, or iron bars; .8 to 2 m high."""
    kind = int(rng.integers(5))
    wood = palette.add(
        Material(
            shapes.tint(rng, ((0.7, 0.7, 0.67), (0.30, 0.20, 0.12), (0.40, 0.36, 0.30), (0.12, 0.2, 0.15))), noise=0.4
        )
    )
    steel = palette.plain(shapes.tint(rng, ((0.05, 0.05, 0.05), (0.40, 0.41, 0.42), (0.08, 0.18, 0.11))), noise=0.15)
    if kind == 0:
        height = rng.uniform(0.8, 1.2)
        z = _spread(length, max(rng.uniform(0.14, 0.22), length / 90))
        return boxes([*_bars(z, 0.03, 0.08, height, 0.05), *_rails(length, (0.25, height - 0.25), 0.05)], wood)
    if kind == 1:
        height = rng.uniform(1.5, 2.0)
        boards = palette.add(
            Material(shapes.tint(rng, ((0.32, 0.22, 0.14), (0.45, 0.38, 0.30))), Pattern.PLANKS, pitch=(0.12, 1.0))
        )
        z = _spread(length, rng.uniform(1.8, 2.4))
        rows = [(0, 0.05, 0, 0.04, height - 0.1, length), (0, height - 0.05, 0, 0.09, 0.05, length)]
        return boxes([*rows, *_bars(z, 0.0, 0.1, height + 0.08, 0.1)], [boards, *[wood] * (len(z) + 1)])
    if kind == 2:
        height = rng.uniform(1.0, 2.0)
        z = _spread(length, rng.uniform(2.0, 3.0))
        lines = [[(0, -y, -length / 2), (0, -y, length / 2)] for y in np.linspace(0.08, height, 7)]
        posts = [[(0, 0, at), (0, -height - 0.05, at)] for at in z]
        thick = np.array([0.007] * 6 + [0.022] * (1 + len(z)))
        return shapes.tubes(lines + posts, thick, steel, sides=4)
    if kind == 3:
        height = rng.uniform(1.0, 1.4)
        z = _spread(length, rng.uniform(1.8, 2.6))
        levels = (0.3, 0.3 + (height - 0.45) / 2, height - 0.15)
        return boxes([*_bars(z, 0.0, 0.13, height, 0.13), *_rails(length, levels, 0.12)], wood)
    height = rng.uniform(1.0, 1.8)
    z = _spread(length, max(0.13, length / 110))
    bars = [[(0, 0 if k % 15 == 0 else -0.12, at), (0, -height, at)] for k, at in enumerate(z)]
    rails = boxes(_rails(length, (0.12, height - 0.2), 0.03), steel, hidden="")
    return join([shapes.tubes(bars, 0.011, steel, sides=3), rails])


def guard_rail(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A crash barrier along z, its W-shaped beam towards +x; or, less often, a wall of concrete."""
    if rng.random() < 0.2:
        concrete = palette.plain(shapes.tint(rng, ((0.42, 0.41, 0.39),)), noise=0.4)
        outline = [
            (-0.30, 0),
            (0.30, 0),
            (0.26, 0.10),
            (0.13, 0.32),
            (0.08, 0.85),
            (-0.08, 0.85),
            (-0.13, 0.32),
            (-0.26, 0.10),
        ]
        return shapes.prism(outline, length, concrete, concrete, across="z")
    steel = palette.plain(shapes.tint(rng, ((0.42, 0.43, 0.44), (0.33, 0.34, 0.35))), noise=0.2, gloss=0.15)
    section = np.array([[0.05, 0.44], [0.13, 0.50], [0.06, 0.59], [0.13, 0.68], [0.05, 0.74]])
    points = np.empty((2, 5, 3))
    points[..., 0], points[..., 1] = section[:, 0], -section[:, 1]
    points[..., 2] = np.array([-0.5, 0.5])[:, None] * length
    corners = np.stack([points[0, :-1], points[1, :-1], points[1, 1:], points[0, 1:]], 1)
    beam = shapes.facing_out(quads(corners, steel), np.array([-5.0, -0.59, 0]))
    z = _spread(length, rng.uniform(2.0, 4.0))
    posts = boxes([(-0.03, 0, at, 0.12, 0.74, 0.07) for at in z], steel)
    return join([beam, posts])


def noise_barrier(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A wall against noise along z: panels between steel posts, 2.5 to 5 m high."""
    height = rng.uniform(2.5, 5.0)
    kind = int(rng.integers(3))
    colour = shapes.tint(rng, ((0.30, 0.38, 0.33), (0.45, 0.44, 0.41), (0.35, 0.25, 0.16), (0.25, 0.35, 0.45)))
    patterns = (Pattern.STRIPES, Pattern.PLANKS, Pattern.TILES)
    pitch = ((0.15, 1.0), (0.15, 1.0), (0.5, 0.5))[kind]
    panel = palette.add(Material(colour, patterns[kind], shapes.darker(colour), pitch, 0.35))
    steel = palette.plain((0.35, 0.36, 0.37), noise=0.2)
    z = _spread(length, rng.uniform(3.0, 5.0))
    base = palette.plain((0.42, 0.41, 0.39), noise=0.4)
    rows: list[shapes.Row] = [
        (0, 0, 0, 0.16, height, length),
        (0, 0, 0, 0.24, 0.5, length),
        *_bars(z, 0.0, 0.26, height + 0.1, 0.2),
    ]
    return boxes(rows, [panel, base, *[steel] * len(z)])


def _plate(rng: np.random.Generator) -> tuple[int, float, Colour, Colour]:
    """Corners, turn, and colours of rim and face of a sign."""
    options = [
        (12, 0.0, _RED, _WHITE),
        (12, 0.0, _WHITE, _BLUE),
        (3, np.pi / 2, _RED, _WHITE),
        (3, -np.pi / 2, _RED, _WHITE),
        (4, np.pi / 4, _WHITE, _BLUE),
        (4, 0.0, _WHITE, (0.70, 0.52, 0.05)),
        (8, np.pi / 8, _WHITE, _RED),
        (12, 0.0, _WHITE, _RED),
    ]
    return options[int(rng.integers(len(options)))]


def _disc(
    corners: int, turn: float, radius: float, at: tuple[float, float], material: int, *, back: bool = False
) -> Mesh:
    """A regular polygon upright about x = 0 at (height, z), facing +z or -z."""
    angle = turn + 2 * np.pi * np.arange(corners) / corners
    points = np.stack([radius * np.cos(angle), -at[0] - radius * np.sin(angle), np.full(corners, at[1])], 1)
    return shapes.polygon(points, material, (0, 0, -1 if back else 1))


def _direction_board(rng: np.random.Generator, palette: Palette, metal: int) -> Mesh:
    """A board with lines of text on one or two posts."""
    width, tall = rng.uniform(0.9, 3.0), rng.uniform(0.4, 1.8)
    low = rng.uniform(1.6, 2.3)
    colour = shapes.tint(rng, (_BLUE, (0.03, 0.25, 0.12), (0.70, 0.52, 0.05), _WHITE))
    ink = (0.04, 0.04, 0.04) if sum(colour) > 0.9 else _WHITE
    board, edge = palette.plain(colour, noise=0.1, gloss=0.1), palette.plain(ink, noise=0.1)
    rows: list[shapes.Row] = [
        (0, low, 0.06, width, tall, 0.03),
        (0, low + 0.03, 0.062, width - 0.06, tall - 0.06, 0.035),
    ]
    kinds = [edge, board]
    for k in range(max(int(tall / 0.35), 1)):
        long = width * rng.uniform(0.35, 0.75)
        rows.append((rng.uniform(-0.1, 0.1) * width, low + tall - 0.28 - 0.33 * k, 0.065, long, 0.14, 0.04))
        kinds.append(palette.add(Material(ink, Pattern.CHECKS, colour, (0.07, 0.2), 0.1)))
    posts = [-0.35 * width, 0.35 * width] if width > 1.2 else [0.0]
    legs = shapes.tubes([[(x, 0, 0), (x, -low - tall, 0)] for x in posts], 0.04, metal, sides=6)
    return join([boxes(rows, kinds), legs])


def _spread(length: float, gap: float) -> np.ndarray:
    """Places of posts about ``gap`` apart, one at each end."""
    count = max(round(length / gap), 1)
    return np.linspace(-length / 2, length / 2, count + 1)


def _bars(z: np.ndarray, thin: float, wide: float, height: float, thick: float) -> list[shapes.Row]:
    """Upright bars, rows of boxes."""
    return [(thin, 0.0, float(at), thick, height, wide) for at in z]


def _rails(length: float, levels: tuple[float, ...], wide: float) -> list[shapes.Row]:
    """Rails along the fence at some heights, rows of boxes."""
    return [(0.0, level, 0.0, 0.04, wide, length) for level in levels]
