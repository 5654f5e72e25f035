"""KITTI raw: drives as sequences, with depth from the lidar and poses from GPS and inertial sensors.

root/2011_09_26/calib_cam_to_cam.txt, calib_velo_to_cam.txt, calib_imu_to_velo.txt
root/2011_09_26/2011_09_26_drive_0002_sync/image_02/data/0000000069.png (or .jpg); image_00, 01, 03, of which
    01 is on the right of 00 and 03 on that of 02
root/2011_09_26/2011_09_26_drive_0002_sync/image_02/timestamps.txt            (optional)
root/2011_09_26/2011_09_26_drive_0002_sync/velodyne_points/data/0000000069.bin  (optional)
root/2011_09_26/2011_09_26_drive_0002_sync/oxts/data/0000000069.txt           (optional: poses)
"""

from __future__ import annotations

import re
from collections.abc import Sequence as List
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.cameras.kitti import (
    CALIBRATION_FILES,
    IMU_FILE,
    kitti_calibration,
    read_lidar_calibration,
    read_transform,
    stereo_baseline,
)
from vode.datasets.base import Capability, ImageSequence, known
from vode.datasets.dataset import Dataset
from vode.datasets.kitti.lidar import read_velodyne, velodyne_depth
from vode.datasets.kitti.odometry import numbered_images
from vode.datasets.kitti.splits import is_validation, read_split
from vode.errors import InputError
from vode.geometry.pose import from_first, inverse
from vode.io.files import visible
from vode.io.image import image_size, read_pixels
from vode.io.text import parse_numbers, read_lines

OXTS_NUMBERS = 30


class KittiRaw(ImageSequence):
    """One drive, such as 2011_09_26_drive_0001, seen by a rectified camera; world = its first frame.

    ``poses`` come of the car's OXTS unit (GPS and inertial), carried to the camera by the calibration; ``depth`` of the
    lidar. ``starts`` of the drives of Zhou et al. are their training frames: those that move, less ``validation``,
    one in ten by the hash of its name. Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str, camera: int = 2) -> None:
        self.name = sequence.removesuffix("_sync")
        if not re.fullmatch(r"\d{4}_\d\d_\d\d_drive_\d{4}", self.name):
            raise InputError(
                f"{root}: no drive is called {sequence!r}; names are like 2011_09_26_drive_0001", "sequences"
            )
        self._date = Path(root) / self.name[:10]
        self.folder = self._date / f"{self.name}_sync"
        self.images = numbered_images(self.folder / f"image_{camera:02d}" / "data")
        self.size = image_size(self.images[0])
        calibration = kitti_calibration(self._date / CALIBRATION_FILES[0], camera)
        self.intrinsics, self.notes = calibration.camera(self.size).intrinsics, calibration.notes(self.size)
        self._lidar = read_lidar_calibration(self._date, camera).fitted(calibration, self.size)
        numbers = [int(image.stem) for image in self.images]
        self.timestamps = _timestamps(self.folder / f"image_{camera:02d}" / "timestamps.txt", numbers)
        self.poses = self._oxts_poses(numbers)
        self.starts, self.validation = _zhou_starts(self.name, numbers)
        depth = (self.folder / "velodyne_points" / "data").is_dir()
        self.baseline = stereo_baseline(self._date / CALIBRATION_FILES[0], camera)
        self._right = self.folder / f"image_{camera + 1:02d}" / "data"
        stereo = self.baseline is not None and self._right.is_dir()
        self.capabilities = known(poses=self.poses is not None, depth=depth, stereo=stereo)

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return read_pixels(self.images[index], self.size)

    def right_pixels(self, index: int) -> np.ndarray | None:
        return read_pixels(self._right / self.images[index].name, self.size) if self.has_right(index) else None

    def has_right(self, index: int) -> bool:
        return Capability.STEREO in self.capabilities and (self._right / self.images[index].name).is_file()

    def has_depth(self, index: int) -> bool:
        return self._scan(index).is_file()

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        return velodyne_depth(read_velodyne(self._scan(index)), self._lidar, self.size)

    def _scan(self, index: int) -> Path:
        return self.folder / "velodyne_points" / "data" / f"{self.images[index].stem}.bin"

    def _oxts_poses(self, numbers: list[int]) -> Tensor | None:
        """World-from-camera (N, 4, 4); None, and a note, unless every image has its OXTS packet."""
        files = [self.folder / "oxts" / "data" / f"{number:010d}.txt" for number in numbers]
        lacking = [file for file in files if not file.is_file()]
        if lacking:
            if len(lacking) < len(files):
                self.notes += (f"{len(lacking)} of {len(files)} OXTS packets are missing, so no poses: {lacking[0]}",)
            return None
        if not (self._date / IMU_FILE).is_file():
            self.notes += (f"no {self._date / IMU_FILE}, so no poses",)
            return None
        T_velo_imu = read_transform(self._date / IMU_FILE)
        matrix = self._lidar.projection
        T_cam_rect = torch.eye(4, dtype=torch.float64)
        T_cam_rect[:3, 3] = torch.linalg.solve(matrix[:, :3], matrix[:, 3])
        T_imu_cam = inverse(T_cam_rect @ self._lidar.T_rect_velo @ T_velo_imu)
        return from_first(read_oxts(files) @ T_imu_cam)


class KittiRawDataset(Dataset):
    """KITTI raw (Geiger et al., IJRR 2013): drives; Zhou et al. (CVPR 2017) list those that are trained on."""

    name = "kitti-raw"
    capabilities = frozenset({Capability.DEPTH, Capability.POSES, Capability.STEREO})
    expects = "drive of Zhou's training list"

    def on_disk(self) -> tuple[str, ...]:
        drives = (path for date in visible(self.root) for path in visible(date) if path.match("*_drive_????_sync"))
        return tuple(path.name.removesuffix("_sync") for path in drives)

    def training(self) -> tuple[str, ...]:
        """The drives of Zhou et al. that are on disk."""
        listed = {frame.drive for frame in read_split("zhou")}
        return tuple(name for name in self.on_disk() if name in listed)

    def official(self) -> dict[str, int]:
        """The frames that the drives of Zhou's list have at the least: one more than the last that is listed."""
        last: dict[str, int] = {}
        for frame in read_split("zhou"):
            last[frame.drive] = max(last.get(frame.drive, 0), frame.number)
        return {drive: number + 2 for drive, number in last.items()}

    def open_whole(self, name: str, camera: int) -> KittiRaw:
        return KittiRaw(self.root, name, camera)


def read_oxts(files: List[Path]) -> Tensor:
    """World-from-IMU poses (N, 4, 4) float64, metres: x forward, y left, z up; the world starts at the first packet.

    Mercator projection scaled at the first latitude (Geiger et al., IJRR 2013).
    """
    # Here, because it brings pandas along, which takes half a second.
    from pykitti.utils import load_oxts_packets_and_poses

    for file in files:
        lines = read_lines(file)
        parse_numbers(file, 1, " ".join(lines), OXTS_NUMBERS, f"the {OXTS_NUMBERS} numbers of one OXTS packet")
    return torch.from_numpy(np.stack([packet.T_w_imu for packet in load_oxts_packets_and_poses(files)]))


def _zhou_starts(drive: str, numbers: list[int]) -> tuple[tuple[int, ...] | None, tuple[int, ...]]:
    """Places of the training and the validation frames among ``numbers``; all are for training off the list."""
    listed = [frame for frame in read_split("zhou") if frame.drive == drive]
    if not listed:
        return None, ()
    place = {number: i for i, number in enumerate(numbers)}
    there = [frame for frame in listed if frame.number in place]
    train, held_out = (
        tuple(place[frame.number] for frame in there if is_validation(frame) == kind) for kind in (False, True)
    )
    return train, held_out


def _timestamps(path: Path, numbers: list[int]) -> Tensor | None:
    """Seconds since the first line of a timestamps.txt, of those frames; None without the file."""
    if not path.is_file():
        return None
    lines = read_lines(path)
    if len(lines) <= numbers[-1]:
        raise InputError(f"{path}: {len(lines)} lines, but frame {numbers[-1]} needs one more; copy it again")
    times = [_time(path, number + 1, lines[number]) for number in (0, *numbers)]
    return torch.tensor([(time - times[0]).total_seconds() for time in times[1:]], dtype=torch.float64)


def _time(path: Path, line: int, text: str) -> datetime:
    try:
        # Nanoseconds in the file, microseconds in Python.
        return datetime.fromisoformat(text.strip()[:26])
    except ValueError:
        raise InputError(f"{path}:{line}: not a time like 2011-09-26 13:02:25.964389445; copy it again") from None
