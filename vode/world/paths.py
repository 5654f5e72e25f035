"""Roads of the built-in world, and how cameras and cars move along them.

A heading is an angle in radians from z (ahead) towards x (right), as ``mesh.place`` turns; heights are metres upwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from vode.world.motions import arc_lengths, points_at, pose
from vode.world.scene import Motion

STEP = 0.5
"""metres between the points that a road's middle is interpolated through"""

Pace = Callable[[float], float]
"""Time in seconds -> metres travelled since time 0; never decreases"""


@dataclass(frozen=True)
class Relief:
    """How the land rises and falls: a sum of long waves, the same for the road and what lies beside it."""

    waves: tuple[tuple[float, float, float, float], ...] = ()
    """radians per metre in x and in z, phase in radians, and amplitude in metres of each"""

    @classmethod
    def random(cls, rng: np.random.Generator, slope: float) -> Relief:
        """Hills 200 to 700 metres long that are nowhere steeper than ``slope`` (rise over run)."""
        waves = []
        for length in rng.uniform(200, 700, 4):
            direction, wave = rng.uniform(0, 2 * math.pi), 2 * math.pi / length
            height = slope / 4 / wave
            waves.append((wave * math.cos(direction), wave * math.sin(direction), rng.uniform(0, 2 * math.pi), height))
        return cls(tuple(waves))

    def height(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Height (...) in metres at points of the map."""
        total = np.zeros(np.broadcast(x, z).shape)
        for wave_x, wave_z, phase, height in self.waves:
            total += height * np.sin(wave_x * np.asarray(x) + wave_z * np.asarray(z) + phase)
        return total


class Road:
    """A smooth curve on the ground, parametrised by metres along it; a closed one is periodic."""

    def __init__(self, points: np.ndarray, *, closed: bool = False, relief: Relief = Relief()) -> None:
        """``points`` are (N, 2) map x and z about ``STEP`` apart; the last one of a closed road is not its first."""
        if closed:
            points = np.concatenate([points, points[:1]])
        arc = arc_lengths(points)
        self.closed, self.relief, self.length = closed, relief, float(arc[-1])
        self._curve = CubicSpline(arc, points, bc_type="periodic" if closed else "natural")
        self._direction = self._curve.derivative()

    @classmethod
    def random(
        cls,
        rng: np.random.Generator,
        length: float,
        *,
        radius: float,
        corners: int = 0,
        relief: Relief = Relief(),
    ) -> Road:
        """An open road that starts ahead from the origin; no bend is tighter than ``radius`` metres.

        It sways gently, and turns off sharply ``corners`` times; it does not come back to where it was.
        """
        arc = np.arange(0.0, length + STEP, STEP)
        curvature = _gentle_bends(rng, arc, radius if corners == 0 else 5 * radius)
        turned, place = 0.0, rng.uniform(50, 110)
        for _ in range(corners):
            angle = rng.uniform(1.0, 1.7) * (-np.sign(turned) if abs(turned) > 0.5 else rng.choice([-1.0, 1.0]))
            sharp = (1 / radius - 1 / (5 * radius)) / rng.uniform(1.0, 1.6)
            half = abs(angle) / sharp
            inside = np.clip((arc - place) / half, -1, 1)
            curvature = curvature + np.sign(angle) * sharp * 0.5 * (1 + np.cos(math.pi * inside))
            turned, place = turned + angle, place + half + rng.uniform(70, 150)
        heading = np.cumsum(curvature) * STEP
        points = np.cumsum(np.stack([np.sin(heading), np.cos(heading)], 1), axis=0) * STEP
        return cls(points, relief=relief)

    @classmethod
    def through(cls, corners: np.ndarray, *, radius: float, closed: bool = False, relief: Relief = Relief()) -> Road:
        """A road along straight lines between ``corners`` (N, 2), rounded by ``radius`` metres or wider."""
        points = _rounded(np.asarray(corners, float), radius * 1.05, closed)
        smooth = gaussian_filter1d(points, min(0.2 * radius, 8.0) / STEP, axis=0, mode="wrap" if closed else "nearest")
        return cls(smooth, closed=closed, relief=relief)

    @classmethod
    def closed_loop(
        cls,
        rng: np.random.Generator,
        kind: str,
        *,
        length: float,
        radius: float,
        relief: Relief = Relief(),
    ) -> Road:
        """A loop of at least 500 and about ``length`` metres: around a "block", or an "eight" that crosses itself."""
        length = max(length, 560.0, (9.0 if kind == "block" else 28.0) * radius)
        if kind == "block":
            least = float(np.clip(2.1 * radius / (length / 2), 0.36, 0.49))
            width = length / 2 * rng.uniform(least, 1 - least)
            corners = np.array([[0, 0], [0, length / 2 - width], [width, length / 2 - width], [width, 0.0]])
            room = min(width, length / 2 - width) - 2.1 * radius
            corners += min(0.03 * length, max(room / 6, 0.0)) * rng.uniform(-1, 1, corners.shape)
        else:
            first, right, left = length / 2 * rng.uniform(0.4, 0.6), *rng.uniform(0.4, 0.6, 2)
            second = length / 2 - first
            a, b, c, d = first * right, first * (1 - right), second * left, second * (1 - left)
            corners = np.array([[0, a], [b, a], [b, 0], [-c, 0], [-c, -d], [0.0, -d]])
        turn, sides = rng.uniform(0, 2 * math.pi), np.linalg.norm(np.roll(corners, -1, 0) - corners, axis=1)
        rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
        corners = corners * [rng.choice([-1.0, 1.0]), 1.0] @ rotation
        wider = max(radius, min(radius * rng.uniform(1.0, 1.5), 0.4 * sides.min()))
        road = cls.through(corners, radius=wider, closed=True, relief=relief)
        if road.length < 505:  # round corners cut it short
            road = cls.through(corners * (510 / road.length), radius=wider, closed=True, relief=relief)
        return road

    def place(self, arc: np.ndarray | float, lateral: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions (..., 3) on the ground ``lateral`` metres right of the middle, headings and slopes (...).

        The slope is the rise of the road along it. Beyond its ends an open road goes on straight.
        """
        arc, lateral = np.broadcast_arrays(np.asarray(arc, float), np.asarray(lateral, float))
        inside = arc % self.length if self.closed else np.clip(arc, 0.0, self.length)
        ahead = self._direction(inside)
        ahead /= np.linalg.norm(ahead, axis=-1, keepdims=True)
        sideways = np.stack([ahead[..., 1], -ahead[..., 0]], -1)
        beyond = 0.0 if self.closed else arc - inside
        x, z = np.moveaxis(
            self._curve(inside) + sideways * lateral[..., None] + ahead * np.expand_dims(beyond, -1), -1, 0
        )
        height = self.relief.height(x, z)
        slope = self.relief.height(x + ahead[..., 0] / 2, z + ahead[..., 1] / 2) - self.relief.height(
            x - ahead[..., 0] / 2, z - ahead[..., 1] / 2
        )
        return np.stack([x, -height, z], -1), np.arctan2(ahead[..., 0], ahead[..., 1]), slope


def pace(
    rng: np.random.Generator,
    speed: tuple[float, float],
    seconds: float,
    *,
    stops: int = 0,
    distance: float | None = None,
) -> Pace:
    """A pace whose speed changes smoothly within bounds, and falls to 0 for a few seconds ``stops`` times.

    With ``distance``, so many metres are travelled after ``seconds`` where the bounds allow it.
    """
    low, high = speed
    times = np.arange(-2.0, seconds + 4.0, 0.02)
    wave = sum(a * np.sin(2 * math.pi * times / p + q) for a, p, q in _waves(rng, (0.6, 0.4), (9.0, 30.0)))
    if distance is None:
        middle, swing = rng.uniform(0.35, 0.65), 0.35
    else:
        middle = float(np.clip((distance / seconds - low) / max(high - low, 1e-9), 0.0, 1.0))
        swing = min(middle, 1 - middle, 0.35)
    values = low + (high - low) * (middle + swing * np.asarray(wave))
    for _ in range(stops):
        start, stand = rng.uniform(0.1, 0.6) * seconds, rng.uniform(2.0, 5.0)
        away = np.maximum(np.abs(times - start - stand / 2) - stand / 2, 0.0)
        values = values * np.clip(away / 4.0, 0, 1) ** 2 * (3 - 2 * np.clip(away / 4.0, 0, 1))
    travelled = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * 0.02)])
    travelled -= np.interp(0.0, times, travelled)
    if distance is not None and stops == 0:
        scale = distance / float(np.interp(seconds, times, travelled))
        fits = low <= values.min() * scale and values.max() * scale <= high
        travelled = travelled * (scale if fits else 1.0)

    def metres(time: float) -> float:
        before, after = min(time - times[0], 0.0), max(time - times[-1], 0.0)
        return float(np.interp(time, times, travelled) + before * values[0] + after * values[-1])

    return metres


def drive(
    rng: np.random.Generator, road: Road, *, lateral: float, travelled: Pace, height: float, start: float = 0.0
) -> Motion:
    """The motion of a camera on a car: it wanders in its lane, sways and bounces; it is mounted a little askew.

    ``travelled`` are the metres from ``start`` along the road that the car has made. The sway comes with the road below
    the wheels, so that a car that stands is still, and one that goes around a loop again sways again.
    """
    mean = max((travelled(20.0) - travelled(0.0)) / 20.0, 0.7)

    def sway(most: float, count: int, seconds: tuple[float, float]) -> Waves:
        waves = _waves(rng, rng.uniform(0.3, 1.0, count) * most, (seconds[0] * mean, seconds[1] * mean))
        if not road.closed:
            return waves
        return [(a, road.length / max(round(road.length / length), 1), phase) for a, length, phase in waves]

    wander, bounce = sway(0.10, 3, (8.0, 25.0)), sway(0.009, 3, (0.7, 2.0))
    pitch, roll, yaw = sway(0.0035, 3, (0.8, 4.0)), sway(0.003, 3, (0.8, 4.0)), sway(0.0015, 2, (2.0, 6.0))
    mount_pitch, mount_roll, mount_yaw = rng.uniform(-1, 1, 3) * (0.06, 0.03, 0.03)

    def motion(time: float) -> np.ndarray:
        metres = travelled(time)
        position, heading, slope = road.place(start + metres, lateral + _sum(wander, metres))
        drift = (_sum(wander, metres + 0.1) - _sum(wander, metres - 0.1)) / 0.2
        return pose(
            position - [0.0, height + _sum(bounce, metres), 0.0],
            float(heading) + drift + _sum(yaw, metres) + mount_yaw,
            math.atan(float(slope)) + _sum(pitch, metres) + mount_pitch,
            _sum(roll, metres) + mount_roll,
        )

    return motion


def follow(road: Road, *, lateral: float, travelled: Pace | float, start: float = 0.0) -> Motion:
    """The motion of a car on the road; ``travelled`` is its pace, or metres a second, negative for an oncoming car."""

    def motion(time: float) -> np.ndarray:
        metres = travelled * time if isinstance(travelled, float | int) else travelled(time)
        position, heading, slope = road.place(start + metres, lateral)
        backwards = isinstance(travelled, float | int) and travelled < 0
        return pose(position, float(heading) + math.pi * backwards, math.atan(float(slope)) * (1 - 2 * backwards))

    return motion


def _gentle_bends(rng: np.random.Generator, arc: np.ndarray, radius: float) -> np.ndarray:
    """Curvatures (N,) of a road that sways about a straight line, at most 1 / radius."""
    scale = max(radius, 60.0)
    curvature = np.zeros_like(arc)
    for fraction, length, phase in _waves(rng, rng.uniform(0.1, 0.33, 3), (2.0 * scale, 7.0 * scale)):
        most = 0.25 * 2 * math.pi / length  # so that each wave turns the heading by .25 at most
        curvature += min(fraction / radius, most) * np.sin(2 * math.pi * arc / length + phase)
    return curvature


def _rounded(corners: np.ndarray, radius: float, closed: bool) -> np.ndarray:
    """Points (N, 2) about ``STEP`` apart along lines between corners, which are replaced by arcs."""
    pieces = [] if closed else [corners[:1]]
    for k in range(0 if closed else 1, len(corners) - (0 if closed else 1)):
        before, here, after = corners[k - 1], corners[k], corners[(k + 1) % len(corners)]
        incoming, outgoing = here - before, after - here
        incoming, outgoing = incoming / np.linalg.norm(incoming), outgoing / np.linalg.norm(outgoing)
        cross = incoming[0] * outgoing[1] - incoming[1] * outgoing[0]
        angle = math.acos(float(np.clip(incoming @ outgoing, -1, 1)))
        start = here - incoming * radius * math.tan(angle / 2)
        turned = np.linspace(0, angle, max(math.ceil(radius * angle / STEP), 2))[:, None]
        inwards = np.array([-incoming[1], incoming[0]]) * np.sign(cross)
        pieces.append(start + radius * (np.sin(turned) * incoming + (1 - np.cos(turned)) * inwards))
    pieces += [] if closed else [corners[-1:]]
    points = np.concatenate([*pieces, pieces[0][:1]] if closed else pieces)
    length = arc_lengths(points)[-1]
    return points_at(points, np.linspace(0, length, math.ceil(length / STEP) + 1)[: -1 if closed else None])


Waves = list[tuple[float, float, float]]


def _waves(rng: np.random.Generator, amplitudes: np.ndarray | tuple[float, ...], lengths: tuple[float, float]) -> Waves:
    """(amplitude, length, phase) of a sine for each amplitude."""
    return [(float(a), rng.uniform(*lengths), rng.uniform(0, 2 * math.pi)) for a in amplitudes]


def _sum(waves: Waves, at: float) -> float:
    return sum(a * math.sin(2 * math.pi * at / length + phase) for a, length, phase in waves)
