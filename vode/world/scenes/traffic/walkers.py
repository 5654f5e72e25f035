"""People who walk along streets and across them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from vode.world.motions import pose
from vode.world.objects.people import walker
from vode.world.paths import Road, follow
from vode.world.scene import Motion, Mover
from vode.world.scenes.base import Site, Street
from vode.world.scenes.traffic.route import Route


def crossing(site: Site, route: Route, street: Street, count: int, vehicles: Iterable[Mover] = ()) -> list[Mover]:
    """People who cross the street some way ahead of the camera, clear of it and of ``vehicles``."""
    rng, movers = site.rng, []
    for time in rng.uniform(0.0, 0.9, count) * route.wanted.seconds:
        arc = route.start + route.travelled(float(time)) + rng.uniform(16, 45)
        side, speed = float(rng.choice([-1.0, 1.0])), float(rng.uniform(1.1, 1.7))
        path = _across(street.road, float(arc), side * (street.kerb + 1.5), -side * speed, float(time))
        times = time + np.arange(0.0, 2 * (street.kerb + 1.5) / speed, 0.4)
        walked = np.array([path(float(t))[:3, 3] for t in times])
        arcs = route.start + np.array([route.travelled(float(t)) for t in times])
        met = [
            route.road.place(arcs, route.lateral)[0],
            *([v.motion(float(t))[:3, 3] for t in times] for v in vehicles),
        ]
        if min(np.linalg.norm(np.array(other) - walked, axis=1).min() for other in met) > 3.5:
            movers += _walk(site, path)
    return movers


def strollers(site: Site, route: Route, street: Street, count: int) -> list[Mover]:
    """People who walk along the pavements."""
    rng, movers = site.rng, []
    for _ in range(count):
        lateral = float(rng.choice([-1, 1]) * (street.kerb + rng.uniform(0.3, 0.8) * street.pavement))
        speed = float(rng.choice([-1, 1]) * rng.uniform(0.9, 1.6))
        start = route.start + float(rng.uniform(5, route.distance + 40))
        arcs = start + speed * np.linspace(0, route.wanted.seconds, 20)
        points = street.road.place(arcs, lateral)[0][:, [0, 2]]
        if (site.beyond(points, "kerb") > 0.2).all():
            base = follow(street.road, lateral=lateral, travelled=speed, start=start)
            movers += _walk(site, _raised(base, float(street.rise(np.array(lateral)))))
    return movers


def _across(road: Road, arc: float, lateral: float, speed: float, since: float) -> Motion:
    """The motion of a person who walks across a road from ``lateral`` at time ``since``."""

    def motion(time: float) -> np.ndarray:
        moved = lateral + speed * float(np.clip(time - since, 0.0, 2 * abs(lateral) / abs(speed)))
        position, heading, _ = road.place(arc, moved)
        return pose(position, float(heading) + math.copysign(math.pi / 2, speed))

    return motion


def _raised(motion: Motion, height: float) -> Motion:
    def raised(time: float) -> np.ndarray:
        matrix = motion(time)
        matrix[1, 3] -= height
        return matrix

    return raised


def _walk(site: Site, path: Motion) -> list[Mover]:
    step = float(site.rng.uniform(0.6, 0.8))
    return walker(site.rng, site.palette, path, step)
