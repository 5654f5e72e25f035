"""KITTI depth PNGs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.image import check_size, decode, encode


def read_depth(
    path: Path | str, *, unit: float = 256.0, expected: tuple[int, int] | None = None, data: bytes | None = None
) -> Tensor:
    """A 16-bit depth PNG in steps of 1/unit metres as (1, H, W) float32 metres, 0 = unknown.

    ``data`` are the contents of a file that is not on this machine's disk, or part of another.
    """
    depth = decode(path, cv2.IMREAD_UNCHANGED, data)
    if depth.dtype != np.uint16 or depth.ndim != 2:
        raise InputError(f"{path}: not a 16-bit grey PNG; depth maps hold metres times {unit:g}")
    check_size(path, depth.shape, expected)
    return torch.from_numpy(depth.astype(np.float32) / unit).unsqueeze(0)


def write_depth(path: Path | str, depth: Tensor, *, unit: float = 256.0, sync: bool = True) -> None:
    """Write (1, H, W) metres as a 16-bit PNG in steps of 1/unit; values out of range become 0 = unknown."""
    if depth.ndim != 3 or depth.shape[0] != 1:
        raise ValueError(f"a depth map is (1, H, W), not {tuple(depth.shape)}")
    steps = depth.detach().cpu().double()[0].mul(unit).round().numpy()
    fits = np.isfinite(steps) & (steps > 0) & (steps <= 65535)
    encode(path, np.where(fits, steps, 0).astype(np.uint16), sync)
