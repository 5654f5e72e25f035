"""A resized copy of a data set, which is read faster than the originals.

    out/manifest.json                 what was copied: data set, size, kind and quality of the images, sequences
    out/00/2/000000.jpg               images of a sequence, by camera, numbered in order
    out/00/2/depth/000000.png         16-bit, metres x 256, 0 = unknown, where the original has depth
    out/00/2/sequence.json            intrinsics, poses, timestamps, frames that training may start at; written last

or, with shards, in place of each folder of a sequence and camera one archive with its files, out/00/2.zip, which is
read without being unpacked, here or at an address. Flow and the points of a scene are not copied.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vode.datasets.base import Capability, ImageSequence, Sequence, known
from vode.datasets.dataset import Dataset
from vode.datasets.options import DataOptions
from vode.datasets.registry import MANIFEST
from vode.datasets.shards import storage
from vode.datasets.shards.archive import SUFFIX, Archive, pack
from vode.datasets.shards.folder import Folder
from vode.datasets.shards.storage import Place
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.resize import resize_depth
from vode.io.atomic import make_folder, write_bytes
from vode.io.dataclass_json import from_plain
from vode.io.depth import read_depth, write_depth
from vode.io.files import inside
from vode.io.image import read_pixels, write_image
from vode.io.image_formats import MAX_PIXELS
from vode.io.text import parse_json

SEQUENCE = "sequence.json"
FORMAT = "vode prepared 1"
MOST_FRAMES = 10**6


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
    """those of the sequences that are trained on"""
    shards: bool = False
    """archives in place of folders"""

    def __post_init__(self) -> None:
        if self.kind not in ("jpg", "png") or not 1 <= self.quality <= 100:
            raise InputError(f"images of kind {self.kind!r} and quality {self.quality}; choose jpg or png, 1 to 100")
        if len(self.size) != 2 or min(self.size) < 1 or self.size[0] * self.size[1] > MAX_PIXELS:
            raise InputError(f"images of size {self.size}; give a height and a width")


class PreparedSequence(ImageSequence):
    """A sequence of a copy that ``prepare`` made; InputError names what does not fit."""

    def __init__(self, root: Path | str, sequence: str, camera: int = 2) -> None:
        self.name, manifest = sequence, read_manifest(root)
        where, whole = place(root, sequence, camera, manifest)
        if not storage.exists(whole):
            there = f"{', '.join(manifest.sequences)} of camera {', '.join(map(str, manifest.camera))}"
            raise InputError(
                f"{whole}: no such file; the copy is of {there}; choose one, or prepare it again", "sequences", "camera"
            )
        self._files = Archive(where) if manifest.shards else Folder(where)
        file = self._files.label(SEQUENCE)
        values = _parsed(file, self._files.read(SEQUENCE))
        self.size = manifest.size
        try:
            count = int(values["frames"])
            if not 0 < count <= MOST_FRAMES:  # names alone would fill the memory
                raise ValueError(f"{count} frames")
            self._images = [f"{i:06d}.{manifest.kind}" for i in range(count)]
            self.images = [Path(self._files.label(name)) for name in self._images]
            self.intrinsics = torch.tensor(values["intrinsics"], dtype=torch.float32).view(3, 3)
            self.poses, self.poses_in_scene = (_tensor(values[k], (count, 4, 4)) for k in ("poses", "poses_in_scene"))
            self.timestamps = _tensor(values["stamps"], (count,))
            self.starts = None if values["starts"] is None else tuple(map(int, values["starts"]))
            self.validation = tuple(map(int, values["validation"]))
            if not all(0 <= i < count for i in (*(self.starts or ()), *self.validation)):
                raise ValueError("frames of its lists are not there")
            self.notes = tuple(map(str, values["notes"]))
            depth = self._files.holds("depth")
            self.capabilities = known(poses=self.poses is not None, map=self.poses_in_scene is not None, depth=depth)
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise InputError(f"{file}: not a prepared sequence ({error}); prepare the copy again") from None

    def __len__(self) -> int:
        return len(self.images)

    def pixels(self, index: int) -> np.ndarray:
        name = self._images[index]
        return read_pixels(self._files.label(name), self.size, data=self._files.read(name))

    def has_depth(self, index: int) -> bool:
        return self._depth(index) in self._files

    def depth(self, index: int) -> Tensor | None:
        name = self._depth(index)
        if name not in self._files:
            return None
        return read_depth(self._files.label(name), expected=self.size, data=self._files.read(name))

    @staticmethod
    def _depth(index: int) -> str:
        return f"depth/{index:06d}.png"


class PreparedDataset(Dataset):
    """A copy that ``prepare`` made of whatever data set; its sequences have of that what is copied."""

    capabilities = frozenset({Capability.DEPTH, Capability.POSES, Capability.MAP})
    expects = "sequence of a prepared copy"

    def __init__(self, root: Path | str | None, options: DataOptions = DataOptions()) -> None:
        self.name = options.dataset
        super().__init__(root, options)
        self.manifest, self._place = read_manifest(root or "."), root or "."
        if self.manifest.dataset != self.name:
            raise InputError(
                f"{root}: a prepared copy of {self.manifest.dataset}; name this as the data set", "dataset"
            )

    def on_disk(self) -> tuple[str, ...]:
        return self.manifest.sequences

    def training(self) -> tuple[str, ...]:
        """The sequences that are trained on; InputError if the copy is not finished."""
        parts = [(name, camera) for name in self.manifest.sequences for camera in self.manifest.camera]
        wanted = [place(self._place, name, camera, self.manifest) for name, camera in parts]
        lacking = [where for where, whole in wanted if not storage.exists(whole)]
        if lacking:
            unfinished = f"not finished, as {len(lacking)} of {len(wanted)}"
            raise InputError(f"{lacking[0]}: {unfinished}; prepare the copy again")
        return self.manifest.training

    def open_whole(self, name: str, camera: int) -> PreparedSequence:
        return PreparedSequence(self._place, name, camera)


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
    values = _parsed(path, storage.read(path))
    try:
        if values.pop("format", None) != FORMAT:
            raise ValueError(f"its format is not {FORMAT!r}")
        return from_plain(Manifest, values)
    except (TypeError, ValueError, InputError) as error:
        raise InputError(f"{path}: not the manifest of a prepared copy ({error}); prepare the copy again") from None


def prepare(
    out: Path,
    manifest: Manifest,
    open_sequence: Callable[[str, int], Sequence],
    *,
    workers: int = 2,
    on_progress: Callable[[str, int, int], None] = lambda name, done, total: None,
) -> int:
    """Write what is not there yet of a copy in ``out``, and return the number of images written.

    ``open_sequence`` opens a sequence by name and camera; ``on_progress`` is called with the sequence's name, the
    number of its images that are done and their total. Every file appears whole or not at all, so that a copy that was
    interrupted is resumed where it stopped; asked for shards, it makes them of folders that are whole. InputError if
    ``out`` holds a copy that was made otherwise, or an image is damaged.
    """
    _write_manifest(out, manifest)
    written = 0
    for name in manifest.sequences:
        for camera in manifest.camera:
            folder = inside(out, f"{name}/{camera}")
            shard = folder.with_name(f"{folder.name}{SUFFIX}") if manifest.shards else None
            if shard is None or not shard.is_file():
                if not (folder / SEQUENCE).is_file():
                    written += _copy(folder, open_sequence(name, camera), manifest, workers, on_progress)
                if shard is not None:
                    pack(folder, shard)
            if shard is not None:
                shutil.rmtree(folder, ignore_errors=True)
    return written


def _write_manifest(out: Path, manifest: Manifest) -> None:
    if is_prepared(out):
        there = read_manifest(out)
        made = dataclasses.replace(there, sequences=manifest.sequences, training=manifest.training)
        made = made if made.shards else dataclasses.replace(made, shards=manifest.shards)
        if made != manifest:
            raise InputError(f"{out}: holds a copy that was made otherwise, see {MANIFEST}; name another folder", "out")
        manifest = dataclasses.replace(
            manifest,
            sequences=tuple(dict.fromkeys(there.sequences + manifest.sequences)),
            training=tuple(dict.fromkeys(there.training + manifest.training)),
        )
    elif out.is_dir() and any(out.iterdir()):
        raise InputError(f"{out}: the folder is not empty, and no prepared copy; name another", "out")
    content = {"format": FORMAT} | dataclasses.asdict(manifest)
    if not manifest.shards:
        # as versions without shards wrote it, which can then read it
        del content["shards"]
    write_bytes(make_folder(out) / MANIFEST, (json.dumps(content, indent=1) + "\n").encode())


def _copy(
    folder: Path, sequence: Sequence, manifest: Manifest, workers: int, on_progress: Callable[[str, int, int], None]
) -> int:
    """Copy a sequence; its number of images that were not there yet."""
    make_folder(folder)

    def copy(index: int) -> bool:
        file, depth_file = folder / f"{index:06d}.{manifest.kind}", folder / "depth" / f"{index:06d}.png"
        depth = None if _whole(depth_file) else sequence.depth(index)
        if depth is not None:
            depth = resize_depth(depth[None], manifest.size)[0]
            make_folder(depth_file.parent)
            write_depth(depth_file, depth, sync=False)
        if _whole(file):
            return False
        write_image(file, sequence.resized(index, manifest.size), quality=manifest.quality, sync=False)
        return True

    written = 0
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        try:
            for done, new in enumerate(pool.map(copy, range(len(sequence))), start=1):
                written += new
                on_progress(sequence.name, done, len(sequence))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    write_bytes(folder / SEQUENCE, json.dumps(_values(sequence, manifest), allow_nan=False).encode())
    return written


def _values(sequence: Sequence, manifest: Manifest) -> dict[str, Any]:
    intrinsics = resize_intrinsics(sequence.intrinsics.double(), sequence.size, manifest.size)
    tensors = {
        "poses": sequence.poses,
        "poses_in_scene": sequence.poses_in_scene,
        "stamps": sequence.timestamps,
    }
    return {
        "frames": len(sequence),
        "intrinsics": intrinsics.tolist(),
        **{name: None if value is None else value.tolist() for name, value in tensors.items()},
        "starts": sequence.starts,
        "validation": sequence.validation,
        "notes": sequence.notes,
    }


def _whole(file: Path) -> bool:
    """Whether a file is there; after a crash of the machine, one that was being written may be empty."""
    return file.is_file() and file.stat().st_size > 0


def _parsed(path: Place, content: bytes) -> dict[str, Any]:
    try:
        if not isinstance(values := parse_json(content), Mapping):
            raise InputError(f"{path}: not of a prepared copy; check the folder", "data")
        return dict(values)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); prepare the copy again") from None


def _tensor(values: Any, shape: tuple[int, ...]) -> Tensor | None:
    return None if values is None else torch.tensor(values, dtype=torch.float64).view(shape)
