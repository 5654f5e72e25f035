"""Somebody's own images: a folder of them, or a video file, and the camera that took them.

    root/0001.jpg, 0002.jpg, ...      images (PNG, JPEG) in the order of the numbers in their names
    root/walk/0001.jpg, root/b.mp4    or folders of images and videos, a sequence each
    root.mp4                          or one video

The camera comes from a file (``calibration``), a field of view (``fov``), or camera.yaml, camera.json, calib.txt or
cameras.txt beside the images; see ``vode.cameras.calibration``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vode.cameras.calibration import find_camera_file, load_calibration
from vode.cameras.lens import Camera
from vode.datasets.base import ImageSequence
from vode.datasets.dataset import Dataset
from vode.datasets.options import QuarterTurn
from vode.errors import InputError
from vode.geometry.camera import rotate_intrinsics
from vode.io.files import inside, natural
from vode.io.image import IMAGE_SUFFIXES, image_size, read_pixels
from vode.io.video import SUFFIXES, Video


class FolderSequence(ImageSequence):
    """The images of one folder, or the frames of one video, undistorted, then turned clockwise.

    A calibration belongs to the images as they are stored (of a video: as players show it), and ``camera`` chooses
    among several in one file; ``fov`` is the horizontal angle of view, in degrees, of the images as they are turned.
    Raises InputError naming the file and the remedy.
    """

    def __init__(
        self,
        root: Path | str,
        sequence: str,
        camera: int | None = None,
        *,
        calibration: Path | None = None,
        fov: float | None = None,
        rotate: QuarterTurn = 0,
    ) -> None:
        if calibration is not None and fov is not None:
            raise InputError("both a calibration and a field of view; give one of them", "calibration", "fov")
        path = _place(Path(root), sequence)
        self.name, self._quarters = Path(sequence).stem if path.is_file() else sequence, rotate // 90
        self._video = Video(path) if path.is_file() else None
        self._files = [] if self._video else image_files(path)
        stored = self._video.size if self._video else image_size(self._files[0])
        self.size = stored[::-1] if self._quarters % 2 else stored
        if self._video is not None:
            self.notes = self._video.notes
            if self._video.timestamps is not None:
                self.timestamps = torch.from_numpy(self._video.timestamps)
        aspect = self._video.pixel_aspect if self._video else 1.0
        if fov is not None:
            turned = 1 / aspect if self._quarters % 2 else aspect
            self.notes += (f"{path}: pixels are not square, so fy is {turned:.3f} fx",) * (aspect != 1)
            self._lens, view = Camera.of_view(stored, 90.0), Camera.of_view(self.size, fov, turned)
            self.intrinsics = view.intrinsics
            return
        found = calibration or camera_file(root, sequence)
        if found is None:
            raise InputError(
                f"{path}: no camera; give a calibration file or a field of view, or put camera.yaml beside it",
                "calibration",
                "fov",
            )
        calibrated = load_calibration(found, camera)
        self._lens = calibrated.camera(stored)
        self.notes += calibrated.notes(stored) + _square_note(self._lens, aspect)
        self.intrinsics = rotate_intrinsics(self._lens.intrinsics, stored, self._quarters)

    def __len__(self) -> int:
        return self._video.count if self._video else len(self._files)

    def pixels(self, index: int) -> np.ndarray:
        if self._video is not None:
            stored = self._video.frame(index)
        else:
            stored = read_pixels(self._files[index], self._lens.size)
        upright = np.rot90(self._lens.undistort(stored), -self._quarters)
        return np.ascontiguousarray(upright)


class FolderDataset(Dataset):
    """Somebody's own images and videos; ``root`` may be a video, a folder of images, or a folder of both."""

    name = "folder"
    own_options = frozenset({"calibration", "fov", "rotate"})
    expects = "images (.png, .jpg) or videos"

    def on_disk(self) -> tuple[str, ...]:
        return names_in(self.root)

    def open_whole(self, name: str, camera: int) -> FolderSequence:
        named = camera if self.options.camera else None
        own = {option: getattr(self.options, option) for option in self.own_options}
        return FolderSequence(self.root, name, named, **own)


def names_in(root: Path) -> tuple[str, ...]:
    """The video, or the folder of images, or else the folders and videos in it."""
    if root.is_file():
        return (root.stem,)
    if not root.is_dir():
        raise InputError(f"{root}: no such file or folder; check the path", "data")
    if _images(root):
        return (root.resolve().name,)
    found = [path for path in root.iterdir() if (_images(path) if path.is_dir() else _is_video(path))]
    return tuple(sorted(path.name for path in found))


def image_files(folder: Path) -> list[Path]:
    """The images of a folder, 2 before 10; InputError if there is none."""
    found = sorted(_images(folder), key=lambda path: natural(path.name))
    if not found:
        raise InputError(
            f"{folder}: no images (.png, .jpg) in it; check the folder and the sequence's name", "data", "sequences"
        )
    return found


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
    if root.is_file() or (root.is_dir() and sequence == root.resolve().name and _images(root)):
        return root
    path = inside(root, sequence)
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; check its name", "data", "sequences")
    return path


def _images(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()
