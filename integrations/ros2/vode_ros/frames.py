"""Axes of cameras, robots and the world: REP-103 (x forward, y left, z up) and REP-105 (map, odom, base)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

BODY_FROM_OPTICAL = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""takes points of a camera's optical axes (x right, y down, z forward) to REP-103's body axes at the same place"""


class Mounting(NamedTuple):
    """Where the camera is on what moves."""

    T_odom_start: np.ndarray
    """(4, 4) from the camera's axes at the first image to the axes of odom"""
    T_child_camera: np.ndarray
    """(4, 4) from the camera's axes to those of the child frame"""


CAMERA_ALONE = Mounting(BODY_FROM_OPTICAL, np.eye(4))
"""the child frame is the camera's optical frame; odom begins at the first camera, with x where it looks"""


def mounted(T_base_camera: np.ndarray) -> Mounting:
    """The child frame is a robot's base, where odom begins; (4, 4) takes points of the optical frame to the base."""
    return Mounting(T_base_camera, T_base_camera)


def rigid(T_b_a: np.ndarray) -> np.ndarray:
    """The rigid motion (4, 4) next to a matrix that has lost it by rounding: products of many single-precision ones."""
    motion = T_b_a.copy()
    motion[:3, :3] = Rotation.from_matrix(T_b_a[:3, :3]).as_matrix()
    return motion


def inverse(T_b_a: np.ndarray) -> np.ndarray:
    """T_a_b of a rigid motion (4, 4)."""
    T_a_b = np.eye(4)
    T_a_b[:3, :3], T_a_b[:3, 3] = T_b_a[:3, :3].T, -T_b_a[:3, :3].T @ T_b_a[:3, 3]
    return T_a_b


def skew(vector: np.ndarray) -> np.ndarray:
    """The matrix (3, 3) of the cross product with a vector (3,)."""
    x, y, z = vector
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


def adjoint(T_b_a: np.ndarray) -> np.ndarray:
    """What takes twists (velocity, then angular velocity) of frame a to frame b, both fixed to one body: (6, 6)."""
    rotation = T_b_a[:3, :3]
    zero = np.zeros((3, 3))
    return np.block([[rotation, skew(T_b_a[:3, 3]) @ rotation], [zero, rotation]])
