"""Scenes that COLMAP has mapped (Schoenberger and Frahm, CVPR 2016).

root/images/walk/0001.jpg         images, in folders or not; a sequence is what lies in one folder
root/sparse/0/images.bin, cameras.bin, points3D.bin       or the same as .txt; sparse/ or root itself will do
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from vode.datasets.mapped.base import MappedSequence, Placed, SeenPoints
from vode.datasets.mapped.colmap_model import Image, find_model, read_model, read_points
from vode.errors import InputError
from vode.io.files import inside

TOP = "images"
"""name of the sequence of images that are in no folder"""


class ColmapSequence(MappedSequence):
    """The registered images of one folder, by name; "images" are those in no folder.

    Their unit is the map's, which knows no metres unless it was scaled. Each sequence has one camera, whatever
    ``camera`` says. Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str, camera: int = 0) -> None:
        self._model = model_folder = find_model(root)
        model = read_model(model_folder)
        chosen = sorted((image for image in model.images if folder_of(image) == sequence), key=lambda image: image.name)
        if not chosen:
            found = ", ".join(sorted({folder_of(image) for image in model.images})) or "none"
            raise InputError(
                f"{model_folder}: no images of a folder {sequence!r}; there are {found}; choose one of these"
            )
        images = image_folder(root)
        placed = [
            Placed(inside(images, image.name), model.cameras[image.camera], image.T_world_cam) for image in chosen
        ]
        super().__init__(sequence, model_folder, placed)
        numbers = {place.file: image.points.numpy() for place, image in zip(placed, chosen, strict=True)}
        self._numbers = [numbers[file] for file in self.images]

    @cached_property
    def _seen(self) -> SeenPoints | None:
        found = read_points(self._model)
        if found is None:
            return None
        wanted, ends = np.concatenate(self._numbers), np.cumsum([len(numbers) for numbers in self._numbers])
        lost = ~np.isin(wanted, found.numbers)
        if lost.any():
            which = int(lost.argmax())
            name = self.images[int(np.searchsorted(ends, which, side="right"))].name
            raise InputError(f"{self._model}: {name} sees point {wanted[which]}, which is not there; export again")
        rows = np.searchsorted(found.numbers, wanted)
        return SeenPoints(found.places, [np.unique(part) for part in np.split(rows, ends[:-1])])

    @staticmethod
    def names(root: Path | str) -> tuple[str, ...]:
        """The folders that hold registered images."""
        return tuple(sorted({folder_of(image) for image in read_model(find_model(root)).images}))

    @classmethod
    def training(cls, root: Path | str) -> tuple[str, ...]:
        """All of them; InputError if there is none."""
        found = cls.names(root)
        if not found:
            raise InputError(f"{find_model(root)}: no registered image in the model; map the scene again")
        return found


def folder_of(image: Image) -> str:
    """The name of the sequence that an image belongs to."""
    parent = str(PurePosixPath(image.name).parent)
    return TOP if parent == "." else parent


def image_folder(root: Path | str) -> Path:
    """Where the names of a model's images start."""
    return Path(root) / "images" if (Path(root) / "images").is_dir() else Path(root)
