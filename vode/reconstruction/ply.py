"""Point clouds as PLY files, binary little endian: x y z float32, red green blue uint8."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vode.errors import InputError
from vode.io.atomic import atomic_write
from vode.io.files import read_bytes

VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])
HEADER = """ply
format binary_little_endian 1.0
{comments}element vertex {count}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
end_header
"""


def write_ply(path: Path | str, points: np.ndarray, colors: np.ndarray, comments: tuple[str, ...] = ()) -> None:
    """Write points (N, 3) and their RGB (N, 3) uint8; the file appears whole or not at all."""
    vertices = np.empty(len(points), VERTEX)
    vertices["xyz"], vertices["rgb"] = points, colors
    lines = "".join(f"comment {line}\n" for line in comments)
    with atomic_write(path) as file:
        file.write(HEADER.format(comments=lines, count=len(points)).encode("ascii", "replace"))
        file.write(vertices.tobytes())


def read_ply(path: Path | str) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) float32 and RGB (N, 3) uint8 of a file that ``write_ply`` wrote; InputError for any other."""
    head, end, data = read_bytes(path).partition(b"end_header\n")
    lines = [line for line in head.decode("ascii", "replace").splitlines() if not line.startswith("comment")]
    expected = HEADER.format(comments="", count="").splitlines()
    count = lines[2].removeprefix("element vertex ") if len(lines) > 2 else ""
    known = bool(end) and count.isdigit() and lines[:2] + lines[3:] == expected[:2] + expected[3:-1]
    if not known or len(data) != int(count) * VERTEX.itemsize:
        raise InputError(f"{path}: not a whole cloud of x y z and red green blue as this package writes it")
    vertices = np.frombuffer(data, VERTEX)
    return vertices["xyz"].copy(), vertices["rgb"].copy()
