"""The loops that agree are believed; old ones for good, so that a new one costs no more in a long video."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vode.odometry.loop_closure import agreement
from vode.odometry.loop_closure.agreement import FoundLoops
from vode.odometry.loop_closure.consistency import consistent_set, supported
from vode.odometry.loop_closure.verification import Loop
from vode.odometry.options import LoopOptions

LAP = 100


class Known:
    """A course on which it is known which loops agree: those of one kind, up to pairs of the last that contradict."""

    def __init__(self, kinds: list[int], apart: set[tuple[int, int]] | None = None) -> None:
        self.kinds, self.apart = kinds, apart or set()

    def agree(self, loop: Loop, others: list[Loop]) -> np.ndarray:
        return np.array([self.one(x.inliers, loop.inliers) for x in others], bool)

    def one(self, a: int, b: int) -> bool:
        return self.kinds[a] == self.kinds[b] and (a, b) not in self.apart


def loops(count: int) -> list[Loop]:
    """One to each keyframe of the second lap and those after it; their number stands for the inliers."""
    return [Loop(k % LAP, LAP + k, torch.eye(4, dtype=torch.float64), 10.0, k) for k in range(count)]


def ends(found: tuple[Loop, ...] | list[Loop]) -> list[int]:
    return [x.inliers for x in found]


@pytest.mark.parametrize("seed", range(5))
def test_one_at_a_time_finds_a_set_as_large_as_a_search_among_all(seed: int) -> None:
    rng, options = np.random.default_rng(seed), LoopOptions(agreeing=1)
    kinds = rng.choice(3, 40, p=(0.6, 0.3, 0.1)).tolist()
    apart = {(a, b) for a in range(40) for b in range(a + 1, 40) if rng.random() < 0.05}
    course, found, every = Known(kinds, apart), FoundLoops(options), loops(40)
    for k, loop in enumerate(every):
        believed = found.add(loop, course)  # type: ignore[arg-type]
        agree = np.array([[a == b or course.one(min(a, b), max(a, b)) for b in range(k + 1)] for a in range(k + 1)])
        assert agree[np.ix_(ends(believed), ends(believed))].all()
        assert len(believed) >= len(consistent_set(agree)) > 0


def test_a_set_that_becomes_the_larger_one_replaces_the_first() -> None:
    found = FoundLoops(LoopOptions(agreeing=3))
    course = Known([0] * 4 + [1] * 6)
    believed = [found.add(x, course) for x in loops(10)]  # type: ignore[arg-type]
    assert [ends(x) for x in believed[:3]] == [[], [], [0, 1, 2]]
    assert ends(believed[7]) == [0, 1, 2, 3]
    assert ends(believed[9]) == [4, 5, 6, 7, 8, 9]


def test_old_loops_stay_as_they_were_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "RECENT", 20)
    options, count = LoopOptions(agreeing=3), 300
    # every seventh is wrong, and then all agree with one another but with none of those before
    kinds = [1 if k % 7 == 0 else 0 for k in range(200)] + [2] * 100
    course, found = Known(kinds), FoundLoops(options)
    for loop in loops(count):
        believed = found.add(loop, course)  # type: ignore[arg-type]
        assert len(found._recent) <= 20
        assert found._agreement.shape == (len(found._recent),) * 2
    right = [k for k in range(180) if k % 7]
    assert ends(believed)[: len(right)] == right
    assert ends(believed)[-100:] == list(range(200, 300))
    assert not [k for k in ends(believed) if k < 200 and k % 7 == 0]
    assert supported(believed, options.near, options.agreeing) == list(believed)
