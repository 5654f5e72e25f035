"""All keyframes of a tracked sequence refined together, by points that are followed through its images."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.base import Sequence as Video
from vode.errors import InputError
from vode.geometry.camera import project
from vode.geometry.pose import inverse
from vode.io.trajectory import Trajectory
from vode.odometry.visual_odometry import VisualOdometry
from vode.reconstruction.bundle import FEWEST, Bundle, adjust, carried
from vode.reconstruction.options import BundleOptions, PointOptions, RefinedCamera
from vode.reconstruction.point_tracks import PointTracks
from vode.reconstruction.points import Observations, triangulate_tracks
from vode.sfm.build import import_pycolmap

SPACING = 0.015
"""median motion of points between keyframes, relative to the width of the image"""
LEFT = 0.7
"""fraction of a keyframe's points below which the next one is due"""
LEAST_POINTS = 40
"""points that must be left, or what comes next begins anew"""
AGAIN = {"winSize": (21, 21), "maxLevel": 2, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW}
"""how points are looked for where a loop says they are seen again"""
ROUND_TRIP = 0.5
"""pixels: largest distance of such a point from where looking for it backwards leads"""


class Refined(NamedTuple):
    """A sequence after global refinement."""

    trajectory: Trajectory
    camera: Camera
    """of the sequence's images, as given or refined"""
    bundles: tuple[Bundle, ...]
    """one for each stretch of the video that points connect"""

    def describe(self) -> str:
        """What was done, in a line."""
        if not self.bundles:
            return "no keyframes are connected by enough points; nothing was refined together"
        views, points = (sum(x) for x in zip(*((len(b.T_world_cam), b.points) for b in self.bundles), strict=True))
        before, after = (max(getattr(b, name) for b in self.bundles) for name in ("error_before", "error"))
        lens = f"; k1 {self.camera.distortion[0]:.4f}" if self.camera.distortion else ""
        return (
            f"{views} keyframes refined together by {points} points: mean reprojection error {before:.2f} to "
            f"{after:.2f} pixels{lens}{f', fx {self.camera.focal[0]:.1f}' if lens else ''}"
        )


def refine_globally(
    sequence: Video,
    tracked: VisualOdometry,
    options: BundleOptions = BundleOptions(),
    *,
    stopped: Collection[object] = (),
) -> Refined:
    """Refine all keyframes of each connected stretch of a sequence together, and carry the frames in between along.

    Where loops were found, points are looked for again where these say they are seen. The camera is refined by the
    longest stretch, and holds for the others. Once ``stopped`` holds something it ends with what is refined by then.
    Raises InputError without pycolmap.
    """
    import_pycolmap()
    poses = tracked.trajectory.poses.clone()
    (fx, _, cx), (_, fy, cy), _ = sequence.intrinsics.double().tolist()
    camera = Camera(sequence.size, (fx, fy), (cx, cy))
    bundles: list[Bundle] = []
    followed = _Followed(sequence, _loop_frames(tracked), stopped)
    for stretch in sorted(followed.stretches, key=len, reverse=True):
        if stopped:
            break
        frames = torch.tensor([frame for frame, _ in stretch])
        seen = _observations([rows for _, rows in stretch])
        seen = _with_loops(seen, frames.tolist(), sequence, tracked, options.start)
        refined: RefinedCamera = "fixed" if bundles else options.camera
        try:
            bundle = adjust(seen, poses[frames], camera, replace(options, camera=refined), stopped=stopped)
        except InputError:
            continue
        part = slice(int(frames[0]), int(frames[-1]) + 1)
        after = carried(frames - frames[0], poses[frames], bundle.T_world_cam, poses[part])
        # what comes later goes on from where the stretch ends now
        poses[part.stop :] = after[-1] @ inverse(poses[part.stop - 1]) @ poses[part.stop :]
        poses[part] = after
        camera = bundle.camera
        bundles.append(bundle)
    return Refined(replace(tracked.trajectory, poses=poses), camera, tuple(bundles))


class _Followed:
    """Points followed through a sequence: ``stretches`` of keyframes that they connect, each (frame, rows)."""

    def __init__(self, sequence: Video, wanted: set[int], stopped: Collection[object] = ()) -> None:
        """Frames that are ``wanted`` are keyframes whatever they show."""
        self._tracks, self._last = PointTracks(), (np.zeros(0, np.int64), np.zeros((0, 2), np.float32))
        self._width = sequence.size[1]
        self.stretches: list[list[tuple[int, np.ndarray]]] = [[]]
        for index in range(len(sequence)):
            if stopped:
                break
            grey = _grey(sequence, index)
            if grey is None:
                continue
            self._tracks.follow(grey)
            if len(self._tracks.pixels) < LEAST_POINTS:
                self._tracks.forget()
                self.stretches.append([])
            if not self.stretches[-1] or index in wanted or self._is_keyframe():
                self._keep(index, grey)
        self.stretches = [x for x in self.stretches if len(x) >= FEWEST]

    def _is_keyframe(self) -> bool:
        numbers, pixels = self._last
        _, old, new = np.intersect1d(numbers, self._tracks.numbers, assume_unique=True, return_indices=True)
        if len(new) < LEFT * len(numbers):
            return True
        moved = np.linalg.norm(self._tracks.pixels[new] - pixels[old], axis=1)
        return bool(np.median(moved) > SPACING * self._width)

    def _keep(self, index: int, grey: np.ndarray) -> None:
        self._tracks.replenish(grey)
        self._last = self._tracks.numbers.copy(), self._tracks.pixels.copy()
        rows = np.column_stack([self._tracks.numbers, self._tracks.pixels.astype(np.float64)])
        self.stretches[-1].append((index, rows))


def _grey(sequence: Video, index: int) -> np.ndarray | None:
    """A frame, grey (H, W) uint8; None of what cannot be read."""
    try:
        image = sequence.frame(index)
    except InputError:
        return None
    return cv2.cvtColor(image.permute(1, 2, 0).mul(255).round().byte().numpy(), cv2.COLOR_RGB2GRAY)


def _observations(tables: Sequence[np.ndarray]) -> Observations:
    """Observations by rows of number, x, y of each view."""
    every = torch.from_numpy(np.concatenate(tables))
    view = torch.cat([torch.full((len(rows),), row) for row, rows in enumerate(tables)])
    return Observations(every[:, 0].long(), view, every[:, 1:])


def _loop_frames(tracked: VisualOdometry) -> set[int]:
    """The frames at the ends of loops."""
    keyframes = sorted(tracked.depth_scales)
    return {keyframes[k] for loop in tracked.loops for k in (loop.first, loop.second)}


def _with_loops(
    seen: Observations, frames: list[int], sequence: Video, tracked: VisualOdometry, options: PointOptions
) -> Observations:
    """Observations of points, and where the later frame of a loop shows those of the earlier one."""
    keyframes = sorted(tracked.depth_scales)
    ends = [(keyframes[loop.first], keyframes[loop.second]) for loop in tracked.loops]
    ends = [(a, b) for a, b in ends if a in frames and b in frames]
    if not ends:
        return seen
    poses, intrinsics = tracked.trajectory.poses[frames], sequence.intrinsics.double()
    points = triangulate_tracks(seen, poses, intrinsics, options)
    every = points.observations
    for a, b in ends:
        first, second = frames.index(a), frames.index(b)
        own = points.observations.view == first
        pixels, numbers = points.observations.pixels[own], points.observations.point[own]
        T_second_world = inverse(poses[second])
        there = points.places[numbers] @ T_second_world[:3, :3].mT + T_second_world[:3, 3]
        again = _seen_again((_grey(sequence, a), _grey(sequence, b)), pixels, project(there, intrinsics)[0])
        good = again.isfinite().all(1)
        more = Observations(numbers[good], torch.full((int(good.sum()),), second), again[good])
        every = Observations(*(torch.cat(x) for x in zip(every, more, strict=True)))
    return every


def _seen_again(images: tuple[np.ndarray | None, np.ndarray | None], pixels: Tensor, expected: Tensor) -> Tensor:
    """Where the second image shows pixels (N, 2) of the first, near ``expected``; NaN where it does not."""
    a, b = images
    if a is None or b is None or not len(pixels):
        return torch.full_like(pixels, float("nan"))
    start, guess = (x.float().numpy() for x in (pixels, expected))
    there, found, _ = cv2.calcOpticalFlowPyrLK(a, b, start, guess.copy(), **AGAIN)  # type: ignore[call-overload]
    back, returned, _ = cv2.calcOpticalFlowPyrLK(b, a, there, start.copy(), **AGAIN)  # type: ignore[call-overload]
    same = (np.linalg.norm(back - start, axis=1) < ROUND_TRIP) & (found[:, 0] > 0) & (returned[:, 0] > 0)
    return torch.from_numpy(np.where(same[:, None], there, np.nan).astype(np.float64))
