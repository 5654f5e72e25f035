"""Mutations of the bytes of small valid files, drawn by hypothesis."""

from __future__ import annotations

import io
import math
import re
import struct
import zipfile
import zlib
from typing import NamedTuple

from hypothesis import strategies as st

PNG = b"\x89PNG\r\n\x1a\n"
DEEP = 3000
"""levels of brackets, more than recursion allows"""
LONG = 5000
"""digits of a number, more than Python makes an integer of"""
TEXTS = (
    *(
        b"0",
        b"-1",
        b"1",
        b"2",
        b"0.0",
        b"-0",
        b"nan",
        b".nan",
        b"NaN",
        b"-inf",
        b"Infinity",
        b".inf",
        b"1e999",
        b"1e-320",
    ),
    *(
        b"1e308",
        b"-1e200",
        b"4294967296",
        b"2147483647",
        b"-9223372036854775809",
        b"1e19",
        b"1_000",
        b"0x10",
        b"1:30:00",
    ),
    *(
        b"true",
        b"null",
        b"None",
        b"[]",
        b"{}",
        b"[1, 2]",
        b'{"a": 1}',
        b'""',
        b'"x"',
        b"'",
        b'"',
        b"#",
        b",",
        b"\t",
        b"\n",
    ),
    *(
        b"\n\n",
        b"\r",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        "\u0663\u00b2".encode(),
        b"\\ud800",
        b"\x1b[31m",
        "\u202e".encode(),
    ),
    *(
        b"../../etc/passwd",
        b"/dev/zero",
        b"/",
        b"..",
        b".",
        b"file:///etc/passwd",
        b"C:\\x",
        b"%s%n",
        b"&a [*a]",
        b"*a",
        b"<<: *a",
    ),
    *(
        b"!!python/object/apply:os.abort []",
        b"!!binary x",
        b"!!timestamp 2001-99-99",
        b"!!int x",
        b"!!float x",
        b"!!set {a}",
    ),
    *(b"2001-99-99", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"<a>", b"</a>", b"---\n", b"? ", b"- ", b": "),
    *(
        b"[" * DEEP,
        b'{"a":' * DEEP,
        b"[" * 800 + b"]" * 800,
        b"[" * 900 + b"]" * 900,
        b"9" * LONG,
        b"0." + b"1" * LONG,
        b"a" * LONG,
        b"1 " * LONG,
    ),
)
"""what text becomes: numbers that are none, or too large, other types, other alphabets, paths, tags, brackets"""
NUMBERS = (
    0,
    1,
    -1,
    2,
    127,
    255,
    256,
    32767,
    65535,
    65536,
    2**24,
    2**31 - 1,
    -(2**31),
    2**32 - 1,
    2**62,
    2**63 - 1,
    -(2**63),
)
BINARY = (
    *((value % 2**bits).to_bytes(bits // 8, "little") for bits in (8, 16, 32, 64) for value in NUMBERS),
    *((value % 2**bits).to_bytes(bits // 8, "big") for bits in (16, 32, 64) for value in NUMBERS),
    *(struct.pack(form, value) for form in ("<f", "<d") for value in (math.nan, math.inf, -1e30, 1e-40)),
)
"""what counts and lengths become"""
WORD = re.compile(rb"[^\s,:;=<>\[\]{}()\"']+")


class Edit(NamedTuple):
    """One change of some bytes."""

    kind: str
    place: int
    """anywhere, modulo what there is"""
    length: int
    token: bytes
    other: int
    """another place"""


KINDS = (
    "word",
    "word",
    "word",
    "overwrite",
    "overwrite",
    "overwrite",
    "insert",
    "delete",
    "flip",
    "copy",
    "repeat",
    "line",
    "cut",
    "end",
)
_PLACES = st.integers(0, 2**20 - 1)
_TOKENS = st.one_of(st.sampled_from(TEXTS), st.sampled_from(BINARY), st.binary(min_size=1, max_size=8))
EDITS = st.lists(
    st.builds(Edit, st.sampled_from(KINDS), _PLACES, st.integers(1, 64), _TOKENS, _PLACES), min_size=1, max_size=3
)
"""one to three changes"""


def mutated(data: bytes, edits: list[Edit], *, packed: bool) -> bytes:
    """The bytes with the edits made; ``packed``: with right check sums, in a member of an archive or in a PNG."""
    if packed and data[:4] == b"PK\x03\x04":
        return _in_archive(data, edits)
    if packed and data.startswith(PNG):
        return _with_sums(_edited(data, edits))
    return _edited(data, edits)


def _edited(data: bytes, edits: list[Edit]) -> bytes:
    for edit in edits:
        data = _apply(data, edit)
    return data


def _apply(data: bytes, edit: Edit) -> bytes:
    if not data:
        return edit.token
    at, length = edit.place % len(data), edit.length
    if edit.kind == "word":
        words = list(WORD.finditer(data))
        if words:
            start, end = words[edit.place % len(words)].span()
            return data[:start] + edit.token + data[end:]
    if edit.kind == "line":
        lines = data.splitlines(keepends=True)
        taken = lines[edit.other % len(lines)]
        where = edit.place % len(lines)
        return b"".join([*lines[:where], taken, *lines[where + edit.length % 2 :]])
    if edit.kind == "insert":
        return data[:at] + edit.token + data[at:]
    if edit.kind == "delete":
        return data[:at] + data[at + length :]
    if edit.kind == "flip":
        return data[:at] + bytes([data[at] ^ 1 << edit.other % 8]) + data[at + 1 :]
    if edit.kind == "copy":
        other = edit.other % len(data)
        return data[:at] + data[other : other + length] + data[at:]
    if edit.kind == "repeat":
        return data[:at] + data[at : at + length] * (edit.other % 300) + data[at:]
    if edit.kind == "cut":
        return data[:at]
    if edit.kind == "end":
        at = max(len(data) - length, 0)
    return data[:at] + edit.token + data[at + len(edit.token) :]


def _in_archive(data: bytes, edits: list[Edit]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as copy:
        names = archive.namelist()
        # small members hold what tells of the others
        chosen = sorted(names, key=lambda name: archive.getinfo(name).file_size)[edits[0].other % len(names)]
        for name in names:
            content = archive.read(name)
            copy.writestr(name, _edited(content, edits) if name == chosen else content)
    return out.getvalue()


def _with_sums(data: bytes) -> bytes:
    """A PNG with right check sums, as far as its chunks can be followed."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out)
