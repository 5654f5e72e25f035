"""Contents of files by their place: a path on this machine, or an address that fsspec opens (s3://, gs://, https://)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from vode.errors import InputError, one_line
from vode.io.files import inside

Place = Path | str
"""a path, or the text of an address"""
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+::)*(?P<protocol>[a-z][a-z0-9+.-]+):/+")


def find_place(data: Path | str) -> Place:
    """The address, if it is one, whose double slash a Path may have lost; else the path."""
    match = _ADDRESS.match(str(data).replace("\\", "/"))
    if match is None:
        return Path(data)
    text = str(data).replace("\\", "/")
    slashes = "///" if match["protocol"] in ("file", "local") else "//"
    return f"{match[0].rstrip('/')}{slashes}{text[match.end() :]}"


def is_address(data: Path | str) -> bool:
    """Whether it is an address, not a path."""
    return isinstance(find_place(data), str)


def join(root: Place, name: str) -> Place:
    """The place of ``name`` below another; InputError if the name leads out of it."""
    if isinstance(root, Path):
        return inside(root, name)
    try:
        return f"{root.rstrip('/')}/{inside('.', name).as_posix()}"
    except InputError:
        raise InputError(f"{root}: the name {name!r} leads out of this address; correct it") from None


def read(place: Place, start: int = 0, end: int | None = None) -> bytes:
    """The contents of a file, or its bytes from ``start`` to before ``end``; InputError if it cannot be read."""
    with _told(place):
        if isinstance(place, Path):
            with open(place, "rb") as file:
                file.seek(start)
                return file.read() if end is None else file.read(end - start)
        # fsspec keeps one file system for each process, so that one from before a fork is not used after it
        system, path = _fsspec(place)
        return system.cat_file(path, start=start, end=end)


def exists(place: Place) -> bool:
    """Whether there is a file; InputError if that cannot be told."""
    with _told(place):
        if isinstance(place, Path):
            return place.is_file()
        system, path = _fsspec(place)
        return system.isfile(path)


def is_folder(place: Place) -> bool:
    """Whether there is a folder; InputError if that cannot be told."""
    with _told(place):
        if isinstance(place, Path):
            return place.is_dir()
        system, path = _fsspec(place)
        return system.isdir(path)


@contextmanager
def opened(place: Place) -> Iterator[BinaryIO]:
    """A file opened for reading anywhere in it; InputError if it cannot be."""
    with _told(place):
        if isinstance(place, Path):
            file: Any = open(place, "rb")  # noqa: SIM115
        else:
            system, path = _fsspec(place)
            file = system.open(path, "rb")
    with file:
        yield file


def _fsspec(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError:
        raise InputError(f"{address}: addresses are read by fsspec; pip install 'vode[cloud]'") from None
    return url_to_fs(address)


@contextmanager
def _told(place: Place) -> Iterator[None]:
    """Whatever keeps a file from being read as InputError: each file system has errors of its own."""
    try:
        yield
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"{place}: no such file; check the path") from None
    except ImportError as error:
        raise InputError(f"{place}: {one_line(error)}") from None
    except Exception as error:
        if isinstance(place, Path) and not isinstance(error, OSError):
            raise
        raise InputError(f"{place}: cannot be read ({one_line(error)}); check the path and its rights") from None
