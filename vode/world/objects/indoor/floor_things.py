"""What stands and lies on the floor of rooms: plants, bags, boxes, bins and rugs, base at y = 0, front towards +z."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Material, Palette, Pattern
from vode.world.mesh import Mesh, build, cylinder, join, place
from vode.world.objects.indoor.parts import (
    BRIGHTS,
    FABRICS,
    WHITE,
    blocks,
    bright,
    cushion,
    fabric,
    metal,
    plastic,
    print_of,
    vary,
)


def bag(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A backpack or a bag on the floor."""
    cloth = palette.plain(vary(rng, FABRICS + BRIGHTS), noise=0.15)
    size = rng.uniform(0.26, 0.4), rng.uniform(0.3, 0.5), rng.uniform(0.14, 0.24)
    pocket = cushion((0.7 * size[0], 0.45 * size[1], 0.1), cloth, detail=5)
    return join([cushion(size, cloth), place(pocket, (0, 0, size[2] / 2))])


def waste_bin(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A waste paper or pedal bin."""
    radius, height = rng.uniform(0.11, 0.2), rng.uniform(0.28, 0.7)
    return cylinder(0.85 * radius, height, plastic(rng, palette), top_radius=radius, sides=14)


def suitcase(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A suitcase that stands."""
    shell, steel = bright(rng, palette), metal(rng, palette)
    height = rng.uniform(0.5, 0.75)
    return join(
        [
            place(cushion((0.7 * height, height, 0.25), shell, bottom=0.03), (0, 0, 0)),
            blocks(
                [(steel, x, height + 0.02, -0.08, 0.015, 0.3, 0.015) for x in (-0.1, 0.1)]
                + [(steel, 0, height + 0.3, -0.08, 0.22, 0.025, 0.025)]
            ),
            blocks([(steel, x, 0, z, 0.04, 0.06, 0.03) for x in (-0.15, 0.15) for z in (-0.08, 0.08)]),
        ]
    )


def rug(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A rug, thin enough to walk over."""
    size, pitch = (rng.uniform(1.2, 2.8), rng.uniform(0.8, 1.9)), float(rng.choice([0.08, 0.2, 0.4]))
    pattern = Pattern(rng.choice([Pattern.PLAIN, Pattern.SPOTS, Pattern.CHECKS, Pattern.STRIPES]))
    pile = palette.add(
        Material(vary(rng, FABRICS + BRIGHTS), pattern, vary(rng, FABRICS + BRIGHTS), (pitch, pitch), noise=0.2)
    )
    edge = palette.plain(vary(rng, FABRICS), noise=0.15)
    return blocks(
        [(edge, 0, 0, 0, size[0], 0.008, size[1]), (pile, 0, 0.008, 0, size[0] - 0.15, 0.003, size[1] - 0.15)]
    )


def shoes(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A pair of shoes."""
    leather, sole = (
        palette.plain(vary(rng, FABRICS + BRIGHTS), noise=0.12),
        palette.plain(vary(rng, (WHITE, (0.1, 0.1, 0.1))), noise=0.05),
    )
    parts = [blocks([(sole, x, 0, 0, 0.09, 0.025, 0.28) for x in (-0.06, 0.06)])]
    for x in (-0.06, 0.06):
        parts += [place(cushion((0.09, 0.07, 0.28), leather, bottom=0.02, detail=4), (x, 0, 0))]
        parts += [place(cushion((0.085, 0.1, 0.12), leather, bottom=0.02, detail=4), (x, 0, -0.07))]
    return join(parts)


def tool_box(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A tool box, a drill case or a paint can."""
    if rng.random() < 0.4:
        return join(
            [
                cylinder(0.09, 0.2, metal(rng, palette), sides=14),
                cylinder(0.092, 0.12, print_of(rng, palette, 0.08), bottom=0.03, sides=14),
            ]
        )
    case, handle, width = bright(rng, palette), plastic(rng, palette), rng.uniform(0.3, 0.5)
    return blocks(
        [
            (case, 0, 0, 0, width, 0.18, 0.2),
            (handle, 0, 0.18, 0, width, 0.02, 0.21),
            (handle, 0, 0.2, 0, 0.2, 0.03, 0.03),
        ]
    )


def basket(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A basket with laundry or wood."""
    weave = palette.add(
        Material(
            vary(rng, ((0.6, 0.48, 0.3), WHITE, (0.3, 0.3, 0.32))),
            Pattern.CHECKS,
            (0.4, 0.3, 0.2),
            (0.02, 0.02),
            noise=0.2,
        )
    )
    return join(
        [
            cylinder(0.2, 0.38, weave, top_radius=0.25, sides=14),
            place(cushion((0.4, 0.2, 0.38), fabric(rng, palette), bottom=0.27, detail=5)),
        ]
    )


def crates(rng: np.random.Generator, palette: Palette) -> Mesh:
    """One to four moving boxes or crates on each other."""
    width, depth, height, parts = rng.uniform(0.35, 0.6), rng.uniform(0.3, 0.45), 0.0, []
    cover = palette.plain(vary(rng, ((0.62, 0.48, 0.32), (0.7, 0.58, 0.42), *BRIGHTS[:4])), noise=0.12)
    tape = palette.plain(vary(rng, ((0.75, 0.68, 0.5), WHITE)), noise=0.05)
    for _ in range(rng.integers(1, 5)):
        step = rng.uniform(0.2, 0.4)
        parts += [
            place(
                blocks(
                    [
                        (cover, 0, height, 0, width, step - 0.004, depth),
                        (tape, 0, height + 0.6 * step, 0, 0.06, 0.4 * step, depth + 0.004),
                    ]
                ),
                (rng.normal(0, 0.02), 0, rng.normal(0, 0.02)),
                yaw=rng.normal(0, 0.08),
            )
        ]
        height += step
    return join(parts)


def potted(rng: np.random.Generator, palette: Palette, height: float) -> Mesh:
    """A plant of blades in a pot, of about this height."""
    pot_height = 0.25 * height + 0.05
    radius = 0.55 * pot_height
    pot = cylinder(0.75 * radius, pot_height, bright(rng, palette), top_radius=radius, sides=12)
    green = palette.add(Material(vary(rng, ((0.2, 0.38, 0.14), (0.3, 0.45, 0.2), (0.12, 0.28, 0.12))), noise=0.3))
    count = int(rng.integers(16, 36))
    angle, spread = rng.uniform(0, 2 * np.pi, count), rng.uniform(0.15, 0.5, count) * height * 0.75
    rise, width = rng.uniform(0.35, 1.0, count) * (height - pot_height), rng.uniform(0.03, 0.1, count) * height
    out = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], 1)
    side = np.stack([out[:, 2], 0 * angle, -out[:, 0]], 1) * width[:, None] / 2
    up = np.array([0, -1.0, 0])
    foot = up * pot_height
    knee = foot + out * 0.5 * spread[:, None] + up * (0.8 * rise)[:, None]
    tip = foot + out * spread[:, None] + up * (rise * rng.uniform(0.6, 1.0, count))[:, None]
    vertices = np.stack([foot + 0 * knee, knee - side, knee + side, tip], 1)
    normals = np.tile((up + 0.3 * out)[:, None], (1, 4, 1))
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    faces = np.array([[0, 1, 2], [1, 3, 2]])[None] + 4 * np.arange(count)[:, None, None]
    uv = np.tile(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) * 0.1, (count, 1))
    return join([pot, build(vertices, normals, uv, faces, green)])


def plant(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A large plant that stands on the floor."""
    return potted(rng, palette, rng.uniform(0.7, 1.7))


def small_plant(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A plant for a table or a window sill."""
    return potted(rng, palette, rng.uniform(0.18, 0.45))
