"""Formats of image files: size and completeness, told before decoding, and how a viewer is to turn them.

OpenCV decodes some truncated files to an image with grey rows, and allocates whatever size a file claims.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from vode.errors import InputError

MAX_PIXELS = 2**26
"""largest image that is decoded (8192 x 8192), because a small file can claim a size that fills the memory"""
READ = "PNG, JPEG, BMP, TIFF, WebP or PPM"
"""formats that are read, for messages"""
OTHERS = {
    "GIF": (b"GIF8",),
    "JPEG 2000": (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "AVIF": (b"....ftypavi",),
    "HEIC": (b"....ftyphe", b"....ftypm"),
    "OpenEXR": (b"v/1\x01",),
    "Radiance HDR": (b"#.R",),
    "Sun raster": (b"Y\xa6j\x95",),
    "PAM": (b"P7",),
    "PFM": (b"P[Ff]",),
    "Photoshop": (b"8BPS",),
    "BigTIFF": (b"II[+]\0", b"MM\0[+]"),
    "Canon raw": (b"II[*]\0....CR",),
    "Fujifilm raw": (b"FUJIFILM",),
    "Git LFS pointer, which stands for a file not fetched yet": (b"version https://git-lfs",),
}
"""how files begin, as patterns, that are refused by the name of their format"""
OTHER_SUFFIXES = (
    *(".gif", ".jp2", ".j2k", ".jxl", ".avif", ".heic", ".heif", ".exr", ".hdr", ".pic", ".ras", ".sr", ".pam"),
    *(".pfm", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf"),
)
"""suffixes of images that are not read"""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
EXIF_FIRST = (_PNG_MAGIC, b"\xff\xd8")
"""how files begin that have their orientation before their pixels"""
_TIFF_MAGIC = (b"II*\0", b"MM\0*")
_TIFF_FORMS = {1: "B", 3: "H", 4: "I", 7: "B"}
_SUBFILE, _WIDTH, _HEIGHT, _ORIENTATION, _DNG = 254, 256, 257, 274, 50706
_EXTENTS = ((273, 279), (324, 325))
"""TIFF tags: offsets and lengths of strips, and of tiles"""
_TAGS = {_SUBFILE, _WIDTH, _HEIGHT, _ORIENTATION, _DNG, *_EXTENTS[0], *_EXTENTS[1]}
_UNIT = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])+")

Size = tuple[int, int]


class Pnm(NamedTuple):
    """The head of a PBM, PGM or PPM file."""

    kind: int
    """the digit behind P"""
    size: Size
    brightest: int
    start: int
    """of the pixels"""


def check_whole(path: Path | str, data: bytes) -> Size:
    """(height, width) as stored of a complete image of a known format; else InputError names the file."""
    if not data:
        raise InputError(f"{path}: the file is empty; copy it again")
    try:
        size = _reader(path, data)(data)
    except (struct.error, IndexError):
        size = None
    except _Refusal as refusal:
        raise InputError(f"{path}: {refusal}, which is not read; convert it to a plain PNG or JPEG") from None
    if size is None or min(size) < 1:
        raise damaged(path)
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{path}: {size[1]}x{size[0]} pixels, more than {MAX_PIXELS}; shrink the image")
    return size


def damaged(path: Path | str) -> InputError:
    """The error for an image that cannot be decoded."""
    return InputError(f"{path}: the image is cut short or damaged; copy it again")


class _Refusal(Exception):
    """A file of a known format that is not read as an image, as its message tells."""


def _reader(path: Path | str, data: bytes) -> Callable[[bytes], Size | None]:
    for name, patterns in OTHERS.items():
        if any(re.match(pattern, data, re.DOTALL) for pattern in patterns):
            raise InputError(f"{path}: {name}, not a {READ} image; convert it")
    if data.startswith(_PNG_MAGIC):
        return _png_size
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size
    if data.startswith(_TIFF_MAGIC):
        return _tiff_size
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return _webp_size
    if data.startswith(b"BM"):
        return _bmp_size
    if re.match(rb"P[1-6](\s|#|$)", data):
        return _pnm_size
    raise InputError(f"{path}: not a {READ} image; convert it")


def orientation(data: bytes) -> int:
    """How a viewer is to turn and mirror an image, as EXIF's number from 1 (not at all) to 8; 1 if it is not told."""
    try:
        blob = next((blob for kind, blob in _metadata(data) if kind), b"")
        found = {tag: values for tag, values, _ in _entries(blob)}.get(_ORIENTATION, (1,))[0]
    except (struct.error, IndexError):
        return 1
    return found if 1 <= found <= 8 else 1


def decodable(data: bytes) -> bytes:
    """The same file as OpenCV decodes it to stored pixels: a TIFF without orientation, a text with an end."""
    if re.match(rb"P[123]\s", data):
        return data + b"\n"
    if not data.startswith(_TIFF_MAGIC) or orientation(data) == 1:
        return data
    at = next(at for tag, _, at in _entries(data) if tag == _ORIENTATION)
    return data[:at] + struct.pack("<H" if data[:1] == b"I" else ">H", 1) + data[at + 2 :]


def pnm_head(data: bytes) -> Pnm | None:
    """The head of a PBM, PGM or PPM file; None if it is cut."""
    kind, at, values = data[1] - ord("0"), 2, []
    for _ in range(2 if kind in (1, 4) else 3):
        gap = _UNIT.match(data, at)
        number = re.compile(rb"[0-9]{1,6}").match(data, gap.end() if gap else at)
        if gap is None or number is None:
            return None
        values.append(int(number[0]))
        at = number.end()
    brightest = values[2] if len(values) > 2 else 1
    return Pnm(kind, (values[1], values[0]), brightest, at + 1) if 0 < brightest < 2**16 else None


def _metadata(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Parts of a file, and whether each is EXIF's block, which is a small TIFF."""
    if data.startswith(_TIFF_MAGIC):
        yield True, data
    elif data.startswith(b"\xff\xd8"):
        for marker, start, end in _segments(data):
            yield marker == 0xE1 and data[start : start + 6] == b"Exif\0\0", data[start + 6 : end]
    elif data.startswith(_PNG_MAGIC):
        for kind, start, end in _chunks(data, len(_PNG_MAGIC), ">I", 4):
            yield kind == b"eXIf", data[start:end]
    elif data[8:12] == b"WEBP":
        for kind, start, end in _chunks(data, 12, "<I", 0):
            body = data[start:end]
            yield kind == b"EXIF", body.removeprefix(b"Exif\0\0")


def _chunks(data: bytes, offset: int, form: str, checksum: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the chunks of a PNG or a WebP, as far as the data goes."""
    while offset + 8 <= len(data):
        first, second = data[offset : offset + 4], data[offset + 4 : offset + 8]
        kind, length = (second, first) if checksum else (first, second)
        (count,) = struct.unpack(form, length)
        yield kind, offset + 8, offset + 8 + count
        # those of a WebP are of even length
        offset += 8 + count + (checksum or count % 2)


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of the segments of a JPEG, up to the coded data."""
    offset = 2
    while data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == 0xFF:
            offset += 1
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        yield marker, offset + 4, offset + 2 + length
        if marker == 0xDA:
            return
        offset += 2 + length


def _entries(data: bytes, at: int | None = None) -> Iterator[tuple[int, tuple[int, ...], int]]:
    """Tag, whole numbers and their place, of one directory of a TIFF, the first or that ``at`` an offset."""
    order = "<" if data[:2] == b"II" else ">"
    if at is None:
        (at,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, at)
    for k in range(count):
        entry = at + 2 + 12 * k
        tag, kind, length = struct.unpack_from(order + "HHI", data, entry)
        form = _TIFF_FORMS.get(kind)
        if form is None or tag not in _TAGS or length > len(data) >> 2:
            continue
        place = entry + 8
        if length * struct.calcsize(form) > 4:
            (place,) = struct.unpack_from(order + "I", data, place)
        yield tag, struct.unpack_from(f"{order}{length}{form}", data, place), place


def _png_size(data: bytes) -> Size | None:
    """(height, width) of a PNG if all of its chunks are present with correct checksums, else None."""
    size = None
    for kind, start, end in _chunks(data, len(_PNG_MAGIC), ">I", 4):
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(memoryview(data)[start - 4 : end]) != checksum:
            return None
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", data, start)
            size = height, width
        if kind == b"acTL":
            raise _Refusal("an animated PNG")
        if kind == b"IEND":
            return size
    return None


def _jpeg_size(data: bytes) -> Size | None:
    """(height, width) of a JPEG if it has its end marker, else None. (Stored size, before EXIF rotation.)"""
    size = None
    for marker, start, _ in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = struct.unpack_from(">HH", data, start + 1)
        if marker == 0xDA:
            # Coded data never contains the end marker, so a thumbnail's (before it) cannot be mistaken.
            return size if data.endswith(b"\xff\xd9") or data.find(b"\xff\xd9", start) >= 0 else None
    return None


def _tiff_size(data: bytes) -> Size | None:
    order = "<" if data[:2] == b"II" else ">"
    tags = {tag: values for tag, values, _ in _entries(data)}
    if _DNG in tags or tags.get(_SUBFILE, (0,))[0] & 1:
        raise _Refusal("a camera's raw file")
    (first,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, first)
    (after,) = struct.unpack_from(order + "I", data, first + 2 + 12 * count)
    if after and not {tag: values for tag, values, _ in _entries(data, after)}.get(_SUBFILE, (0,))[0]:
        raise _Refusal("a TIFF of several pages")
    ends = [
        start + length
        for offsets, lengths in _EXTENTS
        for start, length in zip(tags.get(offsets, ()), tags.get(lengths, ()), strict=False)
    ]
    if _WIDTH not in tags or _HEIGHT not in tags or not ends or max(ends) > len(data):
        return None
    return tags[_HEIGHT][0], tags[_WIDTH][0]


def _webp_size(data: bytes) -> Size | None:
    if 8 + struct.unpack_from("<I", data, 4)[0] > len(data):
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        if data[20] & 2:
            raise _Refusal("an animated WebP")
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return height, width


def _bmp_size(data: bytes) -> Size | None:
    stated, start, head = struct.unpack_from("<I4xII", data, 2)
    if head == 12:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        packed = 0
    else:
        width, height, _, bits, packed = struct.unpack_from("<iiHHI", data, 18)
    # rows are padded to four bytes; only coded ones are of a length that the file has to tell
    needed = stated if packed not in (0, 3, 6) else start + (width * bits + 31) // 32 * 4 * abs(height)
    return (abs(height), width) if len(data) >= needed else None


def _pnm_size(data: bytes) -> Size | None:
    """(height, width) of a PBM, PGM or PPM if it holds all of its pixels, else None."""
    head = pnm_head(data)
    if head is None:
        return None
    (height, width), count = head.size, head.size[0] * head.size[1] * (3 if head.kind in (3, 6) else 1)
    if head.kind == 1:
        there, wanted = len(re.findall(rb"[01]", data[head.start - 1 :])), count
    elif head.kind <= 3:
        there, wanted = len(data[head.start - 1 :].split()), count
    else:
        there = len(data) - head.start
        wanted = (width + 7) // 8 * height if head.kind == 4 else count * (1 if head.brightest < 256 else 2)
    return (height, width) if there >= wanted else None
