"""Loop closure: keyframes compared with earlier ones, and the course corrected where it comes back to a place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from vode.geometry import pose, similarity
from vode.geometry.resize import image_size
from vode.memory import give_back_memory
from vode.odometry.frames import Frame
from vode.odometry.loop_closure.agreement import FoundLoops
from vode.odometry.loop_closure.consistency import Course, loop_deviations
from vode.odometry.loop_closure.keyframes import Features, Keyframe, describe, features_of, is_keyframe, median_depth
from vode.odometry.loop_closure.maps import joined, rejoined
from vode.odometry.loop_closure.places import Places
from vode.odometry.loop_closure.verification import Loop, verify
from vode.odometry.options import LoopOptions
from vode.odometry.pose_graph import PoseGraph, optimize

OFTEN, SELDOM = 200, 20
"""most optimisations while as many keyframes come as there are, of the newest ones and of all: their cost grows with
the video, their number must not"""
FEW = 1000
"""keyframes up to which all are optimised each time"""
TIDY = 50
"""keyframes after which freed memory is given back to the system"""
PRECISION = 1e-6
"""gain of a step, relative to the cost, that is not worth another one"""


class LoopCloser:
    """Keeps keyframes, recognises places, and corrects poses that odometry gave.

    A correction is a similarity for each keyframe, from the world of odometry to the corrected one. Frames follow their
    last keyframe: rigidly, with its scale. The first keyframe, whose frame is the world, stays where it is, and so does
    the mean of the logarithms of the scales.
    """

    def __init__(self, intrinsics: Tensor, options: LoopOptions = LoopOptions()) -> None:
        """intrinsics (3, 3) of the frames."""
        self.options, self._intrinsics = options, intrinsics.detach().double().cpu()
        self.keyframes: list[Keyframe] = []
        self.loops: tuple[Loop, ...] = ()
        self._places = Places(options)
        self._begun = 0
        self._found = FoundLoops(options)
        self._corrections: list[Tensor] = []
        self._level = 1.0
        self._used: tuple[Loop, ...] = ()
        self._stale, self._optimized, self._whole = False, 0, 0
        self._doubtful, self._missing = False, 0

    def expect(self, frame: Frame, poses: Sequence[Tensor], expected: Tensor) -> Future[Features] | None:
        """Features of a frame that seems to become a keyframe, found beside what else is done before it is added.

        ``poses`` are those of ``add``, and ``expected`` (4, 4) is roughly that of the frame.
        """
        last = self.keyframes[-1]
        if not is_keyframe(poses[last.frame], expected, last.distance, self.options):
            return None
        # a thread for this frame alone, as the state of a tracker is written to files
        aside = ThreadPoolExecutor(1)
        features = aside.submit(features_of, frame, self.options)
        aside.shutdown(wait=False)
        return features

    @torch.no_grad()
    def add(
        self,
        frame: Frame,
        depth: Tensor,
        poses: Sequence[Tensor],
        *,
        doubtful: bool = False,
        missing: int = 0,
        features: Future[Features] | None = None,
    ) -> tuple[int, ...]:
        """Take note of a frame and its depth (1, 1, H, W); the earlier frames whose poses that has corrected.

        ``poses`` (4, 4) float64 are those of odometry of all frames so far. ``doubtful`` says that the motion to this
        one was extrapolated, or lacks its translation; ``missing`` is the number of frames, this one and those just
        before it, whose motion was extrapolated. Where they are too many, the way is lost and a new map begins.
        ``features`` are what ``expect`` gave for this frame.
        """
        self._doubtful |= doubtful
        self._missing = self._missing + missing if missing else 0
        last, lost = self.keyframes[-1].frame if self.keyframes else None, self._missing >= self.options.lost
        distance = median_depth(depth)
        if last is not None and not lost and not is_keyframe(poses[last], poses[frame.index], distance, self.options):
            return ()
        seen = None if features is None else features.result()
        keyframe = describe(frame, depth, self.options, features=seen)._replace(doubtful=self._doubtful, lost=lost)
        self._doubtful, self._missing = False, 0 if lost else self._missing
        self.keyframes.append(keyframe)
        if len(self.keyframes) % TIDY == 0:
            give_back_memory()
        self._corrections.append(self._corrections[-1] if last is not None else torch.eye(4, dtype=torch.float64))
        self._begun = len(self.keyframes) - 1 if lost else self._begun
        # all visits are compared with the first: a graph whose visits were tied to one another would be slow to solve
        again = [x.second for x in self.loops]
        loop = self._recognised(self._places.add(keyframe.descriptors, self._begun, again), image_size(frame.image))
        if loop is None and not self._is_due:
            return ()
        course = Course(torch.stack([poses[x.frame] for x in self.keyframes]), self.keyframes, self.options)
        if loop is not None and course.allows(loop):
            self.loops = self._found.add(loop, course)
            self._stale = [x[:2] for x in self.loops] != [x[:2] for x in self._used]
        if not self._is_due:
            return ()
        every = torch.stack(list(poses))
        before = self.corrected(every)
        self._optimize(course)
        changed = (self.corrected(every) != before).flatten(1).any(1)
        return tuple(changed[:-1].nonzero()[:, 0].tolist())

    def corrected(self, poses: Tensor) -> Tensor:
        """Corrected poses (N, 4, 4) of the first N frames by odometry's."""
        if not self._used:
            return poses
        frames = torch.tensor([x.frame for x in self.keyframes])
        index = torch.searchsorted(frames, torch.arange(len(poses)), right=True) - 1
        return self._levelled(torch.stack(self._corrections)[index.clamp(min=0)] @ poses)

    def corrected_pose(self, frame: int, T_world_cam: Tensor) -> Tensor:
        """The corrected pose (4, 4) of one frame by odometry's."""
        if not self._used:
            return T_world_cam
        index = bisect_right(self.keyframes, frame, key=lambda x: x.frame) - 1
        return self._levelled(self._corrections[max(index, 0)] @ T_world_cam)

    @property
    def maps(self) -> dict[int, bool]:
        """The first keyframe's frame of each map, and whether loops join it to the first map."""
        map_of = torch.tensor([x.lost for x in self.keyframes], dtype=torch.int64).cumsum(0)
        known = rejoined(map_of, self._used)
        firsts = [0, *(k for k, x in enumerate(self.keyframes) if x.lost)]
        return {self.keyframes[k].frame: int(map_of[k]) in known for k in firsts if self.keyframes}

    @property
    def scales(self) -> dict[int, float]:
        """What depth of every keyframe, by its frame, is multiplied by to fit the corrected poses."""
        values = [self._level * float(similarity.scale(x)) for x in self._corrections]
        return dict(zip([x.frame for x in self.keyframes], values, strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes of the features of all keyframes."""
        return sum(x.nbytes for x in self.keyframes)

    def _levelled(self, nodes: Tensor) -> Tensor:
        """Poses (..., 4, 4) of similarities, at the level of the scale."""
        poses = similarity.rigid(nodes)
        return pose.from_rotation_translation(poses[..., :3, :3], self._level * poses[..., :3, 3])

    def _recognised(self, places: list[int], size: tuple[int, int]) -> Loop | None:
        """The loop from the place of most inliers to the newest keyframe."""
        newest, loops = len(self.keyframes) - 1, []
        for place in places:
            first, second = self.keyframes[place], self.keyframes[newest]
            found = verify(first, second, self._intrinsics, size, self.options.verification)
            if found is not None:
                loops.append(Loop(place, newest, found[0], first.distance, found[1]))
        return max(loops, key=lambda loop: loop.inliers, default=None)

    @property
    def _is_due(self) -> bool:
        """Whether loops wait for an optimisation, and enough keyframes have come since the last one."""
        count = len(self.keyframes)
        return self._stale and count - self._optimized > count // OFTEN

    def _optimize(self, course: Course) -> None:
        """Corrections by the pose graph of odometry and loops; as they were where it has no optimum.

        Of many keyframes mostly the newest alone are moved, and those before the last optimisation of all stay.
        """
        count, loops, self._used = len(self.keyframes), self.loops, self.loops
        nodes = torch.stack(self._corrections) @ course.T_world_cam
        late = not self._whole or count - self._whole > count // SELDOM
        whole = late or count < FEW or not all(self.maps.values())
        base = 0 if whole else self._whole - 1
        self._stale, self._optimized, self._whole = False, count, count if whole else self._whole
        nodes = joined(nodes, course.map, loops) if whole else nodes
        solution = optimize(_graph(nodes, course, loops, base), precision=PRECISION)
        if not solution.converged:
            return
        nodes = torch.cat([nodes[:base], solution.nodes])
        # one keyframe's depth tells the level of the scale worse than all do
        self._level = float(similarity.scale(nodes).log().mean().neg().exp())
        self._corrections = list((nodes @ pose.inverse(course.T_world_cam)).unbind())


def _graph(nodes: Tensor, course: Course, loops: Sequence[Loop], base: int) -> PoseGraph:
    """The pose graph of the keyframes from ``base`` on, to which those before it belong as one rigid body."""
    loops = [x for x in loops if x.second > base]
    place = similarity.inverse(nodes[base])
    measured = [x.S_first_second if x.first >= base else place @ nodes[x.first] @ x.S_first_second for x in loops]
    ends = torch.arange(len(nodes) - base)
    deviations = torch.cat([course.deviations[base:], *(loop_deviations(x)[None] for x in loops)])
    return PoseGraph(
        nodes[base:],
        torch.cat([ends[:-1], torch.tensor([max(x.first - base, 0) for x in loops], dtype=torch.int64)]),
        torch.cat([ends[1:], torch.tensor([x.second - base for x in loops], dtype=torch.int64)]),
        torch.cat([course.motions[base:], *(x[None] for x in measured)]),
        torch.diag_embed(deviations.square().reciprocal()),
    )
