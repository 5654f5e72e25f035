"""Lines and numbers of text files, with errors that name the line, and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from vode.errors import InputError
from vode.io.files import read_bytes

DEEPEST = 50
"""levels of lists and mappings in JSON; much deeper ones could be read, but no longer be shown or compared"""


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


def parse_json(text: str | bytes, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value of JSON; ValueError for anything else, and beyond ``DEEPEST``. ``pairs`` makes mappings of names."""
    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level = [value]
    for _ in range(DEEPEST):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, (dict, list)))
        level = [each for values in inner for each in values if isinstance(each, (dict, list))]
        if not level:
            return value
    raise ValueError("nested too deep")
