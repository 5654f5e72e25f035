"""Conversion of frozen dataclasses to plain values for JSON, and back."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from reprlib import repr as shown
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def to_plain(options: Any) -> dict[str, Any]:
    """A dataclass as JSON values: tuples become lists, paths strings."""
    return json.loads(json.dumps(dataclasses.asdict(options), default=str))


def from_plain(kind: type[T], values: Any) -> T:
    """A dataclass of type ``kind`` from the result of ``to_plain``; missing fields take their defaults.

    ValueError names an unknown key, or a value that does not fit its field.
    """
    return _build(kind, values, "")


def _build(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise ValueError(f"{where}: {shown(value)} is not a list")
        return tuple(_build(typing.get_args(kind)[0], item, where) for item in value)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _build(typing.get_args(kind)[0], value, where)
    if origin is Literal:
        if value not in typing.get_args(kind):
            raise ValueError(f"{where}: {shown(value)} is none of {', '.join(map(str, typing.get_args(kind)))}")
        return value
    try:
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{where}: {shown(value)} does not fit") from None


def _dataclass(kind: Any, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise ValueError(f"{where or kind.__name__}: {shown(values)} is not a mapping of names to values")
    hints = typing.get_type_hints(kind)
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = [name for name in values if name not in known]
    if unknown:
        raise ValueError(f"unknown key {where}{unknown[0]!r}")
    return kind(**{name: _build(hints[name], item, f"{where}{name}.") for name, item in values.items()})
