"""Names and contents of files."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path, PurePosixPath

from vode.errors import InputError

SYSTEM = frozenset({"__MACOSX", "@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"})
"""folders that systems, archivers and network drives put beside one's own, beside those whose names begin with a dot"""


def read_bytes(path: Path | str, count: int = -1) -> bytes:
    """The contents of a file, or the first ``count`` bytes of it; InputError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(count)
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


def slashes(name: str) -> str:
    """A name with the slashes of Windows turned into those of all other systems."""
    return name.replace("\\", "/")


def inside(root: Path | str, name: str | Path) -> Path:
    """The path of ``name`` in ``root``, where it may have Windows' slashes and be absolute.

    InputError if the name points outside ``root``.
    """
    normal = os.path.normpath(slashes(str(name)))
    if os.path.isabs(normal):
        starts = (os.path.abspath(root), os.path.realpath(root))
        normal = next((os.path.relpath(normal, start) for start in starts if _within(normal, start)), normal)
    outside = os.path.isabs(normal) or re.match(r"[A-Za-z]:/", normal) or normal.split(os.sep)[0] == ".."
    if outside or "\0" in normal:
        raise InputError(f"{root}: the name {str(name)!r} leads out of this folder; correct it")
    return Path(root) / normal


def _within(path: str, folder: str) -> bool:
    return "\0" not in path and os.path.commonpath([path, folder]) == folder


def visible(folder: Path | str) -> list[Path]:
    """What is in a folder, if it is one, in natural order, without what systems hide or put there themselves."""
    try:
        names = os.listdir(folder) if os.path.isdir(folder) else []
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror}); check its rights") from None
    kept = (name for name in names if not name.startswith(".") and name not in SYSTEM)
    return [Path(folder) / name for name in sorted(kept, key=natural)]


def natural(name: str) -> tuple[list[list[tuple[int, str]]], str]:
    """A sort key that orders names by the numbers in them, folder by folder; a suffix counts last."""
    path = PurePosixPath(slashes(name))
    return [_numbers(part) for part in (*path.parent.parts, path.stem, path.suffix)], name


def in_order(names: Sequence[str]) -> list[int]:
    """Where the names stand in the order of a video: by their numbers, or by time if all are seconds as 12.5.png."""
    stems = [PurePosixPath(slashes(name)).stem for name in names]
    if all(re.fullmatch(r"[0-9]+\.([0-9]|[0-9]*[1-9])", stem) for stem in stems):
        # seconds that are written without trailing zeros, where 1.5 comes after 1.25
        return sorted(range(len(names)), key=lambda i: (Decimal(stems[i]), names[i]))
    return sorted(range(len(names)), key=lambda i: natural(names[i]))


def _numbers(part: str) -> list[tuple[int, str]]:
    """Text and numbers by turns; a number as its length and digits, which may be more than fit an int."""
    words = re.split(r"([0-9]+)", part)
    words[1::2] = [word.lstrip("0") for word in words[1::2]]
    return [(len(word) if i % 2 else 0, word) for i, word in enumerate(words)]
