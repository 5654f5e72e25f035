"""Flow files: KITTI's 16-bit PNG and Middlebury's .flo."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.atomic import write_bytes
from vode.io.files import read_bytes
from vode.io.image import check_size, decode, encode
from vode.io.image_formats import MAX_PIXELS

_FLOW_ZERO = 2**15
_FLO_MAGIC = struct.pack("<f", 202021.25)
_FLO_UNKNOWN = 1e9


def read_flow(path: Path | str, *, expected: tuple[int, int] | None = None) -> tuple[Tensor, Tensor]:
    """Flow (2, H, W) float32 pixels, x then y, and valid (1, H, W) float32 0 or 1, of a .png or .flo file.

    Invalid pixels of a KITTI PNG keep the flow that they hold (occluded pixels, in the built-in world), or
    have flow 0. InputError names a file that is missing, damaged, of another kind or not of the
    ``expected`` size.
    """
    flow, valid = _kind(path, _READERS)(path)
    check_size(path, flow.shape[-2:], expected)
    return flow, valid


def write_flow(path: Path | str, flow: Tensor, valid: Tensor, *, sync: bool = True) -> None:
    """Write flow (2, H, W) pixels and valid (1, H, W) as a KITTI .png or Middlebury .flo file, by the suffix.

    A PNG stores steps of 1/64 pixel; flow beyond +-512 pixels becomes invalid. A .flo file stores float32, and no
    flow for invalid pixels.
    """
    if flow.ndim != 3 or flow.shape[0] != 2 or valid.shape != (1, *flow.shape[1:]):
        raise ValueError(f"flow is (2, H, W) with valid (1, H, W), not {tuple(flow.shape)}, {tuple(valid.shape)}")
    _kind(path, _WRITERS)(path, flow.detach().cpu(), valid.detach().cpu(), sync)


def _kind(path: Path | str, kinds: dict[str, Callable]) -> Callable:
    suffix = Path(path).suffix.lower()
    if suffix not in kinds:
        raise InputError(f"{path}: not a file of flow; its name ends in {' or '.join(kinds)}")
    return kinds[suffix]


def _read_png(path: Path | str) -> tuple[Tensor, Tensor]:
    raw = decode(path, cv2.IMREAD_UNCHANGED)
    if raw.dtype != np.uint16 or raw.ndim != 3 or raw.shape[2] != 3:
        raise InputError(f"{path}: not a 16-bit RGB PNG; KITTI flow holds u, v (times 64 plus 2^15) and valid")
    # OpenCV gives B, G, R; the file holds R = u, G = v, B = valid.
    steps = raw[..., 2::-1].astype(np.float32)
    valid = steps[..., 2] > 0
    known = valid | steps[..., :2].any(axis=-1)
    flow = np.where(known[..., None], (steps[..., :2] - _FLOW_ZERO) / 64, 0).astype(np.float32)
    return torch.from_numpy(flow).permute(2, 0, 1).contiguous(), torch.from_numpy(valid).float().unsqueeze(0)


def _write_png(path: Path | str, flow: Tensor, valid: Tensor, sync: bool) -> None:
    steps = flow.double().mul(64).round().add(_FLOW_ZERO).permute(1, 2, 0).numpy()
    fits = np.all(np.isfinite(steps) & (steps >= 0) & (steps <= 65535), axis=-1)
    mask = fits & (valid[0].numpy() > 0.5)
    uv = np.where(fits[..., None], steps, 0).astype(np.uint16)
    encode(path, np.dstack([mask.astype(np.uint16), uv[..., 1], uv[..., 0]]), sync)


def _read_flo(path: Path | str) -> tuple[Tensor, Tensor]:
    data = read_bytes(path)
    if len(data) < 12 or data[:4] != _FLO_MAGIC:
        raise InputError(f"{path}: not a Middlebury .flo file; it begins with 202021.25 as a float")
    width, height = struct.unpack_from("<ii", data, 4)
    if min(width, height) < 1 or width * height > MAX_PIXELS or len(data) != 12 + 8 * width * height:
        raise InputError(f"{path}: {len(data)} bytes are no flow of {width}x{height} pixels; copy it again")
    flow = torch.from_numpy(np.frombuffer(data, "<f4", offset=12).reshape(height, width, 2).copy()).movedim(-1, 0)
    valid = (flow.isfinite() & (flow.abs() < _FLO_UNKNOWN)).all(0, keepdim=True)
    return torch.where(valid, flow, 0.0).contiguous(), valid.float()


def _write_flo(path: Path | str, flow: Tensor, valid: Tensor, sync: bool) -> None:
    known = torch.where((valid > 0.5) & flow.isfinite().all(0), flow.float(), 1.7 * _FLO_UNKNOWN)
    header = _FLO_MAGIC + struct.pack("<ii", flow.shape[2], flow.shape[1])
    write_bytes(path, header + known.movedim(0, -1).contiguous().numpy().astype("<f4").tobytes(), sync=sync)


_READERS = {".png": _read_png, ".flo": _read_flo}
_WRITERS = {".png": _write_png, ".flo": _write_flo}
