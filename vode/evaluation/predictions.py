"""Predicted depth maps in one file: predicted once, scored as often as one likes without the network.

The file is a .npz with a map under the name of each frame, or, from other programs, a .npy (N, H, W) in the
order of the frames.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.atomic import atomic_write
from vode.io.image_formats import MAX_PIXELS

LARGEST = 8 * MAX_PIXELS + 1024
"""bytes of a map in a file: a small archive can hold one that fills the memory"""

_UNREADABLE = (OSError, ValueError, TypeError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error)


def save_predictions(path: Path | str, named: Iterable[tuple[str, Tensor]]) -> None:
    """Write maps (1, H, W) under their names as a NumPy .npz of float32; whole or not at all.

    One map is held at a time, so a set of any size fits into memory.
    """
    with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, depth in named:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, depth.detach().cpu().float().numpy(), allow_pickle=False)


class Predictions:
    """The maps (1, H, W) float32 of a file by name, read when asked.

    ``names`` are those of all frames, which give a .npy its order. With ``inverse`` the file holds inverse
    depths (disparities). InputError names what is wrong with the file.
    """

    def __init__(self, path: Path | str, names: Sequence[str], *, inverse: bool = False) -> None:
        self.path, self._inverse = Path(path), inverse
        try:
            maps = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; write it with save_predictions") from None
        except _UNREADABLE as error:
            raise InputError(f"{path}: not a whole .npz or .npy of depth maps ({error}); predict again") from None
        if isinstance(maps, np.ndarray):
            if maps.ndim < 3 or len(maps) != len(names):
                raise InputError(f"{path}: shape {maps.shape}, but {len(names)} frames are scored; predict them all")
            maps = dict(zip(names, maps, strict=True))
        self._maps = maps

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._maps:
            raise InputError(f"{self.path}: no prediction of {name}; predict the whole set again")
        try:
            if not isinstance(self._maps, dict) and self._maps.zip.getinfo(f"{name}.npy").file_size > LARGEST:
                raise InputError(f"{self.path}: the prediction of {name} is larger than {MAX_PIXELS} pixels; shrink it")
            depth = torch.from_numpy(np.array(self._maps[name], dtype=np.float32))
        except _UNREADABLE as error:
            raise InputError(f"{self.path}: the prediction of {name} is damaged ({error}); predict again") from None
        if depth.ndim not in (2, 3) or depth.numel() != depth.shape[-2] * depth.shape[-1]:
            raise InputError(f"{self.path}: the prediction of {name} is {tuple(depth.shape)}, not a map (1, H, W)")
        depth = depth.reshape(1, *depth.shape[-2:])
        return 1 / depth.clamp(min=1e-6) if self._inverse else depth
