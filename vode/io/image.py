"""Image files and KITTI depth PNGs.

Every file is checked for completeness before it is decoded: depending on its version, OpenCV decodes a
truncated PNG or JPEG to an image with grey rows.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.resize import as_float, resize_images
from vode.io.atomic import write_bytes
from vode.io.files import read_bytes

MAX_PIXELS = 2**26
"""largest image that is decoded (8192 x 8192), because a small file can claim a size that fills the memory"""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
"""suffixes of images that are written, and searched for"""

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8"
_PNM_HEAD = re.compile(rb"P([56])\s(?:#[^\n]*\n)?\s*(\d{1,6})\s+(\d{1,6})\s+(\d{1,5})\s")


def image_size(path: Path | str) -> tuple[int, int]:
    """(height, width) of an image as returned by ``read_image``; raises the same errors."""
    return tuple(read_pixels(path).shape[:2])


def read_pixels(path: Path | str, expected: tuple[int, int] | None = None) -> np.ndarray:
    """An 8- or 16-bit PNG, JPEG or PPM as RGB pixels (H, W, 3).

    Grey becomes three equal channels, alpha is dropped, EXIF rotation is applied. Raises InputError naming the
    file if it is missing, cut short, damaged, larger than ``MAX_PIXELS`` or not of the ``expected`` size.
    """
    pixels = decode(path, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    check_size(path, pixels.shape[:2], expected)
    return pixels


def to_raw(pixels: np.ndarray, size: tuple[int, int] | None = None) -> Tensor:
    """RGB pixels (H, W, 3) as (3, H, W), resized to ``size`` if given: 8 bits stay, 16 become float32 in 0..1."""
    deep = pixels.dtype != np.uint8
    if size is not None and tuple(size) != pixels.shape[:2]:
        # 8-bit images are resized as such, five times as fast as in float32.
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        image = resize_images(image.to(torch.float32) if deep else image, size)[0]
    else:
        planes = np.empty((3, *pixels.shape[:2]), pixels.dtype)
        cv2.split(pixels, list(planes))
        image = torch.from_numpy(planes)
    return image.to(torch.float32).div_(65535.0) if deep else image


def read_image(path: Path | str) -> Tensor:
    """An image as (3, H, W) float32 RGB in 0..1; raises the errors of ``read_pixels``."""
    return as_float(to_raw(read_pixels(path)))


def write_image(path: Path | str, image: Tensor, *, quality: int = 95, sync: bool = True) -> None:
    """Write (3, H, W) or (1, H, W) RGB in 0..1 with 8 bits, as PNG or JPEG (of ``quality``) by the suffix."""
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"an image is (3, H, W) or (1, H, W), not {tuple(image.shape)}")
    pixels = image.detach().cpu().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    encode(path, pixels.permute(1, 2, 0).flip(-1).contiguous().numpy(), sync, quality)


def decode(path: Path | str, flags: int) -> np.ndarray:
    """8- or 16-bit pixels (H, W) or (H, W, C), channels in OpenCV's order for its ``flags``."""
    data = read_bytes(path)
    _check_whole(path, data)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise _damaged(path)
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path}: {image.dtype} pixels; convert the image to 8 or 16 bits")
    return image


def encode(path: Path | str, pixels: np.ndarray, sync: bool, quality: int = 95) -> None:
    """Write pixels, channels in OpenCV's order, in the format of the suffix."""
    suffix = Path(path).suffix.lower()
    suffixes = IMAGE_SUFFIXES if pixels.dtype == np.uint8 else (".png",)
    if suffix not in suffixes:
        raise InputError(f"{path}: cannot write this kind of file; choose a name ending in {' or '.join(suffixes)}")
    done, data = cv2.imencode(suffix, pixels, [] if suffix == ".png" else [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"{path}: OpenCV could not encode {pixels.shape} {pixels.dtype}")
    write_bytes(path, data.tobytes(), sync=sync)


def check_size(path: Path | str, size: Sequence[int], expected: tuple[int, int] | None) -> None:
    """InputError if a file's (height, width) differs from the expected one, if there is one."""
    if expected is not None and tuple(size) != tuple(expected):
        found, wanted = (f"{width}x{height}" for height, width in (size, expected))
        raise InputError(f"{path}: {found} pixels, not {wanted} like the rest of its sequence; copy the original")


def _check_whole(path: Path | str, data: bytes) -> None:
    """InputError unless this is a complete PNG, JPEG or PPM of at most ``MAX_PIXELS``."""
    if not data:
        raise InputError(f"{path}: the file is empty; copy it again")
    try:
        if data.startswith(_PNG_MAGIC):
            size = _png_size(data)
        elif data.startswith(_JPEG_MAGIC):
            size = _jpeg_size(data)
        elif data[:2] in (b"P5", b"P6"):
            size = _pnm_size(data)
        else:
            raise InputError(f"{path}: not a PNG, JPEG or PPM image; convert it")
    except (struct.error, IndexError):
        size = None
    if size is None or min(size) < 1:
        raise _damaged(path)
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{path}: {size[1]}x{size[0]} pixels, more than {MAX_PIXELS}; shrink the image")


def _damaged(path: Path | str) -> InputError:
    return InputError(f"{path}: the image is cut short or damaged; copy it again")


def _png_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a PNG if all of its chunks are present with correct checksums, else None."""
    size, offset = None, len(_PNG_MAGIC)
    while True:
        (length,), kind = struct.unpack_from(">I", data, offset), data[offset + 4 : offset + 8]
        (checksum,) = struct.unpack_from(">I", data, offset + 8 + length)
        if zlib.crc32(memoryview(data)[offset + 4 : offset + 8 + length]) != checksum:
            return None
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", data, offset + 8)
            size = height, width
        if kind == b"IEND":
            return size
        offset += 12 + length


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a JPEG if it has its end marker, else None. (Stored size, before EXIF rotation.)"""
    size, offset = None, 2
    while data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == 0xFF:
            offset += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = struct.unpack_from(">HH", data, offset + 5)
        if marker == 0xDA:
            # Coded data never contains the end marker, so a thumbnail's (before it) cannot be mistaken.
            return size if data.endswith(b"\xff\xd9") or data.find(b"\xff\xd9", offset) >= 0 else None
        (length,) = struct.unpack_from(">H", data, offset + 2)
        offset += 2 + length
    return None


def _pnm_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a binary PPM or PGM if it holds all of its pixels, else None."""
    head = _PNM_HEAD.match(data)
    if head is None:
        return None
    channels, width, height, brightest = (3 if head[1] == b"6" else 1), *map(int, head.groups()[1:])
    wanted = width * height * channels * (1 if brightest < 256 else 2)
    return (height, width) if len(data) - head.end() >= wanted else None
