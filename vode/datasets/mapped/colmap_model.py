"""COLMAP's models, text and binary: cameras, images with their poses, and points.

https://colmap.github.io/format.html. Poses in the files are camera-from-world with the quaternion w first, pixel
centres lie at 0.5; what is read here is world-from-camera, with centres at integers.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.colmap import COLMAP_MODELS, REFUSED, colmap_camera, read_colmap_cameras
from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.pose import inverse, quaternion_to_matrix
from vode.io.files import read_bytes, version, visible
from vode.io.text import parse_numbers, read_lines

LONGEST_NAME = 4096


class Image(NamedTuple):
    """One registered image."""

    name: str
    camera: int
    T_world_cam: Tensor
    """(4, 4) float64, in units of the model; NaN if the file holds no pose"""
    points: Tensor
    """numbers (M,) of the points that it sees"""


class Model(NamedTuple):
    """Cameras by number, and images."""

    cameras: dict[int, Camera]
    images: list[Image]


class Points(NamedTuple):
    """Points of a model."""

    numbers: np.ndarray
    """(P,) int64, ascending"""
    places: np.ndarray
    """(P, 3) float64, in units of the model"""


def find_model(root: Path | str) -> Path:
    """The folder of a data set that holds its model: sparse/0, sparse or the folder itself."""
    folders = [Path(root) / "sparse" / "0", Path(root) / "sparse", Path(root)]
    for folder in folders:
        if _holds_model(folder):
            return folder
    raise InputError(f"{folders[0]}: no images.bin or images.txt, nor in {root}; give the folder that holds sparse/0")


def other_models(model: Path) -> list[Path]:
    """Models beside that of sparse/0, with which COLMAP has mapped images that it could not connect."""
    beside = visible(model.parent) if model.name == "0" else []
    return [folder for folder in beside if folder != model and _holds_model(folder)]


def _holds_model(folder: Path) -> bool:
    return any((folder / f"images.{kind}").is_file() for kind in ("bin", "txt"))


def read_model(folder: Path) -> Model:
    """The model in a folder, from its binary files if they are there, else from text."""
    if (folder / "images.bin").is_file():
        cameras, images = _cameras_bin(folder / "cameras.bin"), _images_bin(folder / "images.bin")
    else:
        cameras, images = read_colmap_cameras(folder / "cameras.txt"), _images_txt(folder / "images.txt")
    lost = [image for image in images if image.camera not in cameras]
    if lost:
        raise InputError(
            f"{folder}: image {lost[0].name} is of camera {lost[0].camera}, which is not there; export again"
        )
    return Model(cameras, images)


def read_points(folder: Path) -> Points | None:
    """The points of the model in a folder, from the kind of file that ``read_model`` takes; None without that file."""
    path = _points_file(folder)
    return _points(path, version(path)) if path.is_file() else None


def has_points(folder: Path) -> bool:
    """Whether ``read_points`` finds a file to read."""
    return _points_file(folder).is_file()


def _points_file(folder: Path) -> Path:
    return folder / ("points3D.bin" if (folder / "images.bin").is_file() else "points3D.txt")


@lru_cache(maxsize=4)
def _points(path: Path, _version: tuple[int, int]) -> Points:
    """Read once for all sequences of a scene, as long as the file does not change."""
    found = _points_bin(path) if path.suffix == ".bin" else _points_txt(path)
    numbers, places = np.array([*found], dtype=np.int64), np.array([*found.values()], dtype=np.float64).reshape(-1, 3)
    if not np.isfinite(places).all():
        odd = numbers[int((~np.isfinite(places)).any(1).argmax())]
        raise InputError(f"{path}: point {odd} is nowhere, its place not finite; export the model again")
    order = np.argsort(numbers)
    return Points(numbers[order], places[order])


def world_from_camera(quaternion: list[float], translation: list[float]) -> Tensor:
    """(4, 4) float64 of camera-from-world values, quaternion w first; NaN where that has no length."""
    q, t = (torch.tensor(values, dtype=torch.float64) for values in (quaternion, translation))
    T_cam_world = torch.eye(4, dtype=torch.float64)
    length = q.norm()
    if not bool(length > 1e-6) or not bool(torch.isfinite(torch.cat([q, t])).all()):
        return torch.full((4, 4), torch.nan, dtype=torch.float64)
    T_cam_world[:3, :3], T_cam_world[:3, 3] = quaternion_to_matrix(q / length), t
    return inverse(T_cam_world)


def _images_txt(path: Path) -> list[Image]:
    lines = [(n, line) for n, line in enumerate(read_lines(path), start=1) if not line.startswith("#")]
    images, at = [], 0
    while at < len(lines):
        number, line = lines[at]
        words = line.split(maxsplit=9)
        if not words:
            at += 1
            continue
        if len(words) < 10:
            raise InputError(f"{path}:{number}: not NUMBER QW QX QY QZ TX TY TZ CAMERA NAME; export the model again")
        values = _floats(path, number, words[1:8])
        camera = _whole(path, number, words[8])
        # The second line, which may be empty, has x, y and the point's number, -1 for none, of each feature.
        below, text = lines[at + 1] if at + 1 < len(lines) else (number + 1, "")
        features = text.split()
        if len(features) % 3:
            raise InputError(f"{path}:{below}: not X Y POINT of each feature; export the model again")
        points = torch.tensor([_whole(path, below, word) for word in features[2::3]], dtype=torch.int64)
        images.append(Image(words[9], camera, world_from_camera(values[:4], values[4:]), points[points >= 0]))
        at += 2
    return images


def _points_txt(path: Path) -> dict[int, tuple[float, float, float]]:
    points = {}
    for number, line in enumerate(read_lines(path), start=1):
        words = line.split()
        if words and not line.startswith("#"):
            if len(words) < 8 or len(words) % 2:
                raise InputError(f"{path}:{number}: not NUMBER X Y Z R G B ERROR and pairs; export the model again")
            x, y, z = parse_numbers(path, number, " ".join(words[1:4]), 3, "NUMBER X Y Z and more")
            points[_whole(path, number, words[0])] = (x, y, z)
    return points


class _Reader:
    """Little-endian values one after the other; InputError where the file ends."""

    def __init__(self, path: Path) -> None:
        self.path, self.data, self.at = path, read_bytes(path), 0

    def __call__(self, form: str) -> tuple:
        size = struct.calcsize("<" + form)
        if self.at + size > len(self.data):
            raise InputError(f"{self.path}: cut short after {len(self.data)} bytes; copy it again")
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return values

    def count(self, least: int) -> int:
        """A number of entries, each of which takes ``least`` bytes or more."""
        (count,) = self("Q")
        if count * least > len(self.data) - self.at:
            raise InputError(f"{self.path}: {count} entries do not fit into the file; copy it again")
        return count

    def text(self) -> str:
        end = self.data.find(b"\0", self.at, self.at + LONGEST_NAME)
        if end < 0:
            raise InputError(f"{self.path}: a name without an end; copy it again")
        text, self.at = self.data[self.at : end], end + 1
        try:
            return text.decode()
        except UnicodeDecodeError:
            raise InputError(f"{self.path}: a name that is no text; copy it again") from None

    def table(self, dtype: np.dtype) -> np.ndarray:
        """Records of a type, behind their number."""
        count = self.count(dtype.itemsize)
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += count * dtype.itemsize
        return values


def _cameras_bin(path: Path) -> dict[int, Camera]:
    read, cameras = _Reader(path), {}
    for _ in range(read.count(24)):
        number, model, width, height = read("iiQQ")
        if model not in COLMAP_MODELS:
            name = REFUSED.get(model, str(model))
            raise InputError(f"{path}: camera {number} is of model {name}, which is not read; undistort the images")
        name, count = COLMAP_MODELS[model]
        parameters = read(f"{count}d")
        try:
            cameras[number] = colmap_camera(name, (height, width), parameters)
        except InputError as error:
            raise InputError(f"{path}: camera {number}: {error}") from None
    return cameras


def _images_bin(path: Path) -> list[Image]:
    read, images = _Reader(path), []
    feature = np.dtype([("x", "<f8"), ("y", "<f8"), ("point", "<i8")])
    for _ in range(read.count(64 + 1 + 8)):
        _, *values, camera = read("i7di")
        name, points = read.text(), torch.from_numpy(read.table(feature)["point"].astype(np.int64))
        images.append(Image(name, camera, world_from_camera(values[:4], values[4:]), points[points >= 0]))
    return images


def _points_bin(path: Path) -> dict[int, tuple[float, float, float]]:
    read, points = _Reader(path), {}
    track = np.dtype([("image", "<i4"), ("feature", "<i4")])
    for _ in range(read.count(43 + 8)):
        number, x, y, z, *_ = read("q3d3Bd")
        read.table(track)
        points[number] = (x, y, z)
    return points


def _floats(path: Path, line: int, words: list[str]) -> list[float]:
    """Numbers that may be NaN: such a pose is left out, not refused."""
    try:
        return [float(word) for word in words]
    except ValueError:
        raise InputError(f"{path}:{line}: not the numbers of a pose; export the model again") from None


def _whole(path: Path, line: int, word: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", word):
        raise InputError(f"{path}:{line}: {word!r} is no whole number; export the model again")
    return int(word)
