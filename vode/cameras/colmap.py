"""Cameras of COLMAP: its models, and the lines "1 PINHOLE 640 480 fx fy cx cy" of a cameras.txt.

https://colmap.github.io/cameras.html. Pixel centres lie at 0.5 in its files, and at integers here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from vode.cameras.distortion import padded
from vode.cameras.fit import Calibration, chosen
from vode.cameras.lens import Camera, Lens
from vode.errors import InputError
from vode.io.text import parse_numbers, read_lines

COLMAP_MODELS = {
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
    5: ("OPENCV_FISHEYE", 8),
    6: ("FULL_OPENCV", 12),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
    14: ("SIMPLE_FISHEYE", 3),
    15: ("FISHEYE", 4),
}
"""name and number of parameters of COLMAP's camera models, by their id in its files"""


REFUSED = {
    7: "FOV",
    10: "THIN_PRISM_FISHEYE",
    11: "RAD_TAN_THIN_PRISM_FISHEYE",
    12: "SIMPLE_DIVISION",
    13: "DIVISION",
    16: "EUCM",
    17: "EQUIRECTANGULAR",
}
"""models that OpenCV has no formula for, likewise"""


def colmap_calibration(path: Path, number: int | None) -> Calibration:
    """The camera of that number of a cameras.txt, or the only one."""
    return Calibration.of(path, chosen(read_colmap_cameras(path), number))


def read_colmap_cameras(path: Path) -> dict[int, Camera]:
    """The cameras of a cameras.txt by their ids."""
    cameras = {}
    for line, text in enumerate(read_lines(path), start=1):
        words = text.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 5 or not re.fullmatch(r"[0-9]{1,10}", words[0]):
            raise InputError(f"{path}:{line}: not NUMBER MODEL WIDTH HEIGHT PARAMETERS; export the model again")
        width, height, *parameters = parse_numbers(path, line, " ".join(words[2:]), len(words) - 2, "numbers")
        try:
            cameras[int(words[0])] = colmap_camera(words[1], (int(height), int(width)), parameters)
        except InputError as error:
            raise InputError(f"{path}:{line}: {error}") from None
    return cameras


def colmap_camera(model: str, size: tuple[int, int], parameters: Sequence[float]) -> Camera:
    """A COLMAP camera, whose pixel centres lie at 0.5, in our convention of integer pixel centres."""
    counts = dict(COLMAP_MODELS.values())
    if counts.get(model) != len(parameters):
        known = ", ".join(counts)
        raise InputError(f"camera model {model} with {len(parameters)} parameters; known are {known}")
    simple = model.startswith(("SIMPLE", "RADIAL"))
    focal = (parameters[0], parameters[0 if simple else 1])
    cx, cy, *distortion = parameters[1 if simple else 2 :]
    lens: Lens = "fisheye" if "FISHEYE" in model else "radtan" if distortion else "pinhole"
    return Camera(size, focal, (cx - 0.5, cy - 0.5), lens, padded(lens, tuple(distortion)))
