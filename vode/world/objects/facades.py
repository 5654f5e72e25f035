"""Parts of buildings: materials, windows, doors and shops (which face +z at a given distance), and roofs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, quads
from vode.world.objects import shapes

PLASTER: tuple[Colour, ...] = (
    *((0.62, 0.60, 0.55), (0.70, 0.68, 0.64), (0.55, 0.45, 0.30), (0.50, 0.35, 0.27), (0.45, 0.46, 0.46)),
    *((0.60, 0.52, 0.36), (0.38, 0.42, 0.44), (0.56, 0.38, 0.32), (0.48, 0.52, 0.42)),
)
_BRICK: tuple[Colour, ...] = ((0.33, 0.14, 0.10), (0.40, 0.22, 0.15), (0.45, 0.36, 0.24), (0.22, 0.13, 0.11))
_TILE: tuple[Colour, ...] = (
    (0.30, 0.12, 0.08),
    (0.36, 0.18, 0.11),
    (0.10, 0.10, 0.11),
    (0.17, 0.15, 0.14),
    (0.22, 0.10, 0.08),
)
_SIGNS: tuple[Colour, ...] = (
    (0.6, 0.05, 0.05),
    (0.05, 0.2, 0.5),
    (0.7, 0.55, 0.05),
    (0.05, 0.3, 0.12),
    (0.7, 0.7, 0.7),
    (0.05, 0.05, 0.05),
)


def wall_material(rng: np.random.Generator, palette: Palette, *, town: bool = False) -> int:
    """Plaster, bricks, stone or (out of town) boards."""
    kind = rng.random()
    if kind < 0.35:
        joint = (0.45, 0.43, 0.40)
        return palette.add(Material(shapes.tint(rng, _BRICK), Pattern.BRICKS, joint, (0.24, 0.08)))
    if kind < 0.45:
        stone = shapes.tint(rng, ((0.40, 0.38, 0.34), (0.45, 0.40, 0.30)))
        return palette.add(Material(stone, Pattern.BRICKS, (0.28, 0.27, 0.25), (0.6, 0.3), 0.4))
    if kind < 0.58 and not town:
        wood = shapes.tint(rng, ((0.35, 0.10, 0.07), (0.60, 0.58, 0.54), (0.30, 0.20, 0.12), (0.30, 0.36, 0.38)))
        return palette.add(Material(wood, Pattern.PLANKS, pitch=(0.16, 1.0)))
    return palette.plain(shapes.tint(rng, PLASTER), noise=0.3)


def roof_material(rng: np.random.Generator, palette: Palette) -> int:
    """Tiles or slates."""
    colour = shapes.tint(rng, _TILE)
    return palette.add(Material(colour, Pattern.TILES, shapes.darker(colour, 0.5), (0.25, 0.35), 0.4))


def pane_material(palette: Palette) -> int:
    """Glass of a window, rather dark by day."""
    return palette.add(Material((0.07, 0.09, 0.11), noise=0.15, gloss=0.35))


def windows(rows: Sequence[shapes.Row], frame: int, palette: Palette, *, shutters: int | None = None) -> Mesh:
    """Windows (x, height of the sill, z of the wall, width, height) with frames that stick out, and shutters."""
    parts = []
    values = np.array(rows, float)
    x, low, z, wide, high = values.T
    zero = np.zeros_like(x)
    parts.append(boxes(np.stack([x, low - 0.08, z, wide + 0.16, high + 0.14, zero + 0.10], 1), frame))
    pane = z + 0.06
    half = wide / 2
    for side in (-0.26, 0.26) if wide.mean() > 1.15 and len(rows) < 10 else (0.0,):
        glass = half * (0.94 if side == 0 else 0.45)
        left, right = x + side * wide - glass, x + side * wide + glass
        points = [(left, low, pane), (right, low, pane), (right, low + high, pane), (left, low + high, pane)]
        corners = np.stack([np.stack([a, -b, c], -1) for a, b, c in points], 1)
        parts.append(quads(corners, pane_material(palette)))
    if shutters is not None:
        sides = [np.stack([x + s * (wide * 0.78), low, z, wide * 0.4, high, zero + 0.06], 1) for s in (-1, 1)]
        parts.append(boxes(np.concatenate(sides), shutters))
    return join(parts)


def door(x: float, z: float, rng: np.random.Generator, palette: Palette, *, height: float = 2.1) -> Mesh:
    """A door with its frame and a step."""
    leaf = palette.add(
        Material(
            shapes.tint(rng, ((0.25, 0.14, 0.07), (0.4, 0.05, 0.05), (0.06, 0.12, 0.25), (0.7, 0.7, 0.68))),
            noise=0.2,
            gloss=0.1,
        )
    )
    frame, stone = palette.plain((0.7, 0.7, 0.68)), palette.plain((0.38, 0.37, 0.36))
    rows = [(x, 0, z, 1.2, height + 0.1, 0.1), (x, 0.0, z + 0.01, 0.95, height, 0.12), (x, 0, z + 0.3, 1.5, 0.16, 0.6)]
    return boxes(rows, [frame, leaf, stone])


def shop_row(length: float, z: float, height: float, rng: np.random.Generator, palette: Palette) -> Mesh:
    """The ground floor of a town: shops with windows, signs and awnings, doors, or plain windows; along x."""
    count = max(int(length / rng.uniform(4.0, 6.5)), 1)
    bay = length / count
    frame, glass = palette.plain(shapes.tint(rng, PLASTER)), pane_material(palette)
    leaf = palette.add(
        Material(shapes.tint(rng, ((0.25, 0.14, 0.07), (0.06, 0.12, 0.1), (0.3, 0.05, 0.05))), noise=0.2, gloss=0.1)
    )
    shops = rng.random() < 0.6
    rows, kinds, plain, awnings, cloths = [], [], [], [], []
    for x in (np.arange(count) - (count - 1) / 2) * bay:
        kind = rng.random()
        if shops and kind < 0.75:
            rows += [(x, 0.45, z, bay * 0.84, height * 0.68 - 0.45, 0.06), (x + bay * 0.2, 0, z, 1.0, 2.2, 0.14)]
            sign = palette.plain(shapes.tint(rng, _SIGNS), noise=0.5)
            rows.append((x, height * 0.72, z + 0.05, bay * 0.86, height * 0.16, 0.14))
            kinds += [glass, leaf, sign]
            if rng.random() < 0.35:
                low, deep, half = height * 0.62, rng.uniform(0.8, 1.5), bay * 0.42
                awnings.append(
                    [
                        [x - half, -low, z + deep],
                        [x + half, -low, z + deep],
                        [x + half, -height * 0.74, z],
                        [x - half, -height * 0.74, z],
                    ]
                )
                second = (0.7, 0.7, 0.66) if rng.random() < 0.6 else (0.3, 0.3, 0.3)
                cloths.append(palette.add(Material(shapes.tint(rng, _SIGNS), Pattern.STRIPES, second, (0.3, 1.0))))
        elif kind < 0.55:
            rows += [(x, 0, z, 1.4, 2.6, 0.16), (x, 0, z + 0.01, 1.1, 2.4, 0.18), (x, 0, z + 0.25, 1.7, 0.15, 0.5)]
            kinds += [frame, leaf, frame]
        else:
            wide = min(bay * 0.3, 1.4)
            plain += [(x + side * bay, 1.0, z, wide, 1.45) for side in (-0.24, 0.24)]
    parts = [boxes(rows, kinds)] if rows else []
    if plain:
        parts.append(windows(plain, frame, palette))
    if awnings:
        parts.append(quads(np.array(awnings), cloths))
    return join(parts)


def gable_roof(
    size: tuple[float, float], eaves: float, steep: float, roofing: int, gable: int, *, over: float = 0.4
) -> Mesh:
    """A pitched roof whose ridge runs along x over (width, depth), with gables and eaves that stick out by ``over``."""
    width, depth = size
    rise, thick = steep * depth / 2, 0.16
    half_x, half_z, low = width / 2 + over, depth / 2 + over, eaves - steep * over
    slopes = []
    for side in (-1.0, 1.0):
        for lift in (0.0, thick):
            eave, ridge = [-(low + lift), side * half_z], [-(eaves + rise + lift), 0.0]
            slopes.append([[-half_x, *eave], [half_x, *eave], [half_x, *ridge], [-half_x, *ridge]])
        rim = [[-half_x, -low, side * half_z], [half_x, -low, side * half_z]]
        slopes.append([*rim, [half_x, -low - thick, side * half_z], [-half_x, -low - thick, side * half_z]])
        for end in (-half_x, half_x):
            top = eaves + rise
            slopes.append(
                [[end, -low, side * half_z], [end, -low - thick, side * half_z], [end, -top - thick, 0], [end, -top, 0]]
            )
    roof = shapes.facing_out(quads(np.array(slopes), roofing), np.array([0, -eaves, 0]))
    x, z = width / 2, depth / 2
    ends = [[[end, -eaves, -z], [end, -eaves, z], [end, -eaves - rise, 0]] for end in (-x, x)]
    return join([roof, shapes.facing_out(shapes.triangles(np.array(ends), gable), np.array([0, -eaves, 0]))])


def hip_roof(width: float, depth: float, eaves: float, steep: float, roofing: int) -> Mesh:
    """A roof that slopes to all four sides, its ridge along the longer of them."""
    x, z, low = width / 2 + 0.45, depth / 2 + 0.45, eaves - 0.1
    rise = steep * (min(x, z))
    ridge_x, ridge_z = max(x - z, 0.05), max(z - x, 0.05)
    corners = np.array([[-x, -low, -z], [x, -low, -z], [x, -low, z], [-x, -low, z]])
    top = np.array([[-ridge_x, 0, -ridge_z], [ridge_x, 0, -ridge_z], [ridge_x, 0, ridge_z], [-ridge_x, 0, ridge_z]])
    top[:, 1] = -low - rise
    following = [1, 2, 3, 0]
    slopes = np.stack([corners, corners[following], top[following], top], 1)
    down = corners + np.array([0, 0.18, 0])
    rims = np.stack([down, down[following], corners[following], corners], 1)
    return shapes.facing_out(
        quads(np.concatenate([slopes, rims, corners[None]]), roofing), np.array([0, -low - 0.02, 0])
    )
