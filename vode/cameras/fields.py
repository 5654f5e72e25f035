"""Camera files of names with values: YAML, also as OpenCV writes it, and JSON."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from vode.errors import InputError
from vode.io.text import parse_json


class Fields:
    """The values of a camera file by name, each of which has to be asked for: ``close`` refuses the rest by name.

    Where a value has several names, the first that is there counts. InputError names what is missing or no number.
    """

    def __init__(self, values: Mapping[Any, Any]) -> None:
        self._values = {str(name): value for name, value in values.items() if value is not None}
        self._asked: set[str] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> tuple[str, ...]:
        """All names that have a value."""
        return tuple(self._values)

    def take(self, *names: str) -> Any:
        """The value of one of these names; None if there is none."""
        self._asked |= set(names)
        there = [name for name in names if name in self._values]
        if len(there) > 1 and any(self._values[name] != self._values[there[0]] for name in there):
            raise InputError(f"both {' and '.join(there)}, which differ; leave one of them")
        return self._values[there[0]] if there else None

    def need(self, *names: str) -> Any:
        """The same, which must be there."""
        value = self.take(*names)
        if value is None:
            raise InputError(f"no {names[0]}; add it")
        return value

    def number(self, *names: str) -> float:
        """A number that must be there."""
        return to_number(names[0], self.need(*names))

    def numbers(self, *names: str) -> tuple[float, ...]:
        """The numbers of a list, of a list of rows, or of a matrix with its data; none without the name."""
        return to_numbers(names[0], self.take(*names))

    def size(self, height: tuple[str, ...], width: tuple[str, ...]) -> tuple[int, int] | None:
        """Height and width by these names; None if the file has neither."""
        if self.take(*height) is None and self.take(*width) is None:
            return None
        return to_whole(height[0], self.need(*height)), to_whole(width[0], self.need(*width))

    def close(self, ignored: str = "") -> None:
        """InputError for names that nothing asked for, except those that match the expression ``ignored``."""
        left = [name for name in self._values if name not in self._asked and not re.fullmatch(ignored, name)]
        if left:
            shown = ", ".join(name[:40] for name in left[:5])
            known = ", ".join(sorted(self._asked)[:30])
            raise InputError(f"unknown {shown}, which may change the camera; remove or correct it (known are {known})")


class _Loader(yaml.SafeLoader):
    """Reads OpenCV's matrices as mappings, and no name twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        doubled = {name for name in names if names.count(name) > 1} if len(names) < 1000 else set()
        if doubled:
            raise ValueError(f"{doubled.pop()[:40]} stands in it twice")
        return super().construct_mapping(node, deep=deep)


def _matrix(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    return loader.construct_mapping(node, deep=True)


for _kind in ("opencv-matrix", "opencv-nd-matrix"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _matrix)


def parse_fields(path: Path, data: bytes) -> Fields:
    """The names and values of a YAML or JSON file; InputError if it is none."""
    try:
        if path.suffix.lower() == ".json":
            values = parse_json(data, _once)
        else:
            # OpenCV heads its YAML with a line that YAML does not know
            text = re.sub(rb"\A(\xef\xbb\xbf)?%YAML:[^\n]*\n", b"", data)
            documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
            values = documents[0] if documents else None
            if any(_without_header(other) != _without_header(values) for other in documents[1:]):
                raise ValueError("several cameras in it, one after the other")
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError, TypeError) as error:
        # PyYAML raises the last ones for values that contradict their tags.
        first = str(error).partition("\n")[0]
        raise InputError(f"{path}: not YAML or JSON ({first}); correct the file") from None
    if not isinstance(values, Mapping):
        raise InputError(f"{path}: not names with values; give width, height, fx, fy, cx, cy")
    return Fields(values)


def to_number(name: str, value: Any) -> float:
    """A number, also as text, which YAML makes of 1e-05."""
    try:
        if isinstance(value, bool):
            raise ValueError(f"it is {value}")
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} is no number ({error}); correct it") from None


def to_whole(name: str, value: Any) -> int:
    """A whole number of pixels."""
    number = to_number(name, value)
    try:
        if int(number) != number or not 0 < number < 2**31:
            raise ValueError(f"{number:g} pixels")
    except (ValueError, OverflowError) as error:
        raise InputError(f"{name} is no whole number above 0 ({error}); correct it") from None
    return int(number)


def to_numbers(name: str, value: Any) -> tuple[float, ...]:
    """The numbers of a list, of a list of rows, or of a matrix ``{rows, cols, data}``."""
    if value is None:
        return ()
    if isinstance(value, Mapping):
        value = value.get("data")
    if not isinstance(value, list):
        raise InputError(f"{name} is no list of numbers; give them in brackets")
    flat = [number for row in value for number in (row if isinstance(row, list) else [row])]
    return tuple(to_number(name, number) for number in flat)


def to_pinhole(name: str, matrix: tuple[float, ...]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Focal lengths and principal point of the 9 numbers of a camera matrix, fx 0 cx, 0 fy cy, 0 0 1."""
    if len(matrix) != 9:
        raise InputError(f"a {name} of {len(matrix)} numbers, not 9; correct it")
    fx, skew, cx, zero, fy, cy, *bottom = matrix
    if skew or zero or bottom != [0, 0, 1]:
        raise InputError(f"a {name} that is not fx 0 cx, 0 fy cy, 0 0 1; correct it")
    return (fx, fy), (cx, cy)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name stands in it twice")
    return values


def _without_header(document: Any) -> Any:
    """A message of ROS without its time."""
    return {k: v for k, v in document.items() if k != "header"} if isinstance(document, Mapping) else document
