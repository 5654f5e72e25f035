"""A cloud of points from keyframes: depth measured by their motion on top of a prior, where several agree on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import project, rays, transform, unproject
from vode.geometry.pose import inverse, relative
from vode.reconstruction.depth_fit import fit_depth
from vode.reconstruction.motion_stereo import Measured, StereoView, combined, motion_stereo
from vode.reconstruction.options import FusionOptions
from vode.reconstruction.voxels import VoxelGrid

KEPT = 16
"""keyframes whose depth is kept while others are compared with them"""
FITTED = 4000
"""measured depths of a keyframe that its prior is fitted to"""


class DepthView(NamedTuple):
    """A keyframe as fusion takes it."""

    depth: Tensor
    """(H, W) float32, 0 = unknown"""
    image: np.ndarray
    """RGB (H, W, 3) uint8"""


class Keyframes:
    """The depth of keyframes with poses (V, 4, 4) float64: that of a prior, corrected by what their motion tells.

    ``load`` gives a keyframe by its row, of which the last that were used are kept; intrinsics (3, 3) of the depth.
    """

    def __init__(
        self, load: Callable[[int], DepthView], T_world_cam: Tensor, intrinsics: Tensor, options: FusionOptions
    ) -> None:
        self.poses, self.intrinsics, self.options = T_world_cam, intrinsics, options
        self.view = lru_cache(KEPT)(load)
        self.depth = lru_cache(KEPT)(self._depth)
        self._pair = lru_cache(2 * KEPT)(self._measured)

    def __len__(self) -> int:
        return len(self.poses)

    def others(self, row: int, steps: Sequence[int]) -> list[int]:
        """The rows that are so many steps away, as far as there are some."""
        return [row + step for step in steps if 0 <= row + step < len(self)]

    def _depth(self, row: int) -> Tensor:
        """Depth (H, W) of a keyframe, 0 = unknown."""
        prior, stereo = self.view(row).depth, self.options.stereo
        pairs = [(self._pair(min(row, j), max(row, j)), row > j) for j in self.others(row, self.options.pairs)]
        found = [both[second] for both, second in pairs]
        if not found:
            return prior
        return combined(fitted(prior, found), found, stereo)

    def _measured(self, first: int, second: int) -> tuple[Measured, Measured]:
        a, b = (StereoView(_float(self.view(k).image), self.view(k).depth) for k in (first, second))
        return motion_stereo(
            a, b, relative(self.poses[first], self.poses[second]), self.intrinsics, self.options.stereo
        )


def fuse(
    keyframes: Keyframes, on_progress: Callable[[int], None] = lambda done: None
) -> tuple[np.ndarray, np.ndarray, float]:
    """The cloud of keyframes: points (N, 3) float32, RGB (N, 3) uint8, and the side of the cells they are means of.

    A depth is kept where it lies at no edge, and where enough neighbours show the same, and more of them than look
    through it: what moves, and what is made up in one view, does not pass.
    """
    options, count = keyframes.options, len(keyframes)
    medians = [_median(keyframes.view(i).depth) for i in range(0, count, max(count // KEPT, 1))]
    grid = VoxelGrid(options.voxel * float(np.median(medians)) if medians else 1.0, options.most_points)
    for i in range(count):
        others = [
            (keyframes.depth(j), relative(keyframes.poses[i], keyframes.poses[j]))
            for j in keyframes.others(i, options.neighbours)
        ]
        depth = agreed(keyframes.depth(i), others, keyframes.intrinsics, options)
        kept = depth > 0
        points = unproject(depth[None, None].double(), keyframes.intrinsics[None].double())[0].movedim(0, -1)[kept]
        grid.add(transform(keyframes.poses[i], points).numpy(), keyframes.view(i).image[kept.numpy()])
        on_progress(i + 1)
    return (*grid.cloud()[:2], grid.voxel)


def fitted(prior: Tensor, found: Sequence[Measured]) -> Tensor:
    """A prior depth (H, W), its smooth errors corrected by what was measured."""
    weight = torch.stack([each.weight for each in found])
    best, index = weight.max(0)
    log_depth = torch.stack([each.log_depth for each in found]).gather(0, index[None])[0]
    row, column = (best > 0).nonzero(as_tuple=True)
    some = torch.linspace(0, max(len(row) - 1, 0), min(len(row), FITTED)).long()
    row, column = row[some], column[some]
    return fit_depth(prior, torch.stack([column, row], -1).double(), log_depth[row, column].exp())


def agreed(depth: Tensor, others: Sequence[tuple[Tensor, Tensor]], intrinsics: Tensor, o: FusionOptions) -> Tensor:
    """Depth (H, W) where the others, each (H, W) with its T_other_this (4, 4), agree: the mean of all; else 0."""
    usable = (depth > 0) & ~at_edge(depth, o.edge) & (depth < o.farthest * _median(depth))
    if not others:
        return torch.where(usable, depth, 0.0)
    points = unproject(depth[None, None], intrinsics[None].float())[0].flatten(1).mT
    agree, through = torch.zeros(2, depth.numel(), dtype=torch.int64)
    total, K = depth.flatten().clamp(min=1e-9).log(), intrinsics.float()
    size = depth.new_tensor([depth.shape[1] - 1, depth.shape[0] - 1])
    for other, T_other_this in others:
        T = T_other_this.float()
        pixels, z = project(transform(T, points), K)
        inside = ((pixels >= 0) & (pixels <= size)).all(-1) & (z > 0)
        near = pixels.round().clamp(min=torch.zeros(2), max=size)
        found = other[near[:, 1].long(), near[:, 0].long()]
        known = inside & (found > 0)
        ratio = found / z.clamp(min=1e-6)
        same = known & ((ratio - 1).abs() < o.agreement)
        # what the other sees there, as a depth in this view
        back = transform(inverse(T), rays(pixels, K) * found[:, None])[:, 2]
        total = total + torch.where(same, back.clamp(min=1e-9).log(), 0.0)
        agree += same
        through += known & (ratio > 1 + 2 * o.agreement)
    kept = usable.flatten() & (agree >= min(o.agreeing, len(others))) & (agree > through)
    return torch.where(kept, (total / (1 + agree)).exp(), 0.0).view_as(depth)


def at_edge(depth: Tensor, ratio: float) -> Tensor:
    """Pixels (H, W) whose 3x3 neighbourhood of depth spans more than ``ratio``, where it is known."""
    largest = F.max_pool2d(depth[None], 3, stride=1, padding=1)[0]
    known = torch.where(depth > 0, depth, torch.inf)
    smallest = -F.max_pool2d(-known[None], 3, stride=1, padding=1)[0]
    return largest > ratio * smallest


def _float(image: np.ndarray) -> Tensor:
    return torch.from_numpy(image).movedim(-1, 0)[None].float() / 255


def _median(depth: Tensor) -> float:
    known = depth[depth > 0]
    return float(known.median()) if len(known) else 1.0
