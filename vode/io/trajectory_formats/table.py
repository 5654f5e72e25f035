"""Rows of numbers of a text file, separated by spaces, tabs or commas, and the names of their columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vode.errors import InputError

_UNIT = re.compile(r"[\[(].*?[\])]")
_ORDER = re.compile(r"(?:^|[^a-z])(?:q|quat\w*|rot\w*|orientation)?[._ (]*(wxyz|xyzw)(?![a-z])")
"""the order of a quaternion in one word"""
_W_FIRST = re.compile(r"\b(scalar|real|w)[ -](part )?(is )?first\b")
_NUMBERED = re.compile(r"\bq_?([01])[\s,;)\]]+q_?([12])[\s,;)\]]+q_?([23])[\s,;)\]]+q_?([34])\b")
_QUATERNION = re.compile(r"(?:^|[._ ])(?:q|quat\w*|rot\w*|orientation)(?:[._ ]\w+)?[._ ]?([wxyz])$")


@dataclass(frozen=True, eq=False)
class Table:
    """N rows of C numbers."""

    path: Path | str
    values: Tensor
    """(N, C) float64"""
    lines: Tensor
    """(N,) line numbers"""
    commas: bool = False
    """whether commas separate the columns"""
    header: tuple[str, ...] = ()
    """names of the columns, lower case, where a line above the rows names the parts of a quaternion"""
    order: str = ""
    """of the parts of a quaternion, as a comment above the rows tells it: wxyz, or empty"""
    gap: int | None = None
    """line number of the first empty line between two rows"""
    separator: str = ":"
    """between the file and the line in messages"""

    def at(self, row: int | Tensor) -> str:
        """The place of a row, for messages."""
        return f"{self.path}{self.separator}{int(self.lines[row])}"

    def quaternion(self) -> tuple[int, int, int, int] | None:
        """The columns of w, x, y and z as a header or a comment tells them; None if none does."""
        parts = quaternion_columns(self.header)
        if parts is None and self.order and self.values.shape[1] == 8:
            parts = {part: 4 + place for place, part in enumerate(self.order)}
        return None if parts is None else (parts["w"], parts["x"], parts["y"], parts["z"])


def quaternion_columns(names: tuple[str, ...]) -> dict[str, int] | None:
    """The column of each of w, x, y, z, if each is named once."""
    found: dict[str, int] = {}
    for column, name in enumerate(names):
        match = _QUATERNION.search(_UNIT.sub("", name).strip())
        if match and match[1] not in found:
            found[match[1]] = column
    return found if len(found) == 4 else None


def read_table(path: Path | str, text: str) -> Table:
    """Parse the rows of a text; blank lines and those that start with # are skipped.

    Raises InputError naming file and line for what is not a number and for rows of unequal length, and for a text
    without rows.
    """
    rows: list[list[float]] = []
    lines: list[int] = []
    header: tuple[str, ...] = ()
    order = ""
    blank = gap = None
    commas = False
    for line, raw in enumerate(text.splitlines(), start=1):
        stripped = raw.strip()
        if not stripped:
            blank = blank or (line if rows else None)
            continue
        names = () if rows else _names(stripped)
        told = "" if rows else _order(path, line, stripped)
        if names or told or stripped.startswith(("#", "%")):
            header, order = names or header, told or order
            continue
        row = _numbers(path, line, stripped)
        if rows and len(row) != len(rows[0]):
            raise InputError(f"{path}:{line}: {len(row)} columns after rows of {len(rows[0])}; correct the line")
        gap, commas = gap or blank, commas or "," in stripped
        rows.append(row)
        lines.append(line)
    if not rows:
        raise InputError(f"{path}: no poses in the file; run the odometry again")
    header = header if header and len(header) == len(rows[0]) else ()
    return Table(path, torch.tensor(rows, dtype=torch.float64), torch.tensor(lines), commas, header, order, gap)


def split(line: str) -> list[str]:
    """The words of a line: between commas if it has any, else between spaces and tabs."""
    if "," not in line:
        return line.split()
    words = [word.strip() for word in line.split(",")]
    return words[:-1] if words[-1] == "" else words


def _names(line: str) -> tuple[str, ...]:
    """The words of a line that names columns, else ()."""
    names = tuple(word.lower() for word in split(line.lstrip("#%").strip()))
    return names if quaternion_columns(names) else ()


def _order(path: Path | str, line: int, comment: str) -> str:
    """The order of a quaternion's parts in a comment: of the last four words that are w, x, y, z alike; else empty.

    InputError for parts that are numbered: of q0 to q3 either the first or the last may be w.
    """
    comment = comment.lower()
    if _NUMBERED.search(comment):
        raise InputError(f"{path}:{line}: q0 to q3 do not tell which of them is w; call them qw, qx, qy and qz")
    # of complex numbers r is the real part
    words = re.findall(
        r"[a-z_][a-z_.0-9]*", re.sub(r"\bq_?r\b(.*)\bq_?i\b(.*)\bq_?j\b(.*)\bq_?k\b", r"qw\1qx\2qy\3qz", comment)
    )
    for start in range(len(words) - 4, -1, -1):
        four = words[start : start + 4]
        if {word[-1] for word in four} == set("wxyz") and len({word[:-1] for word in four}) == 1:
            return "".join(word[-1] for word in four)
    named = _ORDER.search(comment)
    return named[1] if named else "wxyz" * bool(_W_FIRST.search(comment))


def _numbers(path: Path | str, line: int, text: str) -> list[float]:
    try:
        return [float(word) for word in split(text)]
    except ValueError:
        raise InputError(f"{path}:{line}: not a number in '{text[:60]}'; correct the line") from None
