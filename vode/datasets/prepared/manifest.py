"""The manifest of a prepared copy: what it was made from, and where its sequences lie."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vode.datasets.prepared import storage
from vode.datasets.prepared.archive import SUFFIX
from vode.datasets.prepared.storage import Place
from vode.datasets.registry import MANIFEST
from vode.errors import InputError
from vode.io.atomic import make_folder, write_bytes
from vode.io.dataclass_json import from_plain
from vode.io.image_formats import MAX_PIXELS
from vode.io.text import parse_json

SEQUENCE = "sequence.json"
"""file of a sequence, written last"""
FORMAT = "vode prepared 1"
LISTS = ("sequences", "training", "test")
"""of a manifest, to which later calls add"""


@dataclass(frozen=True)
class Manifest:
    """How a copy is made."""

    dataset: str
    size: tuple[int, int]
    """height and width"""
    kind: Literal["jpg", "png"]
    quality: int
    """of JPEG, 1 to 100; PNG loses nothing"""
    camera: tuple[int, ...]
    sequences: tuple[str, ...]
    training: tuple[str, ...]
    """those of the sequences that are trained on; none = all"""
    shards: bool = False
    """archives in place of folders"""
    test: tuple[str, ...] = ()
    """those of the sequences that are tested on; none = all"""

    def __post_init__(self) -> None:
        if self.kind not in ("jpg", "png") or not 1 <= self.quality <= 100:
            raise InputError(f"images of kind {self.kind!r} and quality {self.quality}; choose jpg or png, 1 to 100")
        if len(self.size) != 2 or min(self.size) < 1 or self.size[0] * self.size[1] > MAX_PIXELS:
            raise InputError(f"images of size {self.size}; give a height and a width")


def is_prepared(root: Path) -> bool:
    """Whether a folder is a prepared copy."""
    return (root / MANIFEST).is_file()


def place(root: Path | str, sequence: str, camera: int, manifest: Manifest) -> tuple[Place, Place]:
    """The folder or archive of a sequence in a copy, and the file by which it is whole."""
    where = storage.join(storage.find_place(root), f"{sequence}/{camera}{SUFFIX if manifest.shards else ''}")
    return where, where if manifest.shards else storage.join(where, SEQUENCE)


def read_manifest(root: Path | str) -> Manifest:
    """What a prepared copy was made from; InputError if its manifest is missing or not one."""
    path = storage.join(storage.find_place(root), MANIFEST)
    values = parsed(path, storage.read(path))
    try:
        if values.pop("format", None) != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        return from_plain(Manifest, values)
    except (TypeError, ValueError, InputError) as error:
        raise InputError(f"{path}: not the manifest of a prepared copy ({error}); prepare the copy again") from None


def write_manifest(out: Path, manifest: Manifest) -> None:
    """Write what a copy is made from, and add to what an earlier call began; InputError if that was made otherwise."""
    if is_prepared(out):
        there = read_manifest(out)
        lists: dict[str, Any] = {name: getattr(manifest, name) for name in LISTS}
        made = dataclasses.replace(there, **lists)
        made = made if made.shards else dataclasses.replace(made, shards=manifest.shards)
        if made != manifest:
            raise InputError(f"{out}: holds a copy that was made otherwise, see {MANIFEST}; name another folder", "out")
        lists = {name: tuple(dict.fromkeys(getattr(there, name) + getattr(manifest, name))) for name in LISTS}
        manifest = dataclasses.replace(manifest, **lists)
    elif out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out}: the folder is not empty, and no prepared copy; name another", "out")
    content = {"format": FORMAT} | dataclasses.asdict(manifest)
    # as earlier versions wrote it, which can then read it
    content = {name: value for name, value in content.items() if value or name not in ("shards", "test")}
    write_bytes(make_folder(out) / MANIFEST, (json.dumps(content, indent=1) + "\n").encode())


def parsed(path: Place, content: bytes) -> dict[str, Any]:
    """The values of a JSON file of a copy; InputError names it."""
    try:
        if not isinstance(values := parse_json(content), Mapping):
            raise InputError(f"{path}: not of a prepared copy; check the folder", "data")
        return dict(values)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); prepare the copy again") from None
