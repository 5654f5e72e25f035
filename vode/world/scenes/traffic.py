"""The route of the camera through an outdoor scene, and the traffic around it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from vode.world.mesh import Mesh
from vode.world.motions import pose
from vode.world.objects.people import walker
from vode.world.paths import Pace, Relief, Road, drive, follow, pace
from vode.world.scene import Motion, Mover
from vode.world.scenes.base import Site, Street, Wanted

BEHIND = 40.0
"""metres of road before the start"""


@dataclass(frozen=True)
class Route:
    """A road and how the camera moves along it."""

    road: Road
    travelled: Pace
    distance: float
    """metres that the camera travels"""
    start: float
    """where on the road it starts"""
    lateral: float
    """metres of the camera to the right of the road's middle"""
    wanted: Wanted

    def span(self, ahead: float) -> tuple[float, float]:
        """The part of the road to build: up to ``ahead`` metres beyond where the camera stops."""
        if self.road.closed:
            return 0.0, self.road.length
        return 0.0, min(self.start + self.distance + ahead, self.road.length)

    def camera(self, rng: np.random.Generator) -> Motion:
        """The motion of the camera."""
        return drive(
            rng, self.road, lateral=self.lateral, travelled=self.travelled, height=self.wanted.height, start=self.start
        )


def find_route(
    rng: np.random.Generator,
    wanted: Wanted,
    speed: tuple[float, float],
    *,
    radius: float,
    lateral: float,
    corners: int = 0,
    relief: Relief = Relief(),
) -> Route:
    """A road long enough for the speed and time that are wanted, or a loop if that is wanted.

    In the open, ``corners`` is how often the road turns off, at most. Without a wanted speed, each scene has a
    narrower range of speeds within ``speed``.
    """
    low, high = _usual(rng, speed) if wanted.speed is None else wanted.speed
    if wanted.closed:
        kind = "eight" if radius < 50 and rng.random() < 0.5 else "block"
        length = 0.97 * wanted.seconds * (low + high) / 2
        road = Road.closed_loop(rng, kind, length=length, radius=radius, relief=relief)
        travelled = pace(rng, (low, high), wanted.seconds, distance=road.length * 1.02 + 2.0)
        return Route(road, travelled, travelled(wanted.seconds), 0.0, lateral, wanted)
    stops = int(corners > 0 and wanted.speed is None and rng.random() < 0.25)
    travelled = pace(rng, (low, high), wanted.seconds, stops=stops)
    distance = travelled(wanted.seconds)
    road = Road.random(rng, BEHIND + distance + 400.0, radius=radius, corners=corners, relief=relief)
    return Route(road, travelled, distance, BEHIND, lateral, wanted)


def _usual(rng: np.random.Generator, speed: tuple[float, float]) -> tuple[float, float]:
    """A narrower range of speeds, as of one driver on one road."""
    width = 0.55 * (speed[1] - speed[0])
    low = rng.uniform(speed[0], speed[1] - width)
    return low, low + width


def oncoming(
    site: Site, route: Route, lateral: float, meshes: Callable[[], Mesh], *, gaps: tuple[float, float]
) -> list[Mover]:
    """Oncoming vehicles in the lane at ``lateral``, all at one speed."""
    speed = float(site.rng.uniform(0.7, 1.1) * max(route.distance / route.wanted.seconds, 5.0))
    return _lane(site, route, lateral, meshes, speed=-speed, gaps=gaps)


def alongside(
    site: Site, route: Route, lateral: float, meshes: Callable[[], Mesh], *, speed: float, gaps: tuple[float, float]
) -> list[Mover]:
    """Vehicles that drive in the same direction in another lane, all at one speed."""
    return _lane(site, route, lateral, meshes, speed=speed, gaps=gaps)


def ahead(route: Route, lateral: float, mesh: Mesh, *, gap: float, seconds: float) -> Mover:
    """A vehicle in front of the camera, at whose pace the camera follows ``seconds`` later."""
    front = float(mesh.vertices[:, 2].max() - mesh.vertices[:, 2].min()) / 2

    def travelled(time: float) -> float:
        return route.travelled(time + seconds)

    return Mover(mesh, follow(route.road, lateral=lateral, travelled=travelled, start=route.start + gap + front))


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


def _lane(
    site: Site, route: Route, lateral: float, meshes: Callable[[], Mesh], *, speed: float, gaps: tuple[float, float]
) -> list[Mover]:
    """Vehicles along one lane that the camera may meet in its time."""
    seconds = route.wanted.seconds
    first, last = sorted([route.start, route.start + route.distance])
    low, high = first - max(speed, 0.0) * seconds, last + max(-speed, 0.0) * seconds + 120
    if route.road.closed:
        low, high = 0.0, route.road.length - gaps[0]
    places = low + np.cumsum(site.rng.uniform(*gaps, int((high - low) / gaps[0]) + 1))
    movers = []
    times = np.arange(0.0, seconds + 0.2, 0.2)
    arcs = route.start + np.array([route.travelled(float(t)) for t in times])
    here, heading, _ = route.road.place(arcs, route.lateral)
    for start in places[places < high]:
        there, heading_there, _ = route.road.place(start + speed * times, lateral)
        distance = np.linalg.norm(there - here, axis=1)
        # where the road crosses itself, a vehicle must not be on the crossing with the camera
        crosses = np.abs(np.sin(heading - heading_there)) > 0.5
        if distance.min() < 150 and not (crosses & (distance < 10)).any():
            movers.append(Mover(meshes(), follow(route.road, lateral=lateral, travelled=speed, start=float(start))))
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
