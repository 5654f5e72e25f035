"""Scenes of RealityCapture (RealityScan), from its export "Internal/External camera parameters".

    root/cameras.csv       #name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2, a line each image
    root/.../0001.jpg      the images, in any folder

Of a camera with all angles 0 x points right, y up and z backward; heading turns clockwise about the world's z, which
is up, then pitch about x, then roll about y, in degrees. The focal length is of film 36 mm wide, the principal point a
fraction of the longer side from the middle, the lens Brown's in units of the focal length.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from os.path import isfile
from pathlib import Path

import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.base import Capability
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import GL_TO_CV, MappedSequence, Placed
from vode.datasets.mapped.image_finder import ImageFinder
from vode.datasets.mapped.lens_keys import refuse_lens_keys
from vode.errors import InputError
from vode.io.files import inside, read_bytes, visible
from vode.io.image import image_size
from vode.io.text import read_lines

NEEDED = ("name", "x", "y", "alt", "heading", "pitch", "roll", "f")
OPTIONAL = ("px", "py", "k1", "k2", "k3", "k4", "t1", "t2")
HEAD = 2048
"""bytes that hold the names of the columns"""
FILM = 36.0
"""millimetres, the width that focal lengths refer to"""


class RealityCaptureSequence(MappedSequence):
    """The images of one table, named by its stem; lengths in its units. InputError names the file and the remedy."""

    def __init__(self, root: Path | str, sequence: str) -> None:
        path = inside(root, f"{sequence}.csv")
        rows, finder = read_table(path), ImageFinder(root)
        files = [finder.find_anywhere(name) for name, _ in rows]
        first = next((file for file in files if isfile(file)), None)
        if first is None:
            raise InputError(f"{path}: not one of its {len(files)} images is there: first {files[0]}", "data")
        size = image_size(first)
        placed = [
            Placed(file, _camera(path, name, values, size), _pose(values))
            for file, (name, values) in zip(files, rows, strict=True)
        ]
        super().__init__(sequence, path, placed)


class RealityCaptureDataset(Dataset):
    """A scene that RealityCapture has mapped, exported as a table of cameras, a sequence each."""

    name = "realitycapture"
    capabilities = frozenset({Capability.POSES, Capability.MAP})
    expects = "table (.csv) of internal/external camera parameters"

    def on_disk(self) -> tuple[str, ...]:
        tables = (path for path in visible(self.root) if path.suffix.lower() == ".csv")
        return tuple(path.stem for path in tables if _columns_of(path))

    def open_whole(self, name: str, camera: int) -> RealityCaptureSequence:
        return RealityCaptureSequence(self.root, name)


def read_table(path: Path) -> list[tuple[str, Mapping[str, float]]]:
    """Names of images, and their numbers by column; InputError names the line that is not understood."""
    columns = _columns_of(path)
    if not columns:
        raise InputError(f"{path}: no columns {','.join(NEEDED)}; export internal/external camera parameters")
    rows: list[tuple[str, Mapping[str, float]]] = []
    for number, words in enumerate(csv.reader(read_lines(path)), start=1):
        if not words or words[0].startswith("#") or [word.strip().lower() for word in words] == columns:
            continue
        named = dict(zip(columns, words, strict=False))
        try:
            values = {key: float(named[key]) for key in NEEDED[1:]}
            values |= {key: float(named.get(key) or 0) for key in OPTIONAL}
        except (KeyError, ValueError):
            raise InputError(f"{path}:{number}: not {','.join(columns)}; export it again") from None
        refuse_lens_keys(path, _numbers(named), NEEDED + OPTIONAL, "export undistorted images")
        rows.append((named["name"].strip(), values))
    if not rows:
        raise InputError(f"{path}: names no image; export it again")
    return rows


def _columns_of(path: Path) -> list[str]:
    """The names of a table's columns, which stand in one of its first lines; empty if it is another table."""
    head = read_bytes(path, HEAD).decode("utf-8-sig", errors="replace").splitlines()[:2]
    tables = ([word.strip().lstrip("#").strip().lower() for word in line.split(",")] for line in head)
    return next((columns for columns in tables if set(NEEDED) <= set(columns)), [])


def _numbers(words: Mapping[str, str]) -> dict[str, float | str]:
    """Columns with their values, as numbers where they are."""
    values: dict[str, float | str] = {}
    for key, word in words.items():
        try:
            values[key] = float(word)
        except ValueError:
            values[key] = word
    return values


def _pose(values: Mapping[str, float]) -> Tensor:
    angles = [-values["heading"], values["pitch"], values["roll"]]
    T_world_cam = torch.eye(4, dtype=torch.float64)
    if all(map(math.isfinite, angles)):
        T_world_cam[:3, :3] = torch.from_numpy(Rotation.from_euler("ZXY", angles, degrees=True).as_matrix())
    else:
        T_world_cam[:3, :3] = torch.nan
    T_world_cam[:3, 3] = torch.tensor([values[key] for key in ("x", "y", "alt")], dtype=torch.float64)
    return T_world_cam @ GL_TO_CV


def _camera(path: Path, name: str, values: Mapping[str, float], size: tuple[int, int]) -> Camera:
    if values["k4"]:
        raise InputError(f"{path}: k4 of {name} is not 0; set the distortion model to Brown3 and export it again")
    longer, (height, width) = max(size), size
    focal, k1, k2, t1, t2, k3 = (values[key] for key in ("f", "k1", "k2", "t1", "t2", "k3"))
    centre = (width - 1) / 2 + values["px"] * longer, (height - 1) / 2 + values["py"] * longer
    distortion = (k1, k2, t1, t2, k3)
    try:
        pixels = focal * longer / FILM
        if any(distortion):
            return Camera(size, (pixels, pixels), centre, "radtan", distortion)
        return Camera(size, (pixels, pixels), centre)
    except InputError as error:
        raise InputError(f"{path}: {name}: {error}; export it again") from None
