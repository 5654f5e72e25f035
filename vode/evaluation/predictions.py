"""Predicted depth maps in one file: predicted once, scored as often as one likes without the network."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.atomic import whole_file
from vode.errors import InputError


def save_predictions(path: Path | str, named: Iterable[tuple[str, Tensor]]) -> None:
    """Write maps (1, H, W) under their names as a NumPy .npz of float32; whole or not at all.

    One map is held at a time, so a set of any size fits into memory.
    """
    with whole_file(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, depth in named:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, depth.detach().cpu().float().numpy(), allow_pickle=False)


class Predictions:
    """The maps (1, H, W) of a file by name, read when asked; InputError names what is wrong with it."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        try:
            self._archive = np.load(self.path, allow_pickle=False)
            self.names = tuple(self._archive.files)
        except FileNotFoundError:
            raise InputError(f"{path}: no such file; write it with --save-predictions") from None
        except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path}: not a whole .npz of depth maps ({error}); predict again") from None

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.names:
            raise InputError(f"{self.path}: no prediction of {name}; predict the whole set again")
        try:
            return torch.from_numpy(np.ascontiguousarray(self._archive[name], dtype=np.float32))
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{self.path}: the prediction of {name} is damaged ({error}); predict again") from None
