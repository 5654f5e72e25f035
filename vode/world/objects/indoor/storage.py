"""What rooms store things in: shelves, cupboards, chests, racks and counters, base on the floor, front towards +z."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Palette
from vode.world.mesh import Mesh, join
from vode.world.objects.indoor.parts import (
    BRIGHTS,
    FABRICS,
    Block,
    blocks,
    bright,
    metal,
    vary,
    wood,
)


def shelf(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bookcase filled with books and some boxes."""
    width, height, depth = rng.uniform(0.6, 1.1), rng.uniform(1.5, 2.2), rng.uniform(0.26, 0.36)
    return _bookcase(rng, palette, (width, height, depth), int(rng.integers(4, 7)))


def low_shelf(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bookcase of two or three boards, whose top carries things."""
    return _bookcase(
        rng, palette, (rng.uniform(0.8, 1.6), rng.uniform(0.7, 1.1), rng.uniform(0.28, 0.4)), int(rng.integers(2, 4))
    )


def _bookcase(rng: np.random.Generator, palette: Palette, size: tuple[float, float, float], rows: int) -> Mesh:
    (width, height, depth), case = size, wood(rng, palette)
    parts: list[Block] = [(case, x, 0, 0, 0.025, height, depth) for x in (-width / 2 + 0.0125, width / 2 - 0.0125)]
    parts += [(case, 0, 0, -depth / 2 + 0.008, width, height, 0.016)]
    step = (height - 0.07) / rows
    books: list[Block] = []
    covers = [palette.plain(vary(rng, BRIGHTS + FABRICS), noise=0.15) for _ in range(14)]
    for k in range(rows + 1):
        parts += [(case, 0, 0.045 + k * step, 0, width - 0.05, 0.025, depth)]
        if k < rows and rng.random() < 0.85:
            books += _row_of_books(rng, covers, (width - 0.06, step - 0.03, depth), 0.07 + k * step)
    return join([blocks(parts), blocks(books, hidden="underside back")]) if books else blocks(parts)


def _row_of_books(
    rng: np.random.Generator, covers: list[int], size: tuple[float, float, float], bottom: float
) -> list[Block]:
    """Books, or boxes of the same outlines, from the left on one board of width, free height and depth."""
    (width, free, depth), parts, x = size, [], -size[0] / 2
    thick = (0.02, 0.06) if rng.random() < 0.75 else (0.08, 0.3)
    full = width / 2 - rng.choice([0.0, 0.15, 0.4]) * width
    while (step := rng.uniform(*thick)) + x < full:
        tall, deep = free * rng.uniform(0.6, 0.97), depth * rng.uniform(0.55, 0.85)
        if rng.random() < 0.93:
            cover = covers[rng.integers(len(covers))]
            parts.append((cover, x + step / 2, bottom, -depth / 2 + 0.02 + deep / 2, step - 0.002, tall, deep))
        x += step
    return parts


def cupboard(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A wardrobe or filing cupboard with two to four doors."""
    return _doors(rng, palette, (rng.uniform(0.8, 1.9), rng.uniform(1.7, 2.2), rng.uniform(0.45, 0.62)))


def sideboard(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A low cupboard, as a television stands on."""
    return _doors(rng, palette, (rng.uniform(0.9, 1.8), rng.uniform(0.5, 0.9), rng.uniform(0.38, 0.5)))


def _doors(rng: np.random.Generator, palette: Palette, size: tuple[float, float, float]) -> Mesh:
    (width, height, depth), case, handle = size, wood(rng, palette), metal(rng, palette)
    face = case if rng.random() < 0.5 else wood(rng, palette)
    count = max(2, round(width / 0.5))
    door = width / count
    parts: list[Block] = [(case, 0, 0, 0, width, height, depth)]
    for k in range(count):
        x = (k + 0.5) * door - width / 2
        side = 0.5 * door - 0.04 if k % 2 == 0 else 0.04 - 0.5 * door
        parts += [
            (face, x, 0.06, depth / 2 + 0.009, door - 0.008, height - 0.08, 0.018),
            (handle, x + side, 0.5 * height, depth / 2 + 0.03, 0.015, 0.12, 0.025),
        ]
    return blocks(parts)


def chest(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A chest of drawers."""
    size = (rng.uniform(0.7, 1.1), rng.uniform(0.75, 1.15), rng.uniform(0.4, 0.5))
    return blocks(drawers(rng, palette, wood(rng, palette), (0, 0, 0), size, int(rng.integers(3, 6))))


def nightstand(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A small chest beside a bed, or beneath a desk."""
    return blocks(drawers(rng, palette, wood(rng, palette), (0, 0, 0), (0.42, rng.uniform(0.42, 0.6), 0.4), 2))


def counter(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A reception or shop counter; customers stand at +z."""
    width, height = rng.uniform(1.6, 3.0), rng.uniform(0.95, 1.1)
    front, top = wood(rng, palette), wood(rng, palette)
    return blocks(
        [
            (front, 0, 0.08, 0, width, height - 0.12, 0.55),
            (metal(rng, palette), 0, 0, 0, width - 0.1, 0.08, 0.45),
            (top, 0, height - 0.04, 0.03, width + 0.06, 0.04, 0.68),
        ]
    )


def rack(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A metal rack of a store or workshop, loaded with boxes and cans."""
    width, height, depth = rng.uniform(0.9, 2.2), rng.uniform(1.8, 2.6), rng.uniform(0.4, 0.8)
    post, board = metal(rng, palette), wood(rng, palette)
    rows = int(rng.integers(3, 6))
    step = (height - 0.1) / rows
    parts: list[Block] = [
        (post, x, 0, z, 0.05, height, 0.05) for x in (-width / 2, width / 2) for z in (-depth / 2, depth / 2)
    ]
    cardboard = [palette.plain(vary(rng, ((0.62, 0.48, 0.32), (0.7, 0.58, 0.42)), 0.04), noise=0.12) for _ in range(3)]
    load = cardboard + [bright(rng, palette) for _ in range(4)]
    for k in range(rows):
        parts += [(board, 0, 0.08 + k * step, 0, width, 0.03, depth)]
        x = -width / 2 + 0.05
        while (wide := rng.uniform(0.12, 0.55)) + x < width / 2 - 0.04:
            tall, deep = rng.uniform(0.3, 0.85) * (step - 0.05), rng.uniform(0.5, 0.95) * depth
            if rng.random() < 0.85:
                parts += [
                    (
                        load[rng.integers(7)],
                        x + wide / 2,
                        0.11 + k * step,
                        rng.uniform(-0.03, 0.06),
                        wide - 0.02,
                        tall,
                        deep,
                    )
                ]
            x += wide
    return blocks(parts)


def drawers(
    rng: np.random.Generator,
    palette: Palette,
    material: int,
    place_at: tuple[float, float, float],
    size: tuple[float, float, float],
    count: int,
) -> list[Block]:
    """A case at (x, height, z) of width, height and depth with ``count`` drawers and their handles."""
    (x, bottom, z), (width, height, depth) = place_at, size
    front, handle = z + depth / 2, metal(rng, palette)
    face = material if rng.random() < 0.6 else wood(rng, palette)
    step = height / count
    parts: list[Block] = [(material, x, bottom, z, width, height, depth)]
    for k in range(count):
        parts += [
            (face, x, bottom + k * step + 0.008, front + 0.008, width - 0.016, step - 0.016, 0.016),
            (handle, x, bottom + k * step + 0.7 * step, front + 0.025, min(0.14, width / 2), 0.015, 0.02),
        ]
    return parts


def wall_shelf(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A board on brackets, its back at z = 0."""
    width, depth = rng.uniform(0.5, 1.4), rng.uniform(0.18, 0.28)
    board, bracket = wood(rng, palette), metal(rng, palette)
    return blocks(
        [(board, 0, 0.12, depth / 2, width, 0.025, depth)]
        + [(bracket, x, 0, 0.01, 0.025, 0.12, 0.02) for x in (-width / 3, width / 3)]
        + [(bracket, x, 0.1, depth / 2, 0.025, 0.02, depth) for x in (-width / 3, width / 3)]
    )
