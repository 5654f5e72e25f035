"""TUM RGB-D (Sturm et al., IROS 2012): colour images with depth and poses, put together by their times.

root/rgbd_dataset_freiburg1_rpy/rgb.txt            "stamp rgb/stamp.png", # starts a comment
root/rgbd_dataset_freiburg1_rpy/depth.txt          "stamp depth/stamp.png", 16-bit, metres x 5000 (optional)
root/rgbd_dataset_freiburg1_rpy/groundtruth.txt    "stamp tx ty tz qx qy qz qw" (optional)
"""

from __future__ import annotations

from bisect import bisect_left
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.spatial.transform import Rotation, Slerp
from torch import Tensor

from vode.data.files import image_size, read_depth, read_image
from vode.data.sequence import Sequence
from vode.data.text import parse_numbers, read_lines
from vode.errors import InputError
from vode.trajectory import Trajectory, read_trajectory

CAMERAS = {
    "freiburg1": (517.306408, 516.469215, 318.643040, 255.313989),
    "freiburg2": (520.908620, 521.007327, 325.141442, 249.701764),
    "freiburg3": (535.4, 539.2, 320.1, 247.6),
}
"""fx, fy, cx, cy of the colour cameras, in pixels of 640x480"""
DISTORTIONS = {
    "freiburg1": (0.262383, -0.953104, -0.005358, 0.002628, 1.163314),
    "freiburg2": (0.231222, -0.784899, -0.003257, -0.000105, 0.917205),
    "freiburg3": (0.0, 0.0, 0.0, 0.0, 0.0),
}
"""k1, k2, p1, p2, k3"""
SIZE = (480, 640)
DEPTH_UNIT = 5000.0
APART = 0.02
"""seconds: most that the depth of a frame may be away from it"""
GAP = 0.1
"""seconds: most between two true poses that the pose of a frame is interpolated from"""


class TumSequence(Sequence):
    """One sequence; images and depth without lens distortion, world = its first frame.

    The lens is known by the "freiburg1", 2 or 3 in the folder's name; there is one colour camera, whatever ``camera``
    says. Poses are interpolated to the times of the
    images; images at whose time there is no truth are left out where there is a truth at all, and counted in
    ``left_out``. Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str, camera: int = 0) -> None:
        self.name, self.folder = sequence, Path(root) / sequence
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: no such folder; check --data and --sequences")
        lens = next((name for name in CAMERAS if name in sequence), None)
        if lens is None:
            raise InputError(f"{self.folder}: names of TUM sequences hold {', '.join(CAMERAS)}; restore the name")
        stamps, self.images = _listed(self.folder, "rgb.txt")
        self.size = image_size(self.images[0])
        if self.size != SIZE:
            raise InputError(f"{self.images[0]}: {self.size[1]}x{self.size[0]} pixels, not 640x480; use the originals")
        fx, fy, cx, cy = CAMERAS[lens]
        self.intrinsics = torch.tensor([[fx, 0, cx], [0, fy, cy], [0, 0, 1]], dtype=torch.float32)
        self._maps = _undistortion(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), DISTORTIONS[lens])
        truth = self.folder / "groundtruth.txt"
        self.poses, kept = (
            _interpolated(read_trajectory(truth), stamps) if truth.is_file() else (None, stamps == stamps)
        )
        if not bool(kept.any()):
            raise InputError(f"{truth}: no pose at the time of any image; check the file")
        self.left_out = int((~kept).sum())
        self.stamps, self.images = stamps[kept], [self.images[i] for i in kept.nonzero()[:, 0].tolist()]
        self._depths = _nearest(self.folder, self.stamps) if (self.folder / "depth.txt").is_file() else None

    @staticmethod
    def training(root: Path | str) -> tuple[str, ...]:
        """The names of all sequences in a folder; InputError if there is none."""
        found = tuple(sorted(path.parent.name for path in Path(root).glob("*/rgb.txt")))
        if not found:
            raise InputError(f"{root}: no folder in it holds an rgb.txt; check --data")
        return found

    def __len__(self) -> int:
        return len(self.images)

    def frame(self, index: int) -> Tensor:
        image = read_image(self.images[index])
        return self._straight(self.images[index], image, cv2.INTER_LINEAR).clamp(0, 1)

    def has_depth(self, index: int) -> bool:
        return self._depths is not None and self._depths[index] is not None

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        return self._straight(self._depths[index], read_depth(self._depths[index], unit=DEPTH_UNIT), cv2.INTER_NEAREST)

    def _straight(self, path: Path, image: Tensor, interpolation: int) -> Tensor:
        """An image (C, H, W) without distortion; its border is repeated, that of a depth is unknown."""
        if tuple(image.shape[-2:]) != SIZE:
            raise InputError(f"{path}: {image.shape[-1]}x{image.shape[-2]} pixels, not 640x480; use the originals")
        border = cv2.BORDER_REPLICATE if interpolation == cv2.INTER_LINEAR else cv2.BORDER_CONSTANT
        planes = [cv2.remap(plane.numpy(), *self._maps, interpolation, borderMode=border) for plane in image]
        return torch.from_numpy(np.stack(planes))


def _listed(folder: Path, name: str) -> tuple[Tensor, list[Path]]:
    """Stamps (N,) in order and the files that a list names; no name leads out of the folder."""
    path, rows = folder / name, []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        stamp, _, file = line.strip().partition(" ")
        seconds = parse_numbers(path, number, stamp, 1, "a time and the name of an image")[0]
        target = (folder / file.strip()).resolve()
        if not target.is_relative_to(folder.resolve()):
            raise InputError(f"{path}:{number}: {file.strip()} is outside of the sequence; correct the line")
        rows.append((seconds, target))
    if not rows:
        raise InputError(f"{path}: names no image; copy it again")
    rows.sort(key=lambda row: row[0])
    return torch.tensor([seconds for seconds, _ in rows], dtype=torch.float64), [file for _, file in rows]


def _nearest(folder: Path, stamps: Tensor) -> list[Path | None]:
    """The depth file closest in time to each stamp, None where none is near."""
    times, files = _listed(folder, "depth.txt")
    known = times.tolist()
    found: list[Path | None] = []
    for stamp in stamps.tolist():
        after = bisect_left(known, stamp)
        best = min(range(max(after - 1, 0), min(after + 1, len(known))), key=lambda i: abs(known[i] - stamp))
        found.append(files[best] if abs(known[best] - stamp) <= APART else None)
    return found


def _interpolated(truth: Trajectory, stamps: Tensor) -> tuple[Tensor, Tensor]:
    """Poses (M, 4, 4), world = the first, at those stamps between two near poses, and which these are (N,)."""
    order = truth.stamps.argsort()
    times, poses = truth.stamps[order], truth.poses[order]
    distinct = torch.cat([times.new_ones(1), times.diff()]) > 0
    times, poses = times[distinct], poses[distinct]
    after = torch.searchsorted(times, stamps).clamp(1, max(len(times) - 1, 1))
    inside = (stamps >= times[0]) & (stamps <= times[-1])
    kept = inside & (times[after.clamp(max=len(times) - 1)] - times[after - 1] <= GAP)
    if not bool(kept.any()):
        return poses[:0], kept
    at = stamps[kept]
    turned = Slerp(times.numpy(), Rotation.from_matrix(poses[:, :3, :3].numpy()))(at.numpy()).as_matrix()
    moved = [np.interp(at.numpy(), times.numpy(), poses[:, k, 3].numpy()) for k in range(3)]
    T_world_cam = torch.eye(4, dtype=torch.float64).repeat(len(at), 1, 1)
    T_world_cam[:, :3, :3] = torch.from_numpy(turned)
    T_world_cam[:, :3, 3] = torch.from_numpy(np.stack(moved, -1))
    return torch.linalg.solve(T_world_cam[:1], T_world_cam), kept


def _undistortion(camera: np.ndarray, distortion: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of an ideal image is found in the distorted one: x and y."""
    return cv2.initUndistortRectifyMap(camera, np.array(distortion), None, camera, SIZE[::-1], cv2.CV_32FC1)
