"""The files of a folder by their names, as ``Archive`` has those of an archive."""

from __future__ import annotations

from vode.datasets.prepared import storage
from vode.datasets.prepared.storage import Place


class Folder:
    """The files below a place."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def __contains__(self, name: str) -> bool:
        return storage.exists(storage.join(self.place, name))

    def holds(self, folder: str) -> bool:
        """Whether there is that folder in it."""
        return storage.is_folder(storage.join(self.place, folder))

    def label(self, name: str) -> str:
        """What messages call a file."""
        return str(storage.join(self.place, name))

    def read(self, name: str) -> bytes:
        """The content of a file."""
        return storage.read(storage.join(self.place, name))
