"""The tracker: frames of a video, one at a time, to poses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.pose import inverse, se3_exp, se3_log
from vode.geometry.resize import SizeFor
from vode.io.trajectory import Provenance, Trajectory
from vode.odometry import result
from vode.odometry.clock import Clock
from vode.odometry.frame_motion import Evidence, FrameMotion, frame_motion
from vode.odometry.frames import Frame, Intake, same
from vode.odometry.loop_closure.closure import LoopCloser
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import MatchingPerception, Perception, at_work, find_matches
from vode.odometry.result import Details, FrameResult, Method, Reason
from vode.odometry.smoothing.backend import Backend
from vode.odometry.sources.pose_network import history_of, network_motion


@runtime_checkable
class TrackingModel(Protocol):
    """A trained model that says how it is to track: what ``VisualOdometry`` takes in place of a perception."""

    tracker: TrackerOptions

    def tracking_size(self, image_size: tuple[int, int], tracker: TrackerOptions | None = None) -> tuple[int, int]:
        """The (height, width) at which images of ``image_size`` are tracked, by default with its own options."""
        ...

    def perception(self, tracker: TrackerOptions | None = None) -> Perception:
        """Its flow and depth, or motions, as the options of a tracker ask for, by default its own."""
        ...


class View(NamedTuple):
    """The last frame that shows something."""

    frame: Frame
    depth: Tensor
    earlier: tuple[Frame, ...] = ()
    """the views before it, where a pose network looks at them"""


class Seen(NamedTuple):
    """What a frame that becomes the last view shows."""

    depth: Tensor
    evidence: Evidence | None = None
    """what its motion was found from; None for the first"""


class VisualOdometry:
    """Camera poses of a video, a frame at a time.

    The trajectory starts at identity and is in the unit of the depth. A frame that cannot be read, is black or of one
    colour gets its pose from constant velocity, and the next one is compared with the last that shows something.
    With ``TrackerOptions(refine="window")`` new frames correct the poses of earlier ones, and results say which. So
    they do with ``loops=True``, where the camera comes back to a place. Memory does not grow with the length of the
    video but for poses and results, and with loops by 0.1 MB a keyframe.

    Args:
        source: what sees the images (flow, or correspondences, and depth), or a model that has such a perception.
        camera: a Camera, whose lens distortion is removed from the images, or the intrinsics (3, 3) of undistorted
            images at their full size, pixels.
        options: default those of the model, if it is one, else ``TrackerOptions()``.
        size: (height, width) that images are resized to; default that of the model, if it is one, else their own.
        name: of the trajectory, for messages.
    """

    def __init__(
        self,
        source: Perception | MatchingPerception | TrackingModel,
        camera: Camera | np.ndarray | Tensor,
        options: TrackerOptions | None = None,
        *,
        size: tuple[int, int] | None = None,
        name: str = "estimate",
    ) -> None:
        size_for: tuple[int, int] | SizeFor | None = size
        if isinstance(source, TrackingModel):
            options = options or source.tracker
            size_for = size or partial(source.tracking_size, tracker=options)
            source = source.perception(options)
        self.options, self.name = options or TrackerOptions(), name
        self._perception = source
        self._intake = Intake(camera, size_for, source.device)
        self._results: list[FrameResult] = []
        self._backend: Backend | None = None
        self._last: View | None = None
        self._loops: LoopCloser | None = None
        self._clock = Clock()
        self._twist, self._duration = torch.zeros(6, dtype=torch.float64), 1.0
        self._numpy = False

    def __len__(self) -> int:
        """Frames so far."""
        return len(self._results)

    @torch.no_grad()
    def register_frame(self, image: np.ndarray | Tensor, timestamp: float | None = None) -> FrameResult:
        """Pose of the next frame, and how it was found; a numpy pose for a numpy image, else torch.

        ``image`` (H, W, 3), (3, H, W) or grey (H, W), RGB, uint8, uint16 or float in 0..1, at the camera's size;
        ``timestamp`` in seconds, for all frames or for none. Raises InputError for another image or a missing
        timestamp, and then nothing has happened: another image can still be registered, or a failure in its place.
        """
        timestamp = self._checked(timestamp)
        with at_work(self._perception):
            prepared = self._intake(image)
            frame = Frame(len(self), prepared, self._intake.intrinsics)
            self._numpy = isinstance(image, np.ndarray)
            return self._register(frame, timestamp)

    @torch.no_grad()
    def register_failure(self, message: str, timestamp: float | None = None) -> FrameResult:
        """The next frame cannot be read, for the reason in ``message``: its pose by constant velocity."""
        return self._register(None, self._checked(timestamp), message)

    @torch.no_grad()
    def finish(self) -> Sequence[int]:
        """Correct what loops tell and long videos put off; the earlier frames that it changed. Frames may follow."""
        if self._backend is None or self._loops is None:
            return ()
        return result.in_order(self._loops.finish(self._backend.poses))

    @property
    def results(self) -> tuple[FrameResult, ...]:
        """Of all frames, as they were when each came."""
        return tuple(self._results)

    @property
    def trajectory(self) -> Trajectory:
        """Poses of all frames so far, after all corrections."""
        poses = torch.eye(4, dtype=torch.float64).repeat(len(self), 1, 1)
        poses = poses if self._backend is None else torch.stack(self._backend.poses)
        poses = poses if self._loops is None else self._loops.corrected(poses)
        times = [x.timestamp for x in self._results]
        timed = bool(times) and times[0] is not None
        return Trajectory(
            poses,
            torch.tensor(times, dtype=torch.float64) if timed else None,
            name=self.name,
            provenance=Provenance(numbered=not timed, computed=True),
        )

    def pose(self, index: int) -> np.ndarray | Tensor:
        """World-from-camera pose (4, 4) float64 of one frame, after all corrections."""
        return self._pose(range(len(self))[index])

    @property
    def loops(self) -> tuple[Loop, ...]:
        """Places that the camera came back to and that were recognised, between keyframes by their numbers."""
        return () if self._loops is None else self._loops.loops

    @property
    def maps(self) -> dict[int, bool]:
        """The first frame of each map, and whether its place is known: the way was lost before all but the first.

        Without loops the way is never said to be lost: extrapolated motions go on from where they end.
        """
        return {} if self._loops is None else self._loops.maps

    @property
    def depth_scales(self) -> dict[int, float]:
        """What the depth of every keyframe is multiplied by to fit the trajectory, by its frame; none without loops."""
        return {} if self._loops is None else self._loops.scales

    def points(self) -> Tensor:
        """Points (N, 3) float64 in the axes of the last view that tracks triangulate, where they carry the scale."""
        return torch.zeros(0, 3, dtype=torch.float64) if self._backend is None else self._backend.points()

    def summary(self) -> str:
        """How many motions were found by which method."""
        return result.summary(self._results)

    def extrapolated(self) -> list[str]:
        """A line for each frame whose motion nothing told."""
        return result.extrapolated(self._results)

    def _checked(self, timestamp: float | None) -> float | None:
        if self._results and (timestamp is None) != (self._results[0].timestamp is None):
            which = "no timestamp" if timestamp is None else "a timestamp"
            raise InputError(
                f"{self.name}: frame {len(self)} has {which}, unlike the first; give all frames one, or none"
            )
        return None if timestamp is None else float(timestamp)

    def _register(self, frame: Frame | None, timestamp: float | None, message: str = "") -> FrameResult:
        index, last = len(self), self._last
        self._clock.tick(timestamp)
        motion, seen = self._motion(frame)
        details = Details(pnp_failed=motion.pnp_failed, message=message)
        if last is not None:
            gap = index - last.frame.index
            details = replace(details, reference=last.frame.index, late=self._clock.late(gap))
        deviation, changed = self._advance(frame, motion, seen)
        level = None if self._backend is None else self._backend.depth_level
        found = motion.method, motion.reason, details, motion.inliers, motion.parallax
        registered = FrameResult(index, timestamp, self._pose(index), *found, deviation, changed, level)
        self._results.append(registered)
        return registered

    def _motion(self, frame: Frame | None) -> tuple[FrameMotion, Seen | None]:
        """Motion from the last view to a frame, and what the frame shows where it is to be the next view."""
        last, still = self._last, torch.eye(4, dtype=torch.float64)
        expected = se3_exp(self._twist / self._duration * self._clock.elapsed)
        if frame is None or frame.is_blank:
            reason = Reason.UNREADABLE if frame is None else Reason.BLANK
            method = Method.START if last is None else Method.EXTRAPOLATED
            return FrameMotion(still if last is None else expected, method, reason), None
        if last is None or self._backend is None:
            return FrameMotion(still, Method.START), Seen(self._depth(frame))
        if same(last.frame, frame):
            return FrameMotion(still, Method.REPEATED, Reason.SAME_IMAGE), None
        return self._seen_motion(self._backend, last, frame, expected)

    def _depth(self, frame: Frame) -> Tensor:
        """Depth of a frame, unknown everywhere where tracks alone carry the scale."""
        without = self.options.scale_from == "tracks"
        return torch.zeros_like(frame.image[:, :1]) if without else self._perception.depth(frame)

    def _seen_motion(
        self, backend: Backend, last: View, frame: Frame, expected: Tensor
    ) -> tuple[FrameMotion, Seen | None]:
        """Motion by what two frames show, and what the second shows."""
        options = self.options
        if options.tracker == "pose-network":
            motion, evidence = network_motion(self._perception, (*last.earlier, last.frame, frame))
            return motion, Seen(self._depth(frame), evidence)
        options = replace(options, threshold=backend.threshold)
        images = (last.frame.image, frame.image) if options.subpixel else None
        tracked = backend.tracked()
        found = find_matches(self._perception, last.frame, frame, options, tracked=tracked, seed=options.seed)
        # late, as some perceptions compute it beside the motion
        depth = cache(partial(self._depth, frame))
        depths = backend.depths(last.depth, depth, found)
        motion, evidence = frame_motion(found, depths, self._intake.intrinsics, expected, options, images=images)
        motion = backend.scaled(motion)
        return motion, Seen(depth(), evidence) if backend.keeps(motion, evidence) else None

    def _advance(
        self, frame: Frame | None, motion: FrameMotion, seen: Seen | None
    ) -> tuple[float | None, Sequence[int]]:
        """Take note of a frame, as the last view if it shows something; its deviation, and what else was corrected."""
        deviation = motion.scale_deviation
        changed: Sequence[int] = ()
        features = None
        if frame is None or seen is None:
            if self._backend is not None:
                self._backend.append(motion)
            if motion.method not in (Method.EXTRAPOLATED, Method.START, Method.REPEATED):
                self._twist, self._duration = se3_log(motion.T_b_a), self._clock.elapsed
            return deviation, changed
        if self._backend is None or self._last is None or seen.evidence is None:
            self._backend = Backend(frame, self._intake.intrinsics[0], self.options)
            if self.options.loops:
                self._loops = LoopCloser(self._intake.intrinsics[0], self.options.loop_closure)
        else:
            if self._loops is not None:
                poses = self._backend.poses
                features = self._loops.expect(frame, poses, poses[self._last.frame.index] @ inverse(motion.T_b_a))
            deviation, changed = self._backend.add(motion, seen.evidence)
        poses = self._backend.poses
        if motion.method not in (Method.EXTRAPOLATED, Method.START) and self._last is not None:
            self._twist = se3_log(inverse(poses[-1]) @ poses[self._last.frame.index])
            self._duration = self._clock.elapsed
        self._clock.restart()
        lost = motion.method is Method.EXTRAPOLATED
        missing = frame.index - self._last.frame.index if lost and self._last is not None else 0
        before = () if self._last is None else (*self._last.earlier, self._last.frame)
        self._last = View(frame, seen.depth, before[max(len(before) - history_of(self._perception), 0) :])
        if self._loops is not None:
            doubtful = lost or motion.method is Method.ROTATION
            depth = seen.depth * self._backend.depth_factor
            more = self._loops.add(frame, depth, poses, doubtful=doubtful, missing=missing, features=features)
            changed = (*changed, *more)
        return deviation, result.in_order(changed)

    def _pose(self, frame: int) -> np.ndarray | Tensor:
        """A copy of the corrected pose of a frame, of the kind that images are."""
        pose = torch.eye(4, dtype=torch.float64) if self._backend is None else self._backend.poses[frame]
        pose = (pose if self._loops is None else self._loops.corrected_pose(frame, pose)).clone()
        return pose.numpy() if self._numpy else pose
