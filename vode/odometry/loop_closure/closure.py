"""Loop closure: keyframes compared with earlier ones, and the course corrected where it comes back to a place."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from vode.geometry import similarity
from vode.geometry.resize import image_size
from vode.memory import give_back_memory
from vode.odometry.frames import Frame
from vode.odometry.loop_closure.agreement import FoundLoops
from vode.odometry.loop_closure.consistency import Course
from vode.odometry.loop_closure.correction import FEW, Correction
from vode.odometry.loop_closure.keyframes import Features, Keyframe, describe, features_of, is_keyframe, median_depth
from vode.odometry.loop_closure.maps import rejoined
from vode.odometry.loop_closure.places import Places
from vode.odometry.loop_closure.verification import Loop, verify
from vode.odometry.options import LoopOptions

TIED, SINCE = 10, 3
"""loops to the newest keyframes of as many as lie between the ends of one, and keyframes since the last of them, with
which a long video is taken to go on along a known way"""
TIDY = 50
"""keyframes after which freed memory is given back to the system"""


class LoopCloser:
    """Keeps keyframes, recognises places, and corrects poses that odometry gave.

    Frames follow their last keyframe's ``Correction``: rigidly, with its scale.
    """

    def __init__(self, intrinsics: Tensor, options: LoopOptions = LoopOptions()) -> None:
        """intrinsics (3, 3) of the frames."""
        self.options, self._intrinsics = options, intrinsics.detach().double().cpu()
        self.keyframes: list[Keyframe] = []
        self.loops: tuple[Loop, ...] = ()
        self._places = Places(options)
        self._begun = 0
        self._found = FoundLoops(options)
        self._correction = Correction(options)
        self._course: Course | None = None
        self._unseen: list[int] = []
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
        lost = self._missing >= self.options.lost
        if self._is_next(frame, median_depth(depth), poses) or lost:
            seen = None if features is None else features.result()
            keyframe = describe(frame, depth, self.options, features=seen)
            self._take_up(keyframe._replace(doubtful=self._doubtful, lost=lost), image_size(frame.image), poses)
            self._doubtful, self._missing = False, 0 if lost else self._missing
        due = self._correction.tick(len(poses))
        return _numbers(self._corrected_by(self._correction.advance, poses)[:-1]) if due else ()

    @torch.no_grad()
    def finish(self, poses: Sequence[Tensor]) -> tuple[int, ...]:
        """Correct what long videos put off; the frames whose poses that has corrected."""
        return _numbers(self._corrected_by(self._correction.finish, poses)) if self.keyframes else ()

    def corrected(self, poses: Tensor) -> Tensor:
        """Corrected poses (N, 4, 4) of the first N frames by odometry's."""
        if not self._correction.loops:
            return poses
        frames = torch.tensor([x.frame for x in self.keyframes])
        index = torch.searchsorted(frames, torch.arange(len(poses)), right=True) - 1
        return self._correction.corrected(poses, index.clamp(min=0))

    def corrected_pose(self, frame: int, T_world_cam: Tensor) -> Tensor:
        """The corrected pose (4, 4) of one frame by odometry's."""
        if not self._correction.loops:
            return T_world_cam
        index = bisect_right(self.keyframes, frame, key=lambda x: x.frame) - 1
        return self._correction.corrected(T_world_cam, max(index, 0))

    @property
    def maps(self) -> dict[int, bool]:
        """The first keyframe's frame of each map, and whether loops join it to the first map."""
        map_of = torch.tensor([x.lost for x in self.keyframes], dtype=torch.int64).cumsum(0)
        known = rejoined(map_of, self._correction.loops)
        firsts = [0, *(k for k, x in enumerate(self.keyframes) if x.lost)]
        return {self.keyframes[k].frame: int(map_of[k]) in known for k in firsts if self.keyframes}

    @property
    def scales(self) -> dict[int, float]:
        """What depth of every keyframe, by its frame, is multiplied by to fit the corrected poses."""
        values = self._correction.level * similarity.scale(self._correction.similarities)
        return dict(zip([x.frame for x in self.keyframes], values.tolist(), strict=True))

    @property
    def nbytes(self) -> int:
        """Bytes of the features of all keyframes."""
        return sum(x.nbytes for x in self.keyframes)

    def __getstate__(self) -> dict[str, Any]:
        # the course is made anew where it is needed
        return vars(self) | {"_course": None}

    def _is_next(self, frame: Frame, distance: float, poses: Sequence[Tensor]) -> bool:
        """Whether a frame of this median depth becomes a keyframe by its pose."""
        if not self.keyframes:
            return True
        return is_keyframe(poses[self.keyframes[-1].frame], poses[frame.index], distance, self.options)

    def _take_up(self, keyframe: Keyframe, size: tuple[int, int], poses: Sequence[Tensor]) -> None:
        """Append a keyframe, and the loop to it, if there is one that is allowed."""
        self.keyframes.append(keyframe)
        if len(self.keyframes) % TIDY == 0:
            give_back_memory()
        self._correction.append()
        self._begun = len(self.keyframes) - 1 if keyframe.lost else self._begun
        loop = self._loop_to(keyframe, size)
        if loop is not None and (course := self._course_of(poses)).allows(loop):
            self.loops = self._found.add(loop, course)
            self._correction.tell(self.loops, course)

    def _corrected_by(self, correct: Callable[[Course], None], poses: Sequence[Tensor]) -> Tensor:
        """Of which frames (N,) bool a step of the correction changes the poses."""
        every = torch.stack(list(poses))
        before = self.corrected(every)
        correct(self._course_of(poses))
        return (self.corrected(every) != before).flatten(1).any(1)

    def _course_of(self, poses: Sequence[Tensor]) -> Course:
        """What odometry's poses of all frames say of the keyframes."""
        self._course = Course([poses[x.frame] for x in self.keyframes], self.keyframes, self.options, self._course)
        return self._course

    def _loop_to(self, keyframe: Keyframe, size: tuple[int, int]) -> Loop | None:
        """The loop from the place of most inliers to a keyframe that was just taken up, unless its way is known."""
        # all visits are compared with the first: a graph whose visits were tied to one another would be slow to solve
        again = [*(x.second for x in self.loops), *self._unseen]
        places = self._places.add(keyframe.descriptors, self._begun, again)
        if not keyframe.doubtful and self._is_known_way:
            self._unseen.append(len(self.keyframes) - 1)
            return None
        return self._recognised(places, size)

    @property
    def _is_known_way(self) -> bool:
        """Whether a long video goes along a way that enough loops tie to an earlier one, in a map of a known place."""
        newest, begun = len(self.keyframes) - 1, self._begun
        if newest < FEW or len(self.loops) < TIED:
            return False
        last, tenth = self.loops[-1].second, self.loops[-TIED].second
        tied = last > newest - SINCE and tenth > max(newest - self.options.gap, begun)
        return tied and (not begun or self.maps[self.keyframes[begun].frame])

    def _recognised(self, places: list[int], size: tuple[int, int]) -> Loop | None:
        """The loop from the place of most inliers to the newest keyframe."""
        newest, loops = len(self.keyframes) - 1, []
        for place in places:
            first, second = self.keyframes[place], self.keyframes[newest]
            found = verify(first, second, self._intrinsics, size, self.options.verification)
            if found is not None:
                loops.append(Loop(place, newest, found[0], first.distance, found[1]))
        return max(loops, key=lambda loop: loop.inliers, default=None)


def _numbers(of: Tensor) -> tuple[int, ...]:
    """Where a mask (N,) is true."""
    return tuple(of.nonzero()[:, 0].tolist())
