"""Motions by a pose network, in the place of geometry."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry.matches import Matches
from vode.geometry.pose import inverse
from vode.geometry.resize import SizeFor, image_size, resize_images
from vode.geometry.warp import resize_flow
from vode.networks.pose import PoseNet
from vode.odometry.frame_motion import Evidence, FrameMotion
from vode.odometry.frames import Frame
from vode.odometry.perception import DepthSource, FlowSource, Perception, at_work
from vode.odometry.result import Method


@runtime_checkable
class MotionSource(Protocol):
    """Motions between frames."""

    history: int
    """how many frames before the last two it looks at"""

    def motion(self, frames: Sequence[Frame]) -> Tensor:
        """T_b_a (4, 4) float64 between the last two of consecutive frames, of which there may be fewer than asked."""
        ...


class WithPoseNetwork(Perception):
    """What another perception sees, and the motions of a pose network, in the unit of the depth it was trained with.

    ``size_for`` gives the (height, width) at which the network sees frames of one. One that takes whole snippets gets
    the newest; at the beginning the first frame is repeated. One that takes flow gets that of the perception.
    """

    def __init__(self, seen: DepthSource, pose: PoseNet, size_for: SizeFor) -> None:
        self.device, self._seen, self._pose, self._size_for = seen.device, seen, pose, size_for
        self.history = pose.frames - 2
        self.at_work = partial(at_work, seen)

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        if not isinstance(self._seen, FlowSource):
            raise InputError("no flow network is there for this pose network; give the run's own", "flow")
        return self._seen.flow(a, b)

    def depth(self, frame: Frame) -> Tensor:
        return self._seen.depth(frame)

    @torch.no_grad()
    def motion(self, frames: Sequence[Frame]) -> Tensor:
        """T_b_a (4, 4) float64 between the last two of consecutive frames."""
        size = self._size_for(image_size(frames[-1].image))
        if self._pose.options.input == "flow":
            back = resize_flow(self.flow(frames[-2], frames[-1])[1], size)
            # the target of two frames is the second
            return inverse(self._pose(back[:, None]).T_s_t[0, 0].double().cpu())
        images = torch.stack([resize_images(frame.image, size)[0] for frame in frames])
        missing = self.history + 2 - len(frames)
        snippet = torch.cat([images[:1].expand(missing, -1, -1, -1), images])[None]
        before, after = self._pose.trajectory(snippet)[0, -2:].double().cpu()
        return after @ inverse(before)


def network_motion(perception: object, frames: Sequence[Frame]) -> tuple[FrameMotion, Evidence]:
    """The motion between the last two frames by a perception's pose network, which no correspondences explain.

    InputError if it has none.
    """
    if not isinstance(perception, MotionSource):
        raise InputError("no pose network tells motions here; track by geometry (vode) or by a run of one", "tracker")
    T_b_a = perception.motion(frames)
    none = torch.zeros(1, 0, 2, device=frames[-1].image.device)
    evidence = Evidence(Matches(none, none, none[..., 0]), none[..., 0].bool())
    return FrameMotion(T_b_a, Method.NETWORK), evidence


def history_of(perception: object) -> int:
    """How many frames before the last two a perception looks at to tell a motion."""
    return cast(int, getattr(perception, "history", 0))
