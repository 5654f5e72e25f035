"""Depth of a video's frames from files of another program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.resize import image_size
from vode.io.array_files.reading import open_arrays
from vode.io.depth import read_depth
from vode.io.files import visible
from vode.io.image_formats import MAX_PIXELS
from vode.odometry.frames import Frame
from vode.odometry.perception import DepthSource, depth_map

SUFFIXES = (".npz", ".npy", ".png")
KEY = "depth"
"""name of the array of a .npz that holds several"""


class DepthFolder(DepthSource):
    """Depth from a folder with one .npz, .npy or 16-bit PNG a frame, read when it is asked for.

    A file belongs to the frame of its name without the suffix; of numbers, zeros at the front do not count. It holds
    (H, W), (1, H, W) or (1, 1, H, W); a .npz one array, or one called ``depth``. Values that are not finite and
    above 0 are unknown. Maps may have any size of the frames' aspect (within 2 %), and are resized to theirs by the
    nearest pixel, so that depths of two objects are never mixed.

    Args:
        folder: where the files are.
        names: of all frames, as ``Sequence.file_stem`` gives them.
        factor: what values are divided by; None for 1, which PNG does not take.
        device: where results lie.

    Raises InputError for frames without a file or with two, PNG without a factor, and, when it is read, for a file
    that is damaged or has another aspect.
    """

    def __init__(
        self,
        folder: Path | str,
        names: Sequence[str],
        *,
        factor: float | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.folder, self.device = Path(folder), torch.device(device)
        self.files = _matched(self.folder, names)
        png = next((file for file in self.files if file.suffix.lower() == ".png"), None)
        if png is not None and factor is None:
            raise InputError(
                f"{png}: a PNG does not tell its unit; give what its values are divided by for metres, as 256 or 1000",
                "depth_factor",
            )
        self._factor = 1.0 if factor is None else factor

    def depth(self, frame: Frame) -> Tensor:
        """Depth (1, 1, H, W) of a frame at its image's size, 0 = unknown."""
        file = self.files[frame.index]
        if file.suffix.lower() == ".png":
            values: Tensor = read_depth(file, unit=self._factor)
        else:
            values = torch.from_numpy(_read_array(file).astype(np.float32)) / self._factor
        return depth_map(values, image_size(frame.image), str(file)).to(self.device)


def sequence_folder(root: Path, name: str, *, several: bool) -> Path:
    """The folder of a sequence's depth: ROOT/NAME, or ROOT itself where there are no ``several`` sequences."""
    own = root / name
    if own.is_dir() or several:
        return own
    return root


def _matched(folder: Path, names: Sequence[str]) -> list[Path]:
    """The file of each frame."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name that of the depth files", "depth_from")
    found: dict[str, Path] = {}
    wanted = {_key(name) for name in names}
    for path in visible(folder):
        key = _key(path.stem)
        if path.suffix.lower() not in SUFFIXES or key not in wanted:
            continue
        if key in found:
            raise InputError(f"{path}: a second file of the frame of {found[key].name}; keep one", "depth_from")
        found[key] = path
    missing = [name for name in names if _key(name) not in found]
    if missing:
        others = f" ({len(missing)} of {len(names)} have none)"
        raise InputError(
            f"{folder}: no {missing[0]}.npz, .npy or .png for the depth of frame {names.index(missing[0])}{others}; "
            "name the files like the images, or after the numbers of a video's frames",
            "depth_from",
        )
    return [found[_key(name)] for name in names]


def _key(stem: str) -> str:
    """What tells a frame: a number without leading zeros, or the name."""
    return str(int(stem)) if re.fullmatch("[0-9]+", stem) else stem


def _read_array(file: Path) -> np.ndarray:
    """The values of a .npz or .npy, at most ``MAX_PIXELS``."""
    opened = open_arrays(file)
    if isinstance(opened, np.ndarray):
        return _checked(file, opened)
    with opened:
        name = KEY if KEY in opened else opened.names[0] if len(opened.names) == 1 else None
        if name is None:
            raise InputError(f"{file}: arrays {', '.join(opened.names[:5]) or 'none'}; call that of depth {KEY}")
        return _checked(file, opened[name])


def _checked(file: Path, values: np.ndarray) -> np.ndarray:
    kind, shape = values.dtype, values.shape
    if kind.kind not in "fiu" or len(shape) < 2 or values.size != shape[-2] * shape[-1]:
        raise InputError(f"{file}: {kind} {shape}, not numbers (H, W); write depth so")
    if values.size > MAX_PIXELS:
        raise InputError(f"{file}: more than {MAX_PIXELS} pixels; shrink it")
    return np.array(values)
