"""View synthesis: an image as seen by a rotated camera or, where the depth is known, by a moved one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import pixel_grid
from vode.geometry.pose import inverse
from vode.geometry.resize import image_size
from vode.geometry.warp import inside, sample

NEAREST = 0.05
"""depth in metres below which points are not drawn"""
SAME_SURFACE = 0.1
"""relative depth difference within which a point belongs to the surface visible in the image"""


def new_view(
    images: Tensor,
    depth: Tensor | None,
    intrinsics: Tensor,
    T_old_new: Tensor,
    new_intrinsics: Tensor,
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Images (B, 3, H, W) as a camera at T_old_new (B, 4, 4) sees them.

    Returns the views (B, 3, h, w) and a bool mask (B, 1, h, w) of the pixels that have a source.
    ``intrinsics`` and ``new_intrinsics`` (B, 3, 3) are those of the images and of the views of ``size`` (h, w).
    With ``depth`` (B, 1, H, W), 0 = unknown, its points are drawn into a depth buffer, holes are filled from their
    surroundings, and each new pixel is sampled from the old image; ``fill`` the depth first if it has holes.
    Without depth only the rotation of T_old_new is applied, and the view is exact. Pixels that the old camera does not
    see are 0: outside its image, occluded, or of unknown depth.
    """
    if depth is None:
        turn = T_old_new.clone()
        turn[:, :3, 3] = 0
        pixels, z = reproject(images.new_ones(len(images), 1, *size), new_intrinsics, turn, intrinsics)
        seen = _before(pixels, z, image_size(images))
        return torch.where(seen, sample(images, pixels), 0.0), seen
    buffer = depth_buffer(depth, intrinsics, T_old_new, new_intrinsics, size)
    buffer = fill(buffer, buffer > 0)
    pixels, z = reproject(buffer, new_intrinsics, T_old_new, intrinsics)
    colours, surface = sample(torch.cat([images, depth], 1), pixels).split([images.shape[1], 1], 1)
    # an empty buffer puts every point at the new camera's centre, which the old camera may see
    seen = _before(pixels, z, image_size(images)) & (buffer > 0) & ((surface - z).abs() < SAME_SURFACE * z)
    return torch.where(seen, colours, 0.0), seen


def depth_buffer(
    depth: Tensor, intrinsics: Tensor, T_old_new: Tensor, new_intrinsics: Tensor, size: tuple[int, int]
) -> Tensor:
    """Depth (B, 1, h, w) of the points of ``depth`` (B, 1, H, W) in the camera at T_old_new; the nearest one wins.

    0 is unknown in ``depth``, and empty in the result.
    """
    height, width = size
    pixels, z = reproject(depth, intrinsics, inverse(T_old_new), new_intrinsics)
    far = torch.finfo(z.dtype).max
    z = torch.where((z > NEAREST) & (depth > 0), z, far).flatten(1)
    # onto the four pixels around a point, or onto a single one if it lies at its centre
    left, top = (pixels + 0.01).floor().flatten(2).unbind(1)
    right, bottom = (pixels - 0.01).ceil().flatten(2).unbind(1)
    buffer = z.new_full((len(z), height * width), far)
    for x, y in ((left, top), (right, top), (left, bottom), (right, bottom)):
        drawn = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        index = torch.where(drawn, y * width + x, 0.0).long()
        buffer = buffer.scatter_reduce(1, index, torch.where(drawn, z, far), "amin")
    buffer = buffer.view(-1, 1, height, width)
    return torch.where(buffer < far, buffer, 0.0)


def _before(pixels: Tensor, z: Tensor, size: tuple[int, int]) -> Tensor:
    """Whether points lie in front of a camera and in its image, up to half a pixel beyond the outermost centres."""
    return inside(pixels, size, margin=0.5) & (z > NEAREST)


def reproject(depth: Tensor, intrinsics: Tensor, T_b_a: Tensor, intrinsics_b: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels (B, 2, H, W) and depth (B, 1, H, W) in camera b of the pixels of camera a at ``depth`` (B, 1, H, W).

    Points nearer than ``NEAREST``, or behind the camera, have finite pixels, which callers mask by the depth.
    """
    pixels = pixel_grid(*depth.shape[-2:], device=depth.device, dtype=depth.dtype).flatten(1)
    pixels = F.pad(pixels, (0, 0, 0, 1), value=1.0)
    homography = intrinsics_b @ T_b_a[:, :3, :3] @ torch.linalg.inv_ex(intrinsics).inverse
    # x, y and z in planes: twice as fast as interleaved
    points = (homography @ pixels).unflatten(-1, depth.shape[-2:]) * depth
    points = points + (intrinsics_b @ T_b_a[:, :3, 3:])[..., None]
    z = points[:, 2:]
    return points[:, :2] / z.clamp(min=NEAREST), z


def fill(values: Tensor, known: Tensor) -> Tensor:
    """Values (B, C, H, W), unknown ones (``known`` (B, 1, H, W) False) filled with means of ever larger blocks."""
    if min(values.shape[-2:]) == 1:
        count = known.sum((-2, -1), keepdim=True).clamp(min=1)
        return torch.where(known, values, (values * known).sum((-2, -1), keepdim=True) / count)
    fraction = F.avg_pool2d(known.to(values.dtype), 2, ceil_mode=True)
    mean = F.avg_pool2d(values * known, 2, ceil_mode=True) / fraction.clamp(min=1e-6)
    coarse = fill(mean, fraction > 0)
    wide = F.interpolate(coarse, values.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(known, values, wide)
