"""NumPy's .npy and .npz files as plain numbers; nothing in them is unpickled."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from vode.errors import InputError, one_line
from vode.io.image_formats import MAX_PIXELS

LARGEST = 8 * MAX_PIXELS + 1024
"""bytes of an array in an archive: a small archive can hold one that fills the memory"""


class ArrayArchive:
    """The arrays of a .npz by name, each read when it is asked for; its own context manager."""

    def __init__(self, path: Path, archive: Any) -> None:
        self.path, self._archive = path, archive
        self.names: tuple[str, ...] = tuple(archive.files)
        """of the arrays"""

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def __getitem__(self, name: str) -> np.ndarray:
        """An array; InputError if it is not there, damaged, larger than ``LARGEST`` or of other than numbers."""
        if name not in self.names:
            raise InputError(f"{self.path}: no array {name} in it; write it again")
        with _whole(self.path):
            if self._archive.zip.getinfo(f"{name}.npy").file_size > LARGEST:
                raise InputError(f"{self.path}: {name} has more than {MAX_PIXELS} pixels; shrink it")
            return _numbers(self._archive[name])

    def __enter__(self) -> ArrayArchive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()


def open_arrays(path: Path) -> np.ndarray | ArrayArchive:
    """The array of a .npy, on the disk until it is used, or the archive that a .npz is; InputError for other files."""
    with _whole(path):
        opened = np.load(path, mmap_mode="r", allow_pickle=False)
        return _numbers(opened) if isinstance(opened, np.ndarray) else ArrayArchive(path, opened)


def open_archive(path: Path) -> ArrayArchive:
    """The arrays of a .npz; InputError for other files."""
    opened = open_arrays(path)
    if isinstance(opened, np.ndarray):
        raise InputError(f"{path}: one array, not an archive of several; write it again")
    return opened


def read_array(path: Path | str, data: bytes | None = None) -> np.ndarray:
    """The array of a .npy, or of its content where that has been read; InputError for other files."""
    with _whole(path):
        return _numbers(np.load(path if data is None else io.BytesIO(data), allow_pickle=False))


def _numbers(array: Any) -> np.ndarray:
    """The same array; ValueError unless it is one of plain numbers, which a member of an archive need not be."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        raise ValueError(f"it holds {getattr(array, 'dtype', 'other things')}")
    return array


@contextmanager
def _whole(path: Path | str) -> Iterator[None]:
    """What NumPy, zipfile and zlib raise for damaged files, a dozen kinds and some of the tokenizer, in one line."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except Exception as error:
        raise InputError(
            f"{path}: not a whole .npz or .npy of plain numbers ({one_line(error)}); write it again"
        ) from None
