"""Sparse depth of the frames of a video, triangulated with many others, all in the unit of one trajectory.

Every frame is paired with a few others, as far apart as it takes to see its points from two sides, in both directions.
The motion of a pair is the trajectory's, which several frames tie together, or, where that fits the correspondences
better, that of two views with the trajectory's length (Zhao et al., CVPR 2020, section 3.1, for neighbours only).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from vode.adaptation.options import StructureOptions
from vode.geometry import subpixel, two_view, warp
from vode.geometry.camera import pixel_grid, project, rays, transform
from vode.geometry.epipolar import essential_from_pose, fundamental_from_essential, sampson_distance
from vode.geometry.pose import inverse, relative
from vode.geometry.resize import image_size
from vode.geometry.triangulation import midpoint
from vode.odometry.frames import Frame
from vode.odometry.perception import Perception

DECIDING = 1000
"""correspondences, about, that the motion of a pair is decided on"""


class SparseDepth(NamedTuple):
    """Depth of some pixels of a frame."""

    pixels: Tensor
    """(M,) int64, numbers of pixels, row by row"""
    log_depth: Tensor
    """(M,) of depth in the unit of the trajectory"""
    deviation: Tensor
    """(M,) its standard deviation"""


class Estimates(NamedTuple):
    """Log depth of the points (N,) of a frame from one pair, and its variance, infinite where there is none."""

    log_depth: Tensor
    variance: Tensor


class Pair(NamedTuple):
    """Two frames, and what their motion tells of the depth of the drawn pixels of both."""

    a: int
    b: int
    of_a: Estimates
    of_b: Estimates


@torch.no_grad()
def triangulated_pairs(
    frame: Callable[[int], Frame],
    poses: Tensor,
    depth: Callable[[int], Tensor],
    perception: Perception,
    size: tuple[int, int],
    options: StructureOptions = StructureOptions(),
) -> Iterator[list[Pair]]:
    """The pairs of every frame with later ones, a frame at a time; depth is that of drawn pixels of images of ``size``.

    ``frame`` gives the images that flow is computed of, of any size, ``poses`` (N, 4, 4) are world-from-camera, NaN
    where unknown, and ``depth`` gives the (1, 1, H, W) of a frame in their unit, which chooses its partners only.
    """
    for a in range(len(poses)):
        first, found = frame(a), []
        for b in partners(a, poses, depth(a), first, options):
            second = frame(b)
            T_b_a = relative(poses[a], poses[b])
            both = _estimates(first, second, perception.flow(first, second), T_b_a, size, options)
            found.append(Pair(a, b, *both))
        yield found


def sparse_depth(
    pairs: Iterable[Pair], frames: int, size: tuple[int, int], options: StructureOptions = StructureOptions()
) -> list[SparseDepth]:
    """Sparse depth of every one of so many frames at pixels of images of ``size`` (height, width)."""
    found: list[list[Estimates]] = [[] for _ in range(frames)]
    for pair in pairs:
        found[pair.a].append(pair.of_a)
        found[pair.b].append(pair.of_b)
    return [fuse(each, draw_pixels(i, size, options.points), options) for i, each in enumerate(found)]


def partners(a: int, poses: Tensor, depth: Tensor, frame: Frame, options: StructureOptions) -> list[int]:
    """The later frames that a frame is paired with: the nearest that reach each of the parallaxes, if any do."""
    assert frame.intrinsics is not None
    chosen: list[int] = []
    for b in range(a + 1, min(a + options.most_apart + 1, len(poses))):
        T_b_a = relative(poses[a], poses[b])
        if not T_b_a.isfinite().all() or len(chosen) == len(options.parallax):
            break
        if median_parallax(depth, frame.intrinsics, T_b_a.to(depth)) >= options.parallax[len(chosen)]:
            chosen.append(b)
    return chosen


def median_parallax(depth: Tensor, intrinsics: Tensor, T_b_a: Tensor) -> float:
    """Median displacement in pixels by the translation alone, of pixels at depth (1, 1, H, W); T_b_a (4, 4)."""
    height, width = depth.shape[-2:]
    grid = pixel_grid(height, width, device=depth.device)[:, ::4, ::4].flatten(1).mT[None]
    points = rays(grid, intrinsics) * depth[:, 0, ::4, ::4].flatten(1).unsqueeze(-1)
    turned = T_b_a.clone()
    turned[:3, 3] = 0
    moved, far = (project(transform(T, points), intrinsics) for T in (T_b_a[None], turned[None]))
    seen = (moved[1] > 0) & (far[1] > 0) & points.isfinite().all(-1)
    return float((moved[0] - far[0]).norm(dim=-1)[seen].median()) if bool(seen.any()) else 0.0


def draw_pixels(index: int, size: tuple[int, int], count: int) -> Tensor:
    """Numbers of at most ``count`` pixels of an image of ``size``, those of one frame the same in all of its pairs."""
    generator = torch.Generator().manual_seed(index)
    return torch.randperm(size[0] * size[1], generator=generator)[:count].sort().values


def fuse(found: list[Estimates], pixels: Tensor, options: StructureOptions) -> SparseDepth:
    """The mean of the estimates of each point, weighted by precision; without those that the most precise contradicts.

    Points most of whose estimates contradict it, as those of moving objects do, are left out.
    """
    if not found:
        return SparseDepth(pixels[:0], torch.zeros(0), torch.zeros(0))
    log, variance = (torch.stack(x) for x in zip(*found, strict=True))
    known, best = variance.isfinite(), variance.argmin(0, keepdim=True)
    apart = (log - log.gather(0, best)).square()
    agree = known & (apart < 9 * (variance + variance.gather(0, best)))
    weight = torch.where(agree, 1 / variance, 0.0)
    total = weight.sum(0).clamp(min=1e-12)
    mean, deviation = (weight * log).sum(0) / total, total.rsqrt()
    keep = (2 * agree.sum(0) > known.sum(0)) & (deviation < options.accuracy)
    return SparseDepth(pixels[keep], mean[keep], deviation[keep])


class _Correspondences(NamedTuple):
    """Where drawn pixels of one frame are in the other: (1, N, 2), and which are usable, bool (1, N)."""

    points_a: Tensor
    points_b: Tensor
    usable: Tensor


def _estimates(
    a: Frame,
    b: Frame,
    flows: tuple[Tensor, Tensor],
    T_b_a: Tensor,
    size: tuple[int, int],
    options: StructureOptions,
) -> tuple[Estimates, Estimates]:
    """Log depths of the drawn pixels of both frames of a pair."""
    assert a.intrinsics is not None
    forward = _correspondences(a, b, flows, size, options)
    motion, typical = _better_motion(forward, a.intrinsics, T_b_a.to(a.intrinsics), options)
    backward = _correspondences(b, a, flows[::-1], size, options)
    noise, length = max(typical, options.noise) * 2**0.5, T_b_a[:3, 3].norm()
    both = ((forward, motion), (backward, inverse(motion)))
    one, other = (_triangulated(found, a, T, float(length), noise, options) for found, T in both)
    return one, other


def _correspondences(
    a: Frame, b: Frame, flows: tuple[Tensor, Tensor], size: tuple[int, int], options: StructureOptions
) -> _Correspondences:
    """The drawn pixels of a in b, by flow, refined on the images."""
    pixels = draw_pixels(a.index, size, options.points)
    points = torch.stack([pixels % size[1], pixels.div(size[1], rounding_mode="floor")], -1).to(a.image)
    scale = points.new_tensor([a.image.shape[-1] / size[1], a.image.shape[-2] / size[0]])
    points_a = ((points + 0.5) * scale - 0.5)[None]
    start = points_a.mT.unsqueeze(-1)
    flow = warp.sample(flows[0], start)
    target = start + flow
    there = warp.consistent(flow, flow + warp.sample(flows[1], target)) > 0
    usable = (there & warp.inside(target, image_size(a.image)))[:, 0, :, 0]
    points_b = target[..., 0].mT
    if options.subpixel:
        points_b, confirmed = subpixel.refine(a.image, b.image, points_a, points_b)
        usable = usable & confirmed
    return _Correspondences(points_a, points_b, usable)


def _triangulated(
    found: _Correspondences, frame: Frame, T_b_a: Tensor, length: float, noise: float, options: StructureOptions
) -> Estimates:
    """Log depth of correspondences by a motion (1, 4, 4) of unit length, which is ``length``."""
    assert frame.intrinsics is not None
    K = frame.intrinsics
    point = midpoint(found.points_a, found.points_b, K, T_b_a, size=image_size(frame.image))
    parallax = point.parallax * (K[:, 0, 0] * K[:, 1, 1]).sqrt()
    distance = _distance(found, K, T_b_a)
    good = found.usable & point.valid & (distance < options.threshold) & (parallax > options.least_parallax)
    variance = torch.where(good, (noise / parallax.clamp(min=1e-6)).square(), float("inf"))
    log = torch.where(good, point.depth_a.clamp(min=1e-9).log() + math.log(max(length, 1e-12)), 0.0)
    return Estimates(log[0].cpu(), variance[0].cpu())


def _better_motion(
    found: _Correspondences, K: Tensor, T_b_a: Tensor, options: StructureOptions
) -> tuple[Tensor, float]:
    """The motion of the trajectory or of two views (1, 4, 4), of unit length, and its median Sampson distance."""
    known = T_b_a.clone()[None]
    known[:, :3, 3] /= known[:, :3, 3].norm().clamp(min=1e-12)
    drawn = found.usable[0].nonzero()[:: max(int(found.usable.sum()) // DECIDING, 1), 0]
    few = _Correspondences(*(each[:, drawn] for each in found))
    if not len(drawn):
        return known, 0.0
    pair = two_view.relative_pose(few.points_a, few.points_b, K, threshold=options.threshold)
    typical, other = (float(_distance(few, K, motion).median()) for motion in (known, pair.T_b_a))
    if bool(pair.reliable) and other < options.better * typical:
        return pair.T_b_a, other
    return known, typical


def _distance(found: _Correspondences, K: Tensor, T_b_a: Tensor) -> Tensor:
    """Sampson distances (1, N) from the epipolar lines of a motion."""
    fundamental = fundamental_from_essential(essential_from_pose(T_b_a), K)
    return sampson_distance(fundamental, found.points_a, found.points_b)
