"""The corrected course: a pose graph of keyframes and loops, optimised as loops come."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vode.geometry import pose, similarity
from vode.odometry.loop_closure.consistency import Course, loop_deviations
from vode.odometry.loop_closure.maps import joined, untold
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import LoopOptions
from vode.odometry.pose_graph import PoseGraph, optimize

FEW = 1000
"""keyframes up to which an optimisation costs too little to be put off"""
SURPRISED, CALM = 200, 20
"""most optimisations while as many keyframes come as there are, where new loops contradict the corrected course, and
where they confirm it: their cost grows with the video, their number must not"""
AWAITED = 300
"""parts of a video of more keyframes in one of which an optimisation beside tracking is to end"""
PRECISION = 1e-6
"""gain of a step, relative to the cost, that is not worth another one"""


class Optimum(NamedTuple):
    """What a pose graph makes of the course of K keyframes."""

    similarities: Tensor
    """(K, 4, 4) float64, from the world of odometry to the corrected one"""
    level: float
    """what lengths are multiplied by, so that the mean of the logarithms of the keyframes' scales stays 0"""


class Optimisation:
    """The optimum of a course with its loops, sought in a thread of its own."""

    def __init__(self, course: Course, similarities: Tensor, loops: tuple[Loop, ...]) -> None:
        """``similarities`` (K, 4, 4) are those of the keyframes so far."""
        self.loops = loops
        self._optimum: Optimum | None = None
        aside = ThreadPoolExecutor(1)
        self._future: Future[Optimum | None] | None = aside.submit(optimum, course, similarities, loops)
        aside.shutdown(wait=False)

    def result(self) -> Optimum | None:
        """The optimum, waited for; None where there is none."""
        if self._future is not None:
            self._optimum, self._future = self._future.result(), None
        return self._optimum

    def __getstate__(self) -> dict[str, Any]:
        self.result()
        return vars(self)


class Correction:
    """A similarity for each keyframe, from the world of odometry to the corrected one.

    The first keyframe, whose frame is the world, stays where it is, and so does the mean of the logarithms of the
    scales. From ``FEW`` keyframes on optimisations go on beside tracking, and count a number of keyframes later that
    does not depend on how long they take.
    """

    def __init__(self) -> None:
        self.loops: tuple[Loop, ...] = ()
        """those that the poses are corrected by"""
        self.level = 1.0
        self.similarities = torch.zeros(0, 4, 4, dtype=torch.float64)
        self._rate, self._since = 0, 0
        self._awaited: Optimisation | None = None

    def append(self) -> None:
        """The next keyframe, which follows the last one."""
        last = self.similarities[-1:] if len(self.similarities) else torch.eye(4, dtype=torch.float64)[None]
        self.similarities = torch.cat([self.similarities, last])
        self._since += 1

    def corrected(self, T_world_cam: Tensor, index: Tensor | int) -> Tensor:
        """Poses (..., 4, 4) as corrected, by the number of the keyframe that each one follows."""
        poses = similarity.rigid(self.similarities[index] @ T_world_cam)
        return pose.from_rotation_translation(poses[..., :3, :3], self.level * poses[..., :3, 3])

    @property
    def is_due(self) -> bool:
        """Whether ``advance`` has something to do at the newest keyframe."""
        if self._awaited is None:
            return self._rate > 0 and self._since > len(self.similarities) // self._rate
        return self._since > len(self.similarities) // AWAITED

    def tell(self, earlier: Sequence[Loop], loops: Sequence[Loop], course: Course, options: LoopOptions) -> None:
        """Say which loops are believed now, and which were before."""
        self._rate = max(self._rate, self._told(earlier, loops, course, options))

    def advance(self, course: Course, loops: tuple[Loop, ...]) -> None:
        """Begin the optimisation that is due, or end the one that goes on, or both."""
        if self._awaited is None:
            self._begin(course, loops)
            if len(self.similarities) >= FEW:
                return
        self._end()

    def finish(self, course: Course, loops: tuple[Loop, ...]) -> None:
        """End what goes on, and do what was put off."""
        self._end()
        if self._rate:
            self._begin(course, loops)
            self._end()

    def _begin(self, course: Course, loops: tuple[Loop, ...]) -> None:
        self._awaited = Optimisation(course, self.similarities, loops)
        self._rate, self._since = 0, 0

    def _end(self) -> None:
        """Take over what was found; all stays as it was where there is no optimum."""
        ended, self._awaited = self._awaited, None
        found = None if ended is None else ended.result()
        if ended is None or found is None:
            return
        self.loops, self.level = ended.loops, found.level
        newer = len(self.similarities) - len(found.similarities)
        self.similarities = torch.cat([found.similarities, found.similarities[-1:].expand(newer, 4, 4)])

    def _told(self, earlier: Sequence[Loop], loops: Sequence[Loop], course: Course, options: LoopOptions) -> int:
        """How often optimisations may be for what loops say that earlier ones did not; 0 where they are the same."""
        known, ends = {x[:2] for x in earlier}, {x[:2] for x in loops}
        fresh = [x for x in loops if x[:2] not in known]
        if not known <= ends or (fresh and len(self.similarities) < FEW):
            return SURPRISED
        for loop in fresh:
            first, second = (self.similarities[k] @ course.T_world_cam[k] for k in (loop.first, loop.second))
            between = similarity.inverse(first) @ second
            error = similarity.log(similarity.inverse(loop.S_first_second) @ between) / loop_deviations([loop])[0]
            if error.square().sum() > options.significance:
                return SURPRISED
        return CALM if fresh else 0


@torch.no_grad()
def optimum(course: Course, similarities: Tensor, loops: tuple[Loop, ...]) -> Optimum | None:
    """The optimum of the pose graph of odometry and loops, from where similarities (K, 4, 4) put the keyframes.

    None where optimisation does not converge.
    """
    told = untold(course.map, loops).logical_not()
    links = torch.arange(len(similarities) - 1)[told]
    deviations = torch.cat([course.deviations[told], loop_deviations(loops)])
    graph = PoseGraph(
        joined(similarities @ course.T_world_cam, course.map, loops),
        torch.cat([links, torch.tensor([x.first for x in loops], dtype=torch.int64)]),
        torch.cat([links + 1, torch.tensor([x.second for x in loops], dtype=torch.int64)]),
        torch.cat([course.motions[told], *(x.S_first_second[None] for x in loops)]),
        torch.diag_embed(deviations.square().reciprocal()),
    )
    solution = optimize(graph, precision=PRECISION)
    if not solution.converged:
        return None
    # one keyframe's depth tells the level of the scale worse than all do
    level = float(similarity.scale(solution.nodes).log().mean().neg().exp())
    return Optimum(solution.nodes @ pose.inverse(course.T_world_cam), level)
