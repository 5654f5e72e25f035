"""What motions are made of: lines of points on the ground, rotations and poses.

A path is a line of points (N, 2), x and z of the map. Yaw turns from z (ahead) towards x (right), pitch is upwards,
roll is clockwise as seen from behind; all in radians.
"""

from __future__ import annotations

import numpy as np


def arc_lengths(path: np.ndarray) -> np.ndarray:
    """Metres (N,) from the start of a path (N, 2) to each of its points."""
    return np.concatenate([[0.0], np.linalg.norm(np.diff(path, axis=0), axis=1).cumsum()])


def points_at(path: np.ndarray, arcs: np.ndarray) -> np.ndarray:
    """Points (M, 2) of a path (N, 2) at ``arcs`` (M,) metres from its start."""
    known = arc_lengths(path)
    return np.stack([np.interp(arcs, known, path[:, k]) for k in range(2)], 1)


def resampled(path: np.ndarray, step: float) -> np.ndarray:
    """The path (M, 2) along the same line with points about ``step`` metres apart."""
    length = arc_lengths(path)[-1]
    if length < 1e-6:
        return path[:1]
    return points_at(path, np.linspace(0, length, max(2, round(length / step) + 1)))


def rotations(angles: np.ndarray) -> np.ndarray:
    """Map-from-body rotations (..., 3, 3) of yaw, pitch and roll (..., 3)."""
    (cy, cp, cr), (sy, sp, sr) = np.moveaxis(np.cos(angles), -1, 0), np.moveaxis(np.sin(angles), -1, 0)
    rows = [
        [cy * cr + sy * sp * sr, sy * sp * cr - cy * sr, sy * cp],
        [cp * sr, cp * cr, -sp],
        [cy * sp * sr - sy * cr, sy * sr + cy * sp * cr, cy * cp],
    ]
    return np.moveaxis(np.array(rows), (0, 1), (-2, -1))


def pose(position: np.ndarray, yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Map-from-body pose (4, 4) of a body at a position (3,) of the map."""
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotations(np.array([yaw, pitch, roll], float)), position
    return matrix
