"""Two-frame geometry of a batch: correspondences -> motion -> points. Training and tracking both call it.

Correspondences come from flow both ways (Zhao et al., CVPR 2020, section 3.1) or ready-made from a matcher.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry import matches, subpixel, triangulation, two_view
from vode.geometry.epipolar import choose_motion, essential_from_fundamental
from vode.geometry.matches import Matches
from vode.geometry.triangulation import Triangulated
from vode.geometry.two_view import TwoView, TwoViewOptions
from vode.odometry.options import MatchOptions

SAME_POINT = 1.0
"""pixels: distance up to which a match begins at a tracked point"""
FRESH = 8
"""least number of correspondences besides those of tracked points"""


@torch.no_grad()
def flow_matches(
    flow_ab: Tensor,
    flow_ba: Tensor,
    options: MatchOptions,
    *,
    tracked: Tensor | None = None,
    seed: int | None = None,
) -> tuple[matches.FlowScores, Matches]:
    """Scores of all pixels and ``options.count`` correspondences from flows (B, 2, H, W) in pixels.

    ``tracked`` (B, M, 2) are points of a that have to be among the matches; they come first. ``seed`` makes the draw
    repeatable; without it the draw follows torch's global state.
    """
    generator = None if seed is None else torch.Generator(flow_ab.device).manual_seed(seed)
    scores = matches.flow_scores(flow_ab, flow_ba)
    count = max(options.count - (0 if tracked is None else tracked.shape[1]), FRESH)
    found = matches.best_matches(flow_ab, scores.score, fraction=options.fraction, count=count, generator=generator)
    if tracked is not None:
        found = _concatenate(matches.follow(flow_ab, scores.score, tracked), found)
    return scores, found


@torch.no_grad()
def tracked_matches(found: Matches, options: MatchOptions, *, tracked: Tensor | None = None) -> Matches:
    """At most ``options.count`` of a matcher's correspondences (1, N), those of ``tracked`` points (1, M, 2) first.

    A tracked point of a moves like the match that begins nearest to it, and has score 0 where none begins within
    ``SAME_POINT`` pixels. The other matches follow, the highest scores first; none of them begins at a tracked point.
    """
    count = options.count
    followed = None
    if tracked is not None and tracked.shape[1]:
        followed, found = _follow_matches(found, tracked.to(found.points_a))
        count = max(count - tracked.shape[1], FRESH)
    scores, order = found.scores.topk(min(count, found.scores.shape[1]), dim=1)
    points_a, points_b = (x.gather(1, order.unsqueeze(-1).expand(-1, -1, 2)) for x in found[:2])
    found = Matches(points_a, points_b, scores)
    return found if followed is None else _concatenate(followed, found)


@torch.no_grad()
def motion_from_matches(
    found: Matches,
    intrinsics: Tensor,
    options: MatchOptions,
    *,
    images: tuple[Tensor, Tensor] | None = None,
    seed: int | None = None,
) -> tuple[Matches, TwoView]:
    """Motion of pairs from correspondences (B, N), and these as the motion was estimated from them.

    With the ``images`` a and b (B, 3, H, W) in 0..1, correspondences are moved to where the two agree best, where these
    confirm enough of them. intrinsics (B, 3, 3).
    """
    if images is not None:
        found = _refined(found, images, options.least_confirmed)
    view = two_view.relative_pose(
        found.points_a,
        found.points_b,
        intrinsics,
        scores=found.scores,
        threshold=options.threshold,
        seed=seed or 0,
        options=TwoViewOptions(backend=options.backend),
    )
    return found, view


@torch.no_grad()
def motion_from_fundamental(
    found: Matches, intrinsics: Tensor, options: MatchOptions, *, seed: int | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Motion T_b_a (B, 4, 4), fundamental matrix (B, 3, 3) and whether there is one (B,), by the 8-point algorithm.

    The matrix is found by RANSAC from correspondences (B, N) without knowing the camera, and the one of its four
    motions is taken that has the most points in front (Zhao et al., CVPR 2020, section 3.1), reliable or not.
    """
    fundamental, inliers = two_view.fundamental_matrix(
        found.points_a, found.points_b, scores=found.scores, threshold=options.threshold, seed=seed or 0
    )
    known = inliers.any(-1)
    essential = essential_from_fundamental(fundamental, intrinsics).double()
    doubles = (x.double() for x in (found.points_a, found.points_b, intrinsics, found.scores))
    T_b_a = choose_motion(torch.where(known[:, None, None], essential, torch.eye(3).to(essential)), *doubles)
    still = torch.eye(4).to(intrinsics).expand_as(T_b_a)
    return torch.where(known[:, None, None], T_b_a.to(intrinsics.dtype), still), fundamental, known


def triangulate(found: Matches, T_b_a: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> Triangulated:
    """Points of matches, in baselines; valid are those that lie inside both images of ``size`` (height, width)."""
    return triangulation.midpoint(found.points_a, found.points_b, intrinsics, T_b_a, size=size)


def _refined(found: Matches, images: tuple[Tensor, Tensor], least: int) -> Matches:
    """Matches where the images agree best; as they were in pairs of which the images confirm fewer than ``least``."""
    points_b, confirmed = subpixel.refine(*images, found.points_a, found.points_b)
    enough = confirmed.sum(1, keepdim=True) >= least
    return found._replace(
        points_b=torch.where(enough.unsqueeze(-1), points_b, found.points_b),
        scores=torch.where(enough, found.scores * confirmed, found.scores),
    )


def _follow_matches(found: Matches, tracked: Tensor) -> tuple[Matches, Matches]:
    """Tracked points (1, M, 2) moved by matches (1, N), and these without the ones that begin at a tracked point."""
    if not found.scores.shape[1]:
        return Matches(tracked, tracked, torch.zeros_like(tracked[..., 0])), found
    usable = torch.where(found.scores > 0, 0.0, float("inf"))
    distance = torch.cdist(tracked, found.points_a) + usable.unsqueeze(1)
    nearest, index = distance.min(-1)
    step = (found.points_b - found.points_a).gather(1, index.unsqueeze(-1).expand(-1, -1, 2))
    scores = torch.where(nearest <= SAME_POINT, found.scores.gather(1, index), 0.0)
    fresh = distance.amin(1) > SAME_POINT
    return Matches(tracked, tracked + step, scores), found._replace(scores=torch.where(fresh, found.scores, 0.0))


def _concatenate(first: Matches, second: Matches) -> Matches:
    return Matches(*(torch.cat(both, 1) for both in zip(first, second, strict=True)))
