"""Maps of VisualSFM (Wu, 3DV 2013), http://ccwu.me/vsfm/doc.html#nvm: focal lengths, and the points that images see.

    NVM_V3

    2                                                                    images, a line each
    seq1/frame00001.jpg 1670.2 qw qx qy qz x y z distortion 0

    3                                                                    points, a line each
    x y z r g b 2   0 17 -12.5 30.1   1 4 55.0 2.3                       measurements, each IMAGE FEATURE X Y

Of several models in a file the first, which is the largest, is read.
"""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np

from vode.errors import InputError
from vode.io.files import slashes, version
from vode.io.text import each_line

Lines = Iterator[tuple[int, str]]
REACH_POINTS = 2000
"""points that tell how large the images of a map are"""
POINT = "X Y Z R G B COUNT and IMAGE FEATURE X Y of each"


class NvmPoints(NamedTuple):
    """The points of a map, and which of them its images see."""

    places: np.ndarray
    """(P, 3) float64, in units of the map"""
    rows: dict[str, np.ndarray]
    """rows (N,) of ``places``, each once, by the images' names without suffix"""


def stem(name: str) -> str:
    """The name of an image without suffix: maps name .jpg what lists of images name .png."""
    path = PurePosixPath(slashes(name))
    return str(path.parent / path.stem)


def nvm_focals(path: Path) -> dict[str, float]:
    """Focal lengths in pixels of a map, by the images' names without suffix; those that are none are left out."""
    return {name: focal for name, focal in _images(path, each_line(path)) if math.isfinite(focal) and focal > 0}


def nvm_points(path: Path) -> NvmPoints:
    """The points of a map, read once as long as the file does not change; InputError names the line that is damaged."""
    return _points(path, version(path))


def nvm_reach(path: Path) -> tuple[float, float]:
    """How far, in pixels x and y, the map's first points are seen from the middle of images; 0 if it has none."""
    lines, reach = each_line(path), np.zeros(2)
    for _ in _images(path, lines):
        pass
    for _, words in islice(_rows(path, lines, "points"), REACH_POINTS):
        try:
            seen = np.array([words[9::4], words[10::4]], dtype=np.float64)
        except ValueError:
            continue
        reach = np.maximum(reach, np.abs(seen).max(1, initial=0.0))
    return float(reach[0]), float(reach[1])


@lru_cache(maxsize=4)
def _points(path: Path, _version: tuple[int, int]) -> NvmPoints:
    lines = each_line(path)
    names = [name for name, _ in _images(path, lines)]
    places, counts, images = array("d"), array("i"), array("i")
    for number, words in _rows(path, lines, "points"):
        try:
            place, seen = [float(word) for word in words[:3]], [int(word) for word in words[7::4]]
            whole = len(words) == 7 + 4 * int(words[6]) and all(map(math.isfinite, place))
        except (IndexError, ValueError):
            whole = False
        if not whole:
            raise InputError(f"{path}:{number}: not {POINT}; copy it again")
        if seen and not 0 <= min(seen) <= max(seen) < len(names):
            raise InputError(f"{path}:{number}: an image that is none of the {len(names)} above; copy it again")
        places.extend(place)
        counts.append(len(seen))
        images.extend(seen)
    order = np.argsort(images, kind="stable")
    rows = np.repeat(np.arange(len(counts), dtype=np.int32), counts)[order]
    ends = np.bincount(images, minlength=len(names)).cumsum()
    seen_by = [np.unique(part) for part in np.split(rows, ends)[: len(names)]]
    return NvmPoints(np.array(places).reshape(-1, 3), dict(zip(names, seen_by, strict=True)))


def _images(path: Path, lines: Lines) -> Iterator[tuple[str, float]]:
    """Name without suffix and focal length of every image; leaves ``lines`` behind them."""
    if not next(lines, (1, ""))[1].startswith("NVM_V3"):
        raise InputError(f"{path}: not a map of VisualSFM, which begins with NVM_V3; copy it again")
    for number, words in _rows(path, lines, "images"):
        try:
            yield stem(words[0]), float(words[1])
        except (IndexError, ValueError):
            raise InputError(f"{path}:{number}: not NAME FOCAL and more; copy it again") from None


def _rows(path: Path, lines: Lines, what: str) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and words of a table, in front of which stands the number of its lines."""
    _, head = next((line for line in lines if line[1].strip()), (0, ""))
    if not re.fullmatch(r"\s*[0-9]{1,9}\s*", head):
        raise InputError(f"{path}: no number of {what} where it should stand; copy it again")
    count, done = int(head), 0
    for number, line in islice(lines, count):
        done += 1
        yield number, line.split()
    if done < count:
        raise InputError(f"{path}: cut short, {done} of {count} {what}; copy it again")
