"""Videos and folders of images of one short rendered drive, and what is measured along it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import yaml
from torch import Tensor

import vode
from vode.io.depth import write_depth
from vode.io.image import write_image
from vode.io.video_writer import write_video
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

COUNT = 5
"""frames, as the snippets have that SfMLearner is scored on"""
DRIVE = WorldSequence(3, WorldOptions(size=(96, 160), frames=COUNT, scenes=("town",), moving=False))
TIMES = torch.arange(COUNT, dtype=torch.float64) / DRIVE.options.rate
"""seconds of each frame"""
LATITUDE, LONGITUDE, DEGREE = 49.0, 8.4, 111_320.0
"""of the first frame, and metres of a degree of latitude"""


def frames() -> list[Tensor]:
    """(3, 96, 160) each."""
    return [DRIVE.frame(i) for i in range(COUNT)]


@cache
def large() -> list[Tensor]:
    """The same, of the size that indoor data sets have: (3, 480, 640)."""
    return [F.interpolate(image[None], (480, 640))[0] for image in frames()]


def video(path: Path) -> None:
    write_video(path, frames())


def videos(path: Path) -> None:
    path.mkdir()
    video(path / "walk.mp4")


def images(path: Path) -> None:
    path.mkdir()
    for i, image in enumerate(frames()):
        write_image(path / f"{i:06d}.png", image)


def camera(path: Path) -> None:
    (fx, _, cx), (_, fy, cy), _ = DRIVE.intrinsics.tolist()
    height, width = DRIVE.size
    path.write_text(yaml.safe_dump({"width": width, "height": height, "fx": fx, "fy": fy, "cx": cx, "cy": cy}))


def depth(path: Path) -> None:
    """Metres, for ``images``."""
    path.mkdir()
    for i in range(COUNT):
        np.savez(path / f"{i:06d}.npz", depth=DRIVE.depth(i)[0].numpy())


def depth_in_millimetres(path: Path) -> None:
    path.mkdir()
    for i in range(COUNT):
        known = DRIVE.depth(i).clamp(max=60)
        write_depth(path / f"{i:06d}.png", torch.where(known > 0, known, 60.0), unit=1000)


def trajectory(path: Path) -> None:
    truth = vode.Trajectory(DRIVE.poses.numpy(), TIMES.numpy())
    truth.write_tum(path) if path.suffix == ".tum" else truth.write_kitti(path)


def speeds(path: Path) -> None:
    steps = (DRIVE.poses[1:, :3, 3] - DRIVE.poses[:-1, :3, 3]).norm(dim=1) * DRIVE.options.rate
    rows = [f"{time},{speed}" for time, speed in zip(TIMES.tolist(), [*steps, steps[-1]], strict=True)]
    path.write_text("seconds,speed\n" + "\n".join(rows) + "\n")


def fixes(path: Path) -> None:
    """Thirty a second, as if the drive began northwards."""
    known, times = TIMES.numpy(), np.arange(0, float(TIMES[-1]), 1 / 30)
    east, _, north = (np.interp(times, known, values) for values in DRIVE.poses[:, :3, 3].T.numpy())
    latitudes, longitudes = LATITUDE + north / DEGREE, LONGITUDE + east / (DEGREE * np.cos(np.radians(LATITUDE)))
    rows = zip(times, latitudes, longitudes, strict=True)
    path.write_text("".join(f"{time:.4f},{latitude:.9f},{longitude:.9f}\n" for time, latitude, longitude in rows))
