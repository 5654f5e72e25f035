"""What an evaluation returns: numbers with units, and the protocol that they were measured under."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vode.io.atomic import write_bytes


@dataclass(frozen=True)
class Number:
    """One measured value; None where it cannot be measured, with the reason in the result's notes."""

    name: str
    value: float | int | None
    unit: str = ""


@dataclass(frozen=True)
class Result:
    """Numbers of one evaluation.

    ``protocol`` says how they were measured (alignment, crop, cap, scaling, frames, ...); ``series`` holds
    values over something else, such as errors by segment length; ``notes`` say what is missing and why.
    ``print(result)`` shows a table, ``result["rmse"]`` is one value, ``save_json`` keeps them all. Raises
    ValueError if two entries would share a key.
    """

    title: str
    numbers: tuple[Number, ...]
    protocol: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        keys = [
            *(number.name for number in self.numbers),
            *self.protocol,
            *self.series,
            "title",
            "notes",
            "units",
        ]
        if len(set(keys)) != len(keys):
            raise ValueError(f"names in a result must differ: {sorted(keys)}")
        for number in self.numbers:
            if number.value is not None and not math.isfinite(number.value):
                raise ValueError(f"{number.name} is {number.value}; give None and a note")

    def __getitem__(self, name: str) -> float | int | None:
        """Value of the number ``name``; KeyError if there is none."""
        for number in self.numbers:
            if number.name == name:
                return number.value
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Everything under one flat set of keys, ready for JSON."""
        return {
            "title": self.title,
            **{number.name: number.value for number in self.numbers},
            **self.protocol,
            **{name: dict(values) for name, values in self.series.items()},
            "units": {number.name: number.unit for number in self.numbers if number.unit},
            "notes": list(self.notes),
        }

    def save_json(self, path: Path | str) -> None:
        """Write ``to_dict`` as JSON; whole or not at all. InputError if it cannot be written."""
        write_bytes(path, (json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n").encode())

    def __str__(self) -> str:
        """A table in plain text: one line a number, then the series, the protocol and the notes."""
        rows = [(number.name, _text(number.value), number.unit) for number in self.numbers]
        widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
        lines = [self.title, "-" * len(self.title)]
        lines += [f"{name:<{widths[0]}}  {value:>{widths[1]}}  {unit}".rstrip() for name, value, unit in rows]
        for name, values in self.series.items():
            if values:
                lines += ["", f"{name}:", "  " + "  ".join(f"{key}: {_text(x)}" for key, x in values.items())]
        if self.protocol:
            width = max(map(len, self.protocol))
            lines += ["", *(f"{name:<{width}}  {text}" for name, text in self.protocol.items())]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _text(value: float | int | None) -> str:
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4g}" if abs(value) < 1 else f"{value:.3f}"
