"""Image files, as they are stored or as a viewer turns them, and the range of values that a sequence uses.

Every file is checked for completeness before it is decoded, see ``vode.io.image_formats``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.resize import as_float, resize_images
from vode.io.atomic import write_bytes
from vode.io.files import read_bytes
from vode.io.image_formats import EXIF_FIRST, check_whole, damaged, decodable, orientation, pnm_head

WRITTEN_SUFFIXES = (".png", ".jpg", ".jpeg")
"""suffixes of images that are written"""
IMAGE_SUFFIXES = (
    *WRITTEN_SUFFIXES,
    *(".jpe", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""suffixes of images that are searched for"""
SAMPLES = 256
"""most images of a sequence that its range of values is measured on"""
VALUES = 2**14
"""pixels of each that are looked at, of larger images evenly spaced ones"""
DEPTHS = (8, 10, 12, 14)
"""bits that cameras give, in files of 16 bits"""
HEAD = 2**17
"""bytes at the beginning of a JPEG or PNG that hold its orientation, if it has one"""
UNUSED = 2**15
"""values from here on are those of cameras that use all 16 bits"""
EXTREME = 0.001
"""fraction of pixels that may lie below or above a narrow range of values"""


class Levels(NamedTuple):
    """The 16-bit values that stand for black and white."""

    black: int
    white: int

    def stretch(self, pixels: np.ndarray, full: int = 65535) -> np.ndarray:
        """Pixels of this range as such of 0 to ``full``, in the same type; those outside of it are clipped."""
        if self == (0, full):
            return pixels
        scaled = (pixels.astype(np.float32) - self.black) * (full / (self.white - self.black))
        return scaled.round().clip(0, full).astype(pixels.dtype)


def image_size(path: Path | str) -> tuple[int, int]:
    """(height, width) of an image as ``read_pixels`` returns it; raises the same errors."""
    return tuple(read_pixels(path).shape[:2])


def read_pixels(
    path: Path | str,
    expected: tuple[int, int] | None = None,
    *,
    upright: bool = False,
    levels: Levels | None = None,
    data: bytes | None = None,
) -> np.ndarray:
    """An 8- or 16-bit image as RGB pixels (H, W, 3), as they are stored, which poses and calibrations belong to.

    ``data`` are the contents of a file that is not on this machine's disk, or part of another.

    ``upright`` turns and mirrors them as EXIF tells viewers to; 16-bit values are stretched from ``levels``. Grey
    becomes three equal channels, alpha is dropped. Raises InputError naming the file if it is missing, cut short,
    damaged, of a format that is not read, larger than ``MAX_PIXELS`` or not of the ``expected`` size.
    """
    data = read_bytes(path) if data is None else data
    pixels = _decoded(path, data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    head = pnm_head(data) if data[:1] == b"P" else None
    if head is not None and (head.kind in (5, 6) or pixels.dtype == np.uint16):
        # of these OpenCV ignores which value is white
        pixels = Levels(0, head.brightest).stretch(pixels, np.iinfo(pixels.dtype).max)
    if upright:
        pixels = turned(pixels, orientation(data))
    check_size(path, pixels.shape[:2], expected)
    if levels is None or pixels.dtype != np.uint16:
        return pixels
    top = int(pixels.max())
    if levels.black == 0 and top > levels.white:
        raise InputError(
            f"{path}: values up to {top}, above those of its sequence, of which {levels.white} is white; convert its "
            "images to 8 bits, or to all 16"
        )
    return levels.stretch(pixels)


def exif_orientation(path: Path | str) -> int:
    """EXIF's number for how a viewer turns an image, 1 (as it is stored) to 8; InputError if it cannot be read."""
    head = read_bytes(path, HEAD)
    return orientation(head if head.startswith(EXIF_FIRST) else read_bytes(path))


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Stored pixels (H, W, ...) as viewers show those of an EXIF orientation."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    rows, columns = (-1 if orientation in those else 1 for those in ((3, 4, 7, 8), (2, 3, 6, 7)))
    return np.ascontiguousarray(pixels[::rows, ::columns])


def find_levels(files: Sequence[Path]) -> tuple[Levels | None, tuple[str, ...]]:
    """The range of values that a sequence's 16-bit images use, and a note that tells it; None if that is all 16 bits.

    Cameras of 8 to 14 bits leave the upper ones empty; of those that use a narrow band far from 0, as thermal ones do,
    the band is taken. Measured on images all over the sequence, or on all of a short one; without any it is not known.
    """
    if not files or read_pixels(files[0]).dtype == np.uint8:
        return None, ()
    chosen = [files[i] for i in sorted({*np.linspace(0, len(files) - 1, SAMPLES).round().astype(int).tolist()})]
    parts, tops = zip(*(_some_values(file) for file in chosen), strict=True)
    values, top = np.concatenate(parts), max(tops)
    low, high = (int(value) for value in np.quantile(values, [EXTREME, 1 - EXTREME]))
    bits = next((bits for bits in DEPTHS if top < 2**bits), 16)
    if low > high - low > 0 and top < UNUSED:
        return Levels(low, high), (f"16-bit images with values from {low} to {high}, stretched to black and white",)
    if bits == 16:
        return None, ()
    white = 2**bits - 1
    return Levels(0, white), (f"16-bit images with values up to {top}, stretched as {bits} bits: {white} is white",)


def _some_values(file: Path) -> tuple[np.ndarray, int]:
    """Values of pixels all over an image, about ``VALUES`` at the most, and the largest of all."""
    pixels = read_pixels(file)
    step = max(round((pixels.shape[0] * pixels.shape[1] / VALUES) ** 0.5), 1)
    return pixels[::step, ::step].ravel(), int(pixels.max())


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


def decode(path: Path | str, flags: int, data: bytes | None = None) -> np.ndarray:
    """8- or 16-bit pixels (H, W) or (H, W, C) as stored, channels in OpenCV's order for its ``flags``.

    ``data`` as of ``read_pixels``.
    """
    return _decoded(path, read_bytes(path) if data is None else data, flags)


def _decoded(path: Path | str, data: bytes, flags: int) -> np.ndarray:
    check_whole(path, data)
    if flags != cv2.IMREAD_UNCHANGED:
        flags |= cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(decodable(data), np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise damaged(path)
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path}: {image.dtype} pixels; convert the image to 8 or 16 bits")
    return image


def encode(path: Path | str, pixels: np.ndarray, sync: bool, quality: int = 95) -> None:
    """Write pixels, channels in OpenCV's order, in the format of the suffix."""
    suffix = Path(path).suffix.lower()
    suffixes = WRITTEN_SUFFIXES if pixels.dtype == np.uint8 else (".png",)
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
