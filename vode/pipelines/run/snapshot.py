"""State of objects of this package as one file of plain arrays, from which work goes on as if it had never stopped.

What is read is JSON and NumPy arrays: nothing is unpickled, and only classes of this package are made.
"""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import math
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError, one_line
from vode.io.atomic import write_bytes
from vode.odometry.visual_odometry import VisualOdometry

PACKAGE = "vode."
FORM = 3
"""of what is written; raised where classes whose state it holds change"""
MADE_ANEW = frozenset({"_perception", "_intake", "options", "name"})
"""attributes of a tracker that a new one gets from its arguments"""


class Pool:
    """Arrays end to end, one of each type of numbers, as a file of many small ones takes its time."""

    def __init__(self) -> None:
        self._parts: dict[str, list[np.ndarray]] = {}
        self._ends: dict[str, int] = {}

    def keep(self, array: np.ndarray) -> list[Any]:
        """Append an array; its type, place and shape, by which ``kept`` finds it."""
        kind, start = array.dtype.name, self._ends.get(array.dtype.name, 0)
        self._parts.setdefault(kind, []).append(array.ravel())
        self._ends[kind] = start + array.size
        return [kind, start, list(array.shape)]

    def joined(self) -> dict[str, np.ndarray]:
        """The arrays, by the type of their numbers."""
        return {kind: np.concatenate(parts) for kind, parts in self._parts.items()}


def kept(place: list[Any], joined: Mapping[str, np.ndarray]) -> np.ndarray:
    """A copy of the array that ``Pool.keep`` gave this place."""
    kind, start, shape = place
    return joined[kind][start : start + math.prod(shape)].reshape(shape).copy()


def save_snapshot(path: Path, parts: Mapping[str, Any]) -> None:
    """Write values of plain types, tensors, arrays, tuples and objects of this package by their names."""
    pool = Pool()
    tree = {"form": FORM, "parts": {name: _encode(value, pool) for name, value in parts.items()}}
    content = io.BytesIO()
    state = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    np.savez(content, state=state, **pool.joined())  # type: ignore[arg-type]
    write_bytes(path, content.getvalue())


def load_snapshot(path: Path) -> dict[str, Any]:
    """What ``save_snapshot`` wrote; InputError for a file that is missing, damaged or of another version."""
    try:
        with np.load(path, allow_pickle=False) as content:
            joined = dict(content)
        tree = json.loads(joined.pop("state").tobytes())
        if tree.get("form") != FORM:
            raise ValueError("another version wrote it")
        return {name: _decode(value, joined) for name, value in tree["parts"].items()}
    except Exception as error:
        raise InputError(
            f"{path}: the run cannot go on from it ({one_line(error)}); begin anew", "overwrite"
        ) from error


def tracker_state(odometry: VisualOdometry) -> dict[str, Any]:
    """What a tracker has found out: all that another with the same arguments lacks to go on."""
    return {name: value for name, value in vars(odometry).items() if name not in MADE_ANEW}


def restore_tracker(odometry: VisualOdometry, state: Mapping[str, Any]) -> None:
    """Put a new tracker where another one stood."""
    vars(odometry).update(state)


def _encode(value: Any, pool: Pool) -> Any:
    if value is None or type(value) in (bool, str, int, float):
        return value
    if isinstance(value, Enum):
        return {"enum": _name_of(type(value)), "value": value.value}
    if isinstance(value, Tensor):
        last = value.ndim == 4 and value.is_contiguous(memory_format=torch.channels_last)
        where = {"device": str(value.device), "channels_last": last and not value.is_contiguous()}
        return {"tensor": pool.keep(value.detach().cpu().numpy())} | where
    if isinstance(value, np.ndarray | np.generic):
        return {"array": pool.keep(np.asarray(value)), "scalar": isinstance(value, np.generic)}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return {type(value).__name__: [_encode(item, pool) for item in value]}
    if isinstance(value, range):
        return {"range": [value.start, value.stop, value.step]}
    if isinstance(value, deque):
        return {"deque": [_encode(item, pool) for item in value], "longest": value.maxlen}
    if isinstance(value, dict):
        return {"dict": [[_encode(key, pool), _encode(item, pool)] for key, item in value.items()]}
    if type(value).__module__.startswith(PACKAGE):
        fields = value._asdict() if hasattr(value, "_fields") else value.__getstate__() or {}
        return {"object": _name_of(type(value)), "fields": {k: _encode(v, pool) for k, v in fields.items()}}
    if isinstance(value, Path):
        return {"path": str(value)}
    raise TypeError(f"{type(value).__name__} has no form in a snapshot")


def _decode(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    for kind, decode in _DECODERS.items():
        if kind in value:
            return decode(value, arrays)
    raise ValueError(f"no value has the keys {', '.join(value)}")


def _tensor(value: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Tensor:
    tensor = torch.from_numpy(kept(value["tensor"], arrays)).to(value["device"])
    return tensor.contiguous(memory_format=torch.channels_last) if value["channels_last"] else tensor


def _array(value: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    array = kept(value["array"], arrays)
    return array[()] if value["scalar"] else array


def _object(value: dict[str, Any], arrays: Mapping[str, np.ndarray]) -> Any:
    kind = _class_of(value["object"])
    fields = {name: _decode(item, arrays) for name, item in value["fields"].items()}
    if hasattr(kind, "_fields"):
        return kind(**fields)
    made = object.__new__(kind)
    for name, item in fields.items():
        # frozen dataclasses forbid the usual way
        object.__setattr__(made, name, item)
    return made


_DECODERS: dict[str, Callable[[dict[str, Any], Mapping[str, np.ndarray]], Any]] = {
    "object": _object,
    "tensor": _tensor,
    "array": _array,
    "enum": lambda value, arrays: _class_of(value["enum"])(value["value"]),
    "list": lambda value, arrays: [_decode(item, arrays) for item in value["list"]],
    "tuple": lambda value, arrays: tuple(_decode(item, arrays) for item in value["tuple"]),
    "range": lambda value, arrays: range(*value["range"]),
    "deque": lambda value, arrays: deque((_decode(x, arrays) for x in value["deque"]), value["longest"]),
    "dict": lambda value, arrays: {_decode(key, arrays): _decode(item, arrays) for key, item in value["dict"]},
    "path": lambda value, arrays: Path(value["path"]),
}


def _name_of(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class_of(name: str) -> Any:
    module, _, qualified = name.partition(":")
    found = getattr(importlib.import_module(module), qualified) if module.startswith(PACKAGE) else None
    if not (isinstance(found, type) and (dataclasses.is_dataclass(found) or found.__module__.startswith(PACKAGE))):
        raise ValueError(f"{name} is no class of this package")
    return found
