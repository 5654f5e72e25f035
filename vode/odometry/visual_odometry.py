"""The tracker: frames of a video, one after another, to a trajectory."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import inverse, se3_exp, se3_log
from vode.io.trajectory import Trajectory
from vode.odometry.frame_motion import VELOCITY, FrameMotion, frame_motion
from vode.odometry.frames import Frame, read_ahead, same
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Perception, find_matches
from vode.odometry.window import Window

START, REPEATED = "start", "repeated"
LATE = 1.5
"""steps of time that a frame may come after the one before until it counts as late"""


class View(NamedTuple):
    """The last frame that shows something."""

    frame: Frame
    depth: Tensor
    T_world_cam: Tensor


@dataclass(frozen=True)
class Tracked:
    """A trajectory and how each of its motions was found."""

    trajectory: Trajectory
    motions: list[FrameMotion]
    """of every frame but the first, from the last frame before it that shows something"""

    def log(self) -> str:
        """JSON lines: how each motion was found, and why not by a better way."""
        rows = []
        for number, motion in enumerate(self.motions, start=1):
            row = {"frame": number} | motion._asdict()
            del row["T_b_a"]
            rows.append(json.dumps(row, allow_nan=False) + "\n")
        return "".join(rows)

    def extrapolated(self) -> list[str]:
        """A line for every frame whose motion nothing told."""
        told = enumerate(self.motions, start=1)
        return [f"frame {number}: {motion.why}" for number, motion in told if motion.how == VELOCITY]

    def summary(self) -> str:
        """How many motions were found in which way."""
        counts = Counter(motion.how for motion in self.motions)
        return f"{len(self.motions)} motions: " + ", ".join(f"{n} {how}" for how, n in counts.most_common())


@torch.no_grad()
def track(
    sequence: Sequence,
    perception: Perception,
    *,
    size: tuple[int, int],
    options: TrackerOptions = TrackerOptions(),
    on_progress: Callable[[int], None] | None = None,
) -> Tracked:
    """Camera poses of a sequence, its frames resized to ``size`` (height, width) for flow and depth.

    The trajectory starts at identity and is in the unit of the depth. A frame that cannot be read, is black or of one
    colour gets its pose from constant velocity, and the next one is compared with the last that shows
    something. Memory does not grow with the length of the video but for the poses. ``on_progress`` is called with the
    number of each frame done. Raises InputError where no frame can be read.
    """
    intrinsics = resize_intrinsics(sequence.intrinsics, tuple(sequence.size), size)[None].to(perception.device)
    clock = _clock(sequence)
    window = Window(intrinsics[0], options.window) if options.refine == "window" else None
    poses, motions, last = [], [], None
    velocity = torch.zeros(6, dtype=torch.float64)
    for frame in read_ahead(sequence, size, perception.device):
        steps = float(clock[frame.index] - clock[last.frame.index]) if last else 1.0
        motion, depth = _motion(perception, last, frame, se3_exp(velocity * steps), intrinsics, options, window)
        poses.append((last.T_world_cam if last else torch.eye(4, dtype=torch.float64)) @ inverse(motion.T_b_a))
        motions.append(_with_gap(motion, last, frame, steps))
        if depth is not None:
            if motion.how not in (VELOCITY, START):
                velocity = se3_log(motion.T_b_a) / steps
            if window is not None:
                for index, T_world_cam in window.poses().items():
                    poses[index] = T_world_cam
            last = View(frame, depth, poses[-1])
        if on_progress is not None and frame.index:
            on_progress(frame.index)
    if last is None:
        raise InputError(f"{sequence.name}: no frame shows anything; the first: {motions[0].why}")
    trajectory = Trajectory(torch.stack(poses), sequence.timestamps, name=f"estimate of {sequence.name}")
    return Tracked(trajectory, motions[1:])


def _motion(
    perception: Perception,
    last: View | None,
    frame: Frame,
    expected: Tensor,
    intrinsics: Tensor,
    options: TrackerOptions,
    window: Window | None,
) -> tuple[FrameMotion, Tensor | None]:
    """Motion from the last view to a frame, and the frame's depth where it is to be the next view."""
    still = torch.eye(4, dtype=torch.float64)
    if frame.problem:
        return FrameMotion(expected if last else still, VELOCITY if last else START, frame.problem), None
    if last is None:
        if window is not None:
            window.start(frame.index, still)
        return FrameMotion(still, START, ""), perception.depth(frame)
    if same(last.frame, frame):
        return FrameMotion(still, REPEATED, f"the image is that of frame {last.frame.index}"), None
    depth = perception.depth(frame)
    images = (last.frame.image, frame.image) if options.subpixel else None
    tracked = None if window is None else window.tracked()
    found = find_matches(perception, last.frame, frame, options, tracked=tracked, seed=options.seed)
    motion, evidence = frame_motion(found, last.depth, depth, intrinsics, expected, options, images=images)
    if window is not None:
        if motion.how == VELOCITY:
            window.start(frame.index, last.T_world_cam @ inverse(motion.T_b_a))
        else:
            deviation = motion.scale_deviation or options.scale.deviation
            window.add(frame.index, motion.T_b_a, deviation, *evidence)
    return motion, depth


def _with_gap(motion: FrameMotion, last: View | None, frame: Frame, steps: float) -> FrameMotion:
    """The motion with a word about frames that are missing or left out before it."""
    if last is None:
        return motion
    notes = [motion.why] if motion.why else []
    if frame.index - last.frame.index > 1:
        notes.append(f"from frame {last.frame.index}")
    if steps > (frame.index - last.frame.index) * LATE:
        notes.append(f"{steps:.1f} usual steps of time after it")
    return motion._replace(why=", ".join(notes))


def _clock(sequence: Sequence) -> Tensor:
    """Time of every frame (N,) in usual steps from one to the next; always forward."""
    count = len(sequence)
    if sequence.timestamps is None or count < 2:
        return torch.arange(count, dtype=torch.float64)
    steps = sequence.timestamps.double().diff()
    usual = steps.nanmedian().clamp(min=1e-9)
    return torch.cat([steps.new_zeros(1), (steps / usual).nan_to_num(1.0).clamp(0.1, 1000).cumsum(0)])
