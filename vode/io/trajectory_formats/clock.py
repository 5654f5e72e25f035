"""Times of frames: the unit that they are in, and files of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.text import read_lines
from vode.io.trajectory_formats.table import split

UNITS = {"milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}
"""of times that are not in seconds, in seconds"""
_NAMES = {"s": "seconds", "sec": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_YEARS = (9.4e8, 4.2e9)
"""of 2000 and 2100, seconds since 1970"""
_LONGEST = 10.0
"""seconds that are the most between the frames of a video"""


class Times(NamedTuple):
    """Times (N,) in seconds, and the unit that they were in."""

    seconds: Tensor
    unit: str

    def note(self, path: Path | str) -> tuple[str, ...]:
        """What is to be said of the unit: nothing of seconds."""
        return () if self.unit == "seconds" else (f"{path}: times are in {self.unit}, and were read as such",)


def times(values: Tensor, unit: str | None = None) -> Times:
    """Times in seconds of values (N,) in a ``unit``, by default the one that they must be in.

    Milliseconds, microseconds and nanoseconds since 1970 are known by their size; others are taken for nanoseconds if
    frames would be months apart in seconds, and for seconds otherwise.
    """
    unit = unit or unit_of(values)
    return Times(values if unit == "seconds" else values * UNITS[unit], unit)


def as_times(source: Path | str | Tensor | np.ndarray | Sequence[float]) -> tuple[Times, str]:
    """Times (N,) of frames as given, in seconds, or those of a file, and the name of where they come from."""
    if isinstance(source, (Path, str)):
        return read_times(source), str(source)
    return Times(torch.as_tensor(source, dtype=torch.float64), "seconds"), "times"


def unit_of(values: Tensor) -> str:
    """The unit of times (N,) by their size and their steps; NaN do not count."""
    finite = values[values.isfinite()].sort().values
    if len(finite) == 0:
        return "seconds"
    step = float(finite.diff().median()) if len(finite) > 1 else 0.0
    for unit, length in UNITS.items():
        if _YEARS[0] <= float(finite[0]) * length <= _YEARS[1] and step * length < _LONGEST:
            return unit
    # as microseconds, such frames would still be 10 s apart
    return "nanoseconds" if step >= 1e7 else "seconds"


def named_unit(name: str) -> str | None:
    """The unit that the name of a column ends with: timestamp [ns], time(s), t_ns."""
    match = re.search(r"(?:[\[(_ ])(s|sec|ms|us|ns)[\])]?$", name.strip().lower())
    return _NAMES[match[1]] if match else None


def read_times(path: Path | str) -> Times:
    """The time of every frame, one a line, as in KITTI's times.txt; after it a line may have the image's name.

    Blank lines and those that start with # are skipped. Raises InputError naming the line for anything else, and for
    times that do not rise.
    """
    values: list[float] = []
    for line, text in enumerate(read_lines(path), start=1):
        words = split(text.strip())
        if not words or words[0].startswith("#"):
            continue
        try:
            value = float(words[0]) if len(words) <= 2 else float("nan")
        except ValueError:
            value = float("nan")
        if not float("-inf") < value < float("inf"):
            raise InputError(f"{path}:{line}: not a time; give the time of one frame a line, as KITTI's times.txt")
        if values and value <= values[-1]:
            raise InputError(f"{path}:{line}: the time is not after the one before; put the frames in order")
        values.append(value)
    if not values:
        raise InputError(f"{path}: no times in the file; copy it again")
    return times(torch.tensor(values, dtype=torch.float64))
