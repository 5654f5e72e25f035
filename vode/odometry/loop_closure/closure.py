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

SURPRISED, CALM = 200, 20
"""most optimisations while as many keyframes come as there are, where new loops contradict the corrected course, and
where they confirm it: their cost grows with the video, their number must not"""
FEW = 1000
"""keyframes up to which an optimisation costs too little to be put off"""
PRECISION = 1e-6
"""gain of a step, relative to the cost, that is not worth another one"""
TIDY = 50
"""keyframes after which freed memory is given back to the system"""


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
        self._rate, self._since = 0, 0
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
        self._since += 1
        if loop is None and not self._is_due:
            return ()
        course = Course(torch.stack([poses[x.frame] for x in self.keyframes]), self.keyframes, self.options)
        if loop is not None and course.allows(loop):
            earlier, self.loops = self.loops, self._found.add(loop, course)
            self._rate = max(self._rate, self._told(earlier, course))
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
        return self._rate > 0 and self._since > len(self.keyframes) // self._rate

    def _told(self, earlier: tuple[Loop, ...], course: Course) -> int:
        """How often optimisations may be for what loops say that earlier ones did not; 0 where they are the same."""
        known, ends = {x[:2] for x in earlier}, {x[:2] for x in self.loops}
        fresh = [x for x in self.loops if x[:2] not in known]
        if not known <= ends or (fresh and len(self.keyframes) < FEW):
            return SURPRISED
        for loop in fresh:
            first, second = (self._corrections[k] @ course.T_world_cam[k] for k in (loop.first, loop.second))
            between = similarity.inverse(first) @ second
            error = similarity.log(similarity.inverse(loop.S_first_second) @ between) / loop_deviations(loop)
            if error.square().sum() > self.options.significance:
                return SURPRISED
        return CALM if fresh else 0

    def _optimize(self, course: Course) -> None:
        """Corrections by the pose graph of odometry and loops; as they were where it has no optimum."""
        count, loops = len(self.keyframes), self.loops
        deviations = torch.cat([course.deviations, *(loop_deviations(x)[None] for x in loops)])
        ends = torch.arange(count)
        graph = PoseGraph(
            joined(torch.stack(self._corrections) @ course.T_world_cam, course.map, loops),
            torch.cat([ends[:-1], torch.tensor([x.first for x in loops], dtype=torch.int64)]),
            torch.cat([ends[1:], torch.tensor([x.second for x in loops], dtype=torch.int64)]),
            torch.cat([course.motions, *(x.S_first_second[None] for x in loops)]),
            torch.diag_embed(deviations.square().reciprocal()),
        )
        solution = optimize(graph, precision=PRECISION)
        self._rate, self._since = 0, 0
        if not solution.converged:
            return
        self._used = loops
        # one keyframe's depth tells the level of the scale worse than all do
        self._level = float(similarity.scale(solution.nodes).log().mean().neg().exp())
        self._corrections = list((solution.nodes @ pose.inverse(course.T_world_cam)).unbind())
