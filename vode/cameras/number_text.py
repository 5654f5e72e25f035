"""Cameras as bare numbers in text.

fx fy cx cy [k1 k2 p1 p2 [k3 [k4 k5 k6]]]        one line (DROID-SLAM, DPVO)
fx 0 cx / 0 fy cy / 0 0 1                        a matrix, 3x3 or 4x4, in as many lines, or 3x3 in one

and DSO's camera.txt, which states the size of the images in its second line:

    Pinhole fx fy cx cy 0                        or RadTan ... k1 k2 p1 p2, EquiDistant ... k1 k2 k3 k4
    width height
    crop
    width height                                 of what DSO makes of the images
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from vode.cameras.distortion import lens_of
from vode.cameras.fields import to_pinhole
from vode.cameras.fit import Calibration
from vode.cameras.lens import COUNTS
from vode.errors import InputError

Lines = Sequence[tuple[int, str]]
"""numbered lines with something in them"""

DSO_MODELS = {"pinhole": "pinhole", "radtan": "radtan", "equidistant": "fisheye", "kannalabrandt": "fisheye"}
"""lens by the first word of DSO's files, in lower case; its other models are refused"""


def is_numbers(lines: Lines) -> bool:
    """Whether lines hold nothing but numbers."""
    return bool(lines) and all(_numbers(text) for _, text in lines)


def is_dso(lines: Lines) -> bool:
    """Whether lines are one of DSO's camera files: a model's name, or none, and numbers; the size below."""
    if len(lines) < 3:
        return False
    name, numbers = _model(lines[0][1])
    return bool(name) and len(numbers) >= 5 and bool(re.fullmatch(r"\d+\s+\d+", lines[1][1]))


def numbers_calibration(path: Path, lines: Lines) -> Calibration:
    """A camera of unknown image size, by one line or a matrix."""
    rows = [_numbers(text) for _, text in lines]
    shape = [len(row) for row in rows]
    if shape == [4] * 4:
        (*top, last) = rows
        if [row[3] for row in rows] != [0, 0, 0, 1] or last[:3] != [0, 0, 0]:
            raise InputError("not a 4x4 camera matrix fx 0 cx 0, 0 fy cy 0, 0 0 1 0, 0 0 0 1; correct it")
        rows, shape = [row[:3] for row in top], [3] * 3
    flat = [number for row in rows for number in row]
    if shape == [3] * 3 or (shape == [9] and flat[6:] == [0, 0, 1]):
        focal, centre = to_pinhole("camera matrix", tuple(flat))
        return Calibration(path, focal, centre)
    if len(rows) > 1:
        raise InputError(f"{len(rows)} lines of numbers, and no 3x3 matrix; give that, or fx fy cx cy in one line")
    return calibration_of_row(path, flat, None)


def calibration_of_row(path: Path, row: Sequence[float], size: tuple[int, int] | None) -> Calibration:
    """A camera by fx fy cx cy and the coefficients of a radial-tangential lens."""
    counts = [4, *(4 + count for count in COUNTS["radtan"])]
    if len(row) not in counts:
        raise InputError(
            f"{len(row)} numbers, not fx fy cx cy [k1 k2 p1 p2 [k3 [k4 k5 k6]]], which are "
            f"{', '.join(map(str, counts))}; correct them"
        )
    fx, fy, cx, cy, *coefficients = row
    return Calibration(path, (fx, fy), (cx, cy), *lens_of(None, coefficients), size)


def dso_calibration(path: Path, lines: Lines) -> Calibration:
    """A camera of DSO, whose numbers are relative to the image where the principal point is below 1.

    Engel, Koltun and Cremers, PAMI 2018: K = width fx, height fy, width cx - 0.5, height cy - 0.5.
    """
    name, (fx, fy, cx, cy, *coefficients) = _model(lines[0][1])
    width, height = map(int, lines[1][1].split())
    if name.lower() not in DSO_MODELS:
        raise InputError(f"model {name[:40]!r} is not read; known are Pinhole, RadTan, EquiDistant; calibrate again")
    if cx < 1 and cy < 1:
        fx, fy, cx, cy = width * fx, height * fy, width * cx - 0.5, height * cy - 0.5
    lens, distortion = lens_of(DSO_MODELS[name.lower()], coefficients)
    return Calibration(path, (fx, fy), (cx, cy), lens, distortion, (height, width))


def _model(line: str) -> tuple[str, list[float]]:
    """The model and numbers of DSO's first line; without a name they are of a pinhole, or of an FOV lens."""
    name, _, rest = line.partition(" ")
    if name.isalpha():
        return name, _numbers(rest)
    numbers = _numbers(line)
    return ("FOV" if any(numbers[4:]) else "Pinhole") if len(numbers) == 5 else "", numbers


def _numbers(text: str) -> list[float]:
    """The numbers of a line; none if anything else stands in it."""
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError:
        return []
