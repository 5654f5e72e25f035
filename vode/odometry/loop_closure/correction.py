"""The corrected course: a pose graph of keyframes and loops, optimised as loops come."""

from __future__ import annotations

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
"""most optimisations while as many frames come as there are, where new loops contradict the corrected course, and
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
    scales. From ``FEW`` keyframes on optimisations go on beside tracking, and count a number of frames later that does
    not depend on how long they take.
    """

    def __init__(self, options: LoopOptions = LoopOptions()) -> None:
        self._options = options
        self.loops: tuple[Loop, ...] = ()
        """those that the poses are corrected by"""
        self.level = 1.0
        self.similarities = torch.zeros(0, 4, 4, dtype=torch.float64)
        self._told: tuple[Loop, ...] = ()
        self._fresh: list[Loop] = []
        self._rate, self._since = 0, 0
        self._awaited: Optimisation | None = None

    def append(self) -> None:
        """The next keyframe, which follows the last one."""
        last = self.similarities[-1:] if len(self.similarities) else torch.eye(4, dtype=torch.float64)[None]
        self.similarities = torch.cat([self.similarities, last])

    def corrected(self, T_world_cam: Tensor, index: Tensor | int) -> Tensor:
        """Poses (..., 4, 4) as corrected, by the number of the keyframe that each one follows."""
        poses = similarity.rigid(self.similarities[index] @ T_world_cam)
        return pose.from_rotation_translation(poses[..., :3, :3], self.level * poses[..., :3, 3])

    def tell(self, loops: tuple[Loop, ...], course: Course) -> None:
        """Say which loops are believed now."""
        known, ends = {x[:2] for x in self._told}, {x[:2] for x in loops}
        self._told = loops
        self._fresh += [x for x in loops if x[:2] not in known]
        if not known <= ends:
            self._rate = SURPRISED
        if self._awaited is None:
            self._judge(course)

    def tick(self, frames: int) -> bool:
        """Another frame, of so many: whether ``advance`` has something to do now."""
        self._since += 1
        if self._awaited is None:
            return self._rate > 0 and self._since > frames // self._rate
        return self._since > frames // AWAITED

    def advance(self, course: Course) -> None:
        """Begin the optimisation that is due, or end the one that goes on, or both."""
        if self._awaited is None:
            self._begin(course)
            if len(self.similarities) >= FEW:
                return
        self._end(course)

    def finish(self, course: Course) -> None:
        """End what goes on, and do what was put off."""
        self._end(course)
        if self._rate:
            self._begin(course)
            self._end(course)

    def _begin(self, course: Course) -> None:
        self._awaited = Optimisation(course, self.similarities, self._told)
        self._rate, self._since = 0, 0

    def _end(self, course: Course) -> None:
        """Take over what was found; all stays as it was where there is no optimum."""
        if self._awaited is None:
            return
        found, ended = self._awaited.result(), self._awaited
        self._awaited = None
        if found is not None:
            self.loops, self.level = ended.loops, found.level
            newer = len(self.similarities) - len(found.similarities)
            self.similarities = torch.cat([found.similarities, found.similarities[-1:].expand(newer, 4, 4)])
        self._judge(course)

    def _judge(self, course: Course) -> None:
        """How often optimisations may be for what new loops say: seldom where they confirm the corrected course."""
        fresh, self._fresh = self._fresh, []
        if not fresh:
            return
        first, second = (torch.tensor([x[k] for x in fresh]) for k in (0, 1))
        one, other = (self.similarities[x] @ course.T_world_cam[x] for x in (first, second))
        between = similarity.inverse(one) @ other
        measured = torch.stack([x.S_first_second for x in fresh])
        error = similarity.log(similarity.inverse(measured) @ between) / loop_deviations(fresh)
        surprising = len(self.similarities) < FEW or bool((error.square().sum(-1) > self._options.significance).any())
        self._rate = max(self._rate, SURPRISED if surprising else CALM)


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
