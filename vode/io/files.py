"""Names and contents of files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from vode.errors import InputError


def read_bytes(path: Path | str) -> bytes:
    """The contents of a file; InputError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None


def version(path: Path | str) -> tuple[int, int]:
    """Modification time in nanoseconds and size of a file, for caches; InputError if it cannot be read."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None
    return found.st_mtime_ns, found.st_size


def inside(root: Path | str, name: str | Path) -> Path:
    """The path of ``name`` in ``root``; InputError if the name points outside it."""
    normal = os.path.normpath(name)
    if os.path.isabs(normal) or normal.split(os.sep)[0] == ".." or "\0" in normal:
        raise InputError(f"{root}: the name {str(name)!r} leads out of this folder; correct it")
    return Path(root) / normal


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that orders names by the numbers in them."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
