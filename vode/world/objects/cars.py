"""Cars and vans: a body of smooth panels, a glasshouse with pillars, wheels, lights and plates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vode.world.materials import Material, Palette
from vode.world.mesh import Mesh, boxes, join, quads
from vode.world.objects import shapes
from vode.world.objects.wheels import arches, glass, paint, wheels


@dataclass(frozen=True)
class _Shape:
    """Proportions of a car, metres; z is measured from the nose backwards."""

    length: float
    width: float
    height: float
    hood: float
    """height of the hood at the windscreen"""
    nose: float
    """height of the hood's front edge"""
    boot: float
    """height of the tail below the rear window"""
    screen: tuple[float, float]
    """z of the windscreen's foot and head"""
    rear: tuple[float, float]
    """z of the rear window's head and foot"""
    sill: float = 0.22
    wheel: float = 0.32
    axles: tuple[float, float] = (0.82, 3.35)
    tumblehome: float = 0.78
    """half width of the roof as a fraction of the body's"""
    panes: tuple[float, ...] = (0.46,)
    """middle pillars, as fractions of the side window's length"""
    blind: int = 0
    """panes at the back that are sheet metal, as on vans"""


_KINDS = {
    "hatchback": _Shape(3.95, 1.72, 1.47, 0.98, 0.74, 0.98, (0.95, 1.75), (3.45, 3.85), axles=(0.78, 3.25)),
    "sedan": _Shape(4.65, 1.80, 1.44, 0.97, 0.72, 1.00, (1.20, 2.00), (3.25, 4.00), axles=(0.90, 3.65)),
    "estate": _Shape(
        4.60, 1.79, 1.48, 0.98, 0.72, 0.99, (1.15, 1.95), (4.20, 4.52), axles=(0.90, 3.60), panes=(0.36, 0.70)
    ),
    "suv": _Shape(
        *(4.50, 1.86, 1.68, 1.12, 0.92, 1.10, (1.10, 1.80), (4.00, 4.40)), 0.30, 0.37, (0.88, 3.55), 0.80, (0.38, 0.74)
    ),
    "mini": _Shape(3.45, 1.62, 1.50, 0.96, 0.76, 0.96, (0.70, 1.45), (3.05, 3.36), axles=(0.62, 2.90), wheel=0.29),
    "people carrier": _Shape(
        *(4.45, 1.80, 1.66, 1.05, 0.78, 1.02, (0.85, 1.80), (4.05, 4.36)), 0.22, 0.32, (0.85, 3.55), 0.80, (0.36, 0.72)
    ),
    "pickup": _Shape(
        *(5.20, 1.86, 1.76, 1.12, 0.96, 1.08, (1.30, 1.90), (3.20, 3.45)), 0.34, 0.39, (0.95, 4.05), 0.80, (0.52,)
    ),
    "van": _Shape(
        *(5.40, 1.98, 2.40, 1.22, 0.98, 1.15, (0.75, 1.50), (5.28, 5.38)),
        0.28,
        0.35,
        (0.95, 4.20),
        0.88,
        (0.24, 0.62),
        2,
    ),
    "small van": _Shape(
        *(4.40, 1.82, 1.84, 1.08, 0.84, 1.06, (0.85, 1.60), (4.25, 4.37)), 0.24, 0.32, (0.85, 3.60), 0.88, (0.34,), 1
    ),
}
_CARS = ("hatchback", "hatchback", "sedan", "sedan", "estate", "suv", "suv", "mini", "people carrier", "pickup")


def car(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A car: hatchback, sedan, estate, off-roader, people carrier or pickup."""
    return _car(_CARS[int(rng.integers(len(_CARS)))], rng, palette)


def van(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A panel van, more often white, or a minibus."""
    kind = "van" if rng.random() < 0.65 else "small van"
    return _car(kind, rng, palette)


def _car(kind: str, rng: np.random.Generator, palette: Palette) -> Mesh:
    shape = _varied(_KINDS[kind], rng)
    white = kind.endswith("van") and rng.random() < 0.6
    body = paint(rng, palette, ((0.8, 0.8, 0.79),)) if white else paint(rng, palette)
    trim = body if rng.random() < 0.6 else palette.plain((0.06, 0.06, 0.06), noise=0.1)
    rim = palette.add(Material(shapes.tint(rng, ((0.5, 0.5, 0.5), (0.3, 0.3, 0.31), (0.08, 0.08, 0.08))), gloss=0.2))
    front, half = shape.length / 2, shape.width / 2
    axle = np.array([[side * half, shape.wheel, front - z] for z in shape.axles for side in (-1.0, 1.0)])
    parts = [
        _body(shape, body, trim),
        _glasshouse(shape, body, palette),
        wheels(axle - np.sign(axle) * [0.09, 0, 0], shape.wheel, 0.22, rim, palette, sides=9),
        arches(axle * [1.004, 1, 1], shape.wheel * 1.17, palette),
        _details(shape, rng, palette),
    ]
    if kind in ("estate", "suv") and rng.random() < 0.6:
        parts.append(_rails(shape, palette))
    return join(parts)


def _varied(shape: _Shape, rng: np.random.Generator) -> _Shape:
    """The same kind of car by another maker."""
    long, wide, high = rng.uniform(0.94, 1.07), rng.uniform(0.96, 1.04), rng.uniform(0.97, 1.05)
    stretched = {name: tuple(long * v for v in getattr(shape, name)) for name in ("screen", "rear", "axles")}
    raised = {name: high * getattr(shape, name) for name in ("hood", "nose", "boot", "height")}
    shape = replace(shape, length=shape.length * long, width=shape.width * wide, **stretched, **raised)  # type: ignore[arg-type]
    return replace(
        shape,
        nose=shape.nose * rng.uniform(0.94, 1.05),
        screen=(shape.screen[0] + rng.uniform(-0.08, 0.08), shape.screen[1] + rng.uniform(-0.1, 0.1)),
        sill=shape.sill * rng.uniform(0.85, 1.1),
    )


def _belt(shape: _Shape, z: np.ndarray) -> np.ndarray:
    """Height of the body's upper edge at distances behind the nose."""
    foot = shape.rear[1]
    at = [0.0, 0.10, 0.45, shape.screen[0], foot, max(foot + 0.05, shape.length - 0.12), shape.length + 0.01]
    nose, hood, boot = shape.nose, shape.hood, shape.boot
    return np.interp(
        z, at, [nose * 0.86, nose * 0.97, nose * 0.7 + hood * 0.3 + 0.02, hood, boot, boot - 0.02, boot * 0.9]
    )


def _body(shape: _Shape, body: int, trim: int) -> Mesh:
    """The lower body: sides, hood and boot as smooth panels that meet in an edge, and both ends."""
    length = shape.length
    foot = min(shape.rear[1], length - 0.04)
    z = np.array([0.0, 0.12, 0.5, shape.screen[0], foot, max(length - 0.12, foot + 0.02), length])
    top, half = _belt(shape, z), shape.width / 2 * np.array([0.84, 0.94, 0.99, 1, 1, 0.96, 0.88])
    bottom = shape.sill + np.array([0.03, 0, 0, 0, 0, 0.04, 0.08])
    part_x, part_y = np.array([0.93, 1.0, 1.0, 0.95, 0.87]), np.array([0.0, 0.25, 0.62, 0.93, 1.0])
    side = np.empty((2, 5, 7, 3))
    for k, sign in enumerate((-1.0, 1.0)):
        side[k, ..., 0] = sign * np.outer(part_x, half)
        side[k, ..., 1] = -(bottom + np.outer(part_y, top - bottom))
        side[k, ..., 2] = shape.length / 2 - z
    left, right = side
    middle = (left[-1] + right[-1]) / 2 - [0.0, 0.03, 0.0]
    lid = np.stack([left[-1], middle, right[-1]])
    core = np.array([0, -shape.sill - 0.1, 0])
    panels = [shapes.sheet(wing, np.array([trim, body, body, body]), inside=core) for wing in side]
    parts = [*panels, shapes.sheet(lid, body, inside=core)]
    for end in (0, -1):
        rows = np.stack([left[[0, 1, 2, 4], end], right[[0, 1, 2, 4], end]], 1)
        corners = np.stack([rows[:-1, 0], rows[:-1, 1], rows[1:, 1], rows[1:, 0]], 1)
        parts.append(shapes.facing_out(quads(corners, [trim, body, body]), np.array([0, -0.5, 0])))
    return join(parts)


def _glasshouse(shape: _Shape, body: int, palette: Palette) -> Mesh:
    """Windows all around between pillars, and the roof."""
    pane = glass(palette)
    front, half = shape.length / 2, shape.width / 2
    foot = np.array([shape.screen[0], shape.rear[1]])
    head = np.array([shape.screen[1], shape.rear[0]])
    fractions, kinds = [0.0, 0.05], [body]
    for i, middle in enumerate((*shape.panes, None)):
        sheet_metal = i > len(shape.panes) - shape.blind
        kinds.append(body if sheet_metal else pane)
        if middle is not None:
            fractions += [middle - 0.012, middle + 0.012]
            kinds.append(body)
    fractions += [0.94, 1.0]
    kinds.append(body)
    part = np.array(fractions)
    z_low, z_high = foot[0] + part * np.diff(foot), head[0] + part * np.diff(head)
    low, high = _belt(shape, z_low), shape.height - 0.07 + 0 * part
    parts = []
    roof_half = half * shape.tumblehome
    for sign in (-1.0, 1.0):
        at_foot = np.stack([np.full_like(part, sign * half * 0.87), -low, front - z_low], 1)
        at_head = np.stack([np.full_like(part, sign * roof_half), -high, front - z_high], 1)
        parts.append(_strip(at_foot, at_head, kinds))
    for z0, z1 in ((foot[0], head[0]), (foot[1], head[1])):
        across = np.array([-1, -0.92, 0.92, 1.0])
        belt = _belt(shape, np.array([z0]))[0]
        blind = shape.blind > 0 and z0 > 1
        at_foot = np.stack([across * half * 0.87, np.full(4, -belt), np.full(4, front - z0)], 1)
        at_head = np.stack([across * roof_half, np.full(4, -high[0]), np.full(4, front - z1)], 1)
        parts.append(_strip(at_foot, at_head, [body, body if blind else pane, body]))
    z = np.linspace(head[0], head[1], 4)
    x = roof_half * np.array([-1.0, -0.75, 0, 0.75, 1.0])
    drop = np.array([0.07, 0.025, 0.0, 0.025, 0.07])
    roof = np.empty((4, 5, 3))
    roof[..., 0], roof[..., 2] = x, (front - z)[:, None]
    roof[..., 1] = -(shape.height - drop - np.array([0.045, 0, 0.005, 0.05])[:, None] * (drop < 0.07))
    parts.append(shapes.sheet(roof, body, inside=np.array([0.0, 0, 0])))
    return join(parts)


def _strip(low: np.ndarray, high: np.ndarray, material: list[int]) -> Mesh:
    """Panes between two lines of points (N, 3), each of its material (N - 1)."""
    corners = np.stack([low[:-1], low[1:], high[1:], high[:-1]], 1)
    return shapes.facing_out(quads(corners, material), np.array([0.0, -0.9, 0]))


def _details(shape: _Shape, rng: np.random.Generator, palette: Palette) -> Mesh:
    """Lights, grille, plates and mirrors."""
    clear = palette.add(Material((0.75, 0.76, 0.76), noise=0.1, gloss=0.35))
    red = palette.add(Material((0.40, 0.02, 0.02), noise=0.1, gloss=0.3))
    dark = palette.plain((0.04, 0.04, 0.04), noise=0.1)
    plate = palette.plain((0.75, 0.62, 0.12) if rng.random() < 0.3 else (0.78, 0.78, 0.76), noise=0.1)
    front, half = shape.length / 2, shape.width / 2
    low, light = shape.sill + 0.16, shape.nose * 0.86 - 0.17
    tall, wide = rng.uniform(0.10, 0.16), rng.uniform(0.26, 0.42)
    tail_low = shape.boot * 0.9 - 0.22 - rng.uniform(0, 0.1)
    tail_tall, tail_wide = (rng.uniform(0.3, 0.5), 0.14) if shape.height > 1.6 else (rng.uniform(0.12, 0.2), 0.34)
    edge = 0.82 * half
    rear = -front
    rows = [
        *((s * (edge - wide / 2), light, front - 0.025, wide, tall, 0.08) for s in (-1, 1)),
        *((s * (edge + 0.02 - tail_wide / 2), tail_low, rear + 0.03, tail_wide, tail_tall, 0.09) for s in (-1, 1)),
        (0, light, front - 0.02, 2 * (edge - wide) - 0.06, tall * 0.9, 0.06),
        (0, low + 0.06, front - 0.005, 0.5, 0.11, 0.04),
        (0, low + rng.uniform(0.12, 0.3), rear + 0.005, 0.5, 0.11, 0.04),
        *((s * (half + 0.04), shape.hood + 0.02, front - shape.screen[0] - 0.32, 0.18, 0.13, 0.09) for s in (-1, 1)),
    ]
    return boxes(rows, [clear, clear, red, red, dark, plate, plate, dark, dark])


def _rails(shape: _Shape, palette: Palette) -> Mesh:
    """Rails along both sides of the roof."""
    metal = palette.add(Material((0.4, 0.4, 0.41), noise=0.05, gloss=0.2))
    x, z = shape.width / 2 * shape.tumblehome - 0.05, (shape.length - shape.screen[1] - shape.rear[0]) / 2
    length = (shape.rear[0] - shape.screen[1]) * 0.85
    return boxes([(s * x, shape.height - 0.03, z, 0.04, 0.07, length) for s in (-1, 1)], metal)
