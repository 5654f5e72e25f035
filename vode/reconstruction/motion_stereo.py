"""Depth by the motion between two posed images: dense flow, begun at what a prior depth predicts, and triangulated."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry import warp
from vode.geometry.camera import pixel_grid, project, rays, transform
from vode.geometry.inverse_search import inverse_search
from vode.geometry.pose import inverse
from vode.reconstruction.options import StereoOptions

NEARBY = 9
"""pixels: side of the square that texture is judged in, as wide as the patches of flow"""


class StereoView(NamedTuple):
    """An image with a prior of its depth."""

    image: Tensor
    """(1, 3, H, W) in 0..1"""
    depth: Tensor
    """(H, W), 0 = unknown"""


class Measured(NamedTuple):
    """Triangulated depth of an image."""

    log_depth: Tensor
    """(H, W)"""
    weight: Tensor
    """(H, W) one over the variance of ``log_depth``; 0 = not known"""


def motion_stereo(
    a: StereoView, b: StereoView, T_b_a: Tensor, intrinsics: Tensor, options: StereoOptions = StereoOptions()
) -> tuple[Measured, Measured]:
    """Depth of a and of b by the flow between them, with intrinsics (3, 3) of both.

    Flow counts where it and the one back agree, and where it keeps to the epipolar line: things that move leave it.
    """
    K, T_b_a = intrinsics.float(), T_b_a.float()
    T_a_b = inverse(T_b_a)
    ab = inverse_search(a.image, b.image, rigid_flow(a.depth, T_b_a, K))
    ba = inverse_search(b.image, a.image, rigid_flow(b.depth, T_a_b, K))
    found = _triangulated(ab, ba, T_b_a, K, options), _triangulated(ba, ab, T_a_b, K, options)
    return _where_textured(found[0], a.image, options), _where_textured(found[1], b.image, options)


def texture(image: Tensor) -> Tensor:
    """Root mean square (H, W) of the steps between neighbouring pixels of an image (1, 3, H, W), nearby."""
    grey = F.pad(image.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    x, y = grey[..., 1:-1, 2:] - grey[..., 1:-1, :-2], grey[..., 2:, 1:-1] - grey[..., :-2, 1:-1]
    squares = ((x.square() + y.square()) / 4)[0]
    return F.avg_pool2d(squares, NEARBY, 1, NEARBY // 2, count_include_pad=False)[0].sqrt()


def _where_textured(found: Measured, image: Tensor, o: StereoOptions) -> Measured:
    """Only what an image shows structure at: elsewhere flow stays what the prior made it."""
    return found._replace(weight=found.weight * (texture(image) > o.texture))


def rigid_flow(depth: Tensor, T_b_a: Tensor, intrinsics: Tensor) -> Tensor:
    """Flow (1, 2, H, W) in pixels of a static scene of this depth (H, W); where it is unknown, that of its median."""
    known = depth[depth > 0]
    filled = torch.where(depth > 0, depth, known.median() if len(known) else 1.0)
    grid = pixel_grid(*depth.shape)
    pixels = grid.flatten(1).mT
    points = rays(pixels, intrinsics) * filled.flatten()[:, None]
    target, z = project(transform(T_b_a, points), intrinsics)
    flow = torch.where((z > 0)[:, None], target - pixels, 0.0)
    return flow.mT.view(1, 2, *depth.shape)


def _triangulated(flow: Tensor, back: Tensor, T_b_a: Tensor, K: Tensor, o: StereoOptions) -> Measured:
    """Depth along the ray of each pixel with the least distance to where the flow leads."""
    height, width = flow.shape[-2:]
    focal, centre = K.diagonal()[:2], K[:2, 2]
    pixels = pixel_grid(height, width).flatten(1).mT
    target = pixels + flow[0].flatten(1).mT
    wanted = (target - centre) / focal
    turned = rays(pixels, K) @ T_b_a[:3, :3].mT
    t = T_b_a[:3, 3]
    # (turned z + t) projects to wanted: two equations that are linear in z
    left = turned[:, :2] - wanted * turned[:, 2:]
    right = wanted * t[2] - t[:2]
    z = (left * right).sum(-1) / left.square().sum(-1).clamp(min=1e-12)
    beyond = (turned[:, 2] * z + t[2]).clamp(min=1e-6)
    there = (turned[:, :2] * z[:, None] + t[:2]) / beyond[:, None]
    error = ((there - wanted) * focal).norm(dim=-1)
    # pixels that the target moves by as the logarithm of the depth grows
    slope = (z[:, None] * (turned[:, :2] - there * turned[:, 2:]) / beyond[:, None] * focal).norm(dim=-1)
    deviation = (o.noise / slope.clamp(min=1e-9)).square() + o.least_deviation**2
    agree = warp.consistent(flow, warp.round_trip(flow, back), pixels=o.round_trip, fraction=0.0).flatten() > 0
    inside = ((target >= 0) & (target <= target.new_tensor([width - 1, height - 1]))).all(-1)
    ahead = (z > 1e-6) & (turned[:, 2] * z + t[2] > 1e-6)
    good = agree & inside & ahead & (error < o.epipolar) & (deviation < o.deviation**2)
    log_depth = z.clamp(min=1e-6).log()
    weight = torch.where(good, 1 / deviation, 0.0)
    return Measured(log_depth.view(height, width), weight.view(height, width))


def combined(prior: Tensor, found: list[Measured], o: StereoOptions = StereoOptions()) -> Tensor:
    """Depth (H, W) of a prior (H, W) and what several pairs measured; 0 = unknown, and where they contradict the prior.

    What contradicts it is a mismatch, or a thing that moves along its epipolar line. What no pair measured counts up to
    the median depth only: beyond it may be the sky.
    """
    usable = prior > 0
    log_prior = torch.where(usable, prior, 1.0).log()
    total, weight = log_prior / o.prior**2, torch.full_like(prior, 1 / o.prior**2)
    contradicts, measured = torch.zeros_like(usable), torch.zeros_like(usable)
    for each in found:
        near = (each.weight > 0) & ((each.log_depth - log_prior).abs() < o.contradiction)
        contradicts |= (each.weight > 0) & ~near
        measured |= near
        total = total + torch.where(near, each.weight * each.log_depth, 0.0)
        weight = weight + torch.where(near, each.weight, 0.0)
    if bool(usable.any()):
        usable &= measured | (log_prior <= log_prior[usable].median())
    return torch.where(usable & ~contradicts, (total / weight).exp(), 0.0)
