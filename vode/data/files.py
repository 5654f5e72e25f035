"""Image files, KITTI depth and flow PNGs, and atomic writing.

Every file is checked to be whole before it is decoded: depending on its version, OpenCV returns a cut
PNG or JPEG as a picture with grey rows.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.atomic import write_bytes
from vode.errors import InputError

MAX_PIXELS = 2**26
"""Largest image that is decoded (8192 x 8192): a small file can claim a size that fills the memory."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_JPEG_MAGIC = b"\xff\xd8"
_FLOW_ZERO = 2**15


def read_bytes(path: Path | str) -> bytes:
    """Contents of a file; InputError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None


def image_size(path: Path | str) -> tuple[int, int]:
    """(height, width) of an image as ``read_image`` gives it; raises what that raises."""
    return tuple(_decode(path, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH).shape[:2])


def read_image(path: Path | str) -> Tensor:
    """A PNG or JPEG of 8 or 16 bits as (3, H, W) float32 RGB in 0..1.

    Grey becomes three equal channels, alpha is dropped, EXIF rotation is applied. Raises InputError
    naming the file if it is missing, cut short, damaged or larger than ``MAX_PIXELS``.
    """
    image = _decode(path, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH)
    scale = float(np.iinfo(image.dtype).max)
    return torch.from_numpy(image).permute(2, 0, 1).to(torch.float32).div(scale).contiguous()


def write_image(path: Path | str, image: Tensor, *, sync: bool = True) -> None:
    """Write (3, H, W) or (1, H, W) RGB in 0..1 with 8 bits; the suffix chooses PNG or JPEG."""
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"an image is (3, H, W) or (1, H, W), not {tuple(image.shape)}")
    pixels = image.detach().cpu().float().clamp(0, 1).mul(255).round().to(torch.uint8)
    _encode(path, pixels.permute(1, 2, 0).flip(-1).contiguous().numpy(), sync)


def read_depth(path: Path | str, *, unit: float = 256.0) -> Tensor:
    """A 16-bit depth PNG in steps of 1/unit metres as (1, H, W) float32 metres, 0 = unknown."""
    depth = _decode(path, cv2.IMREAD_UNCHANGED)
    if depth.dtype != np.uint16 or depth.ndim != 2:
        raise InputError(f"{path}: not a 16-bit grey PNG; depth maps hold metres times {unit:g}")
    return torch.from_numpy(depth.astype(np.float32) / unit).unsqueeze(0)


def write_depth(path: Path | str, depth: Tensor, *, unit: float = 256.0, sync: bool = True) -> None:
    """Write (1, H, W) metres as a 16-bit PNG in steps of 1/unit; what does not fit becomes 0 = unknown."""
    if depth.ndim != 3 or depth.shape[0] != 1:
        raise ValueError(f"a depth map is (1, H, W), not {tuple(depth.shape)}")
    steps = depth.detach().cpu().double()[0].mul(unit).round().numpy()
    fits = np.isfinite(steps) & (steps > 0) & (steps <= 65535)
    _encode(path, np.where(fits, steps, 0).astype(np.uint16), sync)


def read_flow(path: Path | str) -> tuple[Tensor, Tensor]:
    """A KITTI flow PNG as flow (2, H, W) float32 pixels, x then y, and valid (1, H, W) float32 0 or 1.

    Invalid pixels that hold a flow nevertheless (hidden ones, in the built-in world) keep it; those
    without any have flow 0.
    """
    raw = _decode(path, cv2.IMREAD_UNCHANGED)
    if raw.dtype != np.uint16 or raw.ndim != 3 or raw.shape[2] != 3:
        raise InputError(f"{path}: not a 16-bit RGB PNG; KITTI flow holds u, v (times 64 plus 2^15) and valid")
    # OpenCV gives B, G, R; the file holds R = u, G = v, B = valid.
    steps = raw[..., 2::-1].astype(np.float32)
    valid = steps[..., 2] > 0
    known = valid | steps[..., :2].any(axis=-1)
    flow = np.where(known[..., None], (steps[..., :2] - _FLOW_ZERO) / 64, 0).astype(np.float32)
    return torch.from_numpy(flow).permute(2, 0, 1).contiguous(), torch.from_numpy(valid).float().unsqueeze(0)


def write_flow(path: Path | str, flow: Tensor, valid: Tensor, *, sync: bool = True) -> None:
    """Write flow (2, H, W) pixels and valid (1, H, W) as a KITTI flow PNG, in steps of 1/64 pixel.

    Flow beyond +-512 pixels does not fit and becomes invalid.
    """
    if flow.ndim != 3 or flow.shape[0] != 2 or valid.shape != (1, *flow.shape[1:]):
        raise ValueError(f"flow is (2, H, W) with valid (1, H, W), not {tuple(flow.shape)}, {tuple(valid.shape)}")
    steps = flow.detach().cpu().double().mul(64).round().add(_FLOW_ZERO).permute(1, 2, 0).numpy()
    fits = np.all(np.isfinite(steps) & (steps >= 0) & (steps <= 65535), axis=-1)
    mask = fits & (valid[0].detach().cpu().numpy() > 0.5)
    uv = np.where(fits[..., None], steps, 0).astype(np.uint16)
    _encode(path, np.dstack([mask.astype(np.uint16), uv[..., 1], uv[..., 0]]), sync)


def _decode(path: Path | str, flags: int) -> np.ndarray:
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


def _encode(path: Path | str, pixels: np.ndarray, sync: bool) -> None:
    suffix = Path(path).suffix.lower()
    suffixes = IMAGE_SUFFIXES if pixels.dtype == np.uint8 else (".png",)
    if suffix not in suffixes:
        raise InputError(f"{path}: cannot write this kind of file; choose a name ending in {' or '.join(suffixes)}")
    done, data = cv2.imencode(suffix, pixels)
    if not done:
        raise ValueError(f"{path}: OpenCV could not encode {pixels.shape} {pixels.dtype}")
    write_bytes(path, data.tobytes(), sync=sync)


def _check_whole(path: Path | str, data: bytes) -> None:
    """InputError unless this is a whole PNG or JPEG of a size that may be decoded."""
    if not data:
        raise InputError(f"{path}: the file is empty; copy it again")
    try:
        if data.startswith(_PNG_MAGIC):
            size = _png_size(data)
        elif data.startswith(_JPEG_MAGIC):
            size = _jpeg_size(data)
        else:
            raise InputError(f"{path}: not a PNG or JPEG image; convert it")
    except (struct.error, IndexError):
        size = None
    if size is None or min(size) < 1:
        raise _damaged(path)
    if size[0] * size[1] > MAX_PIXELS:
        raise InputError(f"{path}: {size[1]}x{size[0]} pixels, more than {MAX_PIXELS}; shrink the image")


def _damaged(path: Path | str) -> InputError:
    return InputError(f"{path}: the image is cut short or damaged; copy it again")


def _png_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a PNG whose chunks are all there with the right checksums, else None."""
    size, at = None, len(_PNG_MAGIC)
    while True:
        (length,), kind = struct.unpack_from(">I", data, at), data[at + 4 : at + 8]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(memoryview(data)[at + 4 : at + 8 + length]) != checksum:
            return None
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", data, at + 8)
            size = height, width
        if kind == b"IEND":
            return size
        at += 12 + length


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a JPEG that has its end marker, else None. (Stored size, before EXIF rotation.)"""
    size, at = None, 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            size = struct.unpack_from(">HH", data, at + 5)
        if marker == 0xDA:
            # Coded data never contains the end marker, so a thumbnail's (before it) cannot be mistaken.
            return size if data.find(b"\xff\xd9", at) >= 0 else None
        (length,) = struct.unpack_from(">H", data, at + 2)
        at += 2 + length
    return None
