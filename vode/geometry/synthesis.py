"""New views: what an image shows to a camera that is turned, and moved where the depth is known, from its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import pixel_grid, project, rays, transform
from vode.geometry.pose import inverse
from vode.geometry.warp import inside, sample

NEAREST = 0.05
"""metres: nearer points are not drawn"""


def new_view(
    images: Tensor,
    depth: Tensor | None,
    intrinsics: Tensor,
    T_old_new: Tensor,
    new_intrinsics: Tensor,
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Images (B, 3, H, W) as a camera at T_old_new (B, 4, 4) sees them.

    Returns the views (B, 3, h, w) and bool (B, 1, h, w), where they show something.
    ``intrinsics`` and ``new_intrinsics`` (B, 3, 3) are those of the images and of the views of ``size`` (h, w).
    With ``depth`` (B, 1, H, W), 0 = unknown, its points are drawn into a depth buffer, whose holes are filled from
    around them, and each new pixel takes its colour from where its point was. Without depth the camera is only
    turned: T_old_new's translation is left aside, and the view is exact. Pixels that the old camera does not see are 0,
    as are all where no depth is known.
    """
    directions = rays(pixel_grid(*size, device=images.device).flatten(1).mT, new_intrinsics)
    if depth is None:
        points = directions @ T_old_new[:, :3, :3].mT
    else:
        buffer = depth_buffer(depth, intrinsics, T_old_new, new_intrinsics, size)
        points = transform(T_old_new, directions * buffer.flatten(1)[..., None])
    pixels, z = project(points, intrinsics, min_depth=NEAREST)
    pixels = pixels.mT.unflatten(-1, size)
    # half a pixel beyond the outermost centres is still image
    seen = inside(pixels, images.shape[-2:], margin=0.5) & (z > NEAREST).view(-1, 1, *size)
    if depth is not None:
        # an empty buffer puts every point at the new camera itself, which the old one may see
        seen = seen & (buffer > 0)
    return torch.where(seen, sample(images, pixels), 0.0), seen


def depth_buffer(
    depth: Tensor, intrinsics: Tensor, T_old_new: Tensor, new_intrinsics: Tensor, size: tuple[int, int]
) -> Tensor:
    """Depth (B, 1, h, w) from the camera at T_old_new of what ``depth`` (B, 1, H, W) shows, nearest in front."""
    height, width = size
    grid = pixel_grid(*depth.shape[-2:], device=depth.device).flatten(1).mT
    filled = fill(depth, depth > 0).flatten(1)
    points = rays(grid, intrinsics) * filled[..., None]
    pixels, z = project(transform(inverse(T_old_new), points), new_intrinsics, min_depth=NEAREST)
    column, row = pixels.floor().unbind(-1)
    far = torch.finfo(z.dtype).max
    buffer = z.new_full((len(z), height * width), far)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        x, y = column + right, row + down
        drawn = (x >= 0) & (x < width) & (y >= 0) & (y < height) & (z > NEAREST) & (filled > 0)
        index = torch.where(drawn, y * width + x, 0.0).long()
        buffer = buffer.scatter_reduce(1, index, torch.where(drawn, z, far), "amin")
    buffer = buffer.view(-1, 1, height, width)
    known = buffer < far
    return fill(torch.where(known, buffer, 0.0), known)


def fill(values: Tensor, known: Tensor) -> Tensor:
    """Values (B, 1, H, W), those that are not ``known`` from the means of ever larger blocks around them."""
    if min(values.shape[-2:]) == 1:
        count = known.sum((-2, -1), keepdim=True).clamp(min=1)
        return torch.where(known, values, (values * known).sum((-2, -1), keepdim=True) / count)
    share = F.avg_pool2d(known.to(values.dtype), 2, ceil_mode=True)
    mean = F.avg_pool2d(values * known, 2, ceil_mode=True) / share.clamp(min=1e-6)
    coarse = fill(mean, share > 0)
    wide = F.interpolate(coarse, values.shape[-2:], mode="bilinear", align_corners=False)
    return torch.where(known, values, wide)
