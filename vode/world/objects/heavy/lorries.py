"""Articulated lorries and rigid ones, the front towards +z and the middle at z = 0."""

from __future__ import annotations

import numpy as np

from vode.world.materials import Palette
from vode.world.mesh import Mesh, join, place
from vode.world.objects.heavy.chassis import frame, markers, rear_end, running_gear, side_guards
from vode.world.objects.heavy.loads import LONG, SHORT
from vode.world.objects.heavy.tractors import TRACTOR, cab, tractor

GREY = (0.12, 0.12, 0.125)


def articulated(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A tractor with a semi-trailer, 13 to 16.5 m long."""
    load = LONG[int(rng.integers(len(LONG)))]
    length = float(rng.uniform(8.5, 11.0) if load.__name__ in ("silo", "tipper") else rng.uniform(10.5, 13.6))
    front = -TRACTOR + float(rng.uniform(2.0, 2.9))  # the trailer rests on the tractor's rear axle
    rear = front - length
    axles = [rear + 1.3 + 1.31 * k for k in range(int(rng.integers(2, 4)))]
    colour = GREY if rng.random() < 0.6 else (0.35, 0.08, 0.06)
    legs = front - 2.4
    parts = [
        tractor(rng, palette),
        place(load(rng, palette, length), (0, 0, (front + rear) / 2)),
        frame((rear, front), palette, colour),
        running_gear(rng, axles, palette),
        side_guards(rng, (axles[-1] + 0.8, legs - 0.3), palette),
        rear_end(rng, rear + 0.02, palette),
        markers(length, (front + rear) / 2, palette),
    ]
    return place(join(parts), (0, 0, -rear / 2))


def lorry(rng: np.random.Generator, palette: Palette) -> Mesh:
    """A rigid lorry of 7 to 11 m: box, tarpaulin, tank, tipper, flatbed or concrete mixer."""
    load = SHORT[int(rng.integers(len(SHORT)))]
    length, behind = float(rng.uniform(4.8, 7.8)), -2.45
    rear = behind - length
    axles = [rear + 1.5] if length < 5.8 else [rear + 1.4, rear + 2.75]
    parts = [
        cab(rng, palette, float(rng.uniform(2.5, 3.3))),
        place(load(rng, palette, length), (0, 0, (behind + rear) / 2)),
        frame((rear, -0.4), palette, GREY),
        running_gear(rng, [-1.35, *axles], palette),
        side_guards(rng, (axles[-1] + 0.8, -2.3), palette),
        rear_end(rng, rear + 0.02, palette),
    ]
    return place(join(parts), (0, 0, -rear / 2))
