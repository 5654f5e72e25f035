"""Images of a map by the names that it gives them, which may lack the folder or the suffix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property
from os.path import isdir, isfile
from pathlib import Path, PurePosixPath

from vode.errors import InputError
from vode.io.files import inside, slashes, visible
from vode.io.image import IMAGE_SUFFIXES


class ImageFinder:
    """The images below a folder; names may have Windows' slashes, another case, or no suffix."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        self._folders: dict[Path, dict[str, Path]] = {}

    def find(self, name: str) -> Path:
        """The file of that name, or else where it should be; InputError if the name leads out of the folder."""
        file, base = inside(self.root, name), PurePosixPath(slashes(name)).name
        if not base or isfile(file):
            return file
        there = self._names(file.parent)
        wanted = (base + suffix for suffix in ("", *IMAGE_SUFFIXES))
        found = next((there[key] for name in wanted if (key := name.lower()) in there), None)
        default = file if file.suffix.lower() in IMAGE_SUFFIXES else file.with_name(f"{base}{IMAGE_SUFFIXES[0]}")
        return found or default

    def find_anywhere(self, name: str) -> Path:
        """Likewise, but in whatever folder the image lies; InputError if several are called so."""
        file = self.find(name)
        if isfile(file):
            return file
        base = PurePosixPath(slashes(name)).name.lower()
        found = self._everywhere.get(base) or self._everywhere.get(PurePosixPath(base).stem, [])
        if len(found) > 1:
            raise InputError(f"{self.root}: {found[0]} and {found[1]} are both called {name}; keep one of them there")
        return found[0] if found else file

    def _names(self, folder: Path) -> dict[str, Path]:
        """The images of a folder by their names in small letters."""
        if folder not in self._folders:
            self._folders[folder] = {path.name.lower(): path for path in _images(folder)} if isdir(folder) else {}
        return self._folders[folder]

    @cached_property
    def _everywhere(self) -> dict[str, list[Path]]:
        """All images by their names in small letters, with and without suffix."""
        found = defaultdict(list)
        for path in _below(self.root):
            for key in (path.name.lower(), path.stem.lower()):
                found[key].append(path)
        return found


def _images(folder: Path) -> list[Path]:
    return [path for path in visible(folder) if path.suffix.lower() in IMAGE_SUFFIXES and isfile(path)]


def _below(folder: Path) -> Iterator[Path]:
    yield from _images(folder)
    for path in visible(folder):
        # links may go round in circles
        if isdir(path) and not path.is_symlink():
            yield from _below(path)
