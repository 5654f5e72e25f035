"""Motion between two frames from correspondences and depth, with fallbacks in a stated order.

1. Essential matrix (or the homography of a plane), its translation scaled by points that tracks know, else by depth.
   Where the camera has moved little, and no window refines its motion, PnP on these points comes first.
2. PnP on these points or the depth, when the camera hardly moves, or two views or the scale fail.
3. Rotation alone, when two views determine that and the depth determines nothing.
4. Constant velocity, when nothing determines the motion.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.camera import rays
from vode.geometry.ground import on_ground
from vode.geometry.matches import Matches
from vode.geometry.resize import image_size
from vode.geometry.two_view import Model, TwoView
from vode.odometry import trianflow
from vode.odometry.options import ScaleOptions, TrackerOptions
from vode.odometry.result import Method, Reason
from vode.odometry.scale import Scale, both, translation_scale
from vode.odometry.two_frame import motion_from_matches, triangulate

UNRELIABLE = {
    Model.NONE: Reason.NO_TWO_VIEW_MOTION,
    Model.STILL: Reason.AT_REST,
    Model.ROTATION: Reason.PURE_ROTATION,
    Model.HOMOGRAPHY: Reason.UNRELIABLE_TRANSLATION,
    Model.ESSENTIAL: Reason.UNRELIABLE_TRANSLATION,
}
"""Why the translation of two views cannot be used, by their model."""
FULL, ROOMY = 2 / 3, 0.45
"""noise of the inliers, in thresholds: above the first, a seventh of them lie beyond it, and it doubles; below the
second, half of it would do"""
KNOWN = 0.999
"""bilinear weight of known depth from which on a sample has no unknown neighbour"""


class Depths(NamedTuple):
    """Depth of a pair of frames, 0 = unknown."""

    a: Tensor
    """(1, 1, H, W)"""
    b: Tensor | Callable[[], Tensor]
    """(1, 1, H, W), or what gives it, which is asked for once the motion of two views is known"""
    tracked: Tensor | None = None
    """(1, N): that of a at the correspondences, of points that tracks know, in the unit of the trajectory"""


class Lengths(NamedTuple):
    """What tells the length of a translation of two views; none where the motion is found otherwise."""

    depth: Scale | None = None
    tracks: Scale | None = None
    ground: Scale | None = None
    """depth of points on the ground alone"""

    def best(self) -> Scale | None:
        """The length by tracks, else by depth, of points on the ground twice; None where neither tells one."""
        if self.tracks is not None and bool(self.tracks.known):
            return self.tracks
        found = self.depth
        if found is not None and self.ground is not None:
            found = both(found, self.ground)
        return found if found is not None and bool(found.known) else None


class FrameMotion(NamedTuple):
    """Motion from frame a to frame b, and how it was found."""

    T_b_a: Tensor
    """(4, 4) float64, in the unit of the depth"""
    method: Method
    reason: Reason | None = None
    """what kept better methods from being taken, None for the best"""
    pnp_failed: bool = False
    """PnP was tried and found no pose"""
    inliers: int = 0
    """correspondences that the motion explains"""
    parallax: float = 0.0
    """median over the inliers, pixels beyond the rotation"""
    scale_deviation: float | None = None
    """relative standard deviation of the length of the translation, where it is known"""
    lengths: Lengths = Lengths()


class Evidence(NamedTuple):
    """What a motion was estimated from."""

    found: Matches
    """correspondences (1, N)"""
    explained: Tensor
    """bool (1, N): matches that the motion explains"""
    noise: float = 0.0
    """pixels: standard deviation of the Sampson distances of the motion's inliers, and of a correspondence's ends"""
    threshold: float | None = None
    """pixels: the Sampson distance of an inlier that suits their noise, for the next pair; None where nothing tells"""


@torch.no_grad()
def frame_motion(
    found: Matches,
    depths: Depths,
    intrinsics: Tensor,
    expected: Tensor,
    options: TrackerOptions = TrackerOptions(),
    *,
    images: tuple[Tensor, Tensor] | None = None,
) -> tuple[FrameMotion, Evidence]:
    """Motion of one pair of frames from correspondences (1, N) and depth, and what it was estimated from.

    intrinsics (1, 3, 3); ``expected`` (4, 4) is the motion of constant velocity. With the ``images`` a and b
    (1, 3, H, W) in 0..1, correspondences are moved to where the two agree best. The length of a translation is that by
    tracks where these tell it. Where they have to and do not, a translation of two views has length 1
    (``Reason.ASSUMED_SCALE``), and zero where it is not reliable.
    """
    if options.tracker == "trianflow":
        depth_b = depths.b() if callable(depths.b) else depths.b
        T_b_a, method, reason, explained = trianflow.motion(found, depths.a, depth_b, intrinsics)
        failed = method is Method.EXTRAPOLATED
        return FrameMotion(T_b_a, method, reason, failed, int(explained.sum())), Evidence(found, explained)
    found, pair, threshold = _two_views(found, intrinsics, options, images)
    motion, explained = _motion(found, pair, depths, intrinsics, expected, options)
    return motion, Evidence(found, explained, float(pair.noise), threshold)


def _two_views(
    found: Matches, intrinsics: Tensor, options: TrackerOptions, images: tuple[Tensor, Tensor] | None
) -> tuple[Matches, TwoView, float]:
    """Matches as the images have them, their motion by the least threshold that their noise leaves room in, and the
    threshold that the next pair is to begin with."""
    found, pair = motion_from_matches(found, intrinsics, options, images=images, seed=options.seed)
    threshold = options.threshold
    while float(pair.noise) > FULL * threshold and 2 * threshold <= options.coarsest_threshold:
        threshold *= 2
        _, pair = motion_from_matches(found, intrinsics, replace(options, threshold=threshold), seed=options.seed)
    return found, pair, threshold / 2 if float(pair.noise) < ROOMY * threshold else threshold


def _motion(
    found: Matches, pair: TwoView, depths: Depths, intrinsics: Tensor, expected: Tensor, options: TrackerOptions
) -> tuple[FrameMotion, Tensor]:
    """Motion of one pair of frames, and the matches (1, N) that it explains."""
    depth_b = depths.b() if callable(depths.b) else depths.b
    size = image_size(depth_b)
    at_a, at_b = depth_at(depths.a, found.points_a), depth_at(depth_b, found.points_b)
    tracked = torch.zeros_like(at_a) if depths.tracked is None else depths.tracked
    inliers, parallax = int(pair.inliers.sum()), float(pair.parallax)
    reason = None if bool(pair.reliable) else UNRELIABLE[Model(int(pair.model))]
    T_b_a = pair.T_b_a[0].double().cpu()
    near = options.refine == "none" and not baseline_suffices(parallax, float(pair.noise), options.track_scale)
    if reason is None and near:
        solved = _pnp(found, tracked, intrinsics, options)
        if solved is not None:
            inliers = int(solved[1].sum())
            return FrameMotion(solved[0], Method.PNP, Reason.SHORT_BASELINE, False, inliers, parallax), solved[1]
    if reason is None:
        ground = None if options.ground_scale is None else on_ground(depths.a, at_a, found.points_a, intrinsics)
        lengths = _lengths(found, pair, Known(at_a, at_b, tracked, ground), intrinsics, size, options)
        scale = lengths.best()
        if scale is not None:
            T_b_a[:3, 3] *= float(scale.value)
            known = float(scale.deviation)
            return FrameMotion(T_b_a, Method.ESSENTIAL, None, False, inliers, parallax, known, lengths), pair.inliers
        reason = Reason.UNKNOWN_SCALE
    for depth in (tracked, at_a):
        solved = _pnp(found, depth, intrinsics, options)
        if solved is not None:
            return FrameMotion(solved[0], Method.PNP, reason, False, int(solved[1].sum()), parallax), solved[1]
    if reason is Reason.UNKNOWN_SCALE and options.scale_from == "tracks":
        return FrameMotion(T_b_a, Method.ESSENTIAL, Reason.ASSUMED_SCALE, True, inliers, parallax), pair.inliers
    unreliable = options.scale_from == "tracks" and reason is Reason.UNRELIABLE_TRANSLATION
    if pair.model[0] in (Model.STILL, Model.ROTATION) or unreliable:
        T_b_a[:3, 3] = 0
        return FrameMotion(T_b_a, Method.ROTATION, reason, True, inliers, parallax), pair.inliers
    return FrameMotion(expected.double(), Method.EXTRAPOLATED, reason, True), torch.zeros_like(pair.inliers)


def baseline_suffices(parallax: float, noise: float, options: ScaleOptions) -> bool:
    """Whether two views tell how far points are as exactly as these have to know it, by their parallax in pixels and
    the noise of either end of a correspondence."""
    return parallax * options.accuracy > 2**0.5 * noise


def depth_at(depth: Tensor, points: Tensor) -> Tensor:
    """Depth (1, 1, H, W) at points (1, N, 2): (1, N), 0 where a neighbour is unknown."""
    known = warp.sample((depth > 0).to(depth.dtype), points.mT.unsqueeze(-1))[:, 0, :, 0]
    return warp.sample(depth, points.mT.unsqueeze(-1))[:, 0, :, 0] * (known > KNOWN)


class Known(NamedTuple):
    """Depth (1, N) at the correspondences, 0 = unknown."""

    a: Tensor
    b: Tensor
    tracked: Tensor
    """that of a, of points that tracks know"""
    ground: Tensor | None
    """bool (1, N): which points of a lie on the ground"""


def _lengths(
    found: Matches,
    pair: TwoView,
    known: Known,
    intrinsics: Tensor,
    size: tuple[int, int],
    options: TrackerOptions,
) -> Lengths:
    """Length of a pair's translation by the depth of both frames, and by tracks."""
    at_a, at_b, tracked, ground = known
    points = triangulate(found, pair.T_b_a, intrinsics, size)
    focal = (intrinsics[:, 0, 0] * intrinsics[:, 1, 1]).sqrt()
    # both ends of a correspondence are uncertain
    noise = 2**0.5 * pair.noise / focal
    place = (found.points_a + 0.5) / found.points_a.new_tensor([size[1], size[0]])
    valid = points.valid & pair.inliers
    by_depth = translation_scale(
        torch.cat([at_a, at_b], 1),
        torch.cat([points.depth_a, points.depth_b], 1),
        points.parallax.repeat(1, 2),
        noise,
        valid.repeat(1, 2),
        place.repeat(1, 2, 1),
        options.scale,
    )
    by_ground = None
    if ground is not None and options.ground_scale is not None:
        by_ground = translation_scale(
            at_a, points.depth_a, points.parallax, noise, valid & ground, place, options.ground_scale
        )
    for choice in (options.track_scale, replace(options.track_scale, accuracy=options.scale.accuracy)):
        by_tracks = translation_scale(tracked, points.depth_a, points.parallax, noise, valid, place, choice)
        if bool(by_tracks.known):
            break
    return Lengths(by_depth, by_tracks, by_ground)


def _pnp(found: Matches, depth: Tensor, intrinsics: Tensor, options: TrackerOptions) -> tuple[Tensor, Tensor] | None:
    """Pose of b from points of a at their depth, and its inliers (1, N), by OpenCV's RANSAC PnP; None if it fails."""
    usable = (found.scores > 0) & (depth > 0) & depth.isfinite()
    points = (rays(found.points_a, intrinsics) * depth.unsqueeze(-1))[usable].double().cpu().numpy()
    pixels = found.points_b[usable].double().cpu().numpy()
    least = max(options.scale.least_points, int(options.pnp_fraction * len(points)))
    if len(points) < least:
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
    if not solved or inliers is None or len(inliers) < least:
        return None
    T_b_a = np.eye(4)
    T_b_a[:3, :3], T_b_a[:3, 3] = cv2.Rodrigues(rotation)[0], translation[:, 0]
    if not np.isfinite(T_b_a).all():
        return None
    explained = torch.zeros(len(points), dtype=torch.bool)
    explained[torch.from_numpy(inliers[:, 0]).long()] = True
    return torch.from_numpy(T_b_a), torch.zeros_like(usable).masked_scatter(usable, explained.to(usable.device))
