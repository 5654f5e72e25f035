"""Readings of other sensors: files of rows that begin with a time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.text import read_lines
from vode.io.trajectory_formats.clock import named_unit, times
from vode.io.trajectory_formats.table import split

OTHER_SPEEDS = re.compile(r"km\s*/?\s*p?h|kph|mph|knots?|\bkn\b")
"""units of speed that are not metres a second, in the name of a column"""


class Readings(NamedTuple):
    """N values, or rows of C values, in the order of their times."""

    times: Tensor
    """(N,) float64 seconds, rising"""
    values: Tensor
    """(N, C) float64"""
    name: str
    """of their file, for messages"""
    notes: tuple[str, ...] = ()


def read_speeds(path: Path | str) -> Readings:
    """Rows of time and speed in m/s; raises the errors of ``read_readings``, and for speeds in another unit."""
    readings = read_readings(path, ("time", "speed"))
    wrong = (readings.values < 0).nonzero()
    if len(wrong):
        row = int(wrong[0, 0])
        raise InputError(
            f"{path}: a speed of {float(readings.values[row, 0]):g} m/s at {float(readings.times[row]):g} s; give "
            "speeds of 0 or more"
        )
    return readings


def read_fixes(path: Path | str) -> Readings:
    """Rows of time, latitude and longitude in degrees; raises the errors of ``read_readings``."""
    readings = read_readings(path, ("time", "latitude", "longitude"))
    latitude, longitude = readings.values.unbind(1)
    wrong = ((latitude.abs() > 90) | (longitude.abs() > 180)).nonzero()
    if len(wrong):
        row = int(wrong[0, 0])
        place = f"{float(latitude[row]):g}, {float(longitude[row]):g}"
        raise InputError(f"{path}: {place} is no latitude and longitude in degrees; put them in this order")
    return readings


def read_readings(path: Path | str, columns: tuple[str, ...]) -> Readings:
    """The rows of a text file, separated by commas, spaces or tabs: a time and a number for each other column.

    Times are in seconds, or in the unit that their column's name or their size tells. A first line of names, blank
    lines and those that start with # are skipped. InputError names the line of anything else, and of times that do
    not rise; fewer than 2 rows are refused.
    """
    rows: list[list[float]] = []
    unit = None
    wanted = f"{len(columns)} numbers: {', '.join(columns)}"
    for line, text in enumerate(read_lines(path), start=1):
        words = split(text.strip())
        if not words or words[0].startswith("#"):
            continue
        if not rows and text.strip()[0].isalpha():
            names = re.split("[,\t]", text) if re.search("[,\t]", text.strip()) else words
            unit = named_unit(names[0])
            _check_speed(path, columns, names)
            continue
        row = _numbers(words)
        if row is None or len(row) != len(columns):
            raise InputError(f"{path}:{line}: not {wanted}; correct the line")
        if rows and row[0] <= rows[-1][0]:
            raise InputError(f"{path}:{line}: the time is not after the one before; put the rows in order")
        rows.append(row)
    if len(rows) < 2:
        raise InputError(f"{path}: {len(rows)} rows of {', '.join(columns)}; give 2 or more")
    values = torch.tensor(rows, dtype=torch.float64)
    read = times(values[:, 0], unit)
    return Readings(read.seconds, values[:, 1:], str(path), read.note(path))


def _check_speed(path: Path | str, columns: tuple[str, ...], names: list[str]) -> None:
    other = next((name for name in names if OTHER_SPEEDS.search(name.lower())), None)
    if "speed" in columns and other is not None:
        raise InputError(f"{path}: speeds in {other.strip()!r}; give metres a second")


def _numbers(words: list[str]) -> list[float] | None:
    """Finite numbers, None if a word is none."""
    try:
        values = torch.tensor([float(word) for word in words], dtype=torch.float64)
    except ValueError:
        return None
    return values.tolist() if bool(values.isfinite().all()) else None
