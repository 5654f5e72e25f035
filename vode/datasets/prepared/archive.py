"""Archives with random access: zip files without compression, whose directory at the end is the index.

Any program for zip files makes and opens them. A file of one is read by a single request for a range of bytes, and
checked by its sum; nothing is extracted.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from vode.datasets.prepared import storage
from vode.datasets.prepared.storage import Place
from vode.errors import InputError, one_line
from vode.io.atomic import atomic_write
from vode.io.files import inside

SUFFIX = ".zip"
_HEADER = struct.Struct("<4s22xHH")
"""what stands before a file's content: a mark, and the lengths of its name and of other fields, which follow"""
_MARK = b"PK\x03\x04"


class Member(NamedTuple):
    """Where a file stands in an archive."""

    start: int
    """of its header"""
    name_size: int
    size: int
    """of its content"""
    checksum: int
    """CRC-32 of its content"""


class Archive:
    """The files of an archive by their names; InputError tells an archive that is damaged or compressed."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._members: dict[str, Member] = {}
        try:
            with storage.opened(place) as file, zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
        except InputError:
            raise
        # the errors of zip files and of the file systems of addresses are of many kinds
        except Exception as error:
            raise self._damaged(one_line(error)) from None
        for entry in entries:
            if (
                entry.compress_type != zipfile.ZIP_STORED
                or entry.flag_bits & 1
                or entry.file_size != entry.compress_size
            ):
                raise InputError(f"{place}: {entry.filename} is compressed or encrypted; store it, as zip -0 does")
            self._check_name(entry.filename)
            length = len(entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437"))
            self._members[entry.filename] = Member(entry.header_offset, length, entry.file_size, entry.CRC)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def holds(self, folder: str) -> bool:
        """Whether any file is in that folder of the archive."""
        return any(name.startswith(f"{folder}/") for name in self._members)

    def label(self, name: str) -> str:
        """What messages call a file."""
        return f"{self.place}/{name}"

    def read(self, name: str) -> bytes:
        """The content of a file."""
        member = self._members.get(name)
        if member is None:
            raise InputError(f"{self.place}: has no {name}; copy the shard again")
        data = storage.read(self.place, member.start, member.start + _HEADER.size + member.name_size + member.size)
        if data[:4] != _MARK or len(data) < _HEADER.size:
            raise self._damaged(f"at {name}")
        begin = _HEADER.size + sum(_HEADER.unpack_from(data)[1:])
        if begin + member.size > len(data):
            # what zip programs put between name and content; what this package writes has nothing there
            data += storage.read(self.place, member.start + len(data), member.start + begin + member.size)
        content = data[begin : begin + member.size]
        if len(content) != member.size or zlib.crc32(content) != member.checksum:
            raise self._damaged(f"at {name}")
        return content

    def _check_name(self, name: str) -> None:
        try:
            inside(".", name)
        except InputError:
            raise InputError(f"{self.place}: the name {name!r} leads out of the archive; make it again") from None

    def _damaged(self, what: str) -> InputError:
        return InputError(f"{self.place}: damaged shard ({what}); copy it again")


def pack(folder: Path, out: Path) -> None:
    """Write all files below a folder into an archive, which appears whole or not at all."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    with atomic_write(out) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for file in files:
            # a fixed time makes archives of equal files equal
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            archive.writestr(entry, file.read_bytes())
