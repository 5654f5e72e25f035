"""Data sets of rooms in their owners' layouts, with images of the drive: readers do not mind what is seen."""

from __future__ import annotations

from pathlib import Path

import cv2
import torch
from scipy.spatial.transform import Rotation

from tests.manual.data.videos import DRIVE, TIMES, large
from vode.io.depth import write_depth
from vode.io.image import write_image

NEAR = torch.full((1, 480, 640), 2.5)
"""metres"""
STRIDE = 10
"""frames from one image of a pair of the recipe nyu to the other"""


def tum(path: Path) -> None:
    folder = path / "rgbd_dataset_freiburg1_rpy"
    for kind in ("rgb", "depth"):
        (folder / kind).mkdir(parents=True)
    times = [f"{100 + time:.6f}" for time in TIMES.tolist()]
    for kind in ("rgb", "depth"):
        (folder / f"{kind}.txt").write_text("".join(f"{time} {kind}/{time}.png\n" for time in times))
    rows = []
    for time, image, pose in zip(times, large(), DRIVE.poses.numpy(), strict=True):
        write_image(folder / "rgb" / f"{time}.png", image)
        write_depth(folder / "depth" / f"{time}.png", NEAR, unit=5000)
        numbers = (*pose[:3, 3], *Rotation.from_matrix(pose[:3, :3]).as_quat())
        rows.append(" ".join([time, *(f"{number:.6f}" for number in numbers)]))
    (folder / "groundtruth.txt").write_text("\n".join(rows) + "\n")


def seven_scenes(path: Path) -> None:
    """One sequence to train on, and one to test on."""
    path.mkdir()
    for number, part in ((1, "Train"), (2, "Test")):
        (path / f"{part}Split.txt").write_text(f"sequence{number}\n")
        folder = path / f"seq-{number:02d}"
        folder.mkdir()
        for k, (image, pose) in enumerate(zip(large(), DRIVE.poses.tolist(), strict=True)):
            write_image(folder / f"frame-{k:06d}.color.png", image)
            write_depth(folder / f"frame-{k:06d}.depth.png", NEAR, unit=1000)
            rows = (" ".join(f"{number:.9e}" for number in row) for row in pose)
            (folder / f"frame-{k:06d}.pose.txt").write_text("\n".join(rows) + "\n")


def nyu(path: Path) -> None:
    """A raw folder with two pairs, of an image and itself."""
    folder = path / "basement_0001a"
    folder.mkdir(parents=True)
    pixels = large()[0].mul(255).byte().movedim(0, -1).numpy()[..., ::-1]
    whole = cv2.imencode(".ppm", pixels)[1].tobytes()
    for k in range(STRIDE + 2):
        (folder / f"r-{1000 + k / 20:.2f}-1316138413.ppm").write_bytes(whole)
