"""KITTI raw as depth is scored on it: single frames that a list names, with depth from the lidar or the annotators.

KITTI's annotated depth maps (Uhrig et al., 3DV 2017) have a tree of their own:

    depth_root/{train,val}/2011_09_26_drive_0002_sync/proj_depth/groundtruth/image_02/0000000069.png
"""

from __future__ import annotations

from collections.abc import Sequence as List
from pathlib import Path

import torch
from torch import Tensor

from vode.cameras.fit import Calibration
from vode.cameras.kitti import CALIBRATION_FILES, LidarCalibration, kitti_calibration, read_lidar_calibration
from vode.datasets.depth_frames import DepthFrames
from vode.datasets.kitti.lidar import LidarAxis, read_velodyne, velodyne_depth
from vode.datasets.kitti.raw import KittiRawDataset
from vode.datasets.kitti.splits import Frame, read_split
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.cache import cache_folder, cached_depth
from vode.io.depth import read_depth
from vode.io.files import inside
from vode.io.image import IMAGE_SUFFIXES, image_size, read_image


class KittiRawFrames(DepthFrames):
    """Frames of KITTI raw with their depth: annotated (from ``depth_root``), or else of the lidar scan.

    Depth of lidar scans is kept in the folder ``cache``, if one is given; ``axis``: see ``velodyne_depth``. InputError
    names what is missing and the remedy.
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
        axis: LidarAxis = "z",
    ) -> None:
        self.root, self.frames, self.name, self.camera = Path(root), list(frames), name, camera
        self.depth_root = None if depth_root is None else Path(depth_root)
        # one a date, of which the lists have five
        self._calibrations: dict[str, Calibration] = {}
        self._lidars: dict[str, LidarCalibration] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._cache, self._axis = cache, axis
        _check_folder(self.root, "2011_09_26 and other dates")
        if self.depth_root is not None:
            _check_folder(self.depth_root, "train and val with the annotated depth maps")

    def __len__(self) -> int:
        return len(self.frames)

    def names(self) -> list[str]:
        return [str(frame) for frame in self.frames]

    def missing(self) -> dict[int, Path]:
        files = ((i, file) for i in range(len(self)) for file in (self.ground_truth_file(i), self.image_file(i)))
        return {i: file for i, file in files if not file.is_file()}

    def image_file(self, i: int) -> Path:
        """Where the image is, or should be."""
        folder = self._drive(i) / f"image_{self.camera:02d}" / "data"
        names = [folder / f"{self.frames[i].number:010d}{suffix}" for suffix in IMAGE_SUFFIXES]
        return next((name for name in names if name.is_file()), names[0])

    def ground_truth_file(self, i: int) -> Path:
        """Where the lidar scan or the annotated depth map is, or should be."""
        frame = self.frames[i]
        if self.depth_root is None:
            return self._drive(i) / "velodyne_points" / "data" / f"{frame.number:010d}.bin"
        place = Path(f"{frame.drive}_sync") / "proj_depth" / "groundtruth" / f"image_{self.camera:02d}"
        names = [self.depth_root / part / place / f"{frame.number:010d}.png" for part in ("train", "val")]
        return next((name for name in names if name.is_file()), names[0])

    def frame(self, index: int) -> Tensor:
        return read_image(self.image_file(index))

    def depth(self, index: int) -> Tensor:
        if self.depth_root is not None:
            return read_depth(self.ground_truth_file(index))
        if self._cache is None:
            return self._lidar_depth(index)
        folder = self.root / self.frames[index].date
        sources = [
            self.ground_truth_file(index),
            self.image_file(index),
            *(folder / name for name in CALIBRATION_FILES),
        ]
        for source in sources:
            if not source.is_file():
                raise InputError(f"{source}: no such file; copy this date and drive again")
        return cached_depth(self._cache, sources, lambda: self._lidar_depth(index))

    def intrinsics(self, index: int) -> Tensor:
        calibration = self._calibration(self.frames[index].date)
        return torch.from_numpy(calibration.camera(self._size(index)).matrix)

    def _lidar_depth(self, i: int) -> Tensor:
        points, size, date = read_velodyne(self.ground_truth_file(i)), self._size(i), self.frames[i].date
        return velodyne_depth(points, self._lidar(date).fitted(self._calibration(date), size), size, axis=self._axis)

    def _size(self, i: int) -> tuple[int, int]:
        if i not in self._sizes:
            self._sizes[i] = image_size(self.image_file(i))
        return self._sizes[i]

    def _drive(self, i: int) -> Path:
        frame = self.frames[i]
        return inside(self.root, Path(frame.date) / f"{frame.drive}_sync")

    def _calibration(self, date: str) -> Calibration:
        if date not in self._calibrations:
            self._calibrations[date] = kitti_calibration(self.root / date / CALIBRATION_FILES[0], self.camera)
        return self._calibrations[date]

    def _lidar(self, date: str) -> LidarCalibration:
        if date not in self._lidars:
            self._lidars[date] = read_lidar_calibration(self.root / date, self.camera)
        return self._lidars[date]


class EigenDataset(KittiRawDataset):
    """KITTI raw, whose depth is scored on the 697 frames with lidar of Eigen et al. (NIPS 2014)."""

    name = "kitti-eigen"
    split = "eigen"
    own_options = frozenset({"lidar"})

    def __init__(
        self, root: Path | str | None, options: DataOptions = DataOptions(), *, lidar: LidarAxis = "z"
    ) -> None:
        super().__init__(root, options)
        self._lidar: LidarAxis = lidar

    def test(self) -> tuple[str, ...]:
        """The drives of the list, on disk or not."""
        return tuple(dict.fromkeys(frame.drive for frame in read_split(self.split)))

    def test_frames(self) -> KittiRawFrames:
        cache = cache_folder() / ("kitti_lidar" if self._lidar == "z" else "kitti_lidar_x")
        return KittiRawFrames(self.root, read_split(self.split), name=self.name, cache=cache, axis=self._lidar)


class EigenBenchmarkDataset(EigenDataset):
    """KITTI raw, whose depth is scored on 652 of these frames, as annotated by Uhrig et al. (3DV 2017)."""

    name = "kitti-eigen-benchmark"
    split = "eigen_benchmark"
    own_options = frozenset({"annotated"})

    def __init__(
        self, root: Path | str | None, options: DataOptions = DataOptions(), *, annotated: Path | None = None
    ) -> None:
        super().__init__(root, options)
        self._annotated = annotated

    def test_frames(self) -> KittiRawFrames:
        if self._annotated is None:
            raise InputError(f"{self.name} needs KITTI's annotated depth maps; name their folder", "annotated")
        return KittiRawFrames(self.root, read_split(self.split), name=self.name, depth_root=self._annotated)


def _check_folder(folder: Path, content: str) -> None:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; give the one that holds {content}")
