"""Pinhole camera: pixel grid, projection, and intrinsics under resize, crop and flip.

Pixel centres lie at integer coordinates; (0, 0) is the centre of the top-left pixel. Camera axes are
x right, y down, z forward. Sizes are always (height, width), pixel coordinates always (x, y).
"""

from __future__ import annotations

import torch
from torch import Tensor


def pixel_grid(
    height: int,
    width: int,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Pixel coordinates (2, H, W), x then y."""
    y = torch.arange(height, device=device, dtype=dtype)
    x = torch.arange(width, device=device, dtype=dtype)
    return torch.stack(torch.meshgrid(x, y, indexing="xy"))


def rays(pixels: Tensor, intrinsics: Tensor) -> Tensor:
    """Viewing rays with z = 1 through pixels: (..., N, 2), (..., 3, 3) -> (..., N, 3)."""
    focal, centre = _focal_centre(intrinsics)
    xy = (pixels - centre) / focal
    return torch.cat([xy, torch.ones_like(xy[..., :1])], dim=-1)


def project(points: Tensor, intrinsics: Tensor, *, min_depth: float = 1e-6) -> tuple[Tensor, Tensor]:
    """Project camera points in metres: (..., N, 3), (..., 3, 3) -> pixels (..., N, 2), depth (..., N).

    The depth is the unclamped z. The division uses z clamped to ``min_depth``, so that points behind the
    camera have finite pixels; callers mask them by the depth.
    """
    focal, centre = _focal_centre(intrinsics)
    z = points[..., 2]
    pixels = points[..., :2] / z.clamp(min=min_depth).unsqueeze(-1) * focal + centre
    return pixels, z


def unproject(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Camera points of a depth map: (B, 1, H, W) metres, (B, 3, 3) -> (B, 3, H, W) metres."""
    height, width = depth.shape[-2:]
    grid = pixel_grid(height, width, device=depth.device, dtype=depth.dtype)
    focal, centre = _focal_centre(intrinsics)
    xy = (grid - centre.reshape(-1, 2, 1, 1)) / focal.reshape(-1, 2, 1, 1)
    return torch.cat([xy * depth, depth], dim=1)


def transform(T_b_a: Tensor, points_a: Tensor) -> Tensor:
    """Transform points from frame a to frame b: (..., 4, 4), (..., N, 3) -> (..., N, 3)."""
    return points_a @ T_b_a[..., :3, :3].mT + T_b_a[..., None, :3, 3]


def resize_intrinsics(intrinsics: Tensor, size: tuple[int, int], new_size: tuple[int, int]) -> Tensor:
    """Intrinsics (..., 3, 3) of an image resized from ``size`` to ``new_size``, both (height, width)."""
    if tuple(size) == tuple(new_size):
        return intrinsics
    scale = intrinsics.new_tensor([new_size[1] / size[1], new_size[0] / size[0]])
    resized = intrinsics.clone()
    resized[..., :2, :2] = intrinsics[..., :2, :2] * scale[:, None]
    resized[..., :2, 2] = (intrinsics[..., :2, 2] + 0.5) * scale - 0.5
    return resized


def crop_intrinsics(intrinsics: Tensor, top: Tensor | int, left: Tensor | int) -> Tensor:
    """Intrinsics (..., 3, 3) of an image whose first ``top`` rows and ``left`` columns, (...), are cropped."""
    cropped = intrinsics.clone()
    cropped[..., 0, 2] -= left
    cropped[..., 1, 2] -= top
    return cropped


def flip_intrinsics(intrinsics: Tensor, width: int) -> Tensor:
    """Intrinsics (..., 3, 3) of a horizontally flipped image of ``width`` pixels."""
    flipped = intrinsics.clone()
    flipped[..., 0, 2] = width - 1 - intrinsics[..., 0, 2]
    return flipped


def rotate_intrinsics(intrinsics: Tensor, size: tuple[int, int], quarters: int) -> Tensor:
    """Intrinsics (3, 3) of an image of ``size`` (height, width) rotated clockwise by ``quarters`` quarter turns."""
    height, width = size
    rotated = intrinsics.clone()
    for _ in range(quarters % 4):
        fx, fy, cx, cy = rotated[[0, 1, 0, 1], [0, 1, 2, 2]].unbind()
        rotated[0, 0], rotated[1, 1], rotated[0, 2], rotated[1, 2] = fy, fx, height - 1 - cy, cx
        height, width = width, height
    return rotated


def _focal_centre(intrinsics: Tensor) -> tuple[Tensor, Tensor]:
    focal = torch.stack([intrinsics[..., 0, 0], intrinsics[..., 1, 1]], dim=-1)
    return focal.unsqueeze(-2), intrinsics[..., None, :2, 2]
