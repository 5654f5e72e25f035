"""The sequences of a prepared copy, and the copy as a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vode.datasets.base import Capability, ImageSequence, known
from vode.datasets.dataset import Dataset
from vode.datasets.options import DataOptions
from vode.datasets.prepared import storage
from vode.datasets.prepared.archive import Archive
from vode.datasets.prepared.folder import Folder
from vode.datasets.prepared.manifest import SEQUENCE, parsed, place, read_manifest
from vode.errors import InputError
from vode.io.depth import read_depth
from vode.io.image import read_pixels

MOST_FRAMES = 10**6


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
        values = parsed(file, self._files.read(SEQUENCE))
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
        return self.manifest.training or self.manifest.sequences

    def test(self) -> tuple[str, ...]:
        return self.manifest.test or super().test()

    def open_whole(self, name: str, camera: int) -> PreparedSequence:
        return PreparedSequence(self._place, name, camera)


def _tensor(values: Any, shape: tuple[int, ...]) -> Tensor | None:
    return None if values is None else torch.tensor(values, dtype=torch.float64).view(shape)
