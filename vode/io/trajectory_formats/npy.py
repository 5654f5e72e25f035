"""Poses in a .npy file: matrices (N, 4, 4) or (N, 3, 4), or the rows of a text format as a table (N, C)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from vode.errors import InputError
from vode.io.array_files import reading
from vode.io.trajectory_formats.table import Table

MAGIC = b"\x93NUMPY"


def read_array(path: Path | str, data: bytes) -> Table:
    """The array as a table of rows; nothing in the file is run. InputError for what is no array of poses."""
    try:
        array = reading.read_array(path, data)
    except InputError:
        raise InputError(
            f"{path}: a .npy file that holds no plain numbers; save the poses as floats (N, 4, 4)"
        ) from None
    shape = array.shape
    if (
        array.dtype.kind not in "fiu"
        or len(shape) not in (2, 3)
        or (len(shape) == 3 and shape[1:] not in ((4, 4), (3, 4)))
    ):
        raise InputError(f"{path}: an array {shape} of {array.dtype}; save the poses as floats (N, 4, 4)")
    if len(array) == 0:
        raise InputError(f"{path}: no poses in the file; run the odometry again")
    values = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64)).flatten(1)
    return Table(path, values, torch.arange(len(values)), separator=": pose ")
