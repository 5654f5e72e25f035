"""Somebody's own images: a folder of them, or a video file, and the camera that took them.

    root/0001.jpg, 0002.jpg, ...      images (PNG, JPEG, BMP, TIFF, WebP, PPM), 2 before 10
    root/walk/0001.jpg, root/b.mp4    or folders of images and videos, a sequence each
    root.mp4                          or one video

Hidden files are skipped. A folder that mixes kinds of images, as colour and depth, needs a ``pattern`` for the names.

The camera comes from a file (``calibration``), a field of view (``fov``), or camera.yaml, camera.json, calib.txt or
cameras.txt beside the images; see ``vode.cameras.calibration``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import cv2
import numpy as np
import torch

from vode.cameras.calibration import find_camera_file, load_calibration
from vode.cameras.lens import Camera
from vode.datasets.base import ImageSequence
from vode.datasets.dataset import Dataset
from vode.datasets.options import QuarterTurn
from vode.datasets.orientation import check_centre, of_stored_pixels, stored_note
from vode.errors import InputError
from vode.geometry.camera import rotate_intrinsics
from vode.io.files import in_order, inside, two_of_one_frame, visible
from vode.io.image import IMAGE_SUFFIXES, decode, find_levels, read_pixels
from vode.io.image_formats import OTHER_SUFFIXES
from vode.io.video import SUFFIXES, Video

SHARED = 2
"""number of frames from which names that differ beside their numbers are taken for two images of each"""
_NUMBER = re.compile("(?:(?<![A-Za-z0-9])-)?[0-9]+")
"""digits, with a sign where none of a word stands before it"""
COMPARED = 8
"""most kinds of names whose images are compared"""


class FolderSequence(ImageSequence):
    """The images of one folder, or the frames of one video, undistorted, then turned clockwise.

    A calibration belongs to the images as they are stored (of a video: as players show it), whatever EXIF says, which
    ``notes`` tell, and ``camera`` chooses among several in one file. ``fov`` is the horizontal angle of view, in
    degrees, of the images as viewers show them and as they are turned. 16-bit images of less depth are stretched.
    Raises InputError naming the file and the remedy.
    """

    lens: Camera
    """the camera of the images as they are stored; one of ``fov`` leaves them as they are"""

    def __init__(
        self,
        root: Path | str,
        sequence: str,
        camera: int | None = None,
        *,
        calibration: Path | None = None,
        fov: float | None = None,
        rotate: QuarterTurn = 0,
        pattern: str | None = None,
    ) -> None:
        if calibration is not None and fov is not None:
            raise InputError("both a calibration and a field of view; give one of them", "calibration", "fov")
        path = _place(Path(root), sequence)
        self.name, self._quarters = Path(sequence).stem if path.is_file() else sequence, rotate // 90
        self._video = Video(path) if path.is_file() else None
        self._files = [] if self._video else image_files(path, pattern)
        self._upright, (self._levels, notes) = fov is not None, find_levels(self._files)
        self.images = self._files
        self.notes = self._video.notes if self._video else notes + _left_out_note(path)
        first = self._stored(0)
        self._kind, stored = first.dtype, first.shape[:2]
        self.size = stored[::-1] if self._quarters % 2 else stored
        if self._video is not None and self._video.timestamps is not None:
            self.timestamps = torch.from_numpy(self._video.timestamps)
        aspect = self._video.pixel_aspect if self._video else 1.0
        if fov is not None:
            turned = 1 / aspect if self._quarters % 2 else aspect
            self.notes += (f"{path}: pixels are not square, so fy is {turned:.3f} fx",) * (aspect != 1)
            self.lens, view = Camera.of_view(stored, 90.0), Camera.of_view(self.size, fov, turned)
            self.intrinsics = view.intrinsics
            return
        found = calibration or camera_file(root, sequence)
        if found is None:
            raise InputError(
                f"{path}: no camera; give a calibration file or a field of view, or put camera.yaml beside it",
                "calibration",
                "fov",
            )
        self.lens = self._calibrated(found, stored, camera)
        self.notes += _square_note(self.lens, aspect)
        self.intrinsics = rotate_intrinsics(self.lens.intrinsics, stored, self._quarters)

    def __len__(self) -> int:
        return self._video.count if self._video else len(self._files)

    def pixels(self, index: int) -> np.ndarray:
        stored = self._stored(index, self.lens.size)
        if stored.dtype != self._kind:
            odd = f"{self._files[index]}: {stored.dtype} pixels, not {self._kind} as in {self._files[0].name}"
            raise InputError(f"{odd}; give a pattern for the names of those to read", "pattern")
        return np.ascontiguousarray(np.rot90(self.lens.undistort(stored), -self._quarters))

    def _stored(self, index: int, expected: tuple[int, int] | None = None) -> np.ndarray:
        """Image ``index`` before it is undistorted and turned."""
        if self._video is not None:
            return self._video.frame(index)
        return read_pixels(self._files[index], expected, upright=self._upright, levels=self._levels)

    def _calibrated(self, file: Path, stored: tuple[int, int], number: int | None) -> Camera:
        """The camera of a calibration file for stored images; its notes are added."""
        calibration = load_calibration(file, number)
        if self._video is not None:
            camera = calibration.camera(stored)
        else:
            with of_stored_pixels(self._files[0]):
                camera = calibration.camera(stored)
            check_centre(file, camera, self._files[0])
            self.notes += stored_note(self._files, "a calibration belongs")
        self.notes += calibration.notes(stored)
        return camera


class FolderDataset(Dataset):
    """Somebody's own images and videos; ``root`` may be a video, a folder of images, or a folder of both."""

    name = "folder"
    own_options = frozenset({"calibration", "fov", "rotate", "pattern"})
    expects = "images (.png, .jpg ...) or videos"

    def on_disk(self) -> tuple[str, ...]:
        """The names; InputError if some of the folders hold images of 16 bits and others of 8, as depth and colour."""
        names = names_in(self.root, self.options.pattern)
        folders = [path for name in names if (path := _place(self.root, name)).is_dir()] if len(names) > 1 else []
        deep = {folder.name: _holds_deep(folder, self.options.pattern) for folder in folders}
        if len({*deep.values()}) > 1:
            odd = ", ".join(name for name, bits in deep.items() if bits)
            raise InputError(
                f"{self.root}: images of 16 bits, as depth maps have, in {odd}, of 8 in others; name the sequences to "
                "read",
                "sequences",
            )
        return names

    def open_whole(self, name: str, camera: int) -> FolderSequence:
        named = camera if self.options.camera else None
        own = {option: getattr(self.options, option) for option in self.own_options}
        return FolderSequence(self.root, name, named, **own)


def names_in(root: Path, pattern: str | None = None) -> tuple[str, ...]:
    """The video, or the folder of images, or else the folders and videos in it."""
    if root.is_file():
        return (root.stem,)
    if not root.is_dir():
        raise InputError(f"{root}: no such file or folder; check the path", "data")
    if _images(root, pattern):
        return (root.resolve().name,)
    found = [path for path in visible(root) if (_images(path, pattern) if path.is_dir() else _is_video(path))]
    if not found and (_images(root) or _others(root)):
        # opening it tells why none of them is read
        return (root.resolve().name,)
    return tuple(path.name for path in found)


def image_files(folder: Path, pattern: str | None = None) -> list[Path]:
    """The images of a folder whose names fit the pattern, 2 before 10.

    InputError if there is none, or, without a pattern, if they are of several kinds, as colour and depth.
    """
    found = _images(folder, pattern)
    if not found:
        others = next((f", but {path.name}, which is not read" for path in _others(folder)), "")
        wanted = "images (.png, .jpg ...)" if pattern is None else f"images called {pattern}"
        raise InputError(f"{folder}: no {wanted} in it{others}; check the folder", "data", "sequences")
    if pattern is None:
        _check_kinds(folder, found)
    return [found[i] for i in in_order([path.name for path in found])]


def camera_file(root: Path | str, sequence: str) -> Path | None:
    """The camera file in the folder of a sequence's images, or in the one above them that was named."""
    root = Path(root)
    path = _place(root, sequence)
    folder = path if path.is_dir() else path.parent
    return find_camera_file(*([folder, root] if root.is_dir() else [folder]))


def _square_note(camera: Camera, aspect: float) -> tuple[str, ...]:
    """A note if the focal lengths are not of pixels that are ``aspect`` as wide as high, as a video tells."""
    (fx, fy), alike = camera.focal, 0.02
    if aspect == 1 or abs(fy / fx / aspect - 1) < alike:
        return ()
    return (f"the video's pixels are {aspect:.3f} as wide as high, but the calibration has fy = {fy / fx:.3f} fx",)


def _place(root: Path, sequence: str) -> Path:
    """The folder or the video of a sequence."""
    if root.is_file() or (root.is_dir() and sequence == root.resolve().name and (_images(root) or _others(root))):
        return root
    path = inside(root, sequence)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check its name", "data", "sequences")
    return path


def _images(folder: Path, pattern: str | None = None) -> list[Path]:
    named = (path for path in visible(folder) if pattern is None or fnmatchcase(path.name, pattern))
    return [path for path in named if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()


def _others(folder: Path) -> list[Path]:
    """Images of formats that are not read."""
    return [path for path in visible(folder) if path.suffix.lower() in OTHER_SUFFIXES]


def _left_out_note(folder: Path) -> tuple[str, ...]:
    """A note that counts what else a folder of images holds that could be frames."""
    others = _others(folder) + [path for path in visible(folder) if _is_video(path)]
    return (
        (f"{len(others)} other images and videos in {folder} are not read: first {others[0].name}",) if others else ()
    )


def _is_deep(file: Path) -> bool:
    return decode(file, cv2.IMREAD_UNCHANGED).dtype == np.uint16


def _holds_deep(folder: Path, pattern: str | None) -> bool:
    """Whether the first image of a folder is of 16 bits; one that is damaged is for the sequence to refuse."""
    try:
        return _is_deep(_images(folder, pattern)[0])
    except InputError:
        return False


def _check_kinds(folder: Path, files: Sequence[Path]) -> None:
    """InputError if names count the same frames twice, or if names of two forms are of 8 bits and of 16."""
    pair = two_of_one_frame([file.name for file in files])
    if pair is not None:
        _refuse_kinds(folder, *pair, _pattern_of(*pair))
    kinds: defaultdict[str, dict[tuple[str, ...], Path]] = defaultdict(dict)
    for file in files:
        kinds[_NUMBER.sub("*", file.name.lower())][tuple(_NUMBER.findall(file.name))] = file
    numbered = sorted((kind for kind in kinds.values() if () not in kind), key=len, reverse=True)[:COMPARED]
    first = numbered[0] if len(numbered) > 1 else {}
    for other in numbered[1:]:
        shared = len(first.keys() & other.keys())
        a, b = next(iter(first.values())), next(iter(other.values()))
        if shared >= max(SHARED, len(other) / 2) or _is_deep(a) != _is_deep(b):
            _refuse_kinds(folder, a.name, b.name, re.sub("[0-9]+", "*", a.name))


def _refuse_kinds(folder: Path, first: str, second: str, pattern: str) -> None:
    raise InputError(
        f"{folder}: images of several kinds, as {first} and {second}; give a pattern for the names of those "
        f"to read, such as '{pattern}', or move the others elsewhere",
        "pattern",
    )


def _pattern_of(first: str, second: str) -> str:
    """A pattern for names such as the first, but not for those such as the second: * for numbers that both have."""
    words, others = (re.split("([0-9]+)", name) for name in (first, second))
    if len(words) != len(others):
        return first
    pairs = enumerate(zip(words, others, strict=True))
    return "".join("*" if i % 2 and word == other else word for i, (word, other) in pairs)
