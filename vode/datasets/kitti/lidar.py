"""KITTI raw: calibration of a date, lidar scans, and the depth maps that they make."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from vode.cameras.kitti import LidarCalibration
from vode.errors import InputError
from vode.io.files import read_bytes


def read_velodyne(path: Path | str) -> Tensor:
    """The points (N, 3) float32 of a scan, metres: x forward, y left, z up. InputError if it is cut short."""
    data = read_bytes(path)
    if not data or len(data) % 16:
        raise InputError(f"{path}: {len(data)} bytes are no whole number of lidar points (4 floats); copy it again")
    return torch.from_numpy(np.frombuffer(data, "<f4").reshape(-1, 4)[:, :3].copy())


LidarAxis = Literal["z", "x"]
"""what of a lidar point is its depth: z of the camera, or x of the lidar"""


def velodyne_depth(
    points: Tensor, calibration: LidarCalibration, size: tuple[int, int], *, axis: LidarAxis = "z"
) -> Tensor:
    """Camera z (1, H, W) of lidar points (N, 3) in an image of ``size``, 0 = none; the nearest point wins.

    With the ``axis`` "x" it is the lidar's x, forward, as in the ground truth that is published with Monodepth2.

    Eigen et al., NIPS 2014. Pixels are rounded and moved by one, as in every published evaluation since:
    KITTI's projections count pixels from 1.
    """
    ahead = points[points[:, 0] >= 0].double()
    in_camera = calibration.T_rect_velo[:3, :3] @ ahead.T + calibration.T_rect_velo[:3, 3:]
    projected = calibration.projection[:, :3] @ in_camera + calibration.projection[:, 3:]
    z = projected[2]
    column, row = (projected[:2] / z).round().sub(1)
    height, width = size
    inside = (z > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = (row * width + column)[inside].long()
    nearest = torch.full((height * width,), torch.inf, dtype=torch.float64)
    depth = z if axis == "z" else ahead[:, 0]
    nearest = nearest.scatter_reduce(0, index, depth[inside], "amin")
    return torch.where(nearest.isfinite(), nearest, 0.0).view(1, height, width).float()
