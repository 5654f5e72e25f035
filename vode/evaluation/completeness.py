"""Test sets that are not wholly on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vode.errors import InputError


class Listed(Protocol):
    """A list of frames or pairs whose files may not all be there."""

    name: str

    def __len__(self) -> int:
        """How many entries the list has, there or not."""
        ...

    def missing(self) -> dict[int, Path]:
        """The entries that lack a file, each with the first that is not there."""
        ...


def complete(entries: Listed, *, allow_missing: bool = False) -> tuple[list[int], tuple[str, ...]]:
    """The entries whose files are all there, and a note of how many are not.

    InputError that names the first missing file unless ``allow_missing``, and if no entry is left.
    """
    missing = entries.missing()
    if not missing:
        return list(range(len(entries))), ()
    count, first = f"{len(missing)} of the {len(entries)} of {entries.name}", next(iter(missing.values()))
    if len(missing) == len(entries):
        raise InputError(
            f"{first}: no such file; not one of the {len(entries)} of {entries.name} is there; check the folder"
        )
    if not allow_missing:
        raise InputError(f"{first}: no such file; {count} lack a file; copy them, or score the rest with allow_missing")
    return [i for i in range(len(entries)) if i not in missing], (f"{count} are missing: first {first}",)
