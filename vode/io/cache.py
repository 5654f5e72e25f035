"""A disk cache of computed depth maps."""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.array_files.reading import open_archive
from vode.io.atomic import make_folder, write_bytes
from vode.io.image_formats import MAX_PIXELS


def cache_folder() -> Path:
    """The folder of cached results: XDG_CACHE_HOME/vode, or ~/.cache/vode."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vode"


def cached_depth(folder: Path, sources: Sequence[Path], compute: Callable[[], Tensor]) -> Tensor:
    """The sparse depth map (1, H, W) float32 that ``compute`` derives from ``sources``, cached in ``folder``.

    An entry is keyed by the files' paths, sizes and times, and recomputed if one of them changes or the entry is
    not readable. A folder that cannot be written disables the cache silently.
    """
    file = folder / f"{_key(sources)}.npz"
    with suppress(InputError):
        return _unpacked(file)
    depth = compute()
    with suppress(InputError):
        make_folder(folder)
        write_bytes(file, _packed(depth), sync=False)
    return depth


def _key(sources: Sequence[Path]) -> str:
    states = [(str(source.resolve()), source.stat().st_size, source.stat().st_mtime_ns) for source in sources]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:32]


def _packed(depth: Tensor) -> bytes:
    """Only the known pixels, as indices and values: lidar covers a twentieth of an image."""
    flat = depth.flatten().numpy()
    places = flat.nonzero()[0]
    out = io.BytesIO()
    np.savez_compressed(out, size=depth.shape, places=places.astype(np.int32), values=flat[places])
    return out.getvalue()


def _unpacked(file: Path) -> Tensor:
    with open_archive(file) as archive:
        size, places, values = (archive[name] for name in ("size", "places", "values"))
    count = math.prod(size.tolist()) if size.shape == (3,) and size.min() > 0 else 0
    alike = places.ndim == 1 and places.shape == values.shape and places.dtype.kind == "i"
    if not (count <= MAX_PIXELS and alike and ((places >= 0) & (places < count)).all()):
        raise InputError(f"{file}: not the depth that was kept; remove it")
    depth = torch.zeros(tuple(size.tolist()))
    depth.view(-1)[torch.from_numpy(places).long()] = torch.from_numpy(values).float()
    return depth
