"""Images that viewers turn, by EXIF's orientation, where a calibration or poses belong to their stored pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.io.image import exif_orientation

AS_STORED = 1
QUARTERS = (5, 6, 7, 8)
"""orientations that swap width and height"""


def stored_note(files: Sequence[Path], owner: str) -> tuple[str, ...]:
    """A note that counts the images which are read otherwise than viewers show them; ``owner`` is why."""
    found = [(file, number) for file in files if (number := exif_orientation(file)) != AS_STORED]
    if not found:
        return ()
    file, number = found[0]
    return (
        f"{len(found)} of {len(files)} images have an EXIF orientation, as {file.name} of {number}; they are read as "
        f"stored, not turned, because {owner} to stored pixels",
    )


@contextmanager
def of_stored_pixels(file: Path) -> Iterator[None]:
    """Explains an InputError about the camera of images such as ``file`` by their orientation, if that swaps sides."""
    try:
        yield
    except InputError as error:
        if exif_orientation(file) not in QUARTERS:
            raise
        raise InputError(f"{error}; {_turned(file)}", *error.parameters) from None


def check_centre(where: Path | str, camera: Camera, file: Path) -> None:
    """InputError if the principal point lies nearer to the middle of the turned image than to that of the stored."""
    if exif_orientation(file) not in QUARTERS:
        return
    sides = np.array(camera.size[::-1])
    stored, turned = (np.linalg.norm(np.subtract(camera.centre, middle / 2)) for middle in (sides, sides[::-1]))
    if turned < stored:
        cx, cy = camera.centre
        raise InputError(f"{where}: a centre of {cx:g}, {cy:g} is that of turned images; {_turned(file)}")


def _turned(file: Path) -> str:
    return (
        f"{file.name} has EXIF orientation {exif_orientation(file)}, which turns it when shown, but cameras belong to "
        "stored pixels; calibrate these, or store the images turned"
    )
