"""A room with textured walls, filmed by a camera whose poses are known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

SIZE, FOCAL = (240, 320), 260.0
ROOM = np.array([4, 1.5, 4])
"""metres from its middle to its walls"""


def walls(seed: int = 0, size: int = 512) -> list[np.ndarray]:
    """A texture (size, size, 3) for each of the six sides."""
    generator = np.random.default_rng(seed)

    def layer(cell: int) -> np.ndarray:
        small = generator.uniform(-1, 1, (size // cell, size // cell, 3)).astype(np.float32)
        return cv2.resize(small, (size, size), interpolation=cv2.INTER_CUBIC)

    return [np.clip(128 + 64 * sum(map(layer, (4, 8, 16, 64))), 0, 255).astype(np.uint8) for _ in range(6)]


def render(walls: list[np.ndarray], T_room_cam: np.ndarray) -> np.ndarray:
    """The inside of the room, by the intersection of every pixel's ray with its walls."""
    height, width = SIZE
    v, u = np.mgrid[:height, :width]
    rays = np.stack([(u - (width - 1) / 2) / FOCAL, (v - (height - 1) / 2) / FOCAL, np.ones(SIZE)], -1)
    rays, origin = rays @ T_room_cam[:3, :3].T, T_room_cam[:3, 3]
    far = (np.sign(rays) * ROOM - origin) / rays
    axis, points = far.argmin(-1), origin + far.min(-1)[..., None] * rays
    image = np.zeros((*SIZE, 3), np.uint8)
    for k in range(3):
        along = [i for i in range(3) if i != k]
        x, y = (((points[..., i] / ROOM[i] + 1) / 2 * 511).astype(np.float32) for i in along)
        for side in (0, 1):
            here = (axis == k) & ((rays[..., k] > 0) == side)
            image[here] = cv2.remap(walls[2 * k + side], x, y, cv2.INTER_LINEAR)[here]
    return image


def poses(count: int, move: float = 4.0, turn: float = 1.0) -> np.ndarray:
    """Sideways through the room, by ``move`` metres, looking about by ``turn`` radians."""
    way = np.linspace(0, 1, count)
    T_room_cam = np.tile(np.eye(4), (count, 1, 1))
    angles = np.stack([turn * (0.5 - way), 0.1 * turn * np.sin(5 * way), 0.05 * turn * np.sin(7 * way)], -1)
    T_room_cam[:, :3, :3] = Rotation.from_euler("YXZ", angles).as_matrix()
    T_room_cam[:, :3, 3] = move * np.stack([way - 0.5, 0.05 * np.sin(6 * way), 0.2 * np.sin(3 * way)], -1)
    T_room_cam[:, 2, 3] -= 1.5
    return T_room_cam


def film(path: Path, images: Iterable[np.ndarray]) -> Path:
    """Write images (H, W, 3) as a video; the path's suffix is .avi."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10.0, SIZE[::-1])
    for image in images:
        writer.write(image)
    writer.release()
    return path
