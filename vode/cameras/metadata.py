"""Focal lengths that cameras write into their files: EXIF of images, and the keys that phones put into videos."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import av
from PIL import Image
from PIL.ExifTags import IFD, Base

DIAGONAL = math.hypot(36.0, 24.0)
"""millimetres of the 35 mm film that equivalent focal lengths refer to"""
UNITS = {2: 25.4, 3: 10.0, 4: 1.0, 5: 1e-3}
"""millimetres of EXIF's units of a sensor's resolution"""
EQUIVALENT_DEVIATION, SENSOR_DEVIATION, VIDEO_DEVIATION = 0.05, 0.03, 0.1
"""relative deviations: equivalents are whole millimetres, of a diagonal or a width; videos are cut to be steadied"""
VIDEO_KEY = "focal_length.35mm_equivalent"
"""how the key ends under which Apple's phones have it"""
ASPECT = 0.02
"""relative difference from which on images have another form than the one that was taken"""


class StatedFocal(NamedTuple):
    """A focal length as a file states it."""

    pixels: float
    deviation: float
    """relative"""
    how: str


def stated_focal(path: Path, size: tuple[int, int]) -> StatedFocal | None:
    """The focal length that an image or a video states, for images of ``size`` (height, width); None if none."""
    with suppress(Exception):
        # of damaged or unknown metadata nothing is known
        return _of_image(path, size) or _of_video(path, size)
    return None


def _of_image(path: Path, size: tuple[int, int]) -> StatedFocal | None:
    try:
        with Image.open(path) as image:
            exif = image.getexif().get_ifd(IFD.Exif)
            stored = (exif.get(Base.ExifImageHeight) or image.height, exif.get(Base.ExifImageWidth) or image.width)
    except (OSError, ValueError):
        return None
    # viewers may turn it, but cutting changes the form
    long, short = max(stored), min(stored)
    if abs(max(size) / min(size) / (long / short) - 1) > ASPECT:
        return None
    focal, unit = float(exif.get(Base.FocalLength) or 0), UNITS.get(exif.get(Base.FocalPlaneResolutionUnit, 2), 25.4)
    resolution = float(exif.get(Base.FocalPlaneXResolution) or 0)
    if focal > 0 and resolution > 0:
        pixels = focal * resolution / unit * max(size) / long
        if 0.2 < pixels / max(size) < 50:
            return StatedFocal(pixels, SENSOR_DEVIATION, f"EXIF: {focal:g} mm, and the resolution of the sensor")
    equivalent = float(exif.get(Base.FocalLengthIn35mmFilm) or 0)
    if equivalent <= 0:
        return None
    return StatedFocal(_pixels(equivalent, size), EQUIVALENT_DEVIATION, f"EXIF: as {equivalent:g} mm with 35 mm film")


def _of_video(path: Path, size: tuple[int, int]) -> StatedFocal | None:
    try:
        with av.open(str(path.absolute()), metadata_errors="replace") as container:
            texts = [container.metadata, *(stream.metadata for stream in container.streams)]
    except (av.FFmpegError, OSError):
        return None
    stated = (float(value) for text in texts for key, value in text.items() if key.endswith(VIDEO_KEY))
    equivalent = next(stated, 0.0)
    if equivalent <= 0:
        return None
    how = f"the video's metadata: as {equivalent:g} mm with 35 mm film"
    return StatedFocal(_pixels(equivalent, size), VIDEO_DEVIATION, how)


def _pixels(equivalent: float, size: tuple[int, int]) -> float:
    """Pixels of a focal length in millimetres that goes with the diagonal of 35 mm film."""
    return equivalent / DIAGONAL * math.hypot(*size)
