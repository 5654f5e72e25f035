"""Which known layout a path belongs to, and which sequence of it is meant: KITTI, TUM, 7-Scenes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vode.errors import InputError
from vode.io.files import visible

COLOUR_FIRST = (2, 3, 0, 1)
"""cameras of KITTI, the best one first"""
SHOWN = 5


class Layout(NamedTuple):
    """A sequence of a data set on disk."""

    dataset: str
    """its name in the registry"""
    root: Path
    sequence: str
    camera: int | None = None
    """of KITTI"""
    whole: bool = True
    """whether the path is that of the sequence, not of a folder of images in it"""


def find_layout(path: Path, camera: int | None = None) -> Layout | None:
    """The sequence that a folder is, is part of, or holds; None if it is of no known layout.

    ``camera`` of KITTI is the one asked for. InputError names the sequences where the folder holds several.
    """
    path = path.absolute()
    below = _below(path)
    for kind in (_kitti_odometry, _kitti_raw, _tum, _seven_scenes):
        # the folder of a sequence, or one of its images in it
        for folder, part in ((path, ""), (path.parent, path.name), (path.parent.parent, f"{path.parent.name}/data")):
            found = kind(folder, part, camera)
            if found is not None:
                return found
        held = [layout for folder in below if (layout := kind(folder, "", camera)) is not None]
        if len(held) > 1:
            names = [layout.sequence for layout in held]
            shown = ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else "")
            raise InputError(f"{path}: {len(held)} sequences of {held[0].dataset} ({shown}); name the folder of one")
        if held:
            return held[0]
    return None


def _below(path: Path) -> list[Path]:
    """Folders in a folder, and those in them."""
    children = _folders(path)
    return [folder for child in children for folder in (child, *_folders(child))]


def _folders(path: Path) -> list[Path]:
    return [folder for folder in visible(path) if folder.is_dir()]


def _kitti_odometry(folder: Path, part: str, camera: int | None) -> Layout | None:
    if folder.parent.name != "sequences" or not (folder / "calib.txt").is_file():
        return None
    number = _camera(folder, part, r"image_(\d)", lambda c: f"image_{c}", camera)
    return None if number is None else Layout("kitti-odom", folder.parent.parent, folder.name, number, not part)


def _kitti_raw(folder: Path, part: str, camera: int | None) -> Layout | None:
    if not re.fullmatch(r"\d{4}_\d\d_\d\d_drive_\d{4}_sync", folder.name):
        return None
    number = _camera(folder, part, r"image_(\d\d)(?:/data)?", lambda c: f"image_{c:02d}", camera)
    name = folder.name.removesuffix("_sync")
    return None if number is None else Layout("kitti-raw", folder.parent.parent, name, number, not part)


def _tum(folder: Path, part: str, camera: int | None) -> Layout | None:
    known = part in ("", "rgb") and (folder / "rgb.txt").is_file()
    return Layout("tum", folder.parent, folder.name, camera, not part) if known else None


def _seven_scenes(folder: Path, part: str, camera: int | None) -> Layout | None:
    known = part == "" and re.fullmatch(r"seq-\d+", folder.name) and next(folder.glob("frame-*.color.*"), None)
    return Layout("7scenes", folder.parent, folder.name) if known else None


def _camera(folder: Path, part: str, named: str, name: Callable[[int], str], camera: int | None) -> int | None:
    """The camera whose images a part of the folder is, or of all of it the one asked for, or the best that is there."""
    if part:
        found = re.fullmatch(named, part)
        return int(found[1]) if found else None
    if camera is not None:
        return camera
    return next((number for number in COLOUR_FIRST if (folder / name(number)).is_dir()), None)
