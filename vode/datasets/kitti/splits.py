"""Lists of frames that the field trains and tests on: short text files in ``splits/``, installed as ``vode.splits``."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

from vode.errors import InputError


class Frame(NamedTuple):
    """One frame of KITTI raw."""

    drive: str
    """such as 2011_09_26_drive_0002"""
    number: int

    @property
    def date(self) -> str:
        """The day, such as 2011_09_26, whose calibration holds."""
        return self.drive[:10]

    def __str__(self) -> str:
        return f"{self.drive} frame {self.number}"


def split_names() -> tuple[str, ...]:
    """The lists there are."""
    return tuple(sorted(entry.name[:-4] for entry in _folder().iterdir() if entry.name.endswith(".txt")))


def is_validation(frame: Frame) -> bool:
    """Whether a training frame is kept for validation: one in ten, the same for both cameras and on any machine.

    The first byte of the SHA-256 of "2011_09_26_drive_0001 5" (drive, number) is below 26. (Zhou's own draw depends on
    the order of a directory listing, and cannot be repeated.)
    """
    return hashlib.sha256(f"{frame.drive} {frame.number}".encode()).digest()[0] < 26


def read_split(name: str) -> list[Frame]:
    """The frames of a list, in its order; InputError tells which lists there are."""
    if name not in split_names():
        raise InputError(f"no split is called {name!r}; choose one of {', '.join(split_names())}")
    return list(_frames(name))


def _folder() -> Traversable:
    try:
        return files("vode.splits")
    except ModuleNotFoundError:  # a checkout that runs as it stands, as python train.py does, has it beside the package
        return Path(__file__).parents[3] / "splits"


@cache
def _frames(name: str) -> tuple[Frame, ...]:
    text = (_folder() / f"{name}.txt").read_text("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return tuple(Frame(drive, number) for line in lines for drive, number in _expand(line))


def _expand(line: str) -> list[tuple[str, int]]:
    """The frames of "drive: step; first-last ...", each run with both its ends."""
    match = re.fullmatch(r"(\w+): (\d+);((?: \d+-\d+)+)", line)
    if match is None:
        raise ValueError(f"not a line of a split: {line!r}")
    runs = (map(int, run.split("-")) for run in match[3].split())
    return [(match[1], number) for first, last in runs for number in range(first, last + 1, int(match[2]))]
