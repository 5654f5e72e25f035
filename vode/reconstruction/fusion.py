"""A cloud of points from the depth of keyframes: what several of them agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import project, transform, unproject
from vode.geometry.pose import relative
from vode.reconstruction.options import FusionOptions
from vode.reconstruction.voxels import VoxelGrid

KEPT = 16
"""keyframes whose depth is kept while others are compared with them"""


class DepthView(NamedTuple):
    """A keyframe as fusion takes it."""

    depth: Tensor
    """(H, W) float32, 0 = unknown"""
    image: np.ndarray
    """RGB (H, W, 3) uint8"""


def fuse(
    load: Callable[[int], DepthView],
    T_world_cam: Tensor,
    intrinsics: Tensor,
    options: FusionOptions = FusionOptions(),
    on_progress: Callable[[int], None] = lambda done: None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """The cloud of keyframes with poses (V, 4, 4) float64 and intrinsics (3, 3) of their depth maps.

    ``load`` gives a keyframe by its row. Points (N, 3) float32, RGB (N, 3) uint8 and the side of the cells. A depth is
    kept where it lies at no edge, and where at least ``options.agreeing`` neighbours show the same, and more of them
    than look through it: what moves, and what the network makes up in one view, does not pass.
    """
    count = len(T_world_cam)
    view = lru_cache(KEPT)(load)
    medians = [_median(view(i).depth) for i in range(0, count, max(count // KEPT, 1))]
    grid = VoxelGrid(options.voxel * float(np.median(medians)) if medians else 1.0, options.most_points)
    for i in range(count):
        others = [i + step for step in options.neighbours if 0 <= i + step < count]
        image, depth = view(i).image, view(i).depth
        kept = consistent(
            depth, [(view(j).depth, relative(T_world_cam[j], T_world_cam[i])) for j in others], intrinsics, options
        )
        points = unproject(depth[None, None].double(), intrinsics[None].double())[0].movedim(0, -1)[kept]
        grid.add(transform(T_world_cam[i], points).numpy(), image[kept.numpy()])
        on_progress(i + 1)
    return (*grid.cloud()[:2], grid.voxel)


def consistent(
    depth: Tensor, others: Sequence[tuple[Tensor, Tensor]], intrinsics: Tensor, options: FusionOptions
) -> Tensor:
    """Which depths (H, W) the others, each (H, W) with its T_other_this (4, 4), agree with: bool (H, W)."""
    usable = (depth > 0) & ~at_edge(depth, options.edge) & (depth < options.farthest * _median(depth))
    if not others:
        return usable
    points = unproject(depth[None, None], intrinsics[None].float())[0].flatten(1).mT
    agree, through = torch.zeros(2, depth.numel(), dtype=torch.int64)
    size = depth.new_tensor([depth.shape[1] - 1, depth.shape[0] - 1])
    for other, T_other_this in others:
        pixels, z = project(transform(T_other_this.float(), points), intrinsics.float())
        inside = ((pixels >= 0) & (pixels <= size)).all(-1) & (z > 0)
        grid = (2 * pixels / size - 1)[None, None]
        found = F.grid_sample(other[None, None], grid, mode="nearest", align_corners=True)[0, 0, 0]
        known = inside & (found > 0)
        ratio = found / z.clamp(min=1e-6)
        agree += known & ((ratio - 1).abs() < options.agreement)
        through += known & (ratio > 1 + 2 * options.agreement)
    needed = min(options.agreeing, len(others))
    return usable & ((agree >= needed) & (agree > through)).view_as(depth)


def at_edge(depth: Tensor, ratio: float) -> Tensor:
    """Pixels (H, W) whose 3x3 neighbourhood of depth spans more than ``ratio``."""
    largest = F.max_pool2d(depth[None], 3, stride=1, padding=1)[0]
    smallest = -F.max_pool2d(-depth[None], 3, stride=1, padding=1)[0]
    return largest > ratio * smallest


def _median(depth: Tensor) -> float:
    known = depth[depth > 0]
    return float(known.median()) if len(known) else 1.0
