"""Two-view geometry of a batch: motion and triangulated depth from flow, without gradient."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry import matches, warp
from vode.geometry.epipolar import epipolar_distance
from vode.geometry.matches import Matches
from vode.geometry.resize import image_size
from vode.odometry.two_frame import flow_matches, motion_from_fundamental, motion_from_matches, triangulate
from vode.training.options import MotionOptions


class Motion(NamedTuple):
    """Two-view motion of a batch and its triangulated points; no gradient."""

    T_b_a: Tensor
    """(B, 4, 4), unit baseline"""
    fundamental: Tensor
    """(B, 3, 3)"""
    reliable: Tensor
    """(B,), 0 or 1: whether the motion can be relied on"""
    mask: Tensor
    """M_o (B, 1, H, W): visible in both images"""
    score: Tensor
    """M_s (B, 1, H, W): forward-backward score"""
    rigid: Tensor
    """M_r (B, 1, H, W): inlier score with respect to the epipolar geometry"""
    points_a: Tensor
    points_b: Tensor
    """(B, N, 2) pixels"""
    depth_a: Tensor
    depth_b: Tensor
    """(B, N), in baselines"""
    valid: Tensor
    """(B, N), 0 or 1"""


@torch.no_grad()
def motion_from_flow(flow_ab: Tensor, flow_ba: Tensor, intrinsics: Tensor, options: MotionOptions) -> Motion:
    """Correspondences, two-view motion and triangulation from flows (B, 2, H, W): Zhao et al., section 3.1."""
    flow_ab, flow_ba, intrinsics = flow_ab.float(), flow_ba.float(), intrinsics.float()
    scores, found = flow_matches(flow_ab, flow_ba, options)
    T_b_a, fundamental, known = _solved(found, intrinsics, options)
    target = warp.flow_target(flow_ab)
    grid = target - flow_ab
    distance = epipolar_distance(fundamental, grid.flatten(2).mT, target.flatten(2).mT)
    distance = distance.view_as(scores.mask)
    rigid = (distance < options.inlier) / (1 + distance)
    best = matches.best_matches(flow_ab, scores.score * rigid, fraction=options.fraction, count=options.count)
    points = triangulate(best, T_b_a, intrinsics, image_size(flow_ab))
    apart = points.parallax * intrinsics[:, :1, 0] > options.min_parallax
    reliable = known.to(flow_ab.dtype)
    valid = points.valid * apart * (best.scores > 0) * reliable[:, None]
    return Motion(
        T_b_a,
        fundamental,
        reliable,
        scores.mask,
        scores.score,
        rigid * reliable.view(-1, 1, 1, 1),
        best.points_a,
        best.points_b,
        points.depth_a,
        points.depth_b,
        valid.to(flow_ab.dtype),
    )


def _solved(found: Matches, intrinsics: Tensor, options: MotionOptions) -> tuple[Tensor, Tensor, Tensor]:
    """T_b_a (B, 4, 4), fundamental matrix (B, 3, 3) and whether they can be relied on (B,)."""
    if options.solver == "fundamental":
        return motion_from_fundamental(found, intrinsics, options)
    _, pair = motion_from_matches(found, intrinsics, options)
    return pair.T_b_a, pair.fundamental, pair.reliable


def at_points(depth: Tensor, points: Tensor) -> Tensor:
    """Bilinear values of depth (B, 1, H, W) at pixels (B, N, 2): (B, N)."""
    return warp.sample(depth, points.mT.unsqueeze(-1))[:, 0, :, 0]
