"""The frames of a video, a folder of images or one image, as viewers show them, by their number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from vode.datasets.folder import image_files
from vode.errors import InputError
from vode.io.image import IMAGE_SUFFIXES, find_levels, read_pixels
from vode.io.video import Video


class Frames:
    """The frames of a video, a folder of images or one image, in order, as viewers show them.

    Iterating gives (timestamp, image): seconds, None where they are not known, and RGB (H, W, 3) uint8, or uint16 for
    images of 16 bits, which are stretched if they use less, as ``notes`` tell. ``pattern`` is for the names of images
    in a folder, ``files`` are those images that make up a sequence in it. InputError names the file that cannot be
    read.
    """

    def __init__(self, path: Path | str, *, pattern: str | None = None, files: Sequence[Path] | None = None) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: no such file or folder; check the path")
        self.video: Video | None = None
        if files is not None:
            self.files = list(files)
        elif self.path.is_dir():
            self.files = image_files(self.path, pattern)
        elif self.path.suffix.lower() in IMAGE_SUFFIXES:
            self.files = [self.path]
        else:
            self.video, self.files = Video(self.path), []
        self._levels, notes = find_levels(self.files)
        self.notes = notes if self.video is None else self.video.notes
        self.pixel_aspect = 1.0 if self.video is None else self.video.pixel_aspect
        """width of a pixel over its height"""

    def __len__(self) -> int:
        return self.video.count if self.video else len(self.files)

    def __iter__(self) -> Iterator[tuple[float | None, np.ndarray]]:
        return ((self.timestamp(i), self[i]) for i in range(len(self)))

    def __getitem__(self, index: int) -> np.ndarray:
        """Image ``index``; IndexError beyond the last."""
        return self.image(index)

    def image(self, index: int, expected: tuple[int, int] | None = None) -> np.ndarray:
        """The same; InputError if an image file is not of the ``expected`` (height, width)."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.path}: frame {index} of {len(self)}")
        if self.video:
            return self.video.frame(index)
        return read_pixels(self.files[index], expected, upright=True, levels=self._levels)

    def timestamp(self, index: int) -> float | None:
        """Seconds of frame ``index``, None where they are not known."""
        times = self.video.timestamps if self.video else None
        return None if times is None else float(times[index])

    def name(self, index: int) -> str:
        """A name for the files that are made of frame ``index``: that of its image, or its number in the video."""
        return f"{index:06d}" if self.video else self.files[index].stem


def open_video(path: Path | str) -> Frames:
    """The frames of a video file, a folder of images (in the order of the numbers in their names) or one image."""
    return Frames(path)
