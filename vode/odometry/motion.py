"""Motion between two frames from flow both ways and predicted depth, with fallbacks in a stated order.

1. Essential matrix, its translation scaled by the predicted depth.
2. PnP on predicted depth, when the camera hardly moves or two views fail.
3. The motion before, when there is no way to tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.geometry import matches, subpixel, two_view, warp
from vode.geometry.alignment import align_depth_scale
from vode.geometry.camera import rays
from vode.geometry.triangulation import midpoint

ESSENTIAL, PNP, REPEATED = "essential", "pnp", "repeated"


@dataclass(frozen=True)
class TrackerOptions:
    """How the tracker turns flow and depth into motion."""

    share: float = 0.5
    """share of the pixels, by score, that correspondences are drawn from"""
    count: int = 6000
    """correspondences drawn"""
    threshold: float = 0.1
    """RANSAC threshold, pixels"""
    subpixel: bool = True
    """move correspondences to where the two images agree best"""
    least_points: int = 100
    """triangulated points that a scale needs"""
    pnp_threshold: float = 1.0
    """reprojection error of PnP, pixels"""
    pnp_iterations: int = 1000
    seed: int = 0


class FrameMotion(NamedTuple):
    """Motion from frame a to frame b and how it was found."""

    T_b_a: Tensor
    """(4, 4) float64, in the unit of the predicted depth"""
    how: str
    """ESSENTIAL, PNP or REPEATED"""
    why: str
    """what kept the better ways from being taken, empty for the best"""


@torch.no_grad()
def frame_motion(
    flow_ab: Tensor,
    flow_ba: Tensor,
    depth_a: Tensor,
    depth_b: Tensor,
    intrinsics: Tensor,
    before: Tensor,
    options: TrackerOptions = TrackerOptions(),
    *,
    images: tuple[Tensor, Tensor] | None = None,
) -> FrameMotion:
    """Motion of one pair.

    Flows (1, 2, H, W) pixels, depths (1, 1, H, W), intrinsics (1, 3, 3), the motion ``before`` (4, 4). With the
    ``images`` a and b (1, 3, H, W) in 0..1, correspondences are moved to where the two agree best.
    """
    generator = torch.Generator(flow_ab.device).manual_seed(options.seed)
    score = matches.flow_scores(flow_ab, flow_ba).score
    found = matches.best_matches(flow_ab, score, share=options.share, count=options.count, generator=generator)
    if images is not None:
        found = _refined(found, *images, options.least_points)
    at_a, at_b = (_read(d, p) for d, p in ((depth_a, found.points_a), (depth_b, found.points_b)))
    pair = two_view.relative_pose(
        found.points_a,
        found.points_b,
        intrinsics,
        scores=found.scores,
        threshold=options.threshold,
        seed=options.seed,
    )
    why = "two views do not tell the motion"
    if bool(pair.reliable):
        points = midpoint(found.points_a, found.points_b, intrinsics, pair.T_b_a, size=tuple(flow_ab.shape[-2:]))
        valid = (points.valid & pair.inliers).repeat(1, 2)
        scale, enough = align_depth_scale(
            torch.cat([at_a, at_b], 1),
            torch.cat([points.depth_a, points.depth_b], 1),
            valid,
            least=2 * options.least_points,
        )
        if bool(enough):
            T_b_a = pair.T_b_a[0].double().cpu()
            T_b_a[:3, 3] /= float(scale)
            return FrameMotion(T_b_a, ESSENTIAL, "")
        why = "too few points for a scale"
    T_b_a = _pnp(found, at_a, intrinsics, options)
    if T_b_a is not None:
        return FrameMotion(T_b_a, PNP, why)
    return FrameMotion(before.clone(), REPEATED, f"{why}, and PnP found no pose")


def _refined(found: matches.Matches, image_a: Tensor, image_b: Tensor, least: int) -> matches.Matches:
    """The matches that the images confirm, at their best places; as they were where too few are confirmed."""
    points_b, believed = subpixel.refine(image_a, image_b, found.points_a, found.points_b)
    enough = believed.sum(1, keepdim=True) >= least
    return found._replace(
        points_b=torch.where(enough.unsqueeze(-1), points_b, found.points_b),
        scores=torch.where(enough, found.scores * believed, found.scores),
    )


def _read(depth: Tensor, points: Tensor) -> Tensor:
    return warp.sample(depth, points.mT.unsqueeze(-1))[:, 0, :, 0]


def _pnp(found: matches.Matches, depth: Tensor, intrinsics: Tensor, options: TrackerOptions) -> Tensor | None:
    """Pose of b from points of a at their predicted depth, by OpenCV's RANSAC PnP; None if it fails."""
    usable = (found.scores > 0) & (depth > 0) & depth.isfinite()
    points = (rays(found.points_a, intrinsics) * depth.unsqueeze(-1))[usable].double().cpu().numpy()
    pixels = found.points_b[usable].double().cpu().numpy()
    if len(points) < options.least_points:
        return None
    cv2.setRNGSeed(options.seed)
    solved, rotation, translation, inliers = cv2.solvePnPRansac(
        points,
        pixels,
        intrinsics[0].double().cpu().numpy(),
        None,
        iterationsCount=options.pnp_iterations,
        reprojectionError=options.pnp_threshold,
    )
    if not solved or inliers is None or len(inliers) < options.least_points:
        return None
    T_b_a = np.eye(4)
    T_b_a[:3, :3], T_b_a[:3, 3] = cv2.Rodrigues(rotation)[0], translation[:, 0]
    return torch.from_numpy(T_b_a) if np.isfinite(T_b_a).all() else None
