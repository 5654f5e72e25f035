"""What stands and drives along the road of the built-in world."""

from __future__ import annotations

import numpy as np

from vode.world.options import WorldOptions
from vode.world.renderer import MAX_VIEW, Solid

ROAD_HALF = 4.2
"""half width of the road in metres"""

FACADES = ((0.62, 0.50, 0.42), (0.70, 0.66, 0.58), (0.55, 0.36, 0.30), (0.50, 0.52, 0.55), (0.76, 0.70, 0.60))
PAINTS = (
    (0.75, 0.75, 0.78),
    (0.16, 0.17, 0.19),
    (0.55, 0.12, 0.12),
    (0.15, 0.25, 0.45),
    (0.80, 0.78, 0.70),
    (0.30, 0.36, 0.32),
)


def street(rng: np.random.Generator, arcs: np.ndarray, options: WorldOptions) -> list[Solid]:
    """Every solid of a sequence whose camera is at arc lengths ``arcs`` (N,) metres, a frame each."""
    first, last = -20.0, float(arcs[-1]) + MAX_VIEW
    solids = [s for side in (-1, 1) for s in _row(rng, first, last, side)]
    if options.moving:
        solids += _traffic(rng, arcs, last, options)
    return solids


def _row(rng: np.random.Generator, first: float, last: float, side: int) -> list[Solid]:
    """Buildings, poles and parked cars on one side of the road."""
    solids = []
    arc = first
    while arc < last:
        length, depth, height = rng.uniform(8, 22), rng.uniform(6, 12), rng.uniform(4, 14)
        lateral = side * (rng.uniform(8.5, 14) + depth / 2)
        solids.append(
            Solid(
                arc + length / 2,
                lateral,
                (depth / 2, height / 2, length / 2),
                colour=_vary(rng, FACADES),
                windows=rng.uniform(2.2, 3.6),
            )
        )
        arc += length + rng.choice([rng.uniform(0.5, 3), rng.uniform(5, 20)])
    arc = first + rng.uniform(0, 15)
    while arc < last:
        height = rng.uniform(4, 8)
        solids.append(
            Solid(arc, side * rng.uniform(5.0, 6.5), (rng.uniform(0.06, 0.15), height / 2, 0.2), pole=True,
                  colour=(0.35, 0.34, 0.33))
        )  # fmt: skip
        arc += rng.uniform(9, 28)
    arc = first + rng.uniform(0, 20)
    while arc < last:
        solids += _car(rng, arc, side * (ROAD_HALF + 0.9), 0.0)
        arc += rng.choice([rng.uniform(5.5, 8), rng.uniform(12, 40)])
    return solids


def _traffic(rng: np.random.Generator, arcs: np.ndarray, last: float, options: WorldOptions) -> list[Solid]:
    """Oncoming cars on the left and, in half of the sequences, one ahead in the camera's lane."""
    solids = []
    seconds = len(arcs) / 10.0
    arc = rng.uniform(15, 50)
    while arc < last + 15 * seconds:
        solids += _car(rng, arc, -1.9, -rng.uniform(5, 12))
        arc += rng.uniform(30, 90)
    if rng.random() < 0.5:
        mean_speed = float(arcs[-1] - arcs[0]) / seconds
        solids += _car(rng, rng.uniform(16, 35), 1.9, mean_speed)
    return solids


def _car(rng: np.random.Generator, arc: float, lateral: float, speed: float) -> list[Solid]:
    width, length, height = rng.uniform(0.8, 0.95), rng.uniform(1.8, 2.3), rng.uniform(0.33, 0.42)
    paint = _vary(rng, PAINTS)
    glass = (0.20, 0.22, 0.25)
    cabin = rng.uniform(0.25, 0.32)
    direction = -1 if speed < 0 else 1
    return [
        Solid(arc, lateral, (width, height, length), bottom=0.2, speed=speed, colour=paint),
        Solid(
            arc - 0.25 * direction,
            lateral,
            (0.86 * width, cabin, 0.55 * length),
            bottom=0.2 + 2 * height,
            speed=speed,
            colour=glass,
        ),
    ]


def _vary(rng: np.random.Generator, palette: tuple[tuple[float, float, float], ...]) -> tuple[float, float, float]:
    base = np.array(palette[rng.integers(len(palette))])
    r, g, b = np.clip(base * rng.uniform(0.8, 1.15) + rng.uniform(-0.04, 0.04, 3), 0.05, 0.95)
    return float(r), float(g), float(b)
