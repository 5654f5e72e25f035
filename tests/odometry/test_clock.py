"""Time between frames."""

import math

import pytest

from vode.odometry.clock import Clock


def run(stamps):
    """Time from each frame to the next."""
    clock, elapsed = Clock(), []
    for stamp in stamps:
        clock.tick(stamp)
        elapsed.append(clock.elapsed)
        clock.restart()
    return clock, elapsed[1:]


def test_without_timestamps_frames_are_the_unit():
    clock, elapsed = run([None] * 4)
    assert elapsed == [1, 1, 1]
    clock.tick(None)
    clock.tick(None)
    assert clock.elapsed == 2
    assert clock.late(2) is None


def test_timestamps_are_in_seconds():
    assert run([7.0, 7.5, 8.0, 9.0])[1] == [0.5, 0.5, 1.0]


@pytest.mark.parametrize(("bad", "expected"), [(0.3, 0.01), (0.1, 0.01), (math.nan, 0.1), (1e9, 100.0)])
def test_bad_timestamps_still_go_forward_in_usual_steps(bad, expected):
    assert run([0.0, 0.1, 0.2, 0.3, bad])[1][-1] == pytest.approx(expected)


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan])
def test_stamps_of_no_use_count_alike(factor):
    elapsed = run([factor * i for i in range(5)])[1]
    assert min(elapsed) == max(elapsed) > 0


def test_a_late_frame_is_told_in_usual_steps():
    clock, _ = run([0.1 * i for i in range(6)])
    clock.tick(0.8)
    assert clock.late(1) == pytest.approx(3)
    assert clock.late(3) is None


def test_the_usual_step_is_that_of_the_last_steps():
    clock, _ = run([0.1 * i for i in range(300)] + [30 + 0.5 * i for i in range(200)])
    assert clock.usual == pytest.approx(0.5)
    assert len(clock._steps) < 200
