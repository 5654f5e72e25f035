"""Bundle adjustment of a few frames: poses and the depths of points, refined together.

Gauss-Newton on reprojections with a robust cost and on measured motions between neighbours; the points are eliminated
first (Triggs, McLauchlan, Hartley, Fitzgibbon, Bundle Adjustment - A Modern Synthesis, 2000, section 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import project, rays
from vode.geometry.epipolar import skew
from vode.geometry.pose import inverse, se3_exp, se3_log
from vode.odometry.options import BundleAdjustmentOptions

NEAREST = 1e-3
"""least depth, in its unit, at which a point is projected"""


@dataclass(frozen=True)
class Problem:
    """K frames of one camera that see M points."""

    T_cam_world: Tensor
    """(K, 4, 4) poses"""
    pixels: Tensor
    """(K, M, 2): where each frame sees each point"""
    seen: Tensor
    """bool (K, M): whether it does"""
    anchor: Tensor
    """int64 (M,): the frame on whose ray the point lies"""
    inverse_depth: Tensor
    """(M,) in the anchor frame"""
    motions: Tensor
    """(K - 1, 4, 4): measured T_b_a of neighbours"""
    deviations: Tensor
    """(K - 1,): standard deviation of their translations, in their unit"""


def bundle_adjust(problem: Problem, intrinsics: Tensor, options: BundleAdjustmentOptions, *, fixed: int) -> Problem:
    """The problem with refined poses (all but the first ``fixed``) and inverse depths; intrinsics (3, 3)."""
    best, cost = problem, None
    for _ in range(options.iterations):
        step_poses, step_points, now = _step(problem, intrinsics, options, fixed)
        if cost is not None and not bool(now < cost):
            return best
        best, cost = problem, now
        inverse_depth = (problem.inverse_depth * step_points.clamp(-1, 1).exp()).clamp(1e-6, 1e3)
        T_cam_world = se3_exp(step_poses) @ problem.T_cam_world
        problem = replace(problem, T_cam_world=T_cam_world, inverse_depth=inverse_depth)
    *_, now = _step(problem, intrinsics, options, fixed)
    return problem if cost is None or bool(now < cost) else best


def _step(
    problem: Problem, intrinsics: Tensor, options: BundleAdjustmentOptions, fixed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gauss-Newton steps of the poses (K, 6) and of the log inverse depths (M,), and the cost before."""
    count = len(problem.T_cam_world)
    points = torch.arange(len(problem.anchor), device=problem.anchor.device)
    at_anchor = problem.pixels[problem.anchor, points]
    local = rays(at_anchor[None], intrinsics[None])[0] / problem.inverse_depth[:, None]
    T_frame_anchor = problem.T_cam_world[:, None] @ inverse(problem.T_cam_world)[problem.anchor][None]
    turn = T_frame_anchor[..., :3, :3]
    moved = (turn @ local[None, :, :, None])[..., 0] + T_frame_anchor[..., :3, 3]
    z = moved[..., 2].clamp(min=NEAREST)
    pixels, _ = project(moved, intrinsics[None])
    elsewhere = problem.anchor[None] != torch.arange(count, device=points.device)[:, None]
    used = problem.seen & elsewhere & (moved[..., 2] > NEAREST)
    error = torch.where(used[..., None], (pixels - problem.pixels) / options.noise, 0.0)
    weight = used / (1 + error.square().sum(-1))
    cost = torch.where(used, (1 + error.square().sum(-1)).log(), 0.0).sum()

    focal = intrinsics.diagonal()[:2] / options.noise
    slope = torch.zeros(*z.shape, 2, 3, dtype=z.dtype, device=z.device)
    slope[..., 0, 0], slope[..., 1, 1] = focal[0] / z, focal[1] / z
    slope[..., 0, 2], slope[..., 1, 2] = -focal[0] * moved[..., 0] / z**2, -focal[1] * moved[..., 1] / z**2
    here, there = slope @ _motion(moved), -slope @ turn @ _motion(local)
    along = (slope @ (turn @ -local[None, :, :, None]))[..., 0]
    jacobian = _columns(here, there, problem.anchor)
    H_mm, b_m, cost_m = _measured(problem, options)

    free = slice(6 * fixed, None)
    jacobian = jacobian[..., free]
    weighted = jacobian * weight[..., None, None]
    H_pp = torch.einsum("kmri,kmrj->ij", weighted, jacobian) + H_mm[free, free]
    H_pl = torch.einsum("kmri,kmr->im", weighted, along)
    H_ll = (weight * along.square().sum(-1)).sum(0) + 1e-6
    b_p = torch.einsum("kmri,kmr->i", weighted, error) + b_m[free]
    b_l = (weight * (along * error).sum(-1)).sum(0)
    reduced = H_pp - (H_pl / H_ll) @ H_pl.T
    reduced = reduced + 1e-9 * reduced.diagonal().mean() * torch.eye(len(reduced), dtype=z.dtype, device=z.device)
    step = -torch.linalg.solve_ex(reduced, b_p - H_pl @ (b_l / H_ll))[0]
    step_points = -(b_l + H_pl.T @ step) / H_ll
    steps = torch.cat([step.new_zeros(fixed, 6), step.view(-1, 6)])
    return steps, step_points, cost + cost_m


def _measured(problem: Problem, options: BundleAdjustmentOptions) -> tuple[Tensor, Tensor, Tensor]:
    """Normal matrix (6 K, 6 K), gradient and cost of the measured motions between neighbours."""
    T_b_a = problem.T_cam_world[1:] @ inverse(problem.T_cam_world[:-1])
    deviation = torch.cat([problem.deviations[:, None].expand(-1, 3), T_b_a.new_full((len(T_b_a), 3), options.turn)], 1)
    error = se3_log(T_b_a @ inverse(problem.motions)) / deviation
    rotation = T_b_a[:, :3, :3]
    top = torch.cat([rotation, skew(T_b_a[:, :3, 3]) @ rotation], -1)
    adjoint = torch.cat([top, torch.cat([torch.zeros_like(rotation), rotation], -1)], -2)
    count = len(problem.T_cam_world)
    eye = torch.eye(count, dtype=T_b_a.dtype, device=T_b_a.device)
    own = eye[1:, None, :, None] * torch.eye(6, dtype=T_b_a.dtype, device=T_b_a.device)[None, :, None]
    before = eye[:-1, None, :, None] * adjoint[:, :, None]
    jacobian = ((own - before) / deviation[:, :, None, None]).flatten(2).flatten(0, 1)
    return jacobian.mT @ jacobian, jacobian.mT @ error.flatten(), error.square().sum()


def _motion(points: Tensor) -> Tensor:
    """Derivative (..., 3, 6) of points (..., 3) by a twist of their frame."""
    eye = torch.eye(3, dtype=points.dtype, device=points.device).expand(*points.shape, 3)
    return torch.cat([eye, -skew(points)], -1)


def _columns(here: Tensor, there: Tensor, anchor: Tensor) -> Tensor:
    """Slopes (K, M, R, 6) by the own pose and by the anchor's as columns of all poses, (K, M, R, 6 K)."""
    count = len(here)
    own = F.one_hot(torch.arange(count, device=anchor.device), count).to(here.dtype)
    theirs = F.one_hot(anchor, count).to(here.dtype)
    both = own[:, None, None, :, None] * here[..., None, :] + theirs[None, :, None, :, None] * there[..., None, :]
    return both.flatten(-2)
