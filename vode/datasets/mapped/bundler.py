"""Scenes in the format of Bundler (Snavely et al., SIGGRAPH 2006), which COLMAP, Metashape and others write too.

    root/bundle.out or root/bundle/bundle.out     "# Bundle file v0.3", cameras, then points
    list.txt                                      names of the images, a line each, beside the file or above it

Poses in the file are camera-from-world with OpenGL's axes; images have their origin in the middle. Images that were
not mapped have a focal length of 0.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from os.path import isfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vode.cameras.lens import Camera
from vode.datasets.base import Capability, known
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import GL_TO_CV, MappedSequence, Placed, SeenPoints
from vode.datasets.mapped.image_finder import ImageFinder
from vode.errors import InputError
from vode.geometry.pose import inverse
from vode.io.files import inside, read_bytes, version, visible
from vode.io.image import image_size
from vode.io.text import read_lines

MAGIC = b"# Bundle file"
SEEN = 100
"""measurements from which on their reach tells how large the images are"""
LEAST = 0.6
"""least part of the images over which so many are spread"""
LISTS = ("{name}.list.txt", "{stem}.list.txt", "{stem}-list.txt", "{stem}_list.txt", "list.txt", "image_list.txt")
"""what the list of images may be called, by the name and the stem of the file"""


class BundlerModel(NamedTuple):
    """The contents of a file."""

    cameras: np.ndarray
    """(N, 15) float64: f, k1, k2, rotation by rows, translation"""
    points: np.ndarray
    """(P, 3) float64, in units of the map"""
    rows: list[np.ndarray]
    """of every image, the rows (M,) of ``points`` that it sees, each once"""
    reach: np.ndarray
    """(2,) how far, in pixels x and y, points are seen from the middle of images"""
    seen: int
    """number of measurements"""


class BundlerSequence(MappedSequence):
    """The mapped images of one file, named by its path without suffix. InputError names the file and the remedy."""

    def __init__(self, root: Path | str, sequence: str) -> None:
        self._path, finder = inside(root, f"{sequence}.out"), ImageFinder(root)
        model, names = read_model(self._path), _names(self._path, Path(root))
        if len(names) != len(model.cameras):
            raise InputError(
                f"{self._path}: {len(model.cameras)} cameras, but {len(names)} names in its list; export again"
            )
        mapped = np.flatnonzero(model.cameras[:, 0] != 0)
        files = [finder.find_anywhere(names[i]) for i in mapped]
        first = next((file for file in files if isfile(file)), None)
        if first is None:
            shown = f": first {files[0]}" if files else ""
            raise InputError(f"{self._path}: not one of its {len(files)} images is there{shown}", "data")
        size = image_size(first)
        _check_reach(self._path, model, first, size)
        placed = [
            Placed(file, _camera(self._path, model.cameras[i], size), _pose(model.cameras[i]))
            for i, file in zip(mapped, files, strict=True)
        ]
        super().__init__(sequence, self._path, placed)
        self._rows = {file: int(i) for i, file in zip(mapped, files, strict=True)}
        self.capabilities |= known(points=len(model.points) > 0)
        if len(mapped) < len(names):
            self.notes += (f"{len(names) - len(mapped)} of {len(names)} images are not in the map, and left out",)

    @cached_property
    def _seen(self) -> SeenPoints | None:
        model = read_model(self._path)
        return SeenPoints(model.points, [model.rows[self._rows[file]] for file in self.images])


class BundlerDataset(Dataset):
    """A scene in Bundler's format; every .out file is a sequence of one camera."""

    name = "bundler"
    capabilities = frozenset({Capability.POSES, Capability.MAP, Capability.POINTS})
    expects = 'file (.out) that begins with "# Bundle file"'

    def on_disk(self) -> tuple[str, ...]:
        folders = [self.root, *(path for path in visible(self.root) if path.is_dir())]
        files = (path for folder in folders for path in visible(folder) if path.suffix == ".out" and path.is_file())
        found = (path for path in files if read_bytes(path, len(MAGIC)) == MAGIC)
        return tuple(path.relative_to(self.root).with_suffix("").as_posix() for path in found)

    def open_whole(self, name: str, camera: int) -> BundlerSequence:
        return BundlerSequence(self.root, name)


def read_model(path: Path) -> BundlerModel:
    """The cameras and points of a file, read once as long as it does not change; InputError if it is damaged."""
    return _model(path, version(path))


@lru_cache(maxsize=4)
def _model(path: Path, _version: tuple[int, int]) -> BundlerModel:
    lines = read_lines(path)
    if not lines or not lines[0].startswith(MAGIC.decode()):
        raise InputError(f"{path}: does not begin with {MAGIC.decode()!r}; give the .out file of Bundler")
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    try:
        numbers = np.array(words, dtype=np.float64)
        images, points = (_count(value) for value in numbers[:2])
        cameras, at = numbers[2 : 2 + 15 * images].reshape(images, 15), 2 + 15 * images
        places = np.empty((min(points, len(numbers)), 3))
        seen: list[list[int]] = [[] for _ in range(images)]
        reach = np.zeros(2)
        for row in range(points):
            places[row], count = numbers[at : at + 3], _count(numbers[at + 6])
            views = numbers[at + 7 : at + 7 + 4 * count].reshape(count, 4)
            for image in views[:, 0]:
                seen[_count(image)].append(row)
            reach = np.fmax(reach, np.abs(views[:, 2:]).max(0, initial=0.0))
            at += 7 + 4 * count
    except (ValueError, IndexError):
        raise InputError(f"{path}: cut short or not as Bundler writes it; export it again") from None
    if not np.isfinite(places).all():
        raise InputError(f"{path}: a point is nowhere, its place not finite; export it again")
    rows_seen = [np.unique(np.array(rows, dtype=np.int64)) for rows in seen]
    return BundlerModel(cameras, places, rows_seen, reach, sum(map(len, seen)))


def _count(value: float) -> int:
    """A whole number from 0; ValueError for others."""
    if not 0 <= value < 2**31 or value != int(value):
        raise ValueError(value)
    return int(value)


def _names(path: Path, root: Path) -> list[str]:
    """The names of the images, from a list beside the file, or above it in the folder of the data set."""
    folders = [path.parent] if path.parent == root else [path.parent, path.parent.parent]
    named = [form.format(name=path.name, stem=path.stem) for form in LISTS]
    found = next((file for folder in folders for name in named if (file := folder / name).is_file()), None)
    if found is None:
        raise InputError(f"{path}: no list of its images beside it ({', '.join(named)}); export that as well")
    # behind a name may stand 0 and the focal length that its EXIF tells
    lines = [line.strip() for line in read_lines(found)]
    return [re.sub(r"\s+0\s+[0-9.eE+-]+$", "", line) for line in lines if line]


def _check_reach(path: Path, model: BundlerModel, image: Path, size: tuple[int, int]) -> None:
    """InputError if what images see lies outside of them, or all near their middle: they were resized since."""
    (x, y), (height, width) = model.reach.tolist(), size
    spread = max(2 * x / width, 2 * y / height)
    if x > width / 2 + 1 or y > height / 2 + 1 or (model.seen >= SEEN and 0 < spread < LEAST):
        raise InputError(
            f"{path}: points are seen up to {x:.0f}, {y:.0f} pixels from the middle, but {image.name} has "
            f"{width}x{height}, as if it was resized; copy the images that were mapped"
        )


def _camera(path: Path, values: np.ndarray, size: tuple[int, int]) -> Camera:
    (focal, k1, k2), (height, width) = values[:3].tolist(), size
    centre = (width - 1) / 2, (height - 1) / 2
    try:
        if k1 or k2:
            return Camera(size, (focal, focal), centre, "radtan", (k1, k2, 0.0, 0.0))
        return Camera(size, (focal, focal), centre)
    except InputError as error:
        raise InputError(f"{path}: {error}; export it again") from None


def _pose(values: np.ndarray) -> torch.Tensor:
    T_cam_world = torch.eye(4, dtype=torch.float64)
    T_cam_world[:3, :3] = torch.from_numpy(values[3:12].reshape(3, 3).copy())
    T_cam_world[:3, 3] = torch.from_numpy(values[12:].copy())
    return inverse(T_cam_world) @ GL_TO_CV
