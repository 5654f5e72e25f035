"""Vehicles in the lanes around the camera: that flow, or that queue."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vode.world.mesh import Mesh
from vode.world.paths import follow
from vode.world.scene import Mover
from vode.world.scenes.base import Site
from vode.world.scenes.traffic.route import Route


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
