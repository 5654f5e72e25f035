"""Vehicles bumper to bumper, which stand, or creep and stop."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from vode.world.mesh import Mesh
from vode.world.paths import Pace, follow
from vode.world.scene import Mover
from vode.world.scenes.base import Site, Street
from vode.world.scenes.traffic.route import Route

AHEAD, BACK = 60.0, 20.0
"""metres of a moving queue before and behind the camera; what is farther away stands or is hidden"""


def queue(
    site: Site,
    route: Route,
    lateral: float,
    meshes: Callable[[], Mesh],
    *,
    travelled: Pace,
    space: float = 0.0,
) -> list[Mover]:
    """Vehicles of one lane that all move at one pace, each about a car's length behind the one before.

    In the lane of the camera, the queue begins ``space`` metres ahead of it.
    """
    # a lane that is faster than the camera must begin farther behind, a slower one end farther ahead
    lead = travelled(route.wanted.seconds) - route.distance
    first = route.start - BACK - max(lead, 0.0)
    last = route.start + AHEAD - min(lead, 0.0)
    start = route.start + space if space else first + float(site.rng.uniform(-12.0, 0.0))
    places = _filled(site, (start, last), meshes)
    movers = []
    for arc, mesh in places:
        off = float(site.rng.normal(0, 0.12))
        movers.append(Mover(mesh, follow(route.road, lateral=lateral + off, travelled=travelled, start=arc)))
    return movers


def standing(
    site: Site, street: Street, lateral: float, meshes: Callable[[], Mesh], span: tuple[float, float], *, back: bool
) -> None:
    """Vehicles of one lane that stand along a span of the street; ``back`` is against its direction."""
    places = _filled(site, (max(span[0], street.span[0]), min(span[1], street.span[1] - 20.0)), meshes)
    arcs = np.array([arc for arc, _ in places])
    turn = (math.pi if back else 0.0) + site.rng.normal(0, 0.01, len(arcs))
    laterals = lateral + site.rng.normal(0, 0.12, len(arcs))
    site.row(street, [mesh for _, mesh in places], arcs, laterals, turn=turn, margin=-1000.0)


def delayed(route: Route, seconds: float, factor: float) -> Pace:
    """The camera's pace as another lane has it: ``seconds`` later and so many times as fast."""
    since = route.travelled(-seconds)

    def travelled(time: float) -> float:
        return factor * (route.travelled(time - seconds) - since)

    return travelled


def _filled(site: Site, span: tuple[float, float], meshes: Callable[[], Mesh]) -> list[tuple[float, Mesh]]:
    """Vehicles end to end along a span, with gaps of 1 to 4 metres, and now and then a wider one."""
    made, arc, rng = [], span[0], site.rng
    while arc < span[1]:
        mesh = meshes()
        half = float(np.ptp(mesh.vertices[:, 2])) / 2
        made.append((arc + half, mesh))
        arc += 2 * half + float(rng.uniform(1.2, 4.0) if rng.random() < 0.85 else rng.uniform(4.0, 14.0))
    return made
