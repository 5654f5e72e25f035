"""Motions through rooms: of the person with the camera, and of passers-by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.world.indoor.free_space import FreeSpace
from vode.world.indoor.furnishing import Furnishing
from vode.world.motions import arc_lengths
from vode.world.objects import people
from vode.world.scene import Motion, Mover
from vode.world.walk import Carrying, scan, stroll_by


def draw_carrying(
    rng: np.random.Generator, speed: tuple[float, float] | None = None, *, brisk: float = 1.3, astray: float = 1.1
) -> Carrying:
    """How a person carries the camera: calmly or restlessly, high or low, at a ``speed`` if one is asked for.

    ``brisk`` bounds the speed in metres a second, ``astray`` how many radians the camera looks off the path.
    """
    slow, fast = speed or sorted(rng.uniform(0.3, brisk, 2))
    return Carrying(
        (float(slow), float(fast)),
        height=float(rng.uniform(1.1, 1.72)),
        rise=float(rng.uniform(0.02, 0.06)),
        look=(
            float(rng.uniform(0.15, astray)),
            float(rng.uniform(0.08, 0.3)),
            float(rng.choice([0.05, 0.12, 0.3], p=[0.5, 0.4, 0.1])),
        ),
        pitch=float(rng.uniform(-0.4, 0.05)),
        bounce=float(rng.uniform(0.005, 0.03)),
        turning=float(rng.uniform(0.45, 0.72)),
    )


def sweep(f: Furnishing, space: FreeSpace, seconds: float, carrying: Carrying, *, closed: bool) -> Motion:
    """The motion of a camera held on a table, or whatever else is laden, from a few places around it."""
    points = space.points()
    if f.targets:
        x, height, z = f.targets[f.rng.integers(len(f.targets))]
    else:
        (x, z), height = points[f.rng.integers(len(points))], 1.0
    here = max(f.plan.rooms, key=lambda room: room.distance_within(x, z))
    inside = points[[here.distance_within(*p) > 0 for p in points]]
    points = inside if len(inside) > 3 else points
    away = np.linalg.norm(points - (x, z), axis=1)
    near = points[
        (away > 0.5) & (away <= max(f.rng.uniform(0.9, 2.4), float(np.quantile(away, 0.3)), away.min() + 0.3))
    ]
    near = near if len(near) else points
    first = near[f.rng.integers(len(near))]
    last = near[np.argmax(np.linalg.norm(near - first, axis=1))]
    between = near[f.rng.integers(len(near), size=int(f.rng.integers(0, 3)))]
    path = space.route(np.concatenate([first[None], between, last[None]]))
    if f.rng.random() < 0.4:  # across the table to what is behind it
        beyond = f.rng.uniform(0.3, 1.0)
        x, z = (x, z) + beyond * (np.array([x, z]) - path.mean(0))
        height += 0.3 * beyond
    return scan(f.rng, path, (float(x), float(height), float(z)), seconds, carrying, closed=closed)


def round_trip(f: Furnishing, space: FreeSpace, order: Sequence[int], seconds: float, carrying: Carrying) -> np.ndarray:
    """A path through rooms in turn and back to the first, as often as there is time."""
    points, stops = space.points(), []
    for index in order:
        room = f.plan.rooms[index]
        inside = points[[room.distance_within(*p) > 0.5 for p in points]]
        if len(inside):
            stops.append(inside[f.rng.integers(len(inside))])
    path = space.route(np.array(stops), closed=True)
    laps = max(1, int(0.5 * carrying.mean_speed * seconds / float(arc_lengths(path)[-1])))
    return np.concatenate([path, *[path[1:]] * (laps - 1)])


def passers_by(f: Furnishing, space: FreeSpace, camera: Motion, seconds: float) -> list[Mover]:
    """Up to two people who walk through, never closer than 0.7 m to the camera."""
    movers: list[Mover] = []
    times = np.linspace(0, seconds, max(8, int(6 * seconds)))
    seen = np.array([camera(t)[[0, 2], 3] for t in times])
    for _ in range(f.rng.integers(0, 3)):
        for _ in range(3):
            points = space.points()
            path = space.route(points[f.rng.integers(len(points), size=int(f.rng.integers(2, 6)))])
            if len(path) < 20:
                continue
            motion = stroll_by(path, float(f.rng.uniform(0.6, 1.3)), float(f.rng.uniform(-2, 0.6 * seconds)))
            there = np.array([motion(t)[[0, 2], 3] for t in times])
            if np.linalg.norm(there - seen, axis=1).min() > 0.7:
                movers += people.walker(f.rng, f.palette, motion, 0.65)
                break
    return movers
