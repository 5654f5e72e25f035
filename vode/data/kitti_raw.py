"""KITTI raw: single frames that a split lists, with true depth from the lidar.

    root/2011_09_26/calib_cam_to_cam.txt, calib_velo_to_cam.txt
    root/2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png (or .jpg)
    root/2011_09_26/2011_09_26_drive_0002_sync/velodyne_points/data/0000000069.bin

KITTI's annotated depth maps ("improved truth", Uhrig et al., 3DV 2017) have a tree of their own:

    depth_root/{train,val}/2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png
"""

from __future__ import annotations

from collections.abc import Sequence as List
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.data.files import IMAGE_SUFFIXES, image_size, read_bytes, read_depth, read_image
from vode.data.splits import Frame
from vode.data.text import parse_numbers, read_lines
from vode.errors import InputError


class LidarCalibration(NamedTuple):
    """Of one date and one camera, float64."""

    projection: Tensor
    """P_rect (3, 4), pixels of the rectified image"""
    T_rect_velo: Tensor
    """(4, 4), metres: lidar points to the rectified camera 0"""


class KittiRawFrames:
    """Frames of KITTI raw with their depth, ``truth`` "velodyne" or "improved" (from ``depth_root``).

    Each frame may have a size of its own. InputError names what is missing and the remedy; ``missing``
    lists the frames that lack their image or truth.
    """

    def __init__(
        self, root: Path | str, frames: List[Frame], *, camera: int = 2, depth_root: Path | str | None = None
    ) -> None:
        self.root, self.frames, self.camera = Path(root), list(frames), camera
        self.depth_root = None if depth_root is None else Path(depth_root)
        self._calibrations: dict[str, LidarCalibration] = {}
        if not self.root.is_dir():
            raise InputError(f"{self.root}: no such folder; give the folder that holds 2011_09_26 and other dates")

    def __len__(self) -> int:
        return len(self.frames)

    def names(self) -> list[str]:
        return [str(frame) for frame in self.frames]

    def missing(self) -> list[Path]:
        """The files that are not there: of every frame its image, and its truth."""
        files = [file for i in range(len(self)) for file in (self.image_file(i), self.truth_file(i))]
        return [file for file in files if not file.is_file()]

    def image_file(self, i: int) -> Path:
        """Where the image is, or should be."""
        folder = self._drive(i) / f"image_{self.camera:02d}" / "data"
        names = [folder / f"{self.frames[i].number:010d}{suffix}" for suffix in IMAGE_SUFFIXES]
        return next((name for name in names if name.is_file()), names[0])

    def truth_file(self, i: int) -> Path:
        """Where the lidar scan or the annotated depth map is, or should be."""
        frame = self.frames[i]
        if self.depth_root is None:
            return self._drive(i) / "velodyne_points" / "data" / f"{frame.number:010d}.bin"
        inside = Path(f"{frame.drive}_sync") / "proj_depth" / "groundtruth" / f"image_{self.camera:02d}"
        names = [self.depth_root / part / inside / f"{frame.number:010d}.png" for part in ("train", "val")]
        return next((name for name in names if name.is_file()), names[0])

    def frame(self, i: int) -> Tensor:
        """Image (3, H, W) float32 RGB in 0..1."""
        return read_image(self.image_file(i))

    def depth(self, i: int) -> Tensor:
        """Depth (1, H, W) float32 metres, 0 = unknown."""
        if self.depth_root is not None:
            return read_depth(self.truth_file(i))
        points = read_velodyne(self.truth_file(i))
        return velodyne_depth(points, self._calibration(self.frames[i].date), image_size(self.image_file(i)))

    def _drive(self, i: int) -> Path:
        frame = self.frames[i]
        return self.root / frame.date / f"{frame.drive}_sync"

    def _calibration(self, date: str) -> LidarCalibration:
        if date not in self._calibrations:
            self._calibrations[date] = read_lidar_calibration(self.root / date, self.camera)
        return self._calibrations[date]


def read_lidar_calibration(folder: Path, camera: int) -> LidarCalibration:
    """The calibration of a date's folder: P_rect_0c, R_rect_00 and T_velo_cam."""
    cameras = folder / "calib_cam_to_cam.txt"
    projection = _entry(cameras, f"P_rect_{camera:02d}", (3, 4))
    T_rect_cam, T_cam_velo = torch.eye(4, dtype=torch.float64), torch.eye(4, dtype=torch.float64)
    T_rect_cam[:3, :3] = _entry(cameras, "R_rect_00", (3, 3))
    T_cam_velo[:3, :3] = _entry(folder / "calib_velo_to_cam.txt", "R", (3, 3))
    T_cam_velo[:3, 3] = _entry(folder / "calib_velo_to_cam.txt", "T", (3,))
    return LidarCalibration(projection, T_rect_cam @ T_cam_velo)


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
    count = int(np.prod(shape))
    for line, text in enumerate(read_lines(path), start=1):
        name, _, rest = text.partition(":")
        if name.strip() == key:
            values = parse_numbers(path, line, rest, count, f"{count} numbers after {key}:")
            return torch.tensor(values, dtype=torch.float64).view(shape)
    raise InputError(f"{path}: no line {key}:; copy the calibration of this date again")
