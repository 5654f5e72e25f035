"""Views of a mapped scene: cropped from its images, or composed from several for a camera at another pose."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.augmentation.photometric import vary_colour
from vode.geometry.camera import crop_intrinsics, project, rays, resize_intrinsics, transform
from vode.geometry.pose import inverse
from vode.geometry.synthesis import fill, new_view

PROBES = 6
"""points per side of the grid on which the coverage of a view is measured"""


def cut_view(sample: dict[str, Tensor], size: tuple[int, int], *, half: bool = False) -> dict[str, Tensor]:
    """The views of a batch of float samples of PosedImages, with colour augmentation, on their device.

    Returns images (B, 3, h, w), T_scene_cam (B, 4, 4) and intrinsics (B, 3, 3) of the views, at half the resolution if
    ``half``; pixels that no image shows are filled from their surroundings. Also points (B, P, 3) and seen (B, P) of
    the whole first images, if the samples have them.
    """
    if half:
        sample, size = _halved(sample), (size[0] // 2, size[1] // 2)
    intrinsics, (top, left) = sample["intrinsics"], sample["corner"].unbind(-1)
    view_intrinsics = crop_intrinsics(intrinsics, top, left)
    if "T_scene_view" in sample:
        T_scene_cam = sample["T_scene_view"]
        images = _put_together(sample, T_scene_cam, view_intrinsics, size)
    else:
        T_scene_cam = sample["poses"][:, 0]
        images = _windows(sample["images"][:, 0], top, left, size)
    if "view_colour" in sample:
        images = vary_colour(images[:, None], sample["view_colour"])[:, 0]
    view = {"images": images, "T_scene_cam": T_scene_cam, "intrinsics": view_intrinsics}
    # points of the whole image: within a narrow window, a rotation and a sideways motion look alike
    return view | {name: sample[name] for name in ("points", "seen") if name in sample}


class Viewpoint(NamedTuple):
    """A camera somewhere in the scene, or several of one kind."""

    T_scene_cam: Tensor
    """(4, 4), or (N, 4, 4)"""
    intrinsics: Tensor
    """(3, 3)"""
    size: tuple[int, int]
    """height and width of its images"""


def choose_sources(images: Viewpoint, view: Viewpoint, *, depth: float, count: int) -> list[int]:
    """Which of the N ``images`` together cover best what the camera at ``view`` sees.

    Judged by points at a depth of ``depth`` metres: points that a chosen image covers count half for the next one,
    and an image as far from the view as those points counts half. Returns ``count`` indices,
    best first, repeated if there are fewer images.
    """
    places = torch.cartesian_prod(*(torch.linspace(0, side - 1, PROBES) for side in view.size[::-1]))
    points = transform(view.T_scene_cam, rays(places, view.intrinsics) * depth)
    pixels, z = project(transform(inverse(images.T_scene_cam), points), images.intrinsics)
    shown = (((pixels >= 0) & (pixels <= torch.tensor(images.size[::-1]) - 1)).all(-1) & (z > 0)).float()
    away = (images.T_scene_cam[:, :3, 3] - view.T_scene_cam[:3, 3]).norm(dim=-1)
    near, weights, chosen = 1 / (1 + away / depth), torch.ones(len(points)), []
    for _ in range(count):
        chosen.append(int(((shown @ weights) * near).argmax()))
        weights = weights * (1 - shown[chosen[-1]] / 2)
        near[chosen[-1]] = -1.0
    return chosen


def _halved(sample: dict[str, Tensor]) -> dict[str, Tensor]:
    height, width = (side // 2 for side in sample["images"].shape[-2:])
    halved = {
        "images": F.avg_pool2d(sample["images"].flatten(0, 1), 2).unflatten(0, sample["images"].shape[:2]),
        "intrinsics": resize_intrinsics(sample["intrinsics"], (2, 2), (1, 1)),
        "corner": sample["corner"] // 2,
    }
    if "depth" in sample:
        halved["depth"] = sample["depth"][..., : 2 * height : 2, : 2 * width : 2]
    return sample | halved


def _put_together(sample: dict[str, Tensor], T_scene_view: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> Tensor:
    """What cameras at T_scene_view (B, 4, 4) see: each pixel from the first source that shows it."""
    images, poses = sample["images"], sample["poses"]
    views = images.new_zeros(len(images), 3, *size)
    known = torch.zeros(len(images), 1, *size, dtype=torch.bool, device=images.device)
    for source in range(images.shape[1]):
        depth = sample["depth"][:, source] if "depth" in sample else None
        T_source_view = inverse(poses[:, source]) @ T_scene_view
        view, seen = new_view(images[:, source], depth, sample["intrinsics"], T_source_view, intrinsics, size)
        views, known = torch.where(known, views, view), known | seen
    # a constant border would reveal by how much a view was rotated
    return fill(views, known)


def _windows(images: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """The windows of ``size`` of images (B, C, H, W), with top-left corners at ``top`` and ``left`` (B,)."""
    rows = top[:, None] + torch.arange(size[0], device=images.device)
    columns = left[:, None] + torch.arange(size[1], device=images.device)
    picked = images.gather(2, rows[:, None, :, None].expand(-1, images.shape[1], -1, images.shape[3]))
    return picked.gather(3, columns[:, None, None, :].expand(-1, images.shape[1], size[0], -1))
