"""Trees, bushes, hedges, flowers and crops: irregular crowns with loose leaves, so that their outlines are ragged."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, on_ground
from vode.world.objects import shapes

AUTUMN = 0.1
"""fraction of deciduous plants in autumn colours"""

# reflectances in the visible: conifers are darker than deciduous leaves
_GREENS: tuple[Colour, ...] = (
    *((0.17, 0.28, 0.09), (0.22, 0.33, 0.11), (0.13, 0.25, 0.09), (0.26, 0.35, 0.13), (0.20, 0.28, 0.14)),
)
_CONIFERS: tuple[Colour, ...] = ((0.08, 0.14, 0.09), (0.11, 0.19, 0.10), (0.16, 0.24, 0.17))
_AUTUMN: tuple[Colour, ...] = ((0.50, 0.34, 0.09), (0.44, 0.22, 0.07), (0.42, 0.34, 0.11))
_STRAW: Colour = (0.45, 0.38, 0.18)
_BARK: tuple[Colour, ...] = ((0.14, 0.11, 0.08), (0.20, 0.17, 0.14), (0.10, 0.08, 0.07))
_FLOWERS: tuple[Colour, ...] = (
    (0.6, 0.08, 0.1),
    (0.7, 0.6, 0.1),
    (0.6, 0.55, 0.6),
    (0.35, 0.12, 0.45),
    (0.7, 0.3, 0.1),
)


def leafy(colour: Colour, clump: float = 1.5) -> Material:
    """Foliage with light and dark clumps of about so many metres; by default as it is seen from afar."""
    return Material(colour, Pattern.LEAVES, shapes.darker(colour, 0.5), (clump, clump), noise=0.45)


def tree(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A broad-leaved tree of 4 to 18 m: round, spreading, slender as a poplar, or bare in winter."""
    kind = rng.random()
    if kind < 0.12:
        return _bare(rng, palette)
    if kind < 0.27:
        return _slender(rng, palette)
    height = float(rng.uniform(4.0, 18.0) if rng.random() < 0.5 else rng.uniform(4.0, 10.0))
    clear = height * rng.uniform(0.16, 0.36)
    half = np.array([height * rng.uniform(0.24, 0.40), (height - clear) / 2, 0.0])
    half[2] = half[0] * rng.uniform(0.8, 1.2)
    count = int(rng.integers(7, 13))
    # spread evenly over a sphere by the golden angle, then displaced
    up = np.linspace(0.95, -0.75, count) + rng.uniform(-0.12, 0.12, count)
    around = 2.4 * np.arange(count) + rng.uniform(-0.5, 0.5, count) + rng.uniform(0, 2 * np.pi)
    level = np.sqrt(np.maximum(1 - up**2, 0.0))
    direction = np.stack([level * np.cos(around), -up, level * np.sin(around)], 1)
    part = rng.uniform(0.28, 0.46, count)
    centres = direction * half * (1.0 - part * rng.uniform(0.8, 1.0, count))[:, None] - [0, height - half[1], 0]
    halves = part[:, None] * half * rng.uniform(0.9, 1.3, (count, 3))
    halves = halves * [1, 0.9, 1] + 0.1
    centres[:, 1] = np.clip(centres[:, 1], -height + halves[:, 1], -clear - 0.5 * halves[:, 1])
    return join(
        [_trunk(centres, clear, height, _wood(rng, palette), rng), _foliage(centres, halves, rng, palette, cards=560)]
    )


def conifer(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A spruce, fir or pine-like tree of 4 to 20 m: ragged skirts of branches about a straight trunk."""
    height = float(rng.uniform(4.0, 20.0))
    layers = int(np.clip(height * 0.9, 6, 12))
    width, clear = height * rng.uniform(0.14, 0.24), height * rng.uniform(0.04, 0.15)
    green = palette.add(leafy(shapes.tint(rng, _CONIFERS), 0.5))
    sides = 14
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    part = np.linspace(0, 1, layers)
    radius = width * (1 - part) ** rng.uniform(0.7, 1.0) + 0.05 * width
    thick = (height - clear) / layers
    low = clear + (height - clear - 1.5 * thick) * part
    tips = radius[:, None] * np.where(np.arange(sides) % 2, 0.55, 1.05) * rng.uniform(0.75, 1.2, (layers, sides))
    tips = np.concatenate([tips, tips[:, :1]], 1)
    droop = rng.uniform(0.0, 0.5) * thick * (tips / radius[:, None] - 0.7)
    turn = angle + rng.uniform(0, 2 * np.pi, (layers, 1))
    points = np.empty((layers, 2, sides + 1, 3))
    points[:, 0] = np.stack([tips * np.cos(turn), -(low[:, None] - droop), tips * np.sin(turn)], -1)
    top = 0.06 * radius[:, None]
    rise = np.broadcast_to((low + thick * 1.5)[:, None], turn.shape)
    points[:, 1] = np.stack([top * np.cos(turn), -rise, top * np.sin(turn)], -1)
    skirts = shapes.sheet(points, green, closed=True)
    trunk = shapes.tubes(
        [[(0, 0, 0), (0, -0.8 * height, 0)]], [[0.02 * height, 0.005 * height]], _wood(rng, palette), sides=7
    )
    return join([trunk, skirts])


def bush(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A shrub of .6 to 2.5 m, sometimes in flower."""
    height = float(rng.uniform(0.6, 2.5))
    count = int(rng.integers(2, 5))
    size = height * rng.uniform(0.40, 0.52, count)
    at = rng.uniform(-0.45, 0.45, (count, 2)) * height
    at -= at.mean(0)
    centres = np.stack([at[:, 0], -np.maximum(size * 0.8, height - size * rng.uniform(1.0, 1.5, count)), at[:, 1]], 1)
    mesh = _foliage(centres, np.stack([size] * 3, 1), rng, palette, cards=90, pitch=0.2)
    return on_ground(mesh)


def hedge(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A hedge along z, .8 to 2.2 m high, its top and sides slightly uneven."""
    height, half = float(rng.uniform(0.8, 2.2)), float(rng.uniform(0.25, 0.5))
    rows = max(int(length / 0.8), 2) + 1
    z = np.linspace(-length / 2, length / 2, rows)
    section = np.array(
        [[-1.0, 0.0], [-1.05, 0.5], [-0.9, 0.93], [-0.35, 1.0], [0.35, 1.0], [0.9, 0.93], [1.05, 0.5], [1.0, 0.0]]
    )
    rough = rng.normal(0, 0.04, (rows, len(section), 2))
    rough[:, [0, -1], 1] = 0.0
    points = np.empty((rows, len(section), 3))
    points[..., 0] = (section[:, 0] + rough[..., 0]) * half
    points[..., 1] = -(section[:, 1] + rough[..., 1]) * height
    points[..., 2] = z[:, None]
    green = palette.add(leafy(_leaf_colour(rng), 0.2))
    body = shapes.sheet(points, green)
    ends = [shapes.polygon(points[k], green, (0, 0, side)) for k, side in ((0, -1), (-1, 1))]
    cards = int(min(max(12 * length, 20), 200))
    at = np.stack(
        [rng.uniform(-half, half, cards), np.full(cards, -height * 0.99), rng.uniform(-length / 2, length / 2, cards)],
        1,
    )
    return join([body, *ends, _cards(at, np.tile([0.0, -1.0, 0.0], (cards, 1)), 0.16, green, rng)])


def grass_tuft(rng: np.random.Generator, palette: Palette) -> Mesh:
    """Tall grass or weeds, .3 to .9 m."""
    count, height = int(rng.integers(20, 45)), float(rng.uniform(0.3, 0.9))
    at, lean = rng.normal(0, 0.18, (count, 2)), rng.normal(0, 0.3 * height, (count, 2))
    tall, wide = height * rng.uniform(0.5, 1.0, count), 0.02 + 0.02 * rng.random(count)
    turn = rng.uniform(0, np.pi, count)
    across = np.stack([np.cos(turn), np.zeros(count), np.sin(turn)], 1) * wide[:, None]
    foot = np.stack([at[:, 0], np.zeros(count), at[:, 1]], 1)
    tip = foot + np.stack([lean[:, 0], -tall, lean[:, 1]], 1)
    green = palette.plain(shapes.tint(rng, (*_GREENS, _STRAW)), noise=0.4)
    return shapes.triangles(np.stack([foot - across, foot + across, tip], 1), green)


def flower_bed(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A low bed of plants in flower, about 2 m by 1 m, with a kerb."""
    width, length, height = rng.uniform(0.8, 1.6), rng.uniform(1.2, 3.0), rng.uniform(0.25, 0.5)
    stone = palette.plain((0.4, 0.39, 0.37))
    soil = palette.add(leafy((0.15, 0.16, 0.08), 0.1))
    kerb = boxes([(0, 0, 0, width, 0.12, length), (0, 0.1, 0, width - 0.16, 0.1, length - 0.16)], [stone, soil])
    count = 140
    at = np.stack(
        [
            rng.uniform(-0.46, 0.46, count) * width,
            -(0.15 + rng.uniform(0.0, 1.0, count) * height),
            rng.uniform(-0.47, 0.47, count) * length,
        ],
        1,
    )
    petals = [palette.plain(shapes.tint(rng, _FLOWERS), noise=0.2) for _ in range(2)]
    kinds = np.array([palette.add(leafy(_leaf_colour(rng), 0.1)), *petals])[rng.integers(0, 3, count)]
    up = np.tile([0.0, -1.0, 0.0], (count, 1)) + rng.normal(0, 0.3, (count, 3))
    return join([kerb, _cards(at, up / np.linalg.norm(up, axis=1, keepdims=True), 0.14, kinds, rng)])


def crop_field(rng: np.random.Generator, palette: Palette, length: float = 20.0) -> Mesh:
    """Rows of maize or vines along z, ``length`` long, 8 m wide."""
    height, gap = float(rng.uniform(0.7, 2.2)), float(rng.uniform(0.8, 2.0))
    green = palette.add(leafy(shapes.tint(rng, (*_GREENS, _STRAW)), 0.25))
    columns = max(int(8 / gap), 2)
    x = (np.arange(columns) - (columns - 1) / 2) * gap
    points = int(max(length / 1.2, 2)) + 1
    z = np.linspace(-length / 2, length / 2, points)
    section = np.array([[-0.28, 0.0], [-0.22, 0.8], [0.05, 1.0], [0.24, 0.75], [0.28, 0.0]])
    lattice = np.empty((columns, points, 5, 3))
    rough = 1 + rng.normal(0, 0.12, (columns, points, 5))
    lattice[..., 0] = x[:, None, None] + section[:, 0] * rough
    lattice[..., 1] = -section[:, 1] * rough * height
    lattice[..., 2] = z[:, None]
    return shapes.sheet(lattice, green)


def _slender(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A poplar, or a birch with its white trunk."""
    height, birch = float(rng.uniform(6.0, 18.0)), rng.random() < 0.5
    width, count = height * (rng.uniform(0.12, 0.18) if birch else rng.uniform(0.07, 0.11)), int(rng.integers(4, 7))
    clear = height * (0.25 if birch else 0.1)
    part = (np.arange(count) + 0.5) / count
    half_y = (height - clear) / count * 0.8
    size = width * np.interp(part, [0, 0.35, 1], [0.75, 1.0, 0.45]) * rng.uniform(0.85, 1.15, count)
    level = np.linspace(clear + half_y, height - half_y, count)
    at = rng.normal(0, 0.22 * width, (count, 2))
    centres = np.stack([at[:, 0], -level, at[:, 1]], 1)
    halves = np.stack([size, np.full(count, half_y), size], 1)
    white = palette.add(Material((0.55, 0.54, 0.50), Pattern.SPOTS, (0.06, 0.06, 0.06), (0.25, 0.25)))
    trunk = shapes.tubes(
        [[(0, 0, 0), (0, -0.85 * height, 0)]],
        [[0.013 * height + 0.04, 0.03]],
        white if birch else _wood(rng, palette),
        sides=7,
    )
    return join([trunk, _foliage(centres, halves, rng, palette)])


def _bare(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A tree in winter: trunk, limbs, branches and twigs."""
    height = float(rng.uniform(5.0, 14.0))
    starts, ends = np.zeros((1, 3)), np.array([[0.0, -0.35 * height, 0.0]])
    thick = np.array([0.02 * height + 0.05])
    levels, radii = [np.stack([starts, ends], 1)], [np.stack([thick, 0.75 * thick], 1)]
    for forks, length in ((6, 0.30), (4, 0.22), (4, 0.13)):
        parent, radius = levels[-1], radii[-1]
        axis = np.repeat(parent[:, 1] - parent[:, 0], forks, 0)
        at = rng.uniform(0.65, 1.0, len(axis))[:, None]
        start = np.repeat(parent[:, 0], forks, 0) + axis * at
        axis = axis / np.linalg.norm(axis, axis=1, keepdims=True)
        direction = axis + rng.normal(0, 0.55, axis.shape) - [0, 0.18, 0]
        direction = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        end = start + direction * length * height * rng.uniform(0.6, 1.1, (len(axis), 1))
        end[:, 1] = np.minimum(end[:, 1], -0.2 * height)
        levels.append(np.stack([start, end], 1))
        thin = np.repeat(radius[:, 1], forks) * 0.75
        radii.append(np.maximum(np.stack([thin, 0.6 * thin], 1), 0.012))
    wood = _wood(rng, palette)
    parts = [
        shapes.tubes(e, r, wood, sides=6 - k if k < 3 else 3)
        for k, (e, r) in enumerate(zip(levels, radii, strict=True))
    ]
    return join(parts)


def _wood(rng: np.random.Generator, palette: Palette) -> int:
    return palette.add(Material(shapes.tint(rng, _BARK), Pattern.PLANKS, pitch=(0.06, 1.0), noise=0.5))


def _leaf_colour(rng: np.random.Generator) -> Colour:
    """The colour of deciduous leaves, in autumn colours now and then."""
    return shapes.tint(rng, _AUTUMN if rng.random() < AUTUMN else _GREENS, 0.2)


def _trunk(centres: np.ndarray, clear: float, height: float, wood: int, rng: np.random.Generator) -> Mesh:
    """A trunk up to the fork, and a limb into every clump."""
    radius = 0.014 * height + 0.06
    fork = np.array([rng.normal(0, 0.02 * height), -clear * 1.05, rng.normal(0, 0.02 * height)])
    stem = shapes.tubes([[(0, 0, 0), fork]], [[radius * 1.25, radius * 0.85]], wood, sides=7)
    np.minimum(stem.vertices[:, 1], 0.0, out=stem.vertices[:, 1])
    starts = np.tile(fork * [1, 0.93, 1], (len(centres), 1))
    size = np.tile([radius * 0.6, radius * 0.2], (len(centres), 1))
    return join([stem, shapes.tubes(np.stack([starts, centres], 1), size, wood, sides=4)])


def _foliage(
    centres: np.ndarray,
    halves: np.ndarray,
    rng: np.random.Generator,
    palette: Palette,
    *,
    cards: int = 260,
    pitch: float = 0.45,
) -> Mesh:
    """Dented clumps (K) with loose leaves on their outside."""
    green = palette.add(leafy(_leaf_colour(rng), pitch))
    rings, sectors, count = 4, 7, len(centres)
    polar = np.linspace(0.12, np.pi - 0.12, rings + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, sectors + 1) + rng.uniform(0, 2 * np.pi, (count, 1, 1))
    unit = np.stack(
        np.broadcast_arrays(np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)), -1
    )
    dent = 1 + rng.uniform(-0.26, 0.14, (count, rings + 1, sectors + 1, 1))
    dent[:, :, -1] = dent[:, :, 0]
    points = centres[:, None, None] + unit * dent * 0.86 * halves[:, None, None]
    clumps = shapes.sheet(points, green, closed=True)
    owner = rng.integers(0, count, cards)
    direction = rng.normal(0, 1, (cards, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    at = centres[owner] + direction * halves[owner] * rng.uniform(0.80, 1.18, (cards, 1))
    size = float(np.clip(0.26 * halves.mean(), 0.10, 0.48))
    return join([clumps, _cards(at, direction, size, green, rng)])


def _cards(
    at: np.ndarray, normals: np.ndarray, size: float, material: int | np.ndarray, rng: np.random.Generator
) -> Mesh:
    """Loose triangles of leaves about points (N, 3), shaded as the surface with those normals."""
    corners = at[:, None] + rng.uniform(-1, 1, (len(at), 3, 3)) * size * rng.uniform(0.6, 1.4, (len(at), 1, 1))
    shaded = normals + rng.normal(0, 0.25, normals.shape)
    shaded /= np.linalg.norm(shaded, axis=1, keepdims=True)
    corners[..., 1] = np.minimum(corners[..., 1], -0.01)
    return shapes.triangles(corners, material, shaded)
