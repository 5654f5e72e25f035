"""A calibration and the images that it is for: the one check of their size and of the principal point.

Every reader of images takes its camera through ``Calibration.camera``, whatever file tells the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from vode.cameras.lens import Camera, Lens
from vode.errors import InputError

T = TypeVar("T")

OFF_CENTRE = 0.25
"""largest plausible offset of the principal point from the middle of the image, relative to its size"""
ASPECT = 0.02
"""most by which the scales of width and height of images that were resized may differ, relative"""


@dataclass(frozen=True)
class Calibration:
    """A camera as a file states it, for images of a size that the file need not tell; pixel centres at integers."""

    where: Path | str
    """the file, for messages"""
    focal: tuple[float, float]
    """fx, fy"""
    centre: tuple[float, float]
    """cx, cy"""
    lens: Lens = "pinhole"
    distortion: tuple[float, ...] = ()
    size: tuple[int, int] | None = None
    """(height, width) of the images that were calibrated; None if the file does not tell"""

    @staticmethod
    def of(where: Path | str, camera: Camera) -> Calibration:
        """The calibration of a camera whose size its source states."""
        return Calibration(where, camera.focal, camera.centre, camera.lens, camera.distortion, camera.size)

    def camera(self, size: tuple[int, int]) -> Camera:
        """The camera of images of ``size`` (height, width), to which those that were calibrated may have been resized.

        InputError if they are of another aspect ratio than the stated size, or if the principal point does not lie
        where it can be: inside images of the stated size, in the middle half of those whose size no file states.
        """
        size = (int(size[0]), int(size[1]))
        stated = self.size or size
        try:
            camera = Camera(stated, self.focal, self.centre, self.lens, self.distortion)
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from None
        offset = _offset(camera)
        if offset > (OFF_CENTRE if self.size is None else 0.5):
            (cx, cy), (height, width) = self.centre, stated
            place = "far from the middle of" if self.size is None else "outside of"
            raise InputError(
                f"{self.where}: centre {cx:.1f}, {cy:.1f} is {place} images of {width}x{height}, as if of another "
                "size; give images of the size that was calibrated, or a file that states their width and height"
            )
        return camera if stated == size else self._resized(camera, size)

    def notes(self, size: tuple[int, int]) -> tuple[str, ...]:
        """What was assumed for images of ``size``, for people to read."""
        if self.size is None:
            return ()
        notes: tuple[str, ...] = ()
        (rows, columns), (height, width) = self.size, size
        if (rows, columns) != (height, width):
            notes += (f"{self.where}: calibrated at {columns}x{rows} pixels, and scaled to images of {width}x{height}",)
        if _offset(Camera(self.size, self.focal, self.centre)) > OFF_CENTRE:
            (cx, cy) = self.centre
            notes += (f"{self.where}: centre {cx:.1f}, {cy:.1f} is far from the middle of {columns}x{rows} pixels",)
        return notes

    def _resized(self, camera: Camera, size: tuple[int, int]) -> Camera:
        (rows, columns), (height, width) = camera.size, size
        x, y = width / columns, height / rows
        # a single side that stayed is a crop's
        if 1.0 in (x, y) or abs(x / y - 1) > ASPECT:
            raise InputError(
                f"{self.where}: a camera of {columns}x{rows} pixels, but the images are {width}x{height}, which is no "
                "resized copy; calibrate for these"
            )
        (fx, fy), (cx, cy) = camera.focal, camera.centre
        return replace(camera, size=size, focal=(fx * x, fy * y), centre=((cx + 0.5) * x - 0.5, (cy + 0.5) * y - 0.5))


def chosen(cameras: Mapping[int, T], number: int | None) -> T:
    """The camera of that number, without one the only one; InputError if there are several, or none of that number."""
    if number is None and len(cameras) == 1:
        return next(iter(cameras.values()))
    if number is None or number not in cameras:
        raise InputError(f"holds cameras {', '.join(map(str, cameras))}; choose one of these", "camera")
    return cameras[number]


def _offset(camera: Camera) -> float:
    """Largest offset of the principal point from the middle, relative to the image size."""
    (height, width), (cx, cy) = camera.size, camera.centre
    return max(abs((cx + 0.5) / width - 0.5), abs((cy + 0.5) / height - 0.5))
