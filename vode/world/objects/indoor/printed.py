"""Printed and small things of kitchens and corridors: magazines, leaflets, notices, signs, clocks, lamps on walls."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, cylinder, join, place, transform
from vode.world.objects.indoor.parts import BRIGHTS, WHITE, Block, bar, blocks, bright, metal, print_of, vary, wood
from vode.world.objects.shapes import tilt


def magazines(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Magazines, brochures and sheets, fanned out flat."""
    parts = []
    for k in range(int(rng.integers(1, 6))):
        x, z = rng.uniform(-0.12, 0.12, 2)
        thick, y = rng.uniform(0.002, 0.008), 0.009 * k
        rows = _page(rng, palette, (0.21, 0.297), thick, y)
        parts.append(place(blocks(rows), (x, 0, z), yaw=rng.normal(0, 0.5)))
    return join(parts)


def leaflets(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Booklets that lean upright on a shelf or a worktop, one to four beside each other."""
    count, parts = int(rng.integers(1, 5)), []
    for k in range(count):
        width, height = rng.uniform(0.12, 0.22), rng.uniform(0.15, 0.3)
        card = blocks(_card(rng, palette, (width, height)))
        x = (k - (count - 1) / 2) * 0.23 + rng.normal(0, 0.01)
        parts.append(
            place(tilt(card, rng.uniform(0.05, 0.3)), (x, 0, rng.uniform(-0.02, 0.02)), yaw=rng.normal(0, 0.2))
        )
    return _settled(join(parts))


def case(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A flat plastic box with its lid, or a small machine of wood and plastic."""
    size = rng.uniform(0.15, 0.3), rng.uniform(0.06, 0.16), rng.uniform(0.12, 0.22)
    shell = palette.plain(vary(rng, ((0.75, 0.77, 0.78), *BRIGHTS)), noise=0.08, gloss=0.08)
    base = wood(rng, palette) if rng.random() < 0.5 else shell
    rows: list[Block] = [
        (base, 0, 0, 0, size[0] + 0.08, 0.025, size[2] + 0.08),
        (shell, 0, 0.025, 0, *size),
        (print_of(rng, palette, 0.04), 0, 0.04, size[2] / 2 + 0.002, 0.7 * size[0], 0.6 * size[1], 0.003),
        (shell, 0, size[1] + 0.025, 0, size[0] + 0.015, 0.012, size[2] + 0.015),
    ]
    return blocks(rows)


def notices(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Sheets and posters hung in a row or two."""
    rows: list[Block] = []
    columns, high = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    for i in range(columns):
        for j in range(high):
            if rng.random() < 0.8 or not rows:
                size = rng.uniform(0.15, 0.3), rng.uniform(0.2, 0.32)
                x, y = (i - (columns - 1) / 2) * 0.34 + rng.normal(0, 0.02), j * 0.38
                sheet = _card(rng, palette, size)
                rows += [(m, x + a, y + b, c - sheet[0][3] + 0.003, w, h, d) for m, a, b, c, w, h, d in sheet]
    return _settled(blocks(rows))


def door_sign(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A plate with a number beside a door."""
    width, height = rng.uniform(0.12, 0.25), rng.uniform(0.08, 0.2)
    ink = palette.plain((0.1, 0.1, 0.12), noise=0.03)
    plate = palette.plain(vary(rng, (WHITE, (0.6, 0.6, 0.62), (0.15, 0.3, 0.55))), noise=0.03, gloss=0.06)
    rows: list[Block] = [(plate, 0, 0, 0.008, width, height, 0.016)]
    rows += [(ink, 0.0, f * height, 0.017, 0.6 * width, 0.1 * height, 0.001) for f in (0.25, 0.5, 0.7)]
    return blocks(rows)


def clock(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A round clock with its hands."""
    radius = rng.uniform(0.12, 0.2)
    rim, face = bright(rng, palette), palette.plain(WHITE, noise=0.03)
    ink = palette.plain((0.08, 0.08, 0.08), noise=0.03)
    upright = np.eye(4)
    upright[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    upright[1, 3] = -radius
    disc = join([cylinder(radius, 0.04, rim, sides=18), cylinder(0.9 * radius, 0.045, face, sides=18)])
    turned = transform(disc, upright)
    turned = turned._replace(vertices=turned.vertices * [1, 1, np.sign(turned.vertices[:, 2].mean())])
    angle, hands = rng.uniform(0, 2 * np.pi, 2), []
    for a, reach in zip(angle, (0.5, 0.8), strict=True):
        tip = reach * radius * np.sin(a), radius + reach * radius * np.cos(a), 0.05
        hands.append(bar((0, radius, 0.05), tip, 0.006, ink, sides=4))
    return _settled(join([turned, *hands]))


def wall_lamp(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A lamp on a wall."""
    width = rng.uniform(0.15, 0.6)
    glow = palette.add(Material((0.9, 0.88, 0.8), noise=0.03, emission=0.6))
    return blocks([(metal(rng, palette), 0, 0, 0.02, width, 0.12, 0.04), (glow, 0, 0.02, 0.07, 0.9 * width, 0.1, 0.08)])


def handrail(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A rail along a corridor, 1.5 to 4 m long."""
    length, rail = rng.uniform(1.5, 4.0), wood(rng, palette) if rng.random() < 0.6 else metal(rng, palette)
    feet: list[Block] = [(rail, x, 0, 0.03, 0.03, 0.05, 0.06) for x in np.linspace(-0.45, 0.45, 4) * length]
    return blocks([*feet, (rail, 0, 0.03, 0.07, length, rng.choice([0.05, 0.14]), 0.04)])


ON_WORKTOPS = (magazines, leaflets, leaflets, case)
"""What lies and leans on tables, shelves and worktops besides crockery"""


def _page(rng: np.random.Generator, palette: Palette, size: tuple[float, float], thick: float, y: float) -> list[Block]:
    """A booklet that lies flat: its cover, a title, a picture."""
    cover = palette.plain(vary(rng, (*BRIGHTS, WHITE, WHITE)), noise=0.08, gloss=0.05)
    title = palette.plain(vary(rng, (WHITE, (0.1, 0.1, 0.1), *BRIGHTS)), noise=0.05)
    rows: list[Block] = [(cover, 0, y, 0, size[0], thick, size[1])]
    rows.append((title, 0, y + thick, -0.38 * size[1], 0.7 * size[0], 0.0005, 0.12 * size[1]))
    if rng.random() < 0.6:
        rows.append((print_of(rng, palette, 0.04), 0, y + thick, 0.1 * size[1], 0.8 * size[0], 0.0005, 0.5 * size[1]))
    return rows


def _card(rng: np.random.Generator, palette: Palette, size: tuple[float, float]) -> list[Block]:
    """A sheet that stands upright and faces +z: paper with a title, a picture, lines."""
    paper = palette.plain(vary(rng, (WHITE, WHITE, *BRIGHTS)), noise=0.06)
    title = palette.plain(vary(rng, (*BRIGHTS, (0.1, 0.1, 0.1))), noise=0.05)
    rows: list[Block] = [(paper, 0, 0, 0, size[0], size[1], 0.004)]
    rows.append((title, 0, 0.8 * size[1], 0.0025, 0.75 * size[0], 0.1 * size[1], 0.001))
    if rng.random() < 0.5:
        rows.append((print_of(rng, palette, 0.04), 0, 0.35 * size[1], 0.0025, 0.8 * size[0], 0.38 * size[1], 0.001))
    if rng.random() < 0.7:
        lines = palette.add(Material(WHITE, Pattern.STRIPES, (0.4, 0.4, 0.42), (0.012, 0.012), noise=0.08))
        rows.append((lines, 0, 0.06 * size[1], 0.0025, 0.8 * size[0], 0.24 * size[1], 0.001))
    return rows


def _settled(mesh: Mesh) -> Mesh:
    """A mesh whose underside is at y = 0."""
    return mesh._replace(vertices=(mesh.vertices - [0, mesh.vertices[:, 1].max(), 0]).astype(np.float32))
