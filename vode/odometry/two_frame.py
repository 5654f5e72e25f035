"""Two-frame geometry of a batch: flow both ways -> matches -> motion -> points. Training and tracking both call it.

Zhao et al., CVPR 2020, section 3.1.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry import matches, subpixel, triangulation, two_view
from vode.geometry.triangulation import Triangulated
from vode.geometry.two_view import TwoView
from vode.odometry.options import MatchOptions


class TwoFrame(NamedTuple):
    """What the flow of a batch of pairs tells of their motion."""

    scores: matches.FlowScores
    """of every pixel of a"""
    matches: matches.Matches
    """the correspondences (B, N) that the motion was found from"""
    view: TwoView
    """the motion; its translation has unit length"""


@torch.no_grad()
def two_frame_motion(
    flow_ab: Tensor,
    flow_ba: Tensor,
    intrinsics: Tensor,
    options: MatchOptions,
    *,
    images: tuple[Tensor, Tensor] | None = None,
    tracked: Tensor | None = None,
    seed: int | None = None,
) -> TwoFrame:
    """Correspondences and motion of pairs, from flows (B, 2, H, W) in pixels and intrinsics (B, 3, 3).

    With the ``images`` a and b (B, 3, H, W) in 0..1, correspondences are moved to where the two agree best, where these
    confirm enough of them. ``tracked`` (B, M, 2) are points of a that are to be among the matches, the first ones.
    ``seed`` makes the draws repeatable; without it they follow torch's global state.
    """
    generator = None if seed is None else torch.Generator(flow_ab.device).manual_seed(seed)
    scores = matches.flow_scores(flow_ab, flow_ba)
    count = options.count - (0 if tracked is None else tracked.shape[1])
    found = matches.best_matches(flow_ab, scores.score, fraction=options.fraction, count=count, generator=generator)
    if tracked is not None:
        followed = matches.follow(flow_ab, scores.score, tracked)
        found = matches.Matches(*(torch.cat(both, 1) for both in zip(followed, found, strict=True)))
    if images is not None:
        found = _refined(found, images, options.least_confirmed)
    view = two_view.relative_pose(
        found.points_a,
        found.points_b,
        intrinsics,
        scores=found.scores,
        threshold=options.threshold,
        seed=seed or 0,
    )
    return TwoFrame(scores, found, view)


def triangulate(found: matches.Matches, view: TwoView, intrinsics: Tensor, size: tuple[int, int]) -> Triangulated:
    """Points of matches, in baselines; valid are those that lie inside both images of ``size`` (height, width)."""
    return triangulation.midpoint(found.points_a, found.points_b, intrinsics, view.T_b_a, size=size)


def _refined(found: matches.Matches, images: tuple[Tensor, Tensor], least: int) -> matches.Matches:
    """Matches where the images agree best; as they were in pairs of which the images confirm fewer than ``least``."""
    points_b, confirmed = subpixel.refine(*images, found.points_a, found.points_b)
    enough = confirmed.sum(1, keepdim=True) >= least
    return found._replace(
        points_b=torch.where(enough.unsqueeze(-1), points_b, found.points_b),
        scores=torch.where(enough, found.scores * confirmed, found.scores),
    )
