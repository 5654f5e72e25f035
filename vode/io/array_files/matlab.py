"""Numbers in MATLAB's files up to version 7 ("MAT-File Format", The MathWorks, level 5).

SciPy reads them too, but ends the process where the type of an element is none.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vode.errors import InputError
from vode.io.files import read_bytes

HEADER = 128
"""bytes before the first element, of which the last four tell the version and the order of bytes"""
LARGEST = 2**24
"""bytes of an element that is compressed"""
TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
MATRIX, COMPRESSED = 14, 15
"""types of elements that hold others"""


def read_numbers(path: Path | str, name: str) -> np.ndarray:
    """The numbers (N,) of the matrix ``name``, column by column, real ones of any type; InputError if there is none."""
    data = read_bytes(path)
    try:
        order = {b"IM": "<", b"MI": ">"}[data[HEADER - 2 : HEADER]]
        for kind, content in _elements(data[HEADER:], order):
            # flags, dimensions, name, real part
            parts = list(_elements(content, order)) if kind == MATRIX else []
            if len(parts) >= 4 and parts[2][1] == name.encode():
                return np.frombuffer(parts[3][1], order + TYPES[parts[3][0]])
    except (KeyError, ValueError, zlib.error):
        pass
    raise InputError(f"{path}: no numbers {name} can be read from it; copy it again")


def _elements(data: bytes, order: str, *, packed: bool = True) -> Iterator[tuple[int, bytes]]:
    """Type and content of the elements one after the other, unpacked; ValueError where one is cut short."""
    place = 0
    while place < len(data):
        kind, count = np.frombuffer(data, order + "u4", 2, place).tolist()
        start = place + 8
        if kind >> 16:
            # small ones have type and number of bytes in the first word, and their content in the second
            kind, count, start = kind & 0xFFFF, kind >> 16, place + 4
            if count > 4:
                raise ValueError
        content = data[start : start + count]
        if len(content) < count:
            raise ValueError
        place = max(start + count, place + 8)
        if kind == COMPRESSED and packed:
            # what is compressed holds nothing that is compressed again
            unpacked = zlib.decompressobj().decompress(content, LARGEST)
            yield from _elements(unpacked, order, packed=False)
        else:
            place += -place % 8
            yield kind, content
