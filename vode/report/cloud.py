"""cloud.ply, read and thinned."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from vode.errors import InputError
from vode.io.files import read_bytes

_POINT = np.dtype([("position", "<f4", 3), ("color", "u1", 3)])
_PROPERTIES = (
    *("property float x", "property float y", "property float z"),
    *("property uchar red", "property uchar green", "property uchar blue"),
)
_HEADER_END = b"end_header\n"


class Cloud(NamedTuple):
    """Coloured points in the world."""

    positions: np.ndarray
    """(M, 3) float32"""
    colors: np.ndarray
    """(M, 3) uint8 RGB"""

    def thinned(self, most: int, *, seed: int = 0) -> Cloud:
        """At most ``most`` of the points, drawn at random in their order."""
        if len(self.positions) <= most:
            return self
        chosen = np.sort(np.random.default_rng(seed).choice(len(self.positions), most, replace=False))
        return Cloud(self.positions[chosen], self.colors[chosen])


def read_cloud(path: Path | str) -> Cloud:
    """The points of a binary little-endian PLY file whose vertices are x y z float, red green blue uchar.

    Points that are not finite are left out, and so is an incomplete end. InputError for any other file.
    """
    data = read_bytes(path)
    head, found, body = data.partition(_HEADER_END)
    lines = [line.strip() for line in head.decode("ascii", "replace").splitlines()]
    properties = tuple(" ".join(line.split()) for line in lines if line.startswith("property"))
    elements = [line.split() for line in lines if line.startswith("element")]
    known = lines[:1] == ["ply"] and "format binary_little_endian 1.0" in lines and properties == _PROPERTIES
    if not found or not known or len(elements) != 1 or elements[0][1] != "vertex" or not elements[0][2].isdigit():
        raise InputError(f"{path}: no cloud as vode run writes it (binary PLY of x y z red green blue); run it again")
    count = min(int(elements[0][2]), len(body) // _POINT.itemsize)
    points = np.frombuffer(body, _POINT, count)
    points = points[np.isfinite(points["position"]).all(axis=1)]
    return Cloud(points["position"], points["color"])
