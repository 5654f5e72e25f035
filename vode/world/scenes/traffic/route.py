"""The road of an outdoor scene, and how the camera moves along it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vode.world.paths import Pace, Relief, Road, drive, pace
from vode.world.scene import Motion
from vode.world.scenes.base import Wanted

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
