"""KITTI calibration files: calib.txt of odometry, and those of a date of the raw data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.fit import Calibration
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import is_rigid
from vode.io.text import parse_numbers, read_lines

SIZES = {
    (718.856, 607.1928, 185.2157): (376, 1241),
    (721.5377, 609.5593, 172.854): (375, 1242),
    (707.0912, 601.8873, 183.1104): (370, 1226),
    (707.0493, 604.0814, 180.5066): (370, 1224),
    (718.3351, 600.3891, 181.5122): (374, 1238),
}
"""(height, width) of KITTI's images, which not all files state, by the focal length and centre of each date"""


def kitti_calibration(path: Path | str, camera: int) -> Calibration:
    """The rectified camera of a calib.txt (``P2:``), or of a calib_cam_to_cam file (``P_rect_02:``).

    The size of its images is that of ``S_rect_02:``, or of KITTI's own sequences by their known matrices.
    """
    path = Path(path)
    names = _names(path)
    if any(name.startswith("P_rect_") for name in names):
        matrix, size = read_projection(path, camera), None
        if f"S_rect_{camera:02d}" in names:
            width, height = (round(value) for value in _entry(path, f"S_rect_{camera:02d}", (2,)).tolist())
            size = height, width
    else:
        matrix, size = read_calibration(path, camera)[0], None
    if size is None:
        size = next((size for known, size in SIZES.items() if np.allclose(matrix[[0, 0, 1], [0, 2, 2]], known)), None)
    (fx, _, cx), (_, fy, cy) = matrix[:2, :3].tolist()
    return Calibration(path, (fx, fy), (cx, cy), size=size)


def read_calibration(path: Path | str, camera: int) -> tuple[Tensor, Tensor]:
    """Intrinsics (3, 3) and t (3,) metres of line ``P<camera>:``, float64; points_c = points_0 + t."""
    cameras: dict[str, Tensor] = {}
    for number, line in enumerate(read_lines(path), start=1):
        name, _, rest = line.partition(":")
        if re.fullmatch(r"P\d+", name.strip()):
            values = parse_numbers(path, number, rest, 12, f"12 numbers after {name.strip()}:")
            cameras[name.strip()] = torch.tensor(values, dtype=torch.float64).view(3, 4)
            _check_projection(f"{path}:{number}", cameras[name.strip()])
            _check_skew(f"{path}:{number}", cameras[name.strip()])
    if f"P{camera}" not in cameras:
        found = f"it has {', '.join(sorted(cameras))}" if cameras else "it has no line P0: to P3:"
        raise InputError(f"{path}: no camera P{camera}; {found}; choose one of these or add the line")
    projection = cameras[f"P{camera}"]
    return projection[:, :3].clone(), torch.linalg.solve(projection[:, :3], projection[:, 3])


def stereo_baseline(path: Path | str, camera: int) -> float | None:
    """Metres from the rectified left camera 0 or 2 of a calibration file to its partner on the right, 1 or 3.

    None where the file lacks one of them, and for any other camera.
    """
    path, names, pair = Path(path), _names(Path(path)), (camera, camera + 1)
    if camera not in LEFT_CAMERAS:
        return None
    if all(f"P_rect_{number:02d}" in names for number in pair):
        left, right = (read_projection(path, number) for number in pair)
        baseline = float((left[0, 3] - right[0, 3]) / left[0, 0])
    elif all(f"P{number}" in names for number in pair):
        baseline = float(read_calibration(path, camera)[1][0] - read_calibration(path, camera + 1)[1][0])
    else:
        return None
    return baseline if baseline > 0 else None


LEFT_CAMERAS = (0, 2)
"""KITTI's cameras, grey and colour, whose partner is the next one"""

CALIBRATION_FILES = ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt")
"""files of a date with the cameras, and the pose of the lidar"""

IMU_FILE = "calib_imu_to_velo.txt"
"""file of a date with the pose of the IMU"""


class LidarCalibration(NamedTuple):
    """Calibration of one camera and the lidar on one date, float64."""

    projection: Tensor
    """P_rect (3, 4), pixels of the rectified image"""
    T_rect_velo: Tensor
    """(4, 4), metres: from the lidar to the rectified camera 0"""

    def fitted(self, calibration: Calibration, size: tuple[int, int]) -> LidarCalibration:
        """The same for images of ``size`` (height, width) of a camera, with the errors of ``Calibration.camera``."""
        calibrated = calibration.size or calibration.camera(size).size
        scale = resize_intrinsics(torch.eye(3, dtype=torch.float64), calibrated, calibration.camera(size).size)
        return self._replace(projection=scale @ self.projection)


def read_lidar_calibration(folder: Path, camera: int) -> LidarCalibration:
    """The calibration in the folder of a date, from P_rect_0c, R_rect_00 and T_velo_cam."""
    cameras, lidar = (folder / name for name in CALIBRATION_FILES)
    T_rect_cam = _rotation(cameras, "R_rect_00")
    return LidarCalibration(read_projection(cameras, camera), T_rect_cam @ read_transform(lidar))


def read_projection(path: Path, camera: int) -> Tensor:
    """P_rect_0c (3, 4) float64, pixels, from a calib_cam_to_cam file."""
    key = f"P_rect_{camera:02d}"
    projection = _entry(path, key, (3, 4))
    _check_skew(f"{path}: {key}", projection)
    return projection


def read_transform(path: Path) -> Tensor:
    """The rigid transform (4, 4) float64 given by R: and T: in a calibration file."""
    transform = _rotation(path, "R")
    transform[:3, 3] = _entry(path, "T", (3,))
    return transform


def _rotation(path: Path, key: str) -> Tensor:
    """The rotation behind ``key:``, as a transform (4, 4) float64."""
    transform = torch.eye(4, dtype=torch.float64)
    transform[:3, :3] = _entry(path, key, (3, 3))
    if not is_rigid(transform[None]).all():
        raise InputError(f"{path}: the numbers after {key}: are no rotation; copy the calibration of this date again")
    return transform


def _names(path: Path) -> set[str]:
    """What stands before the colons of a calibration file."""
    return {line.partition(":")[0].strip() for line in read_lines(path)}


def _entry(path: Path, key: str, shape: tuple[int, ...]) -> Tensor:
    """The numbers behind ``key:`` in a calibration file."""
    # Imported here: it imports pandas, which takes half a second.
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


def _check_projection(where: str, projection: Tensor) -> None:
    bottom = projection.new_tensor([0.0, 0.0, 1.0])
    if projection[0, 0] <= 0 or projection[1, 1] <= 0 or not torch.allclose(projection[2, :3], bottom):
        raise InputError(f"{where}: not a camera matrix fx 0 cx . 0 fy cy . 0 0 1 .; correct the line")


def _check_skew(where: str, projection: Tensor) -> None:
    skew = float(projection[[0, 1], [1, 0]].abs().max())
    if skew > 0:
        raise InputError(f"{where}: a camera matrix with a skew of {skew:g}, which is not read; rectify the images")
