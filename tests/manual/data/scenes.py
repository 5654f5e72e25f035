"""Mapped scenes: of other programs, and a walk through a room that can be mapped."""

from __future__ import annotations

from pathlib import Path

from scipy.spatial.transform import Rotation

from tests.datasets.conftest import EXPORTS, Scene
from tests.manual.data.videos import DRIVE, frames
from tests.sfm import room
from vode.io.image import write_image


def exported(path: Path) -> None:
    """The drive as COLMAP, NeRF's tools and RealityCapture export it, all in one folder."""
    (path / "images").mkdir(parents=True)
    names = [f"frame{i + 1}.png" for i in range(len(DRIVE))]
    for name, image in zip(names, frames(), strict=True):
        write_image(path / "images" / name, image)
    (focal, _, cx), (_, _, cy), _ = DRIVE.intrinsics.tolist()
    scene = Scene(names, DRIVE.poses.numpy(), DRIVE.size, focal, (cx, cy))
    for tool in ("colmap", "transforms", "realitycapture"):
        EXPORTS[tool](path, scene)


def cambridge(path: Path) -> None:
    """One folder to train on and one to test on, of the same images."""
    for number, part in ((1, "train"), (2, "test")):
        (path / f"seq{number}").mkdir(parents=True)
        lines = ["Visual Landmark Dataset V1", "ImageFile, Camera Position [X Y Z W P Q R]", ""]
        for k, (image, pose) in enumerate(zip(frames(), DRIVE.poses.numpy(), strict=True), start=1):
            name = f"seq{number}/frame{k:05d}.png"
            write_image(path / name, image)
            x, y, z, w = Rotation.from_matrix(pose[:3, :3].T).as_quat()
            lines.append(" ".join([name, *(f"{value:.9f}" for value in (*pose[:3, 3], w, x, y, z))]))
        (path / f"dataset_{part}.txt").write_text("\n".join(lines) + "\n")


def walk(path: Path) -> None:
    """Sideways through a room with walls to see, in Motion JPEG whatever the name says."""
    walls = room.walls()
    film = room.film(path.with_suffix(".avi"), [room.render(walls, pose) for pose in room.poses(8, 2.0, 0.5)])
    film.rename(path)


def second_walk(path: Path) -> None:
    """Like the first one, so that both share their images."""
    walk(path)
