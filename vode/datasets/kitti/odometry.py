"""KITTI odometry: reading its layout, and writing other sequences in it.

    root/sequences/00/calib.txt        "P0: 12 numbers" ... "P3:", any order, "Tr:" or not
    root/sequences/00/times.txt        seconds, one line a frame (optional)
    root/sequences/00/image_2/000000.png (or .jpg), numbered without gaps; image_0, image_1 are grey
    root/sequences/00/image_3/000000.png    optional: the camera on the right of image_2, as image_1 is of image_0
    root/sequences/00/depth_2/000000.png    optional: 16-bit PNG, metres x 256, 0 = unknown
    root/sequences/00/flow_2/000000.png     optional: KITTI flow PNG, from this frame to the next
    root/poses/00.txt                  3x4 world-from-camera-0 matrices, line n = frame n (optional)

The ``depth_C`` and ``flow_C`` folders are this package's own addition, beside ``image_C``; the built-in
world writes them.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.cameras.kitti import kitti_calibration, read_calibration, stereo_baseline
from vode.datasets.base import Capability, ImageSequence, known
from vode.datasets.dataset import Dataset
from vode.errors import InputError
from vode.geometry.pose import from_first
from vode.io.depth import read_depth
from vode.io.files import inside, visible
from vode.io.flow import read_flow
from vode.io.image import IMAGE_SUFFIXES, find_levels, image_size, read_pixels
from vode.io.text import parse_numbers, read_lines
from vode.io.trajectory import read_trajectory

TRAIN = ("00", "01", "02", "03", "04", "05", "06", "07", "08")
"""The sequences that monocular odometry is trained on."""

TEST = ("09", "10")
"""The sequences that it is tested on."""

LENGTHS = (4541, 1101, 4661, 801, 271, 2761, 1101, 1101, 4071, 1591, 1201)
"""Frames of the sequences 00 to 10."""


class KittiOdometry(ImageSequence):
    """One sequence of the KITTI odometry layout.

    Poses are those of the chosen camera, world = its first frame. The files' poses belong to camera 0;
    a rectified camera c differs by a translation, ``P_c = K [I | t]`` with ``t = p_c - p_0`` in camera axes:
    ``points_c = points_0 + t`` (Geiger et al., IJRR 2013, section 4). Files with more poses or times than
    images are cut to the images. Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str, camera: int = 2) -> None:
        root = Path(root)
        self.name, self._number = sequence, camera
        self.folder = _sequence_folder(root, sequence)
        self.images = numbered_images(_camera_folder(self.folder, camera))
        self.size = image_size(self.images[0])
        file = self.folder / "calib.txt"
        calibration, (_, offset) = kitti_calibration(file, camera), read_calibration(file, camera)
        self._levels, notes = find_levels(self.images)
        self.intrinsics, self.notes = calibration.camera(self.size).intrinsics, calibration.notes(self.size) + notes
        numbers = [int(image.stem) for image in self.images]
        self.poses = _camera_poses(root / "poses" / f"{sequence}.txt", numbers, offset)
        self.timestamps = _timestamps(self.folder / "times.txt", numbers)
        depth, flow = ((self.folder / f"{kind}_{camera}").is_dir() for kind in ("depth", "flow"))
        self.baseline = stereo_baseline(file, camera)
        stereo = self.baseline is not None and self._right_folder().is_dir()
        self.capabilities = known(poses=self.poses is not None, depth=depth, flow=flow, stereo=stereo)

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return read_pixels(self.images[index], self.size, levels=self._levels)

    def right_pixels(self, index: int) -> np.ndarray | None:
        if not self.has_right(index):
            return None
        return read_pixels(self._right_folder() / self.images[index].name, self.size, levels=self._levels)

    def has_right(self, index: int) -> bool:
        return Capability.STEREO in self.capabilities and (self._right_folder() / self.images[index].name).is_file()

    def has_depth(self, index: int) -> bool:
        return self._beside("depth", index).is_file()

    def has_flow(self, index: int) -> bool:
        return self._beside("flow", index).is_file()

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        return read_depth(self._beside("depth", index), expected=self.size)

    def flow(self, index: int) -> tuple[Tensor, Tensor] | None:
        if not self.has_flow(index):
            return None
        return read_flow(self._beside("flow", index), expected=self.size)

    def _right_folder(self) -> Path:
        return self.folder / f"image_{self._number + 1}"

    def _beside(self, kind: str, index: int) -> Path:
        return self.folder / f"{kind}_{self._number}" / f"{self.images[index].stem}.png"


class KittiOdometryDataset(Dataset):
    """KITTI odometry (Geiger et al., CVPR 2012), and whatever else is written in its layout."""

    name = "kitti-odom"
    capabilities = frozenset({Capability.DEPTH, Capability.FLOW, Capability.POSES, Capability.STEREO})
    expects = f"sequences/{TRAIN[0]} to {TRAIN[-1]}, which are trained on,"

    def on_disk(self) -> tuple[str, ...]:
        return tuple(path.name for path in visible(self.root / "sequences") if path.is_dir())

    def training(self) -> tuple[str, ...]:
        return tuple(name for name in TRAIN if (self.root / "sequences" / name).is_dir())

    def test(self) -> tuple[str, ...]:
        return TEST

    def official(self) -> dict[str, int]:
        """The frames that each sequence with public ground truth has."""
        return {f"{number:02d}": length for number, length in enumerate(LENGTHS)}

    def open_whole(self, name: str, camera: int) -> KittiOdometry:
        return KittiOdometry(self.root, name, camera)


def _sequence_folder(root: Path, sequence: str) -> Path:
    parent = root / "sequences"
    if not parent.is_dir():
        raise InputError(f"{parent}: no such folder; give the folder that holds sequences/ and poses/")
    folder = inside(parent, sequence)
    if not folder.is_dir():
        found = sorted(entry.name for entry in parent.iterdir() if entry.is_dir() and entry.name[0] != ".")
        raise InputError(
            f"{folder}: no such sequence; there are {', '.join(found) or 'none'}; choose one of these", "sequences"
        )
    return folder


def _camera_folder(folder: Path, camera: int) -> Path:
    images = folder / f"image_{camera}"
    if not images.is_dir():
        found = sorted(entry.name for entry in folder.glob("image_*") if entry.is_dir())
        raise InputError(
            f"{images}: no such folder; there are {', '.join(found) or 'none'}; choose another camera", "camera"
        )
    return images


def numbered_images(folder: Path) -> list[Path]:
    """The numbered images of a folder in order; InputError if there are none, or gaps, or doubles."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; check its name, and the camera's", "data", "sequences", "camera")
    images = [p for p in visible(folder) if p.suffix.lower() in IMAGE_SUFFIXES and re.fullmatch(r"[0-9]+", p.stem)]
    images.sort(key=lambda path: int(path.stem))
    if not images:
        raise InputError(f"{folder}: no images named 000000.png or .jpg; copy the sequence there")
    for before, after in pairwise(images):
        step = int(after.stem) - int(before.stem)
        if step == 0:
            raise InputError(f"{after}: the same frame as {before.name}; remove one of them")
        if step > 1:
            missing = f"{int(before.stem) + 1:0{len(before.stem)}d}{before.suffix}"
            count = int(images[-1].stem) - int(images[0].stem) + 1 - len(images)
            raise InputError(
                f"{folder / missing}: the frame is missing, of {count} in all; copy them again, or renumber the images"
            )
    return images


def _camera_poses(path: Path, numbers: list[int], offset: Tensor) -> Tensor | None:
    if not path.is_file():
        return None
    ground_truth = read_trajectory(path)
    if ground_truth.timestamps is not None:
        raise InputError(f"{path}: a TUM trajectory; give KITTI rows of 12 numbers, a 3x4 matrix")
    frames, wanted = ground_truth.indices, torch.tensor(numbers)
    missing = ~torch.isin(wanted, frames)
    if missing.any():
        count, first = int(missing.sum()), numbers[int(missing.int().argmax())]
        raise InputError(f"{path}: no pose for {count} of {len(numbers)} images, first frame {first}; copy it again")
    T_cam0_cam = torch.eye(4, dtype=torch.float64)
    T_cam0_cam[:3, 3] = -offset
    return from_first(ground_truth.poses[torch.searchsorted(frames, wanted)] @ T_cam0_cam)


def _timestamps(path: Path, numbers: list[int]) -> Tensor | None:
    if not path.is_file():
        return None
    values = [
        parse_numbers(path, n, line, 1, "one number, seconds")[0] for n, line in enumerate(read_lines(path), start=1)
    ]
    if len(values) <= numbers[-1]:
        last = numbers[-1]
        raise InputError(f"{path}: {len(values)} lines, but frame {last} needs line {last + 1}; copy it again")
    return torch.tensor(values, dtype=torch.float64)[numbers]
