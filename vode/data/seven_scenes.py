"""7-Scenes (Shotton et al., CVPR 2013): a room seen by a depth camera that is carried about in it.

root/TrainSplit.txt, root/TestSplit.txt           "sequence1", one line a sequence
root/seq-01/frame-000000.color.png (or .jpg)      640x480
root/seq-01/frame-000000.depth.png                16-bit, millimetres, 65535 = unknown (optional)
root/seq-01/frame-000000.pose.txt                 4x4 world-from-camera, metres
"""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from vode.data.files import image_size, read_depth, read_image
from vode.data.sequence import Sequence
from vode.data.text import parse_numbers, read_lines
from vode.errors import InputError

FOCAL, CENTRE = 585.0, (320.0, 240.0)
SIZE = (480, 640)
UNKNOWN = 65.535
"""metres: what the depth camera writes where it sees nothing"""
SKEWED = 0.01
"""largest entry of R R^T - I of a rotation"""


class SevenScenes(Sequence):
    """One sequence of a scene, ``root``; world = its first frame.

    Frames whose pose is not finite or no rotation, which the set has, are left out and counted in ``left_out``.
    There is one camera, whatever ``camera`` says. Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str, camera: int = 0) -> None:
        self.name, self.folder = sequence, Path(root) / sequence
        images = sorted(path for kind in ("png", "jpg") for path in self.folder.glob(f"frame-*.color.{kind}"))
        if not images:
            raise InputError(f"{self.folder}: no frame-000000.color.png or others like it; check --data, --sequences")
        self.size = image_size(images[0])
        if self.size != SIZE:
            raise InputError(f"{images[0]}: {self.size[1]}x{self.size[0]} pixels, not 640x480; use the originals")
        poses = torch.stack([read_pose(_beside(image, "pose.txt")) for image in images])
        kept = is_rigid(poses)
        if not bool(kept.any()):
            raise InputError(f"{self.folder}: no frame has a usable pose; copy the sequence again")
        self.left_out = int((~kept).sum())
        self.images = [images[i] for i in kept.nonzero()[:, 0].tolist()]
        self.poses_in_scene = poses[kept]
        self.poses = torch.linalg.solve(self.poses_in_scene[:1], self.poses_in_scene)
        x, y = CENTRE
        self.intrinsics = torch.tensor([[FOCAL, 0, x], [0, FOCAL, y], [0, 0, 1]])

    @staticmethod
    def training(root: Path | str) -> tuple[str, ...]:
        """The names of the training sequences of a scene."""
        return read_split(Path(root) / "TrainSplit.txt")

    def __len__(self) -> int:
        return len(self.images)

    def frame(self, index: int) -> Tensor:
        return self._whole(self.images[index], read_image(self.images[index]))

    def has_depth(self, index: int) -> bool:
        return _beside(self.images[index], "depth.png").is_file()

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        path = _beside(self.images[index], "depth.png")
        depth = self._whole(path, read_depth(path, unit=1000.0))
        return torch.where(depth >= UNKNOWN - 1e-3, 0.0, depth)

    def _whole(self, path: Path, image: Tensor) -> Tensor:
        if tuple(image.shape[-2:]) != SIZE:
            raise InputError(f"{path}: {image.shape[-1]}x{image.shape[-2]} pixels, not 640x480; use the originals")
        return image


def read_split(path: Path) -> tuple[str, ...]:
    """The folders, seq-01 and so on, of the sequences that a split names."""
    names = []
    for number, line in enumerate(read_lines(path), start=1):
        found = re.fullmatch(r"(?:sequence|seq-)(\d+)", line.strip())
        if found is None:
            raise InputError(f'{path}:{number}: not "sequence1" or another number; correct the line')
        names.append(f"seq-{int(found[1]):02d}")
    if not names:
        raise InputError(f"{path}: names no sequence; copy it again")
    return tuple(names)


def read_pose(path: Path) -> Tensor:
    """A 4x4 matrix (4, 4) float64; NaN where the file holds something that is no number."""
    lines = read_lines(path)
    if len(lines) != 4:
        raise InputError(f"{path}: {len(lines)} lines, not the 4 of a pose; copy it again")
    rows = []
    for number, line in enumerate(lines, start=1):
        if re.search(r"nan|inf|#ind|#qnan", line, re.IGNORECASE):
            rows.append([float("nan")] * 4)
        else:
            rows.append(parse_numbers(path, number, line, 4, "the 4 numbers of a row of a pose"))
    return torch.tensor(rows, dtype=torch.float64)


def is_rigid(poses: Tensor) -> Tensor:
    """Whether poses (N, 4, 4) are finite, and their rotations ones: bool (N,)."""
    rotation = poses[:, :3, :3]
    skew = (rotation @ rotation.mT - torch.eye(3, dtype=poses.dtype)).abs().amax((1, 2))
    return poses.isfinite().all(-1).all(-1) & (skew.nan_to_num(1.0) < SKEWED) & (torch.linalg.det(rotation) > 0)


def _beside(image: Path, kind: str) -> Path:
    return image.with_name(f"{image.name.partition('.')[0]}.{kind}")
