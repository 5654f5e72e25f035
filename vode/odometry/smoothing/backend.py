"""What earlier frames tell about later ones, and the other way round: points, the window, and lengths over time."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vode.geometry.matches import Matches
from vode.geometry.pose import from_rotation_translation, inverse, orthonormal
from vode.geometry.resize import image_size
from vode.odometry.frame_motion import Depths, Evidence, FrameMotion
from vode.odometry.frames import Frame
from vode.odometry.options import TrackerOptions
from vode.odometry.result import DepthLevel, Method, Reason
from vode.odometry.scale import Scale
from vode.odometry.smoothing.scale_filter import ScaleFilter, Step
from vode.odometry.smoothing.views import Views
from vode.odometry.sources.tracks import TrackedPoints
from vode.odometry.window import Window

LOOSE = 0.5
"""relative standard deviation, in the window, of a length that its own points tell"""


class Backend:
    """The poses of all frames, and what corrects them: on the processor, in float64.

    A view is a frame that the next one is compared with. Points that views have seen, those of the window or of
    ``TrackedPoints``, tell lengths in the scale of the trajectory, and the scale filter holds that to the level of the
    depth.
    """

    def __init__(self, frame: Frame, intrinsics: Tensor, options: TrackerOptions) -> None:
        """The first view and intrinsics (3, 3)."""
        self.options = options
        self.poses = [torch.eye(4, dtype=torch.float64) for _ in range(frame.index + 1)]
        self._window = Window(intrinsics, options.window) if options.refine == "window" else None
        if self._window is not None:
            self._window.start(frame.index, self.poses[-1])
        apart = options.scale_from == "tracks" or (options.scale_from == "fused" and self._window is None)
        self._tracks = TrackedPoints(intrinsics, options) if apart else None
        self._filter = ScaleFilter(options.scale_filter) if options.scale_from == "fused" else None
        self._views = Views(image_size(frame.image)[1], options.track_scale)
        self._references: list[int] = []
        self._last = frame.index
        self.threshold = options.threshold
        """pixels: the Sampson distance of an inlier that suits the noise of the last correspondences"""

    def tracked(self) -> Tensor | None:
        """Points (1, M, 2) of the last view that are to be found in the next frame."""
        followed = None if self._window is None else self._window.tracked()
        return followed if self._tracks is None else self._tracks.after(followed)

    def depths(self, a: Tensor, b: Callable[[], Tensor], found: Matches) -> Depths:
        """Depth of the last view and the next frame, (1, 1, H, W), and of matches that begin with known points."""
        followed = None if self._window is None else self._window.tracked()
        if self._tracks is not None:
            return Depths(a, b, self._tracks.depth(found, followed, self.poses[self._last]))
        if self._window is None or self._filter is None:
            return Depths(a, b)
        known = self._window.depth().to(found.scores)
        return Depths(a, b, torch.nn.functional.pad(known, (0, found.scores.shape[1] - known.shape[1])))

    def points(self) -> Tensor:
        """Points (N, 3) float64 in the axes of the last view that tracks triangulate, where they alone tell lengths."""
        if self._tracks is None or self.options.scale_from != "tracks":
            return torch.zeros(0, 3, dtype=torch.float64)
        return self._tracks.points(self.poses[self._last])

    def keeps(self, motion: FrameMotion, evidence: Evidence) -> bool:
        """Note what a motion was found from; whether its frame becomes a view."""
        self.threshold = max(evidence.threshold or 0.0, self.options.threshold)
        if self._tracks is not None:
            self._tracks.note(evidence, None if self._window is None else self._window.tracked())
        # the window chooses its own keyframes, once a first baseline has set the unit
        every = self._tracks is None or (self._window is not None and self._tracks.started)
        return every or self._views.next(motion, evidence)

    def scaled(self, motion: FrameMotion) -> FrameMotion:
        """A motion rigid to float64, as fast as the last one where nothing tells its length."""
        # the rotation of two views comes in float32, and poses are products of thousands
        motion = motion._replace(T_b_a=orthonormal(motion.T_b_a))
        return motion if self._tracks is None else self._tracks.scaled(motion, len(self.poses) - self._last)

    def append(self, motion: FrameMotion) -> None:
        """The next frame, which does not become a view, by its motion from the last one."""
        self._append(motion, Step())

    def add(self, motion: FrameMotion, evidence: Evidence) -> tuple[float | None, tuple[int, ...]]:
        """The next frame, which becomes a view: the deviation of its length, and the earlier frames corrected.

        ``motion`` is that from the last view, and ``evidence`` what it was estimated from.
        """
        first = self._oldest
        before = self.poses[first:]
        self._append(motion, _step(motion))
        if self._window is not None:
            self._refine(self._window, motion, evidence)
        if self._tracks is not None:
            frames = len(self.poses) - 1 - self._last
            self._tracks.advance(motion, frames, self.poses[self._last], self.poses[-1])
        deviation = motion.scale_deviation
        self._last = len(self.poses) - 1
        if self._filter is not None:
            found = self._rescale(self._filter)
            deviation = None if deviation is None else found
        changed = [k for k, pose in enumerate(before, first) if not torch.equal(pose, self.poses[k])]
        return deviation, tuple(changed)

    @property
    def _oldest(self) -> int:
        """The first frame that may still be corrected."""
        oldest = len(self.poses) - (0 if self._filter is None else len(self._filter))
        return oldest if self._window is None else min(oldest, self._window.frames[0])

    @property
    def depth_factor(self) -> float:
        """What depth of the last view is to be multiplied by to fit the trajectory."""
        return 1.0 if self._filter is None else self._filter.depth_factor

    @property
    def depth_level(self) -> DepthLevel | None:
        """The same with its deviation; None where depth is taken as it is, or has told no length yet."""
        found = self._filter
        if found is None or not math.isfinite(found.depth_factor_deviation):
            return None
        return DepthLevel(found.depth_factor, found.depth_factor_deviation)

    def _append(self, motion: FrameMotion, step: Step) -> None:
        self.poses.append(self.poses[self._last] @ inverse(motion.T_b_a))
        if self._filter is not None:
            self._filter.add(step)
            self._references.append(self._last)

    def _refine(self, window: Window, motion: FrameMotion, evidence: Evidence) -> None:
        """The window with the newest frame, and the poses by it."""
        frame, by_tracks = len(self.poses) - 1, motion.lengths.tracks is not None and bool(motion.lengths.tracks.known)
        if motion.method is Method.EXTRAPOLATED:
            window.start(frame, self.poses[-1])
            return
        deviation = motion.scale_deviation or self.options.scale.deviation
        if self._filter is not None:
            deviation = max(deviation, LOOSE) if by_tracks else deviation
        window.add(frame, motion.T_b_a, deviation, evidence.found, evidence.explained)
        # the two oldest stay as they are, to the last bit
        for index, pose in list(window.poses().items())[2:]:
            self.poses[index] = pose

    def _rescale(self, scale_filter: ScaleFilter) -> float:
        """Lengths of the last motions by all that is known now; the deviation of that of the newest."""
        count = len(scale_filter)
        first = len(self.poses) - count
        starts = torch.stack([self.poses[k][:3, 3] for k in self._references])
        ends = torch.stack(self.poses[first:])[:, :3, 3]
        lengths = (ends - starts).norm(dim=-1).numpy()
        values, deviation = scale_filter.corrections(lengths)
        newest = float(np.exp(values[-1]))
        if self._window is not None:
            # the window keeps its shape
            inside = min(max(self._window.frames[0] + 1 - first, 0), count - 1)
            values = np.append(values[:inside], np.full(count - inside, values[-1]))
            first = min(first, self._window.frames[0] + 1)
        scale_filter.corrected(values, lengths * np.exp(values))
        self._references = self._references[-len(scale_filter) :]
        factors = torch.full((len(self.poses) - first, 1), newest, dtype=torch.float64)
        factors[-count:, 0] = torch.from_numpy(np.exp(values))
        positions = torch.stack(self.poses[first - 1 :])[:, :3, 3]
        moved = positions[0] + (factors * positions.diff(dim=0)).cumsum(0)
        for k, position in enumerate(moved, first):
            self.poses[k] = from_rotation_translation(self.poses[k][:3, :3], position)
        shift = moved[-1] - newest * positions[-1]
        for points in (self._window, self._tracks):
            if points is not None:
                points.rescale(newest, shift)
        return deviation


def _step(motion: FrameMotion) -> Step:
    """What the scale filter takes of a motion."""
    depth, tracks, ground = motion.lengths
    change = 0.0 if tracks is None else float(tracks.deviation) if bool(tracks.known) else float("inf")
    if motion.reason is Reason.ASSUMED_SCALE:
        return Step(change=change)
    return Step(*_level(depth), change, *_level(ground))


def _level(scale: Scale | None) -> tuple[float, float]:
    """A log length and its standard deviation, NaN where it is not known."""
    if scale is None or not bool(scale.known):
        return math.nan, math.nan
    return float(scale.value.log()), float(scale.deviation)
