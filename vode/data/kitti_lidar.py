"""KITTI raw: calibration of a date, lidar scans, and the depth maps that they make."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.data.files import read_bytes
from vode.data.text import read_lines
from vode.errors import InputError

CALIBRATION_FILES = ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt")
IMU_FILE = "calib_imu_to_velo.txt"


class LidarCalibration(NamedTuple):
    """Of one date and one camera, float64."""

    projection: Tensor
    """P_rect (3, 4), pixels of the rectified image"""
    T_rect_velo: Tensor
    """(4, 4), metres: lidar points to the rectified camera 0"""


def read_lidar_calibration(folder: Path, camera: int) -> LidarCalibration:
    """The calibration of a date's folder: P_rect_0c, R_rect_00 and T_velo_cam."""
    cameras, lidar = (folder / name for name in CALIBRATION_FILES)
    T_rect_cam = torch.eye(4, dtype=torch.float64)
    T_rect_cam[:3, :3] = _entry(cameras, "R_rect_00", (3, 3))
    return LidarCalibration(read_projection(cameras, camera), T_rect_cam @ read_transform(lidar))


def read_projection(path: Path, camera: int) -> Tensor:
    """P_rect_0c (3, 4) float64, pixels, of a calib_cam_to_cam file."""
    return _entry(path, f"P_rect_{camera:02d}", (3, 4))


def read_transform(path: Path) -> Tensor:
    """The rigid transform (4, 4) float64 that R: and T: of a calibration file make."""
    transform = torch.eye(4, dtype=torch.float64)
    transform[:3, :3], transform[:3, 3] = _entry(path, "R", (3, 3)), _entry(path, "T", (3,))
    return transform


def read_velodyne(path: Path | str) -> Tensor:
    """The points (N, 3) float32 of a scan, metres: x forward, y left, z up. InputError if it is cut short."""
    data = read_bytes(path)
    if not data or len(data) % 16:
        raise InputError(f"{path}: {len(data)} bytes are no whole number of lidar points (4 floats); copy it again")
    return torch.from_numpy(np.frombuffer(data, "<f4").reshape(-1, 4)[:, :3].copy())


def velodyne_depth(points: Tensor, calibration: LidarCalibration, size: tuple[int, int]) -> Tensor:
    """Camera z (1, H, W) of lidar points (N, 3) in an image of ``size``, 0 = none; the nearest point wins.

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
    nearest = nearest.scatter_reduce(0, index, z[inside], "amin")
    return torch.where(nearest.isfinite(), nearest, 0.0).view(1, height, width).float()


def _entry(path: Path, key: str, shape: tuple[int, ...]) -> Tensor:
    """The numbers behind ``key:`` in a calibration file."""
    # Here, because it brings pandas along, which takes half a second.
    from pykitti.utils import read_calib_file

    lines, count = read_lines(path), int(np.prod(shape))
    try:
        values = read_calib_file(path).get(key)
    except (ValueError, OSError):
        values = None
    if values is None or values.size != count or not np.isfinite(values).all():
        number = next((n for n, line in enumerate(lines, start=1) if line.partition(":")[0].strip() == key), None)
        if number is None:
            raise InputError(f"{path}: no line {key}:; copy the calibration of this date again")
        raise InputError(f"{path}:{number}: not {count} numbers after {key}:; correct the line")
    return torch.from_numpy(values.reshape(shape))
