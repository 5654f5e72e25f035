"""Bicycles and motorbikes, parked or ridden."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Palette
from vode.world.mesh import Mesh, boxes, join
from vode.world.objects import shapes
from vode.world.objects.people import rider
from vode.world.objects.wheels import RUBBER, paint


def bicycle(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bicycle: two thin wheels with some spokes, a frame of tubes, handlebar, saddle, perhaps a basket."""
    radius, base = rng.uniform(0.31, 0.35), rng.uniform(1.0, 1.1)
    front, back = base / 2, -base / 2
    frame, dark = paint(rng, palette), palette.plain((0.04, 0.04, 0.04), noise=0.1)
    metal = palette.plain((0.5, 0.5, 0.5), noise=0.1)
    head, seat, crank = (0.0, -0.88, front - 0.22), (0.0, -0.82, back + 0.30), (0.0, -0.29, back + 0.42)
    axle_f, axle_b, bar, saddle = (
        (0, -radius, front),
        (0, -radius, back),
        (0, -1.02, front - 0.27),
        (0, -0.95, back + 0.25),
    )
    low_head = (0, -0.72, front - 0.17)
    step_through = rng.random() < 0.4
    top = [crank, (0, -0.80, front - 0.2)] if step_through else [seat, head]
    tubes = [top, [crank, low_head], [crank, saddle], [crank, axle_b], [seat, axle_b], [bar, axle_f]]
    grip = rng.uniform(0.24, 0.32)
    handles = [[(-grip, -1.04, front - 0.42), bar], [bar, (grip, -1.04, front - 0.42)]]
    pedals = [[crank, (0.1, -0.13, back + 0.44)], [crank, (-0.1, -0.45, back + 0.40)]]
    parts = [
        _hoops(np.array([axle_f, axle_b]), radius, palette),
        shapes.tubes(tubes, 0.018, frame, sides=4),
        shapes.tubes(handles + pedals, 0.013, dark, sides=4),
        boxes([(0, 0.94, back + 0.22, 0.16, 0.06, 0.26)], dark),
    ]
    if rng.random() < 0.35:
        parts.append(boxes([(0, 0.72, front + 0.02, 0.32, 0.24, 0.28)], palette.plain((0.25, 0.18, 0.1))))
    if rng.random() < 0.5:
        parts.append(boxes([(0, 0.72, back - 0.05, 0.12, 0.03, 0.36)], metal))
    return join(parts)


def motorbike(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A motorbike or a scooter, parked upright."""
    scooter = rng.random() < 0.45
    radius, base, fat = (0.22, 1.25, 0.10) if scooter else (0.31, 1.42, 0.13)
    front, back = base / 2, -base / 2
    body, dark = paint(rng, palette), palette.plain((0.05, 0.05, 0.05), noise=0.1)
    metal = palette.plain((0.45, 0.45, 0.46), noise=0.1, gloss=0.3)
    lamp = palette.plain((0.8, 0.8, 0.78), noise=0.05, gloss=0.3)
    parts = [_hoops(np.array([(0, -radius, front), (0, -radius, back)]), radius, palette, thick=fat / 2)]
    bar_z = front - 0.38
    parts.append(shapes.tubes([[(s * 0.07, -radius, front), (s * 0.07, -0.95, bar_z)] for s in (-1, 1)], 0.025, metal))
    parts.append(shapes.tubes([[(-0.36, -1.06, bar_z - 0.12), (0.36, -1.06, bar_z - 0.12)]], 0.018, dark))
    mirrors = [(s * 0.33, 1.15, bar_z - 0.1, 0.13, 0.09, 0.03) for s in (-1, 1)]
    parts.append(boxes([*mirrors, (0, 0.84, bar_z + 0.12, 0.18, 0.18, 0.12)], [dark, dark, lamp]))
    if scooter:
        shield = [(bar_z + 0.1, 0.95), (bar_z + 0.16, 0.3), (bar_z, 0.25), (bar_z - 0.05, 0.95)]
        rear = [(back + 0.65, 0.3), (back + 0.65, 0.72), (back - 0.2, 0.76), (back - 0.15, 0.42)]
        parts += [shapes.prism(shield, 0.40, body, body), shapes.prism(rear, 0.34, body, body)]
        parts.append(boxes([(0, 0.2, 0.1, 0.32, 0.1, 0.6), (0, 0.74, back + 0.25, 0.28, 0.1, 0.7)], [body, dark]))
    else:
        tank = [(0.32, 0.72), (0.28, 0.95), (0.0, 0.98), (-0.12, 0.74)]
        tail = [(-0.1, 0.70), (-0.1, 0.80), (back - 0.2, 0.92), (back - 0.15, 0.76)]
        engine = [(0.28, 0.3), (0.34, 0.62), (-0.2, 0.66), (-0.22, 0.28)]
        parts += [
            shapes.prism(p, w, m, m) for p, w, m in ((tank, 0.3, body), (tail, 0.24, dark), (engine, 0.34, metal))
        ]
        parts.append(
            shapes.tubes(
                [[(0.14, -0.32, 0.1), (0.16, -0.42, back - 0.15)], [(0, -0.5, -0.1), (0, -radius, back)]], 0.05, metal
            )
        )
    parts.append(
        boxes([(0, 0.62 if scooter else 0.72, back - 0.22, 0.16, 0.1, 0.05)], palette.plain((0.4, 0.02, 0.02)))
    )
    return join(parts)


def cyclist(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A bicycle with its rider."""
    return join([bicycle(rng, palette), rider(rng, palette)])


def _hoops(axles: np.ndarray, radius: float, palette: Palette, *, thick: float = 0.022) -> Mesh:
    """Tyres (K) about axes along x, with spokes."""
    sides = 14
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    angle[-1] = 0.0
    section = np.array([[-1.0, -0.6], [0.0, 0.0], [1.0, -0.6]]) * thick
    points = np.empty((len(axles), 3, sides + 1, 3))
    size = radius + np.concatenate([section[:, 1]])[:, None] * 1.6
    points[..., 0] = (axles[:, 0, None] + section[:, 0])[..., None]
    points[..., 1] = axles[:, 1, None, None] - size * np.cos(angle)
    points[..., 2] = axles[:, 2, None, None] + size * np.sin(angle)
    spoke = np.pi * np.arange(4) / 4
    tip = np.stack([0 * spoke, np.cos(spoke), np.sin(spoke)], 1) * (radius - thick)
    ends = axles[:, None, None] + np.stack([-tip, tip], 1)
    if thick > 0.03:
        ends = ends[:, :3]
    wide = 0.006 if thick < 0.03 else 0.03
    spokes = shapes.tubes(ends.reshape(-1, 2, 3), wide, palette.plain((0.45, 0.45, 0.45)), sides=3)
    return join([shapes.sheet(points, palette.plain(RUBBER, noise=0.1), closed=True), spokes])
