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

from vode.data.cache import cached_depth
from vode.data.depth_frames import DepthFrames
from vode.data.files import IMAGE_SUFFIXES, image_size, read_bytes, read_depth, read_image
from vode.data.splits import Frame
from vode.data.text import parse_numbers, read_lines
from vode.errors import InputError

CALIBRATION_FILES = ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt")


class LidarCalibration(NamedTuple):
    """Of one date and one camera, float64."""

    projection: Tensor
    """P_rect (3, 4), pixels of the rectified image"""
    T_rect_velo: Tensor
    """(4, 4), metres: lidar points to the rectified camera 0"""


class KittiRawFrames(DepthFrames):
    """Frames of KITTI raw with their depth: annotated (from ``depth_root``), or else of the lidar scan.

    Depth of lidar scans is kept in the folder ``cache``, if one is given. InputError names what is missing and
    the remedy.
    """

    def __init__(
        self,
        root: Path | str,
        frames: List[Frame],
        *,
        name: str = "kitti-raw",
        camera: int = 2,
        depth_root: Path | str | None = None,
        cache: Path | None = None,
    ) -> None:
        self.root, self.frames, self.name, self.camera = Path(root), list(frames), name, camera
        self.depth_root = None if depth_root is None else Path(depth_root)
        self._cache, self._calibrations = cache, {}
        _check_folder(self.root, "2011_09_26 and other dates")
        if self.depth_root is not None:
            _check_folder(self.depth_root, "train and val with the annotated depth maps")

    def __len__(self) -> int:
        return len(self.frames)

    def names(self) -> list[str]:
        return [str(frame) for frame in self.frames]

    def missing(self) -> dict[int, Path]:
        files = ((i, file) for i in range(len(self)) for file in (self.truth_file(i), self.image_file(i)))
        return {i: file for i, file in files if not file.is_file()}

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

    def frame(self, index: int) -> Tensor:
        return read_image(self.image_file(index))

    def depth(self, index: int) -> Tensor:
        if self.depth_root is not None:
            return read_depth(self.truth_file(index))
        if self._cache is None:
            return self._lidar_depth(index)
        folder = self.root / self.frames[index].date
        sources = [self.truth_file(index), self.image_file(index), *(folder / name for name in CALIBRATION_FILES)]
        for source in sources:
            if not source.is_file():
                raise InputError(f"{source}: no such file; copy this date and drive again")
        return cached_depth(self._cache, sources, lambda: self._lidar_depth(index))

    def _lidar_depth(self, i: int) -> Tensor:
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
    cameras, lidar = (folder / name for name in CALIBRATION_FILES)
    T_rect_cam, T_cam_velo = torch.eye(4, dtype=torch.float64), torch.eye(4, dtype=torch.float64)
    T_rect_cam[:3, :3] = _entry(cameras, "R_rect_00", (3, 3))
    T_cam_velo[:3, :3] = _entry(lidar, "R", (3, 3))
    T_cam_velo[:3, 3] = _entry(lidar, "T", (3,))
    return LidarCalibration(read_projection(cameras, camera), T_rect_cam @ T_cam_velo)


def read_projection(path: Path, camera: int) -> Tensor:
    """P_rect_0c (3, 4) float64, pixels, of a calib_cam_to_cam file."""
    return _entry(path, f"P_rect_{camera:02d}", (3, 4))


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


def _check_folder(folder: Path, content: str) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the one that holds {content}")


def _entry(path: Path, key: str, shape: tuple[int, ...]) -> Tensor:
    """The numbers behind ``key:`` in a calibration file."""
    count = int(np.prod(shape))
    for line, text in enumerate(read_lines(path), start=1):
        name, _, rest = text.partition(":")
        if name.strip() == key:
            values = parse_numbers(path, line, rest, count, f"{count} numbers after {key}:")
            return torch.tensor(values, dtype=torch.float64).view(shape)
    raise InputError(f"{path}: no line {key}:; copy the calibration of this date again")
