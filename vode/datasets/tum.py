"""TUM RGB-D (Sturm et al., IROS 2012): colour images with depth and poses, put together by their times.

root/rgbd_dataset_freiburg1_rpy/rgb.txt            "timestamp rgb/timestamp.png", # starts a comment
root/rgbd_dataset_freiburg1_rpy/depth.txt          "timestamp depth/timestamp.png", 16-bit, metres x 5000 (optional)
root/rgbd_dataset_freiburg1_rpy/groundtruth.txt    "timestamp tx ty tz qx qy qz qw" (optional)

Own recordings in this layout come with a calibration file: named, or camera.yaml or the like in the folder.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor

from vode.cameras.calibration import find_camera_file, load_calibration
from vode.cameras.fit import Calibration
from vode.cameras.lens import Camera
from vode.datasets.base import Capability, ImageSequence, known, left_out_note
from vode.datasets.dataset import Dataset
from vode.errors import InputError
from vode.geometry.pose import from_first
from vode.io.depth import read_depth
from vode.io.files import inside, visible
from vode.io.image import image_size, read_pixels
from vode.io.text import parse_numbers, read_lines
from vode.io.trajectory import Trajectory, read_trajectory
from vode.io.trajectory_formats.clock import times

SIZE = (480, 640)
CAMERAS = {
    "freiburg1": Camera(
        SIZE,
        (517.306408, 516.469215),
        (318.643040, 255.313989),
        "radtan",
        (0.262383, -0.953104, -0.005358, 0.002628, 1.163314),
    ),
    "freiburg2": Camera(
        SIZE,
        (520.908620, 521.007327),
        (325.141442, 249.701764),
        "radtan",
        (0.231222, -0.784899, -0.003257, -0.000105, 0.917205),
    ),
    "freiburg3": Camera(SIZE, (535.4, 539.2), (320.1, 247.6)),
}
"""the colour cameras"""
DEPTH_UNIT = 5000.0
APART = 0.02
"""seconds: most that the depth of a frame may be away from it"""
GAP = 0.1
"""seconds: most between two ground truth poses that the pose of a frame is interpolated from"""


class TumSequence(ImageSequence):
    """One sequence; images and depth undistorted, world = its first frame.

    The lens is known by the "freiburg1", 2 or 3 in the folder's name, unless ``calibration`` names a file; of several
    cameras in it, ``camera`` is one. Poses are interpolated to the times of the images; images at whose time there is
    no ground truth are left out where there is any at all, and counted in ``notes``. Raises InputError naming the file
    and the remedy.
    """

    def __init__(
        self, root: Path | str, sequence: str, camera: int | None = None, *, calibration: Path | None = None
    ) -> None:
        self.name, self.folder = sequence, inside(root, sequence)
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder; check its name", "data", "sequences")
        calibrated = _calibration(self.folder, camera, calibration)
        timestamps, images, self.notes = listed_images(self.folder, "rgb.txt")
        self.size = image_size(images[0])
        self._lens = calibrated.camera(self.size)
        self.intrinsics = self._lens.intrinsics
        self.notes += calibrated.notes(self.size)
        ground_truth = self.folder / "groundtruth.txt"
        self.poses, kept = (
            _interpolated(read_trajectory(ground_truth), timestamps)
            if ground_truth.is_file()
            else (None, timestamps == timestamps)
        )
        if not bool(kept.any()):
            raise InputError(f"{ground_truth}: no pose at the time of any image; check the file")
        self.notes += left_out_note(kept, "images without a ground truth pose near their time")
        self.timestamps = self._times = timestamps[kept]
        self.images = [images[i] for i in kept.nonzero()[:, 0].tolist()]
        self._depths = self._nearest_depths() if (self.folder / "depth.txt").is_file() else None
        self.capabilities = known(poses=self.poses is not None, depth=self._depths is not None)

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return self._lens.undistort(read_pixels(self.images[index], self.size))

    def has_depth(self, index: int) -> bool:
        return self._depths is not None and self._depths[index] is not None

    def depth(self, index: int) -> Tensor | None:
        file = self._depths[index] if self._depths is not None else None
        if file is None:
            return None
        depth = read_depth(file, unit=DEPTH_UNIT, expected=self.size)
        return torch.from_numpy(self._lens.undistort(depth[0].numpy(), nearest=True))[None]

    def _nearest_depths(self) -> list[Path | None]:
        """The depth file closest in time to each image, None where none is near."""
        times, files, notes = listed_images(self.folder, "depth.txt")
        self.notes += notes
        known = times.tolist()
        found: list[Path | None] = []
        for timestamp in self._times.tolist():
            after = bisect_left(known, timestamp)
            best = min(range(max(after - 1, 0), min(after + 1, len(known))), key=lambda i: abs(known[i] - timestamp))
            found.append(files[best] if abs(known[best] - timestamp) <= APART else None)
        return found


class TumDataset(Dataset):
    """TUM RGB-D: every folder with an rgb.txt is a sequence of one colour camera."""

    name = "tum"
    capabilities = frozenset({Capability.DEPTH, Capability.POSES})
    own_options = frozenset({"calibration"})
    expects = "folder with an rgb.txt"

    def on_disk(self) -> tuple[str, ...]:
        return tuple(path.name for path in visible(self.root) if (path / "rgb.txt").is_file())

    def open_whole(self, name: str, camera: int) -> TumSequence:
        named = camera if self.options.camera else None
        return TumSequence(self.root, name, named, calibration=self.options.calibration)


def has_camera(folder: Path) -> bool:
    """Whether the folder's name, or a file in it, tells the camera of a sequence."""
    return any(name in folder.name for name in CAMERAS) or find_camera_file(folder) is not None


def _calibration(folder: Path, camera: int | None, file: Path | None) -> Calibration:
    """Of that file, or of the set's own camera by the folder's name, or of a camera file in the folder."""
    lens = next((name for name in CAMERAS if name in folder.name), None)
    if lens is not None and file is None:
        return Calibration.of(folder, CAMERAS[lens])
    found = file or find_camera_file(folder)
    if found is None:
        raise InputError(
            f"{folder}: names of TUM sequences hold {', '.join(CAMERAS)}; restore the name, or give a calibration of "
            "your own camera",
            "calibration",
        )
    return load_calibration(found, camera)


def listed_images(folder: Path, name: str) -> tuple[Tensor, list[Path], tuple[str, ...]]:
    """Timestamps (N,) in order, the files that a list names, and a note if it was out of order."""
    path, rows = folder / name, []
    for number, line in enumerate(read_lines(path), start=1):
        timestamp, *rest = line.split(maxsplit=1) or ["#"]
        if timestamp.startswith("#"):
            continue
        file = "".join(rest)
        stamp = parse_numbers(path, number, timestamp, 1, "a time and the name of an image")[0]
        rows.append((stamp, inside(folder, file.strip())))
    if not rows:
        raise InputError(f"{path}: names no image; copy it again")
    back = sum(later[0] <= earlier[0] for earlier, later in pairwise(rows))
    notes = (f"{path}: {back} timestamps are not after the one before; put in order",) if back else ()
    rows.sort(key=lambda row: row[0])
    clock = times(torch.tensor([stamp for stamp, _ in rows], dtype=torch.float64))
    return clock.seconds, [file for _, file in rows], notes + clock.note(path)


def _interpolated(ground_truth: Trajectory, timestamps: Tensor) -> tuple[Tensor, Tensor]:
    """Poses (M, 4, 4), world = the first, at those times between two near poses, and which these are (N,)."""
    if ground_truth.timestamps is None:
        raise InputError(f"{ground_truth.name}: its rows have no times; copy the data set's own file again")
    if not ground_truth.provenance.oriented:
        raise InputError(f"{ground_truth.name}: all quaternions are 0 0 0 0 or NaN; copy the data set's own file again")
    order = ground_truth.timestamps.argsort()
    known, poses = ground_truth.timestamps[order], ground_truth.poses[order]
    distinct = torch.cat([known.new_ones(1), known.diff()]) > 0
    known, poses = known[distinct], poses[distinct]
    after = torch.searchsorted(known, timestamps).clamp(1, max(len(known) - 1, 1))
    inside = (timestamps >= known[0]) & (timestamps <= known[-1])
    kept = inside & (known[after.clamp(max=len(known) - 1)] - known[after - 1] <= GAP)
    if not bool(kept.any()):
        return poses[:0], kept
    at = timestamps[kept]
    turned = Slerp(known.numpy(), Rotation.from_matrix(poses[:, :3, :3].numpy()))(at.numpy()).as_matrix()
    moved = [np.interp(at.numpy(), known.numpy(), poses[:, k, 3].numpy()) for k in range(3)]
    T_world_cam = torch.eye(4, dtype=torch.float64).repeat(len(at), 1, 1)
    T_world_cam[:, :3, :3] = torch.from_numpy(turned)
    T_world_cam[:, :3, 3] = torch.from_numpy(np.stack(moved, -1))
    return from_first(T_world_cam), kept
