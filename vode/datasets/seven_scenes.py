"""7-Scenes (Shotton et al., CVPR 2013): a room seen by a depth camera that is carried about in it.

root/TrainSplit.txt, root/TestSplit.txt           "sequence1", one line a sequence
root/seq-01/frame-000000.color.png (or .jpg)      640x480
root/seq-01/frame-000000.depth.png                16-bit, millimetres, 65535 = unknown (optional)
root/seq-01/frame-000000.pose.txt                 4x4 world-from-camera, metres

Colour and depth come from two cameras beside one another. Depth is carried over into the colour camera, whose focal
length is not the 585 pixels that the set is published with, but 525 (Brachmann and Rother, TPAMI 2021).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.base import Capability, ImageSequence, known, left_out_note
from vode.datasets.dataset import Dataset
from vode.errors import InputError
from vode.geometry.pose import from_first, inverse, is_rigid
from vode.geometry.synthesis import depth_buffer
from vode.io.depth import read_depth
from vode.io.files import inside, visible
from vode.io.image import read_pixels
from vode.io.text import parse_numbers, read_lines

CAMERA = Camera((480, 640), (525.0, 525.0), (320.0, 240.0))
DEPTH_CAMERA = Camera(CAMERA.size, (585.0, 585.0), CAMERA.centre)
T_DEPTH_COLOUR = inverse(
    torch.tensor(
        [
            [0.99996518, 0.00267651, -0.00790410, -0.02555894],
            [-0.00274093, 0.99996303, -0.00815045, 0.00010110],
            [0.00788199, 0.00817183, 0.99993555, 0.00203183],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
)
"""of a Kinect, as the LIRIS laboratory calibrated it (2012)"""
UNKNOWN = 65.535
"""metres: what the depth camera writes where it sees nothing"""

FRAMES = {"stairs": 500}
"""frames of a sequence, where they are not 1000"""


class SevenScenes(ImageSequence):
    """One sequence of a scene, ``root``; world = its first frame.

    Frames whose pose is not finite or no rotation, which the set has, are left out and counted in ``notes``.
    Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str) -> None:
        self.name, self.folder = sequence, inside(root, sequence)
        images = [path for path in visible(self.folder) if re.fullmatch(r"frame-.*\.color\.(png|jpg)", path.name)]
        if not images:
            none = "no frame-000000.color.png or others like it"
            raise InputError(f"{self.folder}: {none}; check the folder and the sequence's name", "data", "sequences")
        self.size, self.intrinsics = CAMERA.size, CAMERA.intrinsics
        read_pixels(images[0], self.size)
        poses = torch.stack([read_pose(_beside(image, "pose.txt")) for image in images])
        kept = is_rigid(poses)
        if not bool(kept.any()):
            raise InputError(f"{self.folder}: no frame has a usable pose; copy the sequence again")
        self.notes = left_out_note(kept) + self._unseen_note(images)
        self.images = [images[i] for i in kept.nonzero()[:, 0].tolist()]
        self.poses_in_scene = poses[kept]
        self.poses = from_first(self.poses_in_scene)
        self.capabilities = known(poses=True, map=True, depth=any(map(self.has_depth, range(len(self)))))

    def _unseen_note(self, images: list[Path]) -> tuple[str, ...]:
        """A note that counts the poses that have no image."""
        poses = set(self.folder.glob("frame-*.pose.txt"))
        alone = poses - {_beside(image, "pose.txt") for image in images}
        return (f"{len(alone)} of {len(poses)} poses have no image: first {min(alone)}",) if alone else ()

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return read_pixels(self.images[index], self.size)

    def has_depth(self, index: int) -> bool:
        return _beside(self.images[index], "depth.png").is_file()

    def depth(self, index: int) -> Tensor | None:
        if not self.has_depth(index):
            return None
        depth = read_depth(_beside(self.images[index], "depth.png"), unit=1000.0, expected=self.size)
        depth = torch.where(depth >= UNKNOWN - 1e-3, 0.0, depth)
        cameras = DEPTH_CAMERA.intrinsics[None], T_DEPTH_COLOUR[None], self.intrinsics[None]
        return depth_buffer(depth[None], *cameras, self.size)[0]


class SevenScenesDataset(Dataset):
    """One scene of 7-Scenes, with the sequences that its lists train and test on. One camera."""

    name = "7scenes"
    capabilities = frozenset({Capability.DEPTH, Capability.POSES, Capability.MAP})
    expects = "seq-01 or others like it"

    def on_disk(self) -> tuple[str, ...]:
        return tuple(path.name for path in visible(self.root) if path.match("seq-*") and path.is_dir())

    def training(self) -> tuple[str, ...]:
        return read_sequences(self.root / "TrainSplit.txt")

    def test(self) -> tuple[str, ...]:
        return read_sequences(self.root / "TestSplit.txt")

    def official(self) -> dict[str, int]:
        """The frames of every sequence that the scene's two lists name."""
        lists = [path for path in (self.root / f"{part}Split.txt" for part in ("Train", "Test")) if path.is_file()]
        length = FRAMES.get(self.root.resolve().name, 1000)
        return {name: length for path in lists for name in read_sequences(path)}

    def open_whole(self, name: str, camera: int) -> SevenScenes:
        return SevenScenes(self.root, name)


def read_sequences(path: Path) -> tuple[str, ...]:
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


def _beside(image: Path, kind: str) -> Path:
    return image.with_name(f"{image.name.partition('.')[0]}.{kind}")
