"""What lorries carry, on a deck at height ``DECK``, the middle at z = 0; all as long as asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, boxes, join, place
from vode.world.objects import shapes
from vode.world.objects.heavy.chassis import DECK, WIDTH
from vode.world.objects.heavy.lettering import lettering
from vode.world.objects.wheels import paint

LIVERY: tuple[Colour, ...] = (
    *((0.82, 0.82, 0.81), (0.78, 0.78, 0.76), (0.62, 0.62, 0.62), (0.5, 0.05, 0.04), (0.05, 0.13, 0.4)),
    *((0.75, 0.42, 0.04), (0.1, 0.3, 0.14), (0.8, 0.7, 0.1), (0.12, 0.12, 0.13), (0.1, 0.4, 0.55)),
)
Load = Callable[[np.random.Generator, Palette, float], Mesh]


def silo(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A tank for cement or flour: round above, with hoppers below, tubes along its sides and a walkway on top."""
    shell = palette.add(
        Material(shapes.tint(rng, ((0.75, 0.75, 0.73), (0.6, 0.6, 0.62), (0.7, 0.66, 0.55))), noise=0.1, gloss=0.3)
    )
    h, radius, axis = length / 2, WIDTH / 2 - 0.02, 2.55
    z = np.linspace(h, -h, 25)
    hoppers = int(rng.integers(2, 5))
    ends = np.clip((h - np.abs(z)) / 1.3, 0, 1) ** 0.6
    size = 0.35 + 0.65 * ends
    wave = 0.5 + 0.5 * np.cos(2 * np.pi * (z / length + 0.5) * hoppers - np.pi)
    depth = (0.75 + 0.85 * ends * (0.35 + 0.65 * wave)).clip(max=axis - 0.55)
    angle = np.linspace(0, 2 * np.pi, 21)
    up = np.sin(angle)
    points = np.empty((25, 21, 3))
    narrow = np.where(up < 0, 1 - 0.55 * up**2, 1.0)
    points[..., 0] = radius * size[:, None] * np.cos(angle) * np.sqrt(np.clip(narrow, 0.1, 1))
    points[..., 1] = -axis - np.where(up > 0, radius * size[:, None] * up, depth[:, None] * up)
    points[..., 2] = z[:, None]
    caps = [shapes.polygon(points[k, :-1], shell, (0, 0, side)) for k, side in ((0, 1), (-1, -1))]
    dark = palette.plain((0.06, 0.06, 0.065), noise=0.2)
    hoses = [((side * 1.1, -1.5, 0.5 * h), (side * 1.1, -1.5, -0.8 * h)) for side in (-1, 1)]
    rows = [(0.0, axis + radius, 0.0, 0.5, 0.06, length - 2.5), (-0.45, axis + radius, 0.0, 0.04, 0.7, 0.04)]
    rows += [(0.0, axis + radius + 0.02, at * h, 0.55, 0.2, 0.55) for at in (-0.5, 0.0, 0.5)]
    rows += [(side * 0.7, 0.75, -0.55 * h, 0.1, 1.2, 0.4) for side in (-1, 1)]
    parts = [
        shapes.sheet(points, shell, closed=True),
        *caps,
        shapes.tubes(hoses, 0.14, dark, sides=9),
        boxes(rows, dark),
    ]
    return join([*parts, *_names(rng, palette, length - 4.0, axis + 0.25, 0.02)])


def tank(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A tank for fuel, milk or chemicals: round or oval, with hoops, hatches and a ladder."""
    shell = palette.add(
        Material(shapes.tint(rng, (*LIVERY[:5], (0.75, 0.75, 0.76), (0.7, 0.7, 0.71))), noise=0.08, gloss=0.4)
    )
    h, half = length / 2, WIDTH / 2 - 0.03
    tall = rng.uniform(0.72, 1.0) * half
    axis = DECK + 0.1 + tall
    z = np.array([h, h - 0.1, h - 0.3, -h + 0.3, -h + 0.1, -h])
    size = np.array([0.62, 0.86, 1.0, 1.0, 0.86, 0.62])
    angle = np.linspace(0, 2 * np.pi, 25)
    points = np.empty((6, 25, 3))
    points[..., 0], points[..., 2] = half * size[:, None] * np.cos(angle), z[:, None]
    points[..., 1] = -axis - tall * size[:, None] * np.sin(angle)
    caps = [shapes.polygon(points[k, :-1], shell, (0, 0, side)) for k, side in ((0, 1), (-1, -1))]
    metal = palette.plain((0.3, 0.3, 0.31), noise=0.2)
    rows = [(0.0, axis + tall, z, 0.6, 0.22, 0.5) for z in np.linspace(-0.7, 0.7, 4) * h]
    rows += [(0.0, DECK - 0.05, z, 1.8, 0.3, 0.25) for z in np.linspace(-0.8, 0.8, 5) * h]
    rows += [(0.35 * side, DECK, -h - 0.06, 0.04, 2 * tall, 0.04) for side in (-1, 1)]
    rows += [(0.0, DECK + 0.3 * k, -h - 0.06, 0.7, 0.03, 0.04) for k in range(int(2 * tall / 0.3))]
    band = paint(rng, palette, LIVERY)
    belt = [(side * (half + 0.005), axis - 0.12, 0.0, 0.02, 0.24, length - 0.9) for side in (-1, 1)]
    parts = [shapes.sheet(points, shell, closed=True), *caps, boxes(rows, metal, hidden="")]
    if rng.random() < 0.5:
        parts.append(boxes(belt, band))
    return join([*parts, *_names(rng, palette, length - 1.5, axis + 0.15, 0.03)])


def curtain(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A box with tarpaulin sides: straps, buckles, poles that show through, and a name."""
    height, middle = rng.uniform(2.6, 2.8), 0.0
    cloth, edge = palette.add(Material(shapes.tint(rng, LIVERY), noise=0.2)), palette.plain((0.5, 0.5, 0.5), noise=0.15)
    dark = palette.plain((0.07, 0.07, 0.075), noise=0.2)
    rows = [(0.0, DECK, middle, WIDTH, height, length), (0.0, DECK - 0.12, middle, WIDTH + 0.03, 0.2, length + 0.02)]
    rows += [(0.0, DECK + height - 0.12, middle, WIDTH + 0.04, 0.14, length + 0.02)]
    kinds = [cloth, edge, edge]
    straps = np.arange(-length / 2 + 0.35, length / 2, 0.65)
    rows += [(side * (WIDTH / 2 + 0.01), DECK - 0.1, z, 0.025, 0.45, 0.06) for z in straps for side in (-1, 1)]
    kinds += [dark] * (2 * len(straps))
    posts = np.linspace(-length / 2 + 0.04, length / 2 - 0.04, 2)
    rows += [(side * (WIDTH / 2 - 0.02), DECK, z, 0.1, height, 0.1) for z in posts for side in (-1, 1)]
    rows += [(side * 0.55, DECK + 0.1, -length / 2 - 0.02, 0.05, height - 0.3, 0.05) for side in (-1, 0, 1)]
    kinds += [edge] * 7
    return join([boxes(rows, kinds, hidden=""), *_names(rng, palette, length - 1.0, DECK + 0.5 * height, 0.03)])


def box_body(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """A closed box, perhaps with a cooler at its front, or a container with ribs."""
    height = rng.uniform(2.3, 2.75)
    ribbed = rng.random() < 0.4
    colour = shapes.tint(rng, LIVERY)
    body = palette.add(
        Material(colour, Pattern.STRIPES, shapes.darker(colour, 0.75), (0.14, 1.0), 0.15)
        if ribbed
        else Material(colour, noise=0.08, gloss=0.2)
    )
    edge, dark = palette.plain((0.4, 0.4, 0.41), noise=0.2), palette.plain((0.08, 0.08, 0.085), noise=0.2)
    h = length / 2
    rows = [(0.0, DECK, 0.0, WIDTH, height, length), (0.0, DECK - 0.12, 0.0, WIDTH + 0.03, 0.16, length + 0.02)]
    kinds = [body, edge]
    rows += [(side * x, DECK + 0.05, -h - 0.02, 0.04, height - 0.1, 0.05) for side in (-1, 1) for x in (0.3, 0.85)]
    kinds += [edge] * 4
    if not ribbed:
        rows.append((0.0, DECK + 0.7, h + 0.25, 1.9, 1.3, 0.5))
        kinds.append(edge)
        seams = np.arange(-h + 1.2, h - 0.4, rng.uniform(1.2, 2.5))
        rows += [(side * (WIDTH / 2 + 0.003), DECK, z, 0.012, height, 0.03) for z in seams for side in (-1, 1)]
        kinds += [edge] * (2 * len(seams))
    rows += [(side * WIDTH / 2, DECK, z, 0.05, height, 0.12) for z in (-h + 0.06, h - 0.06) for side in (-1, 1)]
    kinds += [body if ribbed else dark] * 4
    return join([boxes(rows, kinds, hidden=""), *_names(rng, palette, length - 1.0, DECK + 0.55 * height, 0.03)])


def tipper(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """An open trough with ribs, heaped with gravel or soil, warning stripes at its back."""
    side = paint(rng, palette, LIVERY, 0.1)
    goods = palette.add(Material(shapes.tint(rng, ((0.4, 0.36, 0.3), (0.3, 0.22, 0.15), (0.5, 0.48, 0.45))), noise=0.8))
    h, tall = length / 2, rng.uniform(0.9, 1.6)
    outline = [(h, DECK), (h - 0.2, DECK + tall + 0.2), (-h, DECK + tall), (-h + 0.25, DECK)]
    heap = [(h - 0.4, DECK + tall), (0.2 * h, DECK + tall + rng.uniform(0.1, 0.5)), (-h + 0.5, DECK + tall - 0.05)]
    ribs = np.linspace(-h + 0.4, h - 0.3, int(length / 1.1) + 2)
    rows = [(0.0, DECK, z, WIDTH + 0.1, tall, 0.12) for z in ribs]
    rows += [(0.0, DECK + tall - 0.1, 0.0, WIDTH + 0.08, 0.12, length - 0.1)]
    stripes = palette.add(Material((0.8, 0.65, 0.05), Pattern.CHECKS, (0.05, 0.05, 0.05), (0.28, 0.5), noise=0.1))
    rows += [(0.0, DECK + 0.1, -h + 0.1, WIDTH - 0.1, 0.28, 0.1)]
    return join(
        [
            shapes.prism(outline, WIDTH, side, side),
            shapes.prism(heap, WIDTH - 0.2, goods, goods),
            boxes(rows, [side] * (len(ribs) + 1) + [stripes], hidden=""),
        ]
    )


def flatbed(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """An open deck with a board in front and timber, pipes, concrete or crates on it."""
    metal, h = palette.plain((0.3, 0.3, 0.31), noise=0.25), length / 2
    wood = palette.add(
        Material(shapes.tint(rng, ((0.5, 0.36, 0.2), (0.35, 0.25, 0.15))), Pattern.PLANKS, pitch=(0.2, 1.0))
    )
    rows = [(0.0, DECK - 0.15, 0.0, WIDTH, 0.17, length), (0.0, DECK, h - 0.06, WIDTH, rng.uniform(0.8, 1.9), 0.1)]
    parts = [boxes(rows, [wood, metal], hidden="")]
    if rng.random() < 0.5:
        radius = rng.uniform(0.12, 0.4)
        stuff = palette.add(
            Material(shapes.tint(rng, ((0.4, 0.28, 0.16), (0.5, 0.5, 0.5), (0.6, 0.3, 0.15))), noise=0.4)
        )
        level, across, ends = 0, int(2.3 / (2 * radius)), []
        while across > 1 and level < 5:
            y = -(DECK + radius * (1 + 1.75 * level))
            for k in range(across):
                x = (k - (across - 1) / 2) * 2 * radius
                ends.append(((x, y, h - 0.4), (x, y, -h + rng.uniform(0.1, 0.5))))
            across, level = across - 1, level + 1
        parts.append(shapes.tubes(ends, radius, stuff, sides=7))
        parts.append(boxes([(s * 1.2, DECK, z * h, 0.08, 1.4, 0.1) for s in (-1, 1) for z in (-0.8, 0.0, 0.8)], metal))
    else:
        z = -h + 0.2
        stacks, kinds = [], []
        while z < h - 1.5:
            size = rng.uniform(0.9, 2.2)
            stacks.append((0.0, DECK + 0.1, z + size / 2, rng.uniform(1.6, 2.4), rng.uniform(0.4, 1.7), size - 0.1))
            kinds.append(palette.add(Material(shapes.tint(rng, (*LIVERY, (0.5, 0.36, 0.2))), noise=0.4)))
            z += size
        parts.append(boxes(stacks, kinds))
    return join(parts)


def mixer(rng: np.random.Generator, palette: Palette, length: float) -> Mesh:
    """The drum of a concrete mixer, with its funnel, chute and frame."""
    first, second = (shapes.tint(rng, LIVERY) for _ in range(2))
    drum = palette.add(Material(first, Pattern.STRIPES, second, (0.6, 1.0), noise=0.2))
    metal, h = palette.plain((0.25, 0.25, 0.26), noise=0.25), length / 2
    z = h - np.array([0.2, 0.6, 1.8, 3.0, 4.6, 5.2]) * length / 5.6
    radius = np.array([0.5, 0.95, 1.2, 1.2, 0.65, 0.55])
    axis = DECK + np.array([1.15, 1.2, 1.32, 1.45, 1.8, 1.95])
    angle = np.linspace(0, 2 * np.pi, 21)
    points = np.empty((6, 21, 3))
    points[..., 0], points[..., 2] = radius[:, None] * np.cos(angle), z[:, None]
    points[..., 1] = -axis[:, None] - radius[:, None] * np.sin(angle)
    caps = [shapes.polygon(points[k, :-1], drum, (0, 0, side)) for k, side in ((0, 1), (-1, -1))]
    rows = [(0.0, DECK - 0.1, 0.0, 1.6, 0.2, length), (0.0, DECK, h - 0.3, 1.2, 1.1, 0.3)]
    rows += [(side * 0.6, DECK, -h + 0.7, 0.12, 1.9, 0.12) for side in (-1, 1)] + [
        (0.0, DECK + 1.9, -h + 0.4, 1.0, 0.6, 0.7)
    ]
    rows += [(0.0, DECK + 0.1, -h + 0.05, 0.5, 1.1, 0.4)]
    return join([shapes.sheet(points, drum, closed=True), *caps, boxes(rows, metal, hidden="")])


LONG: tuple[Load, ...] = (silo, silo, tank, curtain, curtain, box_body, box_body, tipper, flatbed)
"""What semi-trailers carry"""
SHORT: tuple[Load, ...] = (tank, curtain, box_body, box_body, tipper, tipper, flatbed, mixer)
"""What lorries carry"""


def _names(rng: np.random.Generator, palette: Palette, length: float, height: float, off: float) -> list[Mesh]:
    """A name on both sides, its middle at a height, ``off`` metres outside; some have none, or a coloured field."""
    if rng.random() < 0.25 or length < 1.5:
        return []
    ink = palette.add(Material(shapes.tint(rng, LIVERY), noise=0.05, gloss=0.15))
    letters = rng.uniform(0.25, 0.75)
    word = lettering(rng, ink, length, letters)
    small = lettering(rng, ink, length / 2, 0.35 * letters)
    made = []
    for side in (1.0, -1.0):
        yaw = 0.0 if side > 0 else np.pi
        at = side * (WIDTH / 2 + off), -height + letters / 2, 0.0
        made += [place(word, at, yaw=yaw), place(small, (at[0], at[1] + 0.6 * letters, 0.15 * length), yaw=yaw)]
    return made
