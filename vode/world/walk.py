"""Cameras that are carried by hand: walking along a path, and sweeping around a thing.

Signals are drawn once and kept as splines, so that a motion is a pure function of time. Paths and angles are those of
``motions``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from vode.world.motions import arc_lengths, points_at, pose, rotations
from vode.world.scene import Motion

RATE = 40.0
"""samples a second of the signals"""
STRIDE = 0.68
"""length of a step in metres"""


@dataclass(frozen=True)
class Carrying:
    """How a person carries a camera."""

    speed: tuple[float, float] = (0.4, 1.2)
    """slowest and fastest, metres a second"""
    height: float = 1.5
    """metres above the floor, on average"""
    rise: float = 0.05
    """metres by which the height wanders"""
    look: tuple[float, float, float] = (0.6, 0.2, 0.08)
    """radians by which yaw, pitch and roll wander"""
    pitch: float = -0.15
    """radians above the horizon, on average"""
    bounce: float = 0.02
    """metres up and down with each step"""
    turning: float = 0.7
    """fastest rotation in radians a second: one walks slower where the camera turns more"""

    @property
    def mean_speed(self) -> float:
        """Halfway between slowest and fastest."""
        return 0.5 * (self.speed[0] + self.speed[1])


def walk(
    rng: np.random.Generator, path: np.ndarray, seconds: float, carrying: Carrying, *, closed: bool = False
) -> Motion:
    """The motion of a camera whose carrier walks along a path (N, 2), stops now and then, and looks around.

    ``closed``: the path ends where it starts, and the camera is back at its first pose after ``seconds``.
    """
    arc = arc_lengths(path)
    slow, fast = carrying.speed
    # what turns slow down is not known yet
    duration = min(arc[-1] / carrying.mean_speed, 0.6 * seconds) if closed else seconds
    t = np.linspace(0, duration, max(8, int(duration * RATE)))
    speed = 0.5 * (slow + fast) + 0.5 * (fast - slow) * wander(rng, t, 4.0)
    for _ in range(rng.poisson(duration / 15)):
        speed *= 1 - 0.92 * np.exp(-(((t - rng.uniform(0, duration)) / rng.uniform(0.6, 1.5)) ** 2))
    s = np.concatenate([[0.0], ((speed[1:] + speed[:-1]) / 2 * np.diff(t)).cumsum()])
    if closed or s[-1] > arc[-1]:
        s *= arc[-1] / s[-1]
    calm = _calm(t) if closed else np.ones_like(t)
    places = _eased(points_at(path, s), closed)
    yaw = _turned_gently(_heading(path, arc, s, closed), closed)
    steps = 2 * np.pi * s / STRIDE
    brisk = np.gradient(s, t).clip(0, 1)
    height = carrying.height + calm * (carrying.rise * wander(rng, t, 5.0) + brisk * carrying.bounce * np.cos(steps))
    sway = calm * brisk * carrying.bounce * np.cos(steps / 2)
    x, z = places[:, 0] + sway * np.cos(yaw), places[:, 1] - sway * np.sin(yaw)
    jolt = brisk * calm * 0.25 * carrying.bounce
    yaw = yaw + calm * carrying.look[0] * wander(rng, t, 3.0)
    pitch = carrying.pitch + calm * carrying.look[1] * wander(rng, t, 3.0) + jolt * np.sin(steps)
    roll = calm * carrying.look[2] * wander(rng, t, 2.5) + jolt * np.sin(steps / 2)
    return _motion(t, np.stack([x, -height, z, yaw, pitch, roll], 1), carrying.turning, seconds if closed else None)


def scan(
    rng: np.random.Generator,
    path: np.ndarray,
    target: tuple[float, float, float],
    seconds: float,
    carrying: Carrying,
    *,
    closed: bool = False,
) -> Motion:
    """The motion of a camera that is moved to and fro along a path (N, 2) and kept on a target (x, height, z).

    ``closed``: the camera is back at its first pose after ``seconds``, and goes only as far as it can in this time.
    """
    arc = arc_lengths(path)
    t = np.linspace(0, seconds, max(8, int(seconds * RATE)))
    mean, calm = carrying.mean_speed, _calm(t) if closed else np.ones_like(t)
    rise, *drift = (calm * reach * wander(rng, t, 3.0) for reach in (carrying.rise, 0.5, 0.2, 0.5))
    look = (
        calm
        * np.array(carrying.look)[:, None]
        * [0.5 * wander(rng, t, 2.5), 0.5 * wander(rng, t, 2.5), wander(rng, t, 2.5)]
    )
    if closed:
        reach = min(float(arc[-1]), mean * seconds / np.pi)
        turns = max(1, int(mean * seconds / max(2 * reach, 0.5)))
        travelled = reach * (0.5 - 0.5 * np.cos(2 * np.pi * turns * t / seconds))
    else:
        phase = 2 * mean * t / max(arc[-1], 0.5) + np.pi * rng.random() + 0.5 / max(1.0, arc[-1]) * wander(rng, t, 4.0)
        travelled = arc[-1] * (0.5 - 0.5 * np.cos(phase))

    def signals(fraction: float) -> np.ndarray:
        x, z = gaussian_filter1d(points_at(path, fraction * travelled), 6.0, axis=0, mode="nearest").T
        height = carrying.height + fraction * rise
        to = [target[k] + fraction * drift[k] for k in range(3)]
        yaw, pitch = (
            np.unwrap(np.arctan2(to[0] - x, to[2] - z)),
            np.arctan2(to[1] - height, np.hypot(to[0] - x, to[2] - z)),
        )
        angles = [yaw + fraction * look[0], pitch.clip(-1.1, 0.4) + fraction * look[1], fraction * look[2]]
        return np.stack([x, -height, z, *angles], 1)

    values, fraction = signals(1.0), 1.0
    while closed and fraction > 0.05 and _times(t, values, carrying.turning)[-1] > 1.02 * seconds:
        fraction *= 0.7
        values = signals(fraction)
    return _motion(t, values, carrying.turning, seconds if closed else None)


def stroll_by(path: np.ndarray, speed: float, start: float) -> Motion:
    """The motion (map-from-body) of a person who walks along a path (N, 2) from time ``start`` and stops at its end."""
    arc = arc_lengths(path)
    yaw = _heading(path, arc, arc, False)

    def motion(time: float) -> np.ndarray:
        s = min(max(speed * (time - start), 0.0), float(arc[-1]))
        x, z, turned = (float(np.interp(s, arc, line)) for line in (*path.T, yaw))
        return pose(np.array([x, 0.0, z]), turned)

    return motion


def wander(rng: np.random.Generator, t: np.ndarray, period: float) -> np.ndarray:
    """A smooth random signal (T,) within -1..1, of waves no shorter than ``period`` seconds."""
    periods = period * rng.uniform(1.0, 3.5, 4)
    waves = np.sin(2 * np.pi * (t[:, None] / periods + rng.random(4)))
    return waves @ np.array([0.35, 0.3, 0.2, 0.15])


def _mode(closed: bool) -> Literal["wrap", "nearest"]:
    """How filters go on beyond the ends of a signal."""
    return "wrap" if closed else "nearest"


def _calm(t: np.ndarray) -> np.ndarray:
    """0 at both ends, 1 from two seconds, or a quarter of the time, after and before them."""
    ramp = (np.minimum(t, t[-1] - t) / min(2.0, 0.25 * t[-1])).clip(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _eased(places: np.ndarray, closed: bool) -> np.ndarray:
    """Positions over time without the corners of their polyline."""
    if not closed:
        return gaussian_filter1d(places, 3.0, axis=0, mode="nearest")
    ring = gaussian_filter1d(places[:-1], 3.0, axis=0, mode="wrap")
    return np.concatenate([ring, ring[:1]])


def _heading(path: np.ndarray, arc: np.ndarray, s: np.ndarray, closed: bool) -> np.ndarray:
    """Yaw (T,) of the path at arc lengths, smoothed over a metre of it."""
    steps = np.gradient(path, axis=0)
    if closed:
        steps[0] = steps[-1] = path[1] - path[-2]
    steps /= np.linalg.norm(steps, axis=1, keepdims=True).clip(1e-9)
    ahead = 0.4 / max(arc[-1] / len(path), 1e-6)
    ring = gaussian_filter1d(steps[:-1] if closed else steps, ahead, axis=0, mode=_mode(closed))
    ring = np.concatenate([ring, ring[:1]]) if closed else ring
    return np.interp(s, arc, np.unwrap(np.arctan2(ring[:, 0], ring[:, 1])))


def _turned_gently(yaw: np.ndarray, closed: bool) -> np.ndarray:
    """Unwrapped angles (T,) over time, smoothed over a second."""
    if not closed:
        return gaussian_filter1d(yaw, 0.45 * RATE, mode="nearest")
    trend = np.linspace(yaw[0], yaw[-1], len(yaw))
    ring = gaussian_filter1d((yaw - trend)[:-1], 0.45 * RATE, mode="wrap")
    return trend + np.concatenate([ring, ring[:1]])


def _motion(t: np.ndarray, values: np.ndarray, turning: float, seconds: float | None) -> Motion:
    """The motion of signals (T, 6), slowed down where it turns faster than ``turning``, or to last ``seconds``."""
    time = _times(t, values, turning)
    if seconds is not None:
        time *= seconds / time[-1]
    spline = CubicSpline(time, values)
    last = float(time[-1])

    def motion(time_now: float) -> np.ndarray:
        now = spline(min(max(time_now, 0.0), last))
        return pose(now[:3], *now[3:])

    return motion


def _times(t: np.ndarray, values: np.ndarray, turning: float) -> np.ndarray:
    """When signals (T, 6) pass, if nothing may turn faster than ``turning`` radians a second: (T,)."""
    step = np.diff(t)
    turned = np.linalg.norm(np.diff(rotations(values[:, 3:]), axis=0), axis=(1, 2)) / np.sqrt(2)
    slower = np.maximum(1.0, 1.1 * turned / step / turning)
    slower = gaussian_filter1d(maximum_filter1d(slower, 11, mode="nearest"), 3.0, mode="nearest")
    return np.concatenate([[0.0], (step * slower).cumsum()])
