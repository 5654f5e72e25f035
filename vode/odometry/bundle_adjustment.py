"""Bundle adjustment of a few frames: poses and the depths of points, refined together.

Gauss-Newton on reprojections with a robust cost and on measured motions between neighbours; the points are eliminated
first (Triggs, McLauchlan, Hartley, Fitzgibbon, Bundle Adjustment - A Modern Synthesis, 2000, section 6).

All that is measured depends on the motion from one frame to another alone: from a point's anchor to where it is seen,
or between neighbours. So derivatives are by a twist of that motion first, six numbers, and summed for each pair of
frames; only these sums are brought to twists of the poses. Coordinates are the outer axis of large arrays, (3, M).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry.camera import rays
from vode.geometry.epipolar import skew
from vode.geometry.pose import inverse, se3_exp, se3_log
from vode.odometry.options import BundleAdjustmentOptions

NEAREST = 1e-3
"""least depth, in its unit, at which a point is projected"""
STILL = 1e-12
"""step of a pose below which nothing changes any more"""


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


class Errors(NamedTuple):
    """How far the measurements are from what poses and points predict, in standard deviations."""

    moved: Tensor
    """(K, 3, M): the points in the axes of each frame"""
    from_anchor: Tensor
    """(K, 3, M): the same, less the anchor's centre"""
    pixels: Tensor
    """(K, 2, M), 0 where a point is not used"""
    weight: Tensor
    """(K, M): that of Cauchy's cost, 0 where a point is not used"""
    motions: Tensor
    """(K - 1, 6): of the measured motions"""
    cost: Tensor
    """squared errors of motions and Cauchy's log (1 + squared error) of pixels, summed"""


def bundle_adjust(problem: Problem, intrinsics: Tensor, options: BundleAdjustmentOptions, *, fixed: int) -> Problem:
    """The problem with refined poses (all but the first ``fixed``) and inverse depths; intrinsics (3, 3)."""
    order = problem.anchor.argsort(stable=True)
    start = best = _points(problem, order)
    now = errors(best, intrinsics, options)
    for _ in range(options.iterations):
        step_poses, step_points = _step(best, now, intrinsics, options, fixed)
        inverse_depth = (best.inverse_depth * step_points.clamp(-1, 1).exp()).clamp(1e-6, 1e3)
        moved = replace(best, T_cam_world=se3_exp(step_poses) @ best.T_cam_world, inverse_depth=inverse_depth)
        after = errors(moved, intrinsics, options)
        if not bool(after.cost < now.cost):
            break
        best, now = moved, after
        if bool(step_poses.abs().amax() < STILL):
            break
    if best is start:
        return problem
    return replace(problem, T_cam_world=best.T_cam_world, inverse_depth=best.inverse_depth[order.argsort()])


def errors(problem: Problem, intrinsics: Tensor, options: BundleAdjustmentOptions) -> Errors:
    """Errors of a problem and their cost; intrinsics (3, 3)."""
    frames, points = (torch.arange(x.shape[0], device=x.device) for x in (problem.seen, problem.anchor))
    local = rays(problem.pixels[problem.anchor, points][None], intrinsics[None])[0] / problem.inverse_depth[:, None]
    T_world_cam = inverse(problem.T_cam_world)
    turned = (T_world_cam[problem.anchor, :3, :3] @ local[..., None])[..., 0]
    rotation, translation = problem.T_cam_world[:, :3, :3], problem.T_cam_world[:, :3, 3:]
    from_anchor = rotation @ turned.mT
    moved = rotation @ (turned + T_world_cam[problem.anchor, :3, 3]).mT + translation
    z = moved[:, 2].clamp(min=NEAREST)
    projected = moved[:, :2] / z[:, None] * intrinsics.diagonal()[:2, None] + intrinsics[:2, 2:]
    used = problem.seen & (problem.anchor != frames[:, None]) & (moved[:, 2] > NEAREST)
    pixels = torch.where(used[:, None], (projected - problem.pixels.mT) / options.noise, 0.0)
    squared = 1 + pixels.square().sum(1)
    T_b_a = problem.T_cam_world[1:] @ T_world_cam[:-1]
    motions = se3_log(T_b_a @ inverse(problem.motions)) / _deviations(problem, options)
    return Errors(moved, from_anchor, pixels, used / squared, motions, squared.log().sum() + motions.square().sum())


def _step(
    problem: Problem, now: Errors, intrinsics: Tensor, options: BundleAdjustmentOptions, fixed: int
) -> tuple[Tensor, Tensor]:
    """Gauss-Newton steps of the poses (K, 6) and of the log inverse depths (M,), which are in order of the anchors.

    Sums over the points are taken in float32, which takes half the time: steps need not be exact, only the errors that
    judge them.
    """
    now = Errors(*(x.float() for x in now))
    by_twist, by_depth = _slopes(now, intrinsics.float(), options)
    weighted = by_twist * now.weight[:, None, None]
    T_b_a = problem.T_cam_world[:, None] @ inverse(problem.T_cam_world)
    twists = _twists(T_b_a).float()
    H_pp, b_p = _pose_system(problem, now, (by_twist, weighted), twists, options)

    # a point's anchor is the same in all frames
    H_tl = (weighted * by_depth[:, None]).sum(2).flatten(0, 1)
    count, points = len(T_b_a), len(problem.anchor)
    H_pl = H_tl.new_zeros(6 * count, points)
    for a, group in _groups(problem):
        H_pl[:, group] = twists[:, a].flatten(0, 1).mT @ H_tl[:, group]
    H_ll = (now.weight * by_depth.square().sum(1)).sum(0) + 1e-6
    b_l = (now.weight * (by_depth * now.pixels).sum(1)).sum(0)

    free = slice(6 * fixed, None)
    H_pp, H_pl, b_p = H_pp[free, free], H_pl[free], b_p[free]
    reduced = (H_pp - (H_pl / H_ll) @ H_pl.mT).double()
    reduced = reduced + 1e-9 * reduced.diagonal().mean() * torch.eye(len(reduced)).to(reduced)
    step = -torch.linalg.solve_ex(reduced, (b_p - H_pl @ (b_l / H_ll)).double())[0]
    step_points = -(b_l + H_pl.mT @ step.float()) / H_ll
    return torch.cat([step.new_zeros(fixed, 6), step.view(-1, 6)]), step_points.double()


def _slopes(now: Errors, intrinsics: Tensor, options: BundleAdjustmentOptions) -> tuple[Tensor, Tensor]:
    """Derivatives of the errors of pixels by a twist of the seeing frame (K, 6, 2, M), by log inverse depth (K, 2, M).

    Chaumette and Hutchinson, Visual Servo Control I, IEEE Robotics and Automation Magazine 2006, eq. 11, where the
    camera moves, not the points.
    """
    near = 1 / now.moved[:, 2].clamp(min=NEAREST)
    u, v = now.moved[:, 0] * near, now.moved[:, 1] * near
    none, uv = torch.zeros_like(u), u * v
    right = [near, none, -u * near, -uv, 1 + u * u, -v]
    down = [none, near, -v * near, -1 - v * v, uv, u]
    focal = (intrinsics.diagonal()[:2] / options.noise)[:, None]
    by_twist = torch.stack([torch.stack(right, 1), torch.stack(down, 1)], 2) * focal
    by_depth = torch.stack([u, v], 1) * now.from_anchor[:, 2:] - now.from_anchor[:, :2]
    return by_twist, by_depth * near[:, None] * focal


def _twists(T_b_a: Tensor) -> Tensor:
    """Derivatives (K, K, 6, 6 K) of the twists of motions (K, K, 4, 4) from frames a to b by those of all poses.

    b's own counts as it is, and a's by the adjoint of the motion (Barfoot, State Estimation for Robotics, eq. 7.45).
    """
    rotation, eye = T_b_a[..., :3, :3], torch.eye(len(T_b_a)).to(T_b_a)
    top = torch.cat([rotation, skew(T_b_a[..., :3, 3]) @ rotation], -1)
    adjoint = torch.cat([top, torch.cat([torch.zeros_like(rotation), rotation], -1)], -2)
    own = eye[:, None, None, :, None] * torch.eye(6).to(T_b_a)[:, None]
    return (own - eye[:, None, :, None] * adjoint[..., None, :]).flatten(-2)


def _pose_system(
    problem: Problem, now: Errors, slopes: tuple[Tensor, Tensor], twists: Tensor, options: BundleAdjustmentOptions
) -> tuple[Tensor, Tensor]:
    """Normal matrix (6 K, 6 K) and gradient (6 K,) of the poses; ``slopes`` (K, 6, 2, M) plain and weighted."""
    count = len(twists)
    matrix, gradient = twists.new_zeros(count, count, 6, 6), twists.new_zeros(count, count, 6)
    for a, group in _groups(problem):
        plain, weighted = (x[..., group].flatten(2) for x in slopes)
        matrix[:, a] = weighted @ plain.mT
        gradient[:, a] = (weighted @ now.pixels[..., group].flatten(1)[..., None])[..., 0]
    after = torch.arange(1, count, device=twists.device)
    deviations = _deviations(problem, options)
    matrix[after, after - 1] += deviations.pow(-2).diag_embed()
    gradient[after, after - 1] += now.motions / deviations
    flat = twists.flatten(0, 2)
    return flat.mT @ (matrix @ twists).flatten(0, 2), flat.mT @ gradient.flatten()


def _points(problem: Problem, which: Tensor) -> Problem:
    """The problem with those of its points, in that order."""
    pixels, seen = problem.pixels[:, which], problem.seen[:, which]
    anchor, inverse_depth = problem.anchor[which], problem.inverse_depth[which]
    return replace(problem, pixels=pixels, seen=seen, anchor=anchor, inverse_depth=inverse_depth)


def _groups(problem: Problem) -> Iterator[tuple[int, slice]]:
    """Frames, and the points, in the order of their anchors, whose anchors they are."""
    first = 0
    for a, count in enumerate(problem.anchor.bincount().tolist()):
        yield a, slice(first, first + count)
        first += count


def _deviations(problem: Problem, options: BundleAdjustmentOptions) -> Tensor:
    """Standard deviations (K - 1, 6) of the twists of the measured motions."""
    turns = problem.deviations.new_full((len(problem.deviations), 3), options.turn)
    return torch.cat([problem.deviations[:, None].expand(-1, 3), turns], 1)
