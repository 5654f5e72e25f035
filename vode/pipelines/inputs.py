"""Videos, folders of images and data sets, opened by one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vode.datasets.base import Sequence
from vode.datasets.dataset import Dataset
from vode.datasets.folder import image_files
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.io.image import IMAGE_SUFFIXES, find_levels, read_pixels
from vode.io.video import Video


class Frames:
    """The frames of a video, a folder of images or one image, in order, as viewers show them.

    Iterating gives (timestamp, image): seconds, None where they are not known, and RGB (H, W, 3) uint8, or uint16 for
    images of 16 bits, which are stretched if they use less, as ``notes`` tell. InputError names the file that cannot
    be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise InputError(f"{path}: no such file or folder; check the path")
        self._video: Video | None = None
        if self.path.is_dir():
            self._files = image_files(self.path)
        elif self.path.suffix.lower() in IMAGE_SUFFIXES:
            self._files = [self.path]
        else:
            self._video, self._files = Video(self.path), []
        self._levels, notes = find_levels(self._files)
        self.notes = notes if self._video is None else self._video.notes
        self.pixel_aspect = 1.0 if self._video is None else self._video.pixel_aspect
        """width of a pixel over its height"""

    def __len__(self) -> int:
        return self._video.count if self._video else len(self._files)

    def __iter__(self) -> Iterator[tuple[float | None, np.ndarray]]:
        return ((self.timestamp(i), self[i]) for i in range(len(self)))

    def __getitem__(self, index: int) -> np.ndarray:
        """Image ``index``; IndexError beyond the last."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.path}: frame {index} of {len(self)}")
        if self._video:
            return self._video.frame(index)
        return read_pixels(self._files[index], upright=True, levels=self._levels)

    def timestamp(self, index: int) -> float | None:
        """Seconds of frame ``index``, None where they are not known."""
        times = self._video.timestamps if self._video else None
        return None if times is None else float(times[index])

    def name(self, index: int) -> str:
        """A name for the files that are made of frame ``index``: that of its image, or its number in the video."""
        return f"{index:06d}" if self._video else self._files[index].stem


def open_video(path: Path | str) -> Frames:
    """The frames of a video file, a folder of images (in the order of the numbers in their names) or one image."""
    return Frames(path)


def open_sequence(dataset: str, root: Path | str, name: str | None = None, **options: Any) -> Sequence:
    """A sequence of a data set: frames, camera and ground truth, by the names of ``vode.datasets.registry``.

    ``name`` may be left out where there is one sequence. ``options`` are fields of ``DataOptions``, such as
    ``camera=0``, ``fov=60`` or ``step=2``. InputError names what is missing.
    """
    if isinstance(camera := options.get("camera"), int):
        options["camera"] = (camera,)
    try:
        where = replace(DataOptions(), dataset=dataset, data=Path(root), **options)
    except TypeError as error:
        raise InputError(f"{error}; the options of a data set are the fields of DataOptions") from None
    opened = open_dataset(where)
    return opened.open(name or _only_name(opened))


def _only_name(dataset: Dataset) -> str:
    names = dataset.names()
    if len(names) != 1:
        shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
        raise InputError(
            f"{dataset.root}: {len(names)} sequences of {dataset.name} ({shown or 'none'}); name one of them"
        )
    return names[0]
