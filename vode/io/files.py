"""Names and contents of files."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from pathlib import Path, PurePosixPath

from vode.errors import InputError

SYSTEM = frozenset(
    {
        *("__macosx", "@eadir", "@recycle", "@tmp", "#recycle", "#snapshot", "~snapshot", "$recycle.bin", "recycler"),
        *("system volume information", "network trash folder", "temporary items", "lost+found", "thumbs.db"),
    }
)
"""folders that systems, archivers and network drives put beside one's own, beside those whose names begin with a dot"""
SINCE_1970 = 9
"""digits from which on a number before a point is a time in seconds since then"""
CAMERAS = 4
"""most cameras that a digit in the names of one folder tells apart"""
_COPY = re.compile(r"(?<=[0-9])( ?\([0-9]+\)| ?-? ?copy( ?\(?[0-9]+\)?)?)$")
"""what file managers add to the names of copies"""
_STAMP = re.compile(r"(.*?)((?:(?<![A-Za-z0-9])-)?[0-9]+(?:\.[0-9]+)?)([^0-9]*)", re.DOTALL)
"""the last number of a name, with its sign and fraction"""


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
    kept = (name for name in names if not name.startswith(".") and name.lower() not in SYSTEM)
    return [Path(folder) / name for name in sorted(kept, key=natural)]


def natural(name: str) -> tuple[list[list[tuple[int, str]]], str]:
    """A sort key that orders names by the numbers in them, folder by folder; a suffix counts last."""
    path = PurePosixPath(slashes(name))
    return [_numbers(part) for part in (*path.parent.parts, path.stem, path.suffix)], name


def in_order(names: Sequence[str]) -> list[int]:
    """Where the names stand in the order of a video, whatever the case of their letters.

    By their numbers, whose last may be a time as of t_12.5.png.
    """
    stamps = _stamps([PurePosixPath(slashes(name)) for name in names])
    if stamps is None:
        return sorted(range(len(names)), key=lambda i: _frame_key(names[i]))
    return sorted(range(len(names)), key=lambda i: (_frame_key(stamps[i][0])[0], stamps[i][1], names[i]))


def two_of_one_frame(names: Sequence[str]) -> tuple[str, str] | None:
    """Two names that tell images of one frame apart: by a digit, as cam0_000 and cam1_000, or as a copy does.

    None if there are none such: if no number has few values with the other numbers the same beside each.
    """
    paths = [PurePosixPath(slashes(name)) for name in names]
    there = {path.stem.lower(): str(path) for path in paths}
    for path in paths:
        original = there.get(_COPY.sub("", path.stem.lower()))
        if original not in (None, there[path.stem.lower()]):
            return str(original), str(path)
    kinds: defaultdict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for path in paths:
        # 12.5 is one number
        words = re.split(r"([0-9]+(?:\.[0-9]+)*)", path.name.lower())
        kinds["*".join(words[::2])].append((str(path), words[1::2]))
    for kind in kinds.values():
        fields = range(len(kind[0][1]) if len(kind[0][1]) > 1 else 0)
        # cameras are fewer than frames
        for field in sorted(fields, key=lambda field: len({numbers[field] for _, numbers in kind})):
            if (pair := _repeated(kind, field)) is not None:
                return pair
    return None


def _repeated(kind: Sequence[tuple[str, list[str]]], field: int) -> tuple[str, str] | None:
    """Names of one form, with their numbers, that differ in one of these alone, if it is a digit of few values."""
    groups: defaultdict[str, dict[tuple[str, ...], str]] = defaultdict(dict)
    for name, numbers in kind:
        groups[numbers[field]][tuple(numbers[:field] + numbers[field + 1 :])] = name
    if not 2 <= len(groups) <= CAMERAS or any(len(value) > 1 for value in groups):
        return None
    first, second = sorted(groups.values(), key=len, reverse=True)[:2]
    shared = [rest for rest in first if rest in second]
    if len(shared) < max(2, len(second) / 2):
        return None
    return first[shared[0]], second[shared[0]]


def _stamps(paths: Sequence[PurePosixPath]) -> list[tuple[str, Decimal]] | None:
    """What stands before the last number of each name, and that number, where it has a sign or a fraction.

    None if there are none such, or if 1.9 comes before 1.10, as parts of a chapter do.
    """
    found = [_STAMP.fullmatch(path.stem) for path in paths]
    parts = [(str(path.parent / match[1]), match[2]) for path, match in zip(paths, found, strict=True) if match]
    tails = {match[3].lower() for match in found if match}
    forms = {re.sub("[0-9]+", "0", match[1].lower()) for match in found if match}
    if len(parts) < len(paths) or len(tails) != 1 or len(forms) != 1 or any(form.endswith("0.") for form in forms):
        return None
    numbers = [number for _, number in parts]
    signed, fractions = [n for n in numbers if n[0] == "-"], [n.partition(".")[2] for n in numbers if "." in n]
    # a sign that all whole numbers have is a hyphen
    if not fractions and len(signed) in (0, len(numbers)):
        return None
    seconds = [(before, Decimal(number)) for before, number in parts]
    if not fractions:
        return seconds
    long = max(map(len, fractions))
    counts = [(before, _counted(number, long)) for before, number in parts]
    since_1970 = all(len(number.partition(".")[0]) >= SINCE_1970 for number in numbers)
    written_out = any(len(f) > 1 and f.endswith("0") for f in fractions) and len({*map(len, fractions)}) > 1
    if (written_out and not since_1970) or len({*seconds}) < len({*counts}) or _jump(counts) < _jump(seconds):
        return counts if since_1970 else None
    return seconds


def _counted(number: str, digits: int) -> Decimal:
    """A number whose fraction counts, without leading zeros, units of the last of its ``digits``."""
    whole, _, fraction = number.partition(".")
    return Decimal(f"{whole}.{fraction.rjust(digits, '0')}")


def _jump(stamps: Sequence[tuple[str, Decimal]]) -> Decimal:
    """The longest step between two stamps, as a part of the mean one; the mean of it over all that stands before."""
    groups: defaultdict[str, list[Decimal]] = defaultdict(list)
    for before, number in stamps:
        groups[before].append(number)
    jumps = [Decimal(1)]
    for numbers in groups.values():
        numbers.sort()
        steps = [b - a for a, b in pairwise(numbers)]
        if sum(steps):
            jumps.append(max(steps) * len(steps) / sum(steps))
    return Decimal(sum(jumps)) / len(jumps)


def _frame_key(name: str) -> tuple[list[tuple[list[tuple[int, str]], str]], str]:
    """As ``natural``, but the case of letters tells names apart only where nothing else does."""
    path = PurePosixPath(slashes(name))
    return [(_numbers(part.lower()), part) for part in (*path.parent.parts, path.stem, path.suffix)], name


def _numbers(part: str) -> list[tuple[int, str]]:
    """Text and numbers by turns; a number as its length and digits, which may be more than fit an int."""
    words = re.split(r"([0-9]+)", part)
    words[1::2] = [word.lstrip("0") for word in words[1::2]]
    return [(len(word) if i % 2 else 0, word) for i, word in enumerate(words)]
