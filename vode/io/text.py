"""Lines and numbers of text files, with errors that name the line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from vode.errors import InputError
from vode.io.files import read_bytes


def read_lines(path: Path | str) -> list[str]:
    """The lines of a text file, without trailing blank ones."""
    try:
        return read_bytes(path).decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; copy it again") from None


def each_line(path: Path | str) -> Iterator[tuple[int, str]]:
    """Iterate over the numbered lines of a text file, from 1, without reading all of it."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            yield from enumerate(file, start=1)
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; copy it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None


def parse_numbers(path: Path | str, line: int, text: str, count: int, wanted: str) -> list[float]:
    """Parse ``count`` finite numbers; InputError names the file, its ``line`` and what was ``wanted``."""
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    if len(values) != count or not all(map(math.isfinite, values)):
        raise InputError(f"{path}:{line}: not {wanted}; correct the line")
    return values
