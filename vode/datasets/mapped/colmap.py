"""Scenes that COLMAP has mapped (Schoenberger and Frahm, CVPR 2016).

root/images/walk/0001.jpg         images, in folders or not; a sequence is what lies in one folder
root/sparse/0/images.bin, cameras.bin, points3D.bin       or the same as .txt; sparse/ or root itself will do
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np

from vode.datasets.base import Capability, known
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import MappedSequence, Placed, SeenPoints
from vode.datasets.mapped.colmap_model import (
    Image,
    Model,
    find_model,
    has_points,
    other_models,
    read_model,
    read_points,
)
from vode.datasets.mapped.image_finder import ImageFinder
from vode.errors import InputError
from vode.io.files import CAMERAS, natural, slashes

TOP = "images"
"""name of the sequence of images that are in no folder"""


class ColmapSequence(MappedSequence):
    """The registered images of one folder, by the numbers in their names; "images" are those in no folder.

    Their unit is the map's, which knows no metres unless it was scaled. Raises InputError naming the file and the
    remedy.
    """

    def __init__(self, root: Path | str, sequence: str) -> None:
        self._model = model_folder = find_model(root)
        model = read_model(model_folder)
        chosen = [image for image in model.images if folder_of(image) == sequence]
        if not chosen:
            found = ", ".join(_folders(model)) or "none"
            raise InputError(
                f"{model_folder}: no images of a folder {sequence!r}; there are {found}; choose one of these",
                "sequences",
            )
        _check_one_camera(model_folder, sequence, chosen)
        images = ImageFinder(image_folder(root))
        placed = [Placed(images.find(image.name), model.cameras[image.camera], image.T_world_cam) for image in chosen]
        super().__init__(sequence, model_folder, placed)
        others = other_models(model_folder)
        if others:
            shown = ", ".join(str(folder) for folder in others[:3])
            self.notes += (f"{model_folder} is read, other models are not: {shown}",)
        numbers = {place.file: image.points.numpy() for place, image in zip(placed, chosen, strict=True)}
        self._numbers = [numbers[file] for file in self.images]
        self.capabilities |= known(points=has_points(model_folder))

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


class ColmapDataset(Dataset):
    """A scene that COLMAP has mapped; every folder of registered images is a sequence of one camera."""

    name = "colmap"
    capabilities = frozenset({Capability.POSES, Capability.MAP, Capability.POINTS})
    expects = "registered image of a model"

    def on_disk(self) -> tuple[str, ...]:
        return tuple(_folders(read_model(find_model(self.root))))

    def open_whole(self, name: str, camera: int) -> ColmapSequence:
        return ColmapSequence(self.root, name)


def folder_of(image: Image) -> str:
    """The name of the sequence that an image belongs to."""
    parent = str(PurePosixPath(slashes(image.name)).parent)
    return TOP if parent == "." else parent


def _folders(model: Model) -> list[str]:
    return sorted({folder_of(image) for image in model.images}, key=natural)


def _check_one_camera(where: Path, sequence: str, images: Sequence[Image]) -> None:
    """InputError if a few cameras took several images each: two of a rig are as alike as one of a folder is to itself.

    Maps that were made without telling which images are of one camera have a camera for each.
    """
    counts = Counter(image.camera for image in images)
    if 2 <= len(counts) <= CAMERAS and min(counts.values()) > 1:
        (first, _), (second, _) = counts.most_common(2)
        raise InputError(
            f"{where}: {sequence} has images of {len(counts)} cameras, {first} and {second} among them; give each "
            "camera's images a folder of their own, or map them as of one camera"
        )


def image_folder(root: Path | str) -> Path:
    """Where the names of a model's images start."""
    return Path(root) / "images" if (Path(root) / "images").is_dir() else Path(root)
