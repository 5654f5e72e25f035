"""Images of a mapped scene, each with its place: what the readers of maps share."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from os.path import isfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.fit import Calibration
from vode.cameras.lens import Camera
from vode.datasets.base import ImageSequence, known, left_out_note
from vode.datasets.orientation import check_centre, of_stored_pixels, stored_note
from vode.errors import InputError
from vode.geometry.pose import from_first, is_rigid
from vode.io.files import in_order, two_of_one_frame
from vode.io.image import find_levels, image_size, read_pixels

GL_TO_CV = torch.diag(torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64))
"""between OpenGL's axes of a camera, x right, y up, z backward, and ours, either way"""

ALIKE = 0.02
"""most that focal lengths, centres (of the focal length) and coefficients of one camera's images may differ"""


class Placed(NamedTuple):
    """One image."""

    file: Path
    camera: Camera
    T_world_cam: Tensor
    """(4, 4) float64, in the units of the map"""
    time: float | None = None
    """when it was taken, in any unit, if the map tells"""


class SeenPoints(NamedTuple):
    """A map's points, and which of them each image sees."""

    places: np.ndarray
    """(P, 3) float64, in the units of the map"""
    rows: list[np.ndarray]
    """of every image, the rows (N,) of ``places``, each once"""


class MappedSequence(ImageSequence):
    """Images of one camera, undistorted, in order of time, or else of the numbers in their names; world = the first.

    ``lens`` is the camera that took them. They are read as stored, whatever EXIF says, for so maps are made.

    Images without a file, and those whose pose is not finite or no rotation, are left out and counted in ``notes``.
    ``where`` names the list of the images in messages. ``points`` are those that the map saw in the image as it was
    taken: undistorted, it may show less at its border. Raises InputError naming the file and the remedy.
    """

    poses: Tensor
    poses_in_scene: Tensor

    def __init__(self, name: str, where: Path, images: list[Placed]) -> None:
        self.name, images = name, _in_order(images)
        self.notes += _time_note(where, images)
        there = [image for image in images if isfile(image.file)]
        if len(there) < len(images):
            lost = next(image.file for image in images if not isfile(image.file))
            self.notes += (f"{len(images) - len(there)} of {len(images)} images are missing: first {lost}",)
        if not there:
            raise InputError(f"{where}: not one of its {len(images)} images is there; check the folder", "data")
        poses = torch.stack([image.T_world_cam for image in there])
        kept = is_rigid(poses)
        if not bool(kept.any()):
            raise InputError(f"{where}: no image has a usable pose; make the map again")
        self.notes += left_out_note(kept, "images whose pose is not finite or no rotation")
        placed = [there[i] for i in kept.nonzero()[:, 0].tolist()]
        self.images, self.lens = [image.file for image in placed], placed[0].camera
        _check_frames(where, self.images)
        again = len(self.images) - len({*self.images})
        self.poses_in_scene = poses[kept]
        self.poses = from_first(self.poses_in_scene)
        self.capabilities = known(poses=True, map=True)
        self._check_cameras(where, placed)
        with of_stored_pixels(self.images[0]):
            self.size, calibration = image_size(self.images[0]), Calibration.of(where, self.lens)
            self.lens = calibration.camera(self.size)
        check_centre(where, self.lens, self.images[0])
        self._levels, notes = find_levels(self.images)
        self.notes += calibration.notes(self.size) + stored_note(self.images, "poses belong") + notes
        if again:
            double = Counter(self.images).most_common(1)[0][0]
            self.notes += (f"{where}: {again} images are listed again, as {double.name}; each time is a frame",)
        self.intrinsics = self.lens.intrinsics

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        return self.lens.undistort(read_pixels(self.images[index], self.size, levels=self._levels))

    def points(self, index: int) -> Tensor | None:
        if self._seen is None:
            return None
        return torch.from_numpy(self._seen.places[self._seen.rows[index]])

    @cached_property
    def _seen(self) -> SeenPoints | None:
        """What a reader whose map has points reads when they are first asked for; InputError if they are damaged."""
        return None

    def _check_cameras(self, where: Path, placed: list[Placed]) -> None:
        numbers = np.array([(*image.camera.focal, *image.camera.centre, *image.camera.size) for image in placed])
        differ = (np.abs(numbers - numbers[0]) / numbers[0, 0]).max(1)
        for i, image in enumerate(placed):
            if _same_lens(image.camera, self.lens):
                bend = np.subtract(image.camera.distortion, self.lens.distortion)
                differ[i] = max(differ[i], np.abs(bend).max(initial=0.0))
            else:
                differ[i] = np.inf
        spread = float(differ.max())
        if spread > ALIKE:
            odd = placed[int(differ.argmax())].file
            raise InputError(
                f"{where}: {self.name} is of several cameras, {self.images[0].name} and {odd.name} among them; "
                "give each camera's images a folder of their own"
            )
        if len({image.camera for image in placed}) > 1:
            middle = np.median(numbers[:, :4], axis=0).tolist()
            lens, distortion = self.lens.lens, self.lens.distortion
            self.lens = Camera(self.lens.size, tuple(middle[:2]), tuple(middle[2:]), lens, distortion)
            self.notes += (f"the images' cameras differ by up to {100 * spread:.2g} %: one is taken for all",)


def _in_order(images: list[Placed]) -> list[Placed]:
    named = [images[i] for i in in_order([image.file.as_posix() for image in images])]
    times = [image.time for image in named if image.time is not None]
    if len(times) < len(named):
        return named
    return [named[i] for i in np.argsort(times, kind="stable")]


def _time_note(where: Path, images: list[Placed]) -> tuple[str, ...]:
    """A note if only some of the images have a time."""
    lacking = [image.file.name for image in images if image.time is None]
    if len(lacking) in (0, len(images)):
        return ()
    return (
        f"{where}: {len(lacking)} of {len(images)} images have no time, as {lacking[0]}; they are in order of names",
    )


def _check_frames(where: Path, files: list[Path]) -> None:
    """InputError if names of one folder tell two images of one frame apart, as those of a stereo pair."""
    folders: defaultdict[Path, list[str]] = defaultdict(list)
    for file in files:
        folders[file.parent].append(file.name)
    pair = next((found for names in folders.values() if (found := two_of_one_frame(names)) is not None), None)
    if pair is not None:
        raise InputError(
            f"{where}: {pair[0]} and {pair[1]} look like two images of one frame; give each camera's images a folder "
            "of their own"
        )


def _same_lens(a: Camera, b: Camera) -> bool:
    return a.lens == b.lens and len(a.distortion) == len(b.distortion)
