"""Atomic writing: files and folders that appear complete or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from vode.errors import InputError


@contextmanager
def atomic_write(path: Path | str, *, sync: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that appears at ``path`` only when complete: a temporary file, fsync, a rename.

    ``sync=False`` skips the fsync, for files in a folder that is itself renamed when complete. Raises InputError
    for a full disk or a folder that cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A path to write a file at, for libraries that open files themselves; it takes its place only when complete.

    Raises InputError for a full disk or a folder that cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path | str, data: bytes, *, sync: bool = True) -> None:
    """Write a file atomically, as ``atomic_write`` does."""
    with atomic_write(path, sync=sync) as file:
        file.write(data)


@contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """A temporary folder that is renamed to ``path`` when complete, and removed if anything fails.

    Raises InputError if ``path`` exists, for a full disk or a folder that cannot be written.
    """
    path = Path(path)
    if os.path.lexists(path):
        raise InputError(f"{path}: is there already; name another folder, or remove it")
    temporary = make_folder(path.parent) / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        temporary.mkdir()
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def make_folder(folder: Path | str) -> Path:
    """Create a folder and its parents where missing, and return it; InputError if that fails."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(folder, error) from error
    return Path(folder)


def write_error(path: Path | str, error: OSError) -> InputError:
    """The InputError that explains why ``path`` could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InputError(f"{path}: the disk is full; free some space or choose another folder")
    return InputError(f"{path}: cannot be written ({error.strerror}); check the folder and its rights")
