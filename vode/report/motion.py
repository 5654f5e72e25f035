"""What a path says over time: speed, height and angles."""

from __future__ import annotations

import numpy as np

SPEED_WINDOW = 0.5
"""seconds that a speed is measured over"""


def speed(positions: np.ndarray, times: np.ndarray, *, window: float = SPEED_WINDOW) -> np.ndarray:
    """Speed (N,) at each frame: the length of the path within ``window`` seconds around it, over the time it takes.

    ``positions`` (N, 3), ``times`` (N,) not decreasing. Of one frame, or where no time passes, it is NaN.
    """
    if len(positions) < 2:
        return np.full(len(positions), np.nan)
    path = np.concatenate([[0.0], np.linalg.norm(np.diff(positions, axis=0), axis=1).cumsum()])
    # A frame is compared with its neighbours at least, however far apart they are.
    half = window / 2 * (1 + 1e-9)
    place = np.arange(len(times))
    first = np.minimum(np.searchsorted(times, times - half), np.maximum(place - 1, 0))
    last = np.searchsorted(times, times + half, side="right") - 1
    last = np.maximum(last, np.minimum(place + 1, len(times) - 1))
    duration = times[last] - times[first]
    return np.divide(path[last] - path[first], duration, out=np.full(len(times), np.nan), where=duration > 0)


def height(positions: np.ndarray) -> np.ndarray:
    """Height (N,) above the first camera, along the axis that was up in its image; ``positions`` (N, 3)."""
    return -positions[:, 1]


def angles(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Yaw to the right, pitch upwards and roll clockwise (N,) each, degrees, of world-from-camera poses (N, 4, 4).

    Rotation = Y(yaw) X(pitch) Z(roll) in axes x right, y down, z forward. Yaw is continuous: two full turns to the
    right are 720.
    """
    forward = poses[:, :3, 2]
    yaw = np.unwrap(np.arctan2(forward[:, 0], forward[:, 2]))
    pitch = np.arcsin(np.clip(-forward[:, 1], -1, 1))
    roll = np.arctan2(poses[:, 1, 0], poses[:, 1, 1])
    return np.degrees(yaw), np.degrees(pitch), np.degrees(roll)
