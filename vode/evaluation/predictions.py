"""Predicted depth maps in one file: predicted once, scored as often as one likes without the network.

The file is a .npz with a map under the name of each frame, or, from other programs, a .npy (N, H, W) in the
order of the frames.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.array_files.reading import ArrayArchive, open_arrays
from vode.io.atomic import atomic_write


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
        if not self.path.exists():
            raise InputError(f"{path}: no such file; write it with save_predictions")
        opened = open_arrays(self.path)
        self._maps: dict[str, np.ndarray] | ArrayArchive
        if isinstance(opened, np.ndarray):
            if opened.ndim < 3 or len(opened) != len(names):
                raise InputError(f"{path}: shape {opened.shape}, but {len(names)} frames are scored; predict them all")
            self._maps = dict(zip(names, opened, strict=True))
        else:
            self._maps = opened

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._maps:
            raise InputError(f"{self.path}: no prediction of {name}; predict the whole set again")
        depth = torch.from_numpy(np.array(self._maps[name], dtype=np.float32))
        if depth.ndim not in (2, 3) or depth.numel() != depth.shape[-2] * depth.shape[-1]:
            raise InputError(f"{self.path}: the prediction of {name} is {tuple(depth.shape)}, not a map (1, H, W)")
        depth = depth.reshape(1, *depth.shape[-2:])
        return 1 / depth.clamp(min=1e-6) if self._inverse else depth
