"""Which frames become views: those whose baseline tells how far points are, or the last before the view is lost."""

import pytest
import torch
import torch.nn.functional as F

from vode.evaluation.odometry import evaluate_odometry
from vode.geometry.matches import Matches
from vode.io.trajectory import Trajectory
from vode.odometry.frame_motion import Evidence, FrameMotion
from vode.odometry.options import ScaleOptions, TrackerOptions
from vode.odometry.perception import Composed, NoDepth
from vode.odometry.result import Method, Reason
from vode.odometry.smoothing.views import Views
from vode.odometry.track import track
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (96, 320)


def evidence(usable=100, moved=1.0, noise=0.1):
    a = torch.rand(1, 100, 2, generator=torch.Generator().manual_seed(0)) * 90
    scores = (torch.arange(100) < usable).float()[None]
    return Evidence(Matches(a, a + torch.tensor([moved, 0.0]), scores), scores > 0, noise)


def motion(method, parallax=0.0):
    return FrameMotion(torch.eye(4, dtype=torch.float64), method, parallax=parallax)


def test_a_frame_whose_baseline_suffices_becomes_a_view():
    # 5 % of the distance is 20 times the noise of both ends
    views = Views(SIZE[1], ScaleOptions(accuracy=0.05))
    assert not views.next(motion(Method.ESSENTIAL, 2.8), evidence())
    assert views.next(motion(Method.ESSENTIAL, 2.9), evidence())
    assert not views.next(motion(Method.ESSENTIAL, 2.9), evidence(noise=0.2))


@pytest.mark.parametrize("method", [Method.PNP, Method.ROTATION])
def test_a_camera_that_rests_or_turns_keeps_its_view_until_that_is_nearly_lost(method):
    views = Views(SIZE[1], ScaleOptions(accuracy=0.05))
    for _ in range(20):
        assert not views.next(motion(method, 9.0), evidence())
    assert not views.next(motion(method), evidence(usable=51))
    assert views.next(motion(method), evidence(usable=49))
    # the next view is judged by its own frames
    assert not views.next(motion(method), evidence(usable=49))
    assert not views.next(motion(method), evidence(moved=31.0))
    assert views.next(motion(method), evidence(moved=33.0))


def test_a_motion_that_nothing_tells_begins_anew():
    assert Views(SIZE[1], ScaleOptions(accuracy=0.05)).next(motion(Method.EXTRAPOLATED), evidence(usable=0))


@pytest.fixture(scope="module")
def slow():
    """A camera that moves by a few centimetres a frame."""
    return WorldSequence(8, WorldOptions(size=SIZE, frames=60, rate=100.0, moving=False))


@pytest.fixture(scope="module")
def noisy(slow, ground_truth):
    class Noisy(ground_truth):
        def between(self, i, j):
            draw = torch.Generator().manual_seed(1000 * i + j)
            # flow errs smoothly: tracks are not followed across its steps
            coarse = torch.randn(1, 2, SIZE[0] // 8, SIZE[1] // 8, generator=draw)
            return super().between(i, j) + 0.15 * F.interpolate(coarse, SIZE, mode="bicubic")

    return Composed(Noisy(slow), NoDepth())


def test_a_slow_camera_keeps_its_scale(slow, noisy, monkeypatch):
    true = Trajectory(slow.poses, slow.timestamps)
    errors, views = [], []
    for every in (False, True):
        if every:
            monkeypatch.setattr(Views, "next", lambda *_: True)
        options = TrackerOptions(subpixel=False, scale_from="tracks", refine="none")
        tracked = track(slow, noisy, size=SIZE, options=options)
        references = {x.details.reference for x in tracked.results}
        views.append(len(references))
        if not every:
            # those before the first baseline know no points yet
            between = [x for x in tracked.results[10:] if x.index not in references]
            assert {(x.method, x.reason) for x in between[:-1]} == {(Method.PNP, Reason.SHORT_BASELINE)}
        errors.append(evaluate_odometry(tracked.trajectory, true, "7dof")["ate_m"] / float(true.distances()[-1]))
    assert views[0] < 0.3 * views[1]
    assert errors[0] < 0.3 * errors[1]
    assert errors[0] < 0.002
