"""The loops that were found, and those that are believed: the largest set that agrees, supported by neighbours."""

from __future__ import annotations

import numpy as np

from vode.odometry.loop_closure.consistency import Course, consistent_set, supported
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import LoopOptions

RECENT = 500
"""newest loops that may still be believed or dropped; older ones stay as they were judged, so that each new loop costs
the same however long the video is"""


class FoundLoops:
    """Loops that drift allows, in the order in which they were found."""

    def __init__(self, options: LoopOptions = LoopOptions()) -> None:
        self._options = options
        self._settled: list[Loop] = []
        self._recent: list[Loop] = []
        self._agreement = np.zeros((0, 0), bool)
        self._chosen = np.zeros(0, np.int64)

    def add(self, loop: Loop, course: Course) -> tuple[Loop, ...]:
        """Take note of a loop; those that are believed now."""
        row = course.agree(loop, self._recent)
        newest = len(row)
        agreement = np.ones((newest + 1, newest + 1), bool)
        agreement[:-1, :-1], agreement[-1, :-1], agreement[:-1, -1] = self._agreement, row, row
        self._recent.append(loop)
        self._agreement = agreement
        if row[self._chosen].all():
            self._chosen = np.append(self._chosen, newest)
        elif len(found := consistent_set(agreement)) > len(self._chosen):
            self._chosen = found
        # neighbours begin and end within a few keyframes, and no keyframe has two loops
        near, least = self._options.near, self._options.agreeing
        chosen = [self._recent[k] for k in self._chosen]
        believed = [*self._settled, *supported(chosen, near, least, self._settled[-near:])]
        if len(self._recent) > RECENT:
            self._settle(believed)
        return tuple(believed)

    def _settle(self, believed: list[Loop]) -> None:
        """Judge the oldest of the recent loops for good."""
        oldest = self._recent.pop(0)
        if any(x is oldest for x in believed[len(self._settled) :]):
            self._settled.append(oldest)
        self._agreement = self._agreement[1:, 1:]
        self._chosen = self._chosen[self._chosen > 0] - 1
