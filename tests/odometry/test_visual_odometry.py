"""The tracker turns frames into a trajectory, one at a time; the world's ground truth replaces the networks."""

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F

from vode.errors import InputError
from vode.evaluation.odometry import evaluate_odometry
from vode.geometry.matches import Matches
from vode.geometry.pose import so3_exp
from vode.geometry.warp import flow_target
from vode.io.trajectory import Trajectory
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Classical, SequenceDepth
from vode.odometry.result import Method, Reason
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry

SIZE = (96, 320)
EXACT = TrackerOptions(subpixel=False, refine="none")
WINDOW = TrackerOptions(subpixel=False, refine="window")
PAIRS = [TrackerOptions(subpixel=False, refine=refine, scale_from="depth") for refine in ("none", "window")]
EYE = torch.eye(4, dtype=torch.float64)


@pytest.fixture(scope="module")
def sequence(world):
    return world(8, 12)


@pytest.fixture
def flickering(ground_truth):
    """Ground truth whose depth is wrong by another factor in every frame, so that a window has something to correct."""

    class Flickering(ground_truth):
        def depth(self, frame):
            return super().depth(frame) * (1 + 0.2 * (frame.index % 3))

    return Flickering


def online(sequence, perception, options, camera=None):
    """Frames registered by hand."""
    odometry = VisualOdometry(perception, sequence.intrinsics if camera is None else camera, options)
    for i in range(len(sequence)):
        odometry.register_frame(sequence.frame(i), float(sequence.timestamps[i]))
    return odometry


def distance(odometry, sequence):
    return (odometry.trajectory.positions - sequence.poses[:, :3, 3]).norm(dim=-1)


def methods(odometry):
    return [str(x.method) for x in odometry.results]


@pytest.mark.parametrize("options", [EXACT, WINDOW])
def test_exact_flow_and_depth_give_the_exact_trajectory(sequence, ground_truth, options):
    done = []
    odometry = track(sequence, ground_truth(sequence), size=SIZE, options=options, on_progress=done.append)
    assert done == list(range(1, 12))
    assert len(odometry) == len(odometry.trajectory) == 12
    assert torch.equal(odometry.trajectory.poses[0], EYE)
    assert any(x.changed for x in odometry.results)
    true = Trajectory(sequence.poses, sequence.timestamps)
    assert evaluate_odometry(odometry.trajectory, true, "none")["ate_m"] < 0.01 * float(true.distances()[-1])
    assert odometry.summary() == "11 motions: 11 essential"
    assert all(x.reason is None and x.describe() == "" for x in odometry.results)


@pytest.mark.parametrize(("refine", "subpixel"), [("none", True), ("window", False)])
def test_a_frame_at_a_time_is_the_whole_sequence(world, flickering, refine, subpixel):
    sequence, options = world(8, 9), TrackerOptions(subpixel=subpixel, refine=refine)
    batch = track(sequence, flickering(sequence), size=SIZE, options=options)
    single = online(sequence, flickering(sequence), options)
    assert torch.equal(batch.trajectory.poses, single.trajectory.poses)
    assert torch.equal(single.trajectory.timestamps, sequence.timestamps)
    assert [(x.method, x.changed) for x in batch.results] == [(x.method, x.changed) for x in single.results]


@pytest.mark.parametrize("options", [EXACT, WINDOW, PAIRS[1]])
def test_results_say_which_poses_are_corrected(sequence, flickering, options):
    odometry = VisualOdometry(flickering(sequence), sequence.intrinsics, options)
    corrected = []
    for i in range(12):
        before = odometry.trajectory.poses
        found = odometry.register_frame(sequence.frame(i))
        after = odometry.trajectory.poses
        different = [k for k in range(i) if not torch.equal(before[k], after[k])]
        assert list(found.changed) == different
        assert torch.equal(found.pose, after[i])
        assert torch.equal(odometry.pose(0), after[0])
        corrected += different
    assert len(set(corrected)) > 5
    if options.scale_from == "depth":
        assert max(corrected.count(k) for k in corrected) <= options.window.frames


@pytest.mark.parametrize("what", ["black", "grey", "lost"])
def test_a_frame_that_shows_nothing_is_bridged(sequence, ground_truth, corrupted, what):
    exact = ground_truth(sequence)
    odometry = track(corrupted(sequence, f5=what, f6=what), exact, size=SIZE, options=EXACT)
    five, six, seven = odometry.results[5:8]
    for bridged in (five, six):
        assert bridged.method is Method.EXTRAPOLATED
        assert bridged.reason is (Reason.UNREADABLE if what == "lost" else Reason.BLANK)
        assert bridged.details.reference == 4
        assert ("cut short" in bridged.details.message) == (what == "lost")
    assert (seven.method, seven.reason, seven.details.reference) == (Method.ESSENTIAL, None, 4)
    assert seven.describe() == "from frame 4"
    assert (4, 7) in exact.asked
    assert odometry.summary() == "11 motions: 9 essential, 2 extrapolated"
    assert [line.partition(":")[0] for line in odometry.extrapolated()] == ["frame 5", "frame 6"]
    away = distance(odometry, sequence)
    assert away[[5, 6]].max() < 0.3
    assert away[-1] < 0.1


def test_a_repeated_frame_does_not_move(sequence, ground_truth, corrupted):
    odometry = track(corrupted(sequence, f5=4), ground_truth(sequence), size=SIZE, options=EXACT)
    repeated = odometry.results[5]
    assert (repeated.method, repeated.reason) == (Method.REPEATED, Reason.SAME_IMAGE)
    assert repeated.describe() == "the image is that of frame 4"
    assert torch.equal(odometry.trajectory.poses[5], odometry.trajectory.poses[4])
    assert distance(odometry, sequence)[-1] < 0.1


@pytest.mark.parametrize("options", [EXACT, WINDOW])
@pytest.mark.parametrize("what", ["black", "lost"])
def test_the_first_frames_may_show_nothing(sequence, ground_truth, corrupted, what, options):
    odometry = track(corrupted(sequence, f0=what, f1=what), ground_truth(sequence), size=SIZE, options=options)
    assert torch.equal(odometry.trajectory.poses[:3], EYE.expand(3, 4, 4))
    moved = torch.linalg.solve(sequence.poses[2], sequence.poses[11])[:3, 3]
    assert (odometry.trajectory.positions[-1] - moved).norm() < 0.1
    assert methods(odometry) == ["start"] * 3 + ["essential"] * 9
    nothing = Reason.UNREADABLE if what == "lost" else Reason.BLANK
    assert [x.reason for x in odometry.results[:3]] == [nothing, nothing, None]


def test_a_video_that_shows_nothing_is_refused(world, ground_truth, corrupted):
    short = world(8, 3)
    with pytest.raises(InputError, match=r"no frame shows anything; the first: .* 0\.png: .*cut short"):
        track(corrupted(short, f0="lost", f1="lost", f2="black"), ground_truth(short), size=SIZE)


def test_a_late_frame_is_told_and_the_velocity_reaches_over_it(sequence, ground_truth, corrupted):
    late = corrupted(sequence, f6="black")
    steps = torch.ones(11, dtype=torch.float64)
    steps[5] = 3
    late.timestamps = torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)]) * 0.1
    odometry = track(late, ground_truth(sequence), size=SIZE, options=EXACT)
    moved = odometry.trajectory.positions.diff(dim=0).norm(dim=-1)
    assert float(moved[5]) == pytest.approx(3 * float(moved[4]), rel=0.05)
    assert odometry.results[6].details.late == pytest.approx(3)
    assert odometry.results[5].details.late is None
    assert "3.0 median steps of time" in odometry.results[6].describe()


@pytest.mark.parametrize("factor", [0.0, float("nan"), -1.0])
def test_stamps_of_no_use_do_no_harm(world, ground_truth, corrupted, factor):
    sequence = world(8, 6)
    plain, stamped = (corrupted(sequence, f3="black") for _ in range(2))
    plain.timestamps, stamped.timestamps = None, factor * torch.arange(6, dtype=torch.float64)
    poses = [track(x, ground_truth(sequence), size=SIZE, options=EXACT).trajectory.poses for x in (plain, stamped)]
    torch.testing.assert_close(poses[1], poses[0], atol=1e-12, rtol=0)


class Scripted:
    """Correspondences and depth that a list says for every frame."""

    device = torch.device("cpu")

    def __init__(self, exact, script):
        self.exact, self.script = exact, script

    def correspondences(self, a, b):
        return self.script[b.index][0](a.index, b.index)

    def depth(self, frame):
        return self.exact.depth(frame) * self.script[frame.index][1]

    def seen(self, i, j, every=5):
        """Exact matches of a grid of points."""
        flow = self.exact.between(i, j)
        grid, target = ((x[0, :, ::every, ::every].flatten(1).mT) for x in (flow_target(0 * flow), flow_target(flow)))
        inside = (target - grid).abs().amax(-1) < 500
        return Matches(grid[inside][None], target[inside][None], torch.ones(1, int(inside.sum())))

    def resting(self, i, j):
        points = self.seen(i, j).points_a
        return Matches(points, points, torch.ones_like(points[..., 0]))

    def rotating(self, i, j):
        points, K = self.seen(i, j).points_a, self.exact.sequence.intrinsics
        moved = F.pad(points[0], (0, 1), value=1.0) @ (K @ so3_exp(torch.tensor([0.01, 0.02, -0.01])) @ K.inverse()).mT
        return Matches(points, (moved[:, :2] / moved[:, 2:])[None], torch.ones_like(points[..., 0]))

    def few(self, i, j):
        found = self.seen(i, j)
        some = torch.linspace(0, found.points_a.shape[1] - 1, 15).long()
        return Matches(*(x[:, some] for x in found))

    def none(self, i, j):
        return Matches(*(x[:, :0] for x in self.seen(i, j)))


@pytest.mark.parametrize("options", PAIRS)
def test_every_method_and_reason(sequence, ground_truth, options):
    scripted = Scripted(ground_truth(sequence), [])
    known, unknown = 1.0, 0.0
    cases = [
        (None, known, Method.START, None, False),
        (scripted.seen, known, Method.ESSENTIAL, None, False),
        (scripted.resting, unknown, Method.PNP, Reason.AT_REST, False),
        (scripted.none, unknown, Method.EXTRAPOLATED, Reason.NO_TWO_VIEW_MOTION, True),
        (scripted.rotating, unknown, Method.ROTATION, Reason.PURE_ROTATION, True),
        (scripted.seen, unknown, Method.EXTRAPOLATED, Reason.UNKNOWN_SCALE, True),
        (scripted.none, known, Method.EXTRAPOLATED, Reason.NO_TWO_VIEW_MOTION, True),
        (scripted.few, known, Method.EXTRAPOLATED, Reason.UNRELIABLE_TRANSLATION, True),
        ("unreadable", known, Method.EXTRAPOLATED, Reason.UNREADABLE, False),
        ("black", known, Method.EXTRAPOLATED, Reason.BLANK, False),
        ("same", known, Method.REPEATED, Reason.SAME_IMAGE, False),
    ]
    scripted.script = cases
    odometry = VisualOdometry(scripted, sequence.intrinsics, options)
    for i, (what, *_) in enumerate(cases):
        if what == "unreadable":
            odometry.register_failure("cut short")
        else:
            image = torch.zeros(3, *SIZE) if what == "black" else sequence.frame(7 if what == "same" else i)
            odometry.register_frame(image)
    told = [(x.method, x.reason, x.details.pnp_failed) for x in odometry.results]
    assert told == [tuple(case[2:]) for case in cases]
    assert {x.method for x in odometry.results} == set(Method) - {Method.NETWORK}
    assert {x.reason for x in odometry.results} == {None, *Reason} - {Reason.ASSUMED_SCALE, Reason.SHORT_BASELINE}
    assert odometry.trajectory.poses.isfinite().all()


def test_no_image_but_the_last_is_kept(sequence, ground_truth):
    images = []

    class Watching(ground_truth):
        def depth(self, frame):
            images.append(weakref.ref(frame.image))
            return super().depth(frame)

    odometry = VisualOdometry(Watching(sequence), sequence.intrinsics, WINDOW)
    for i in range(5):
        odometry.register_frame(sequence.frame(i))
        gc.collect()
        assert sum(image() is not None for image in images) <= 1
    assert len(images) == 5


@pytest.mark.parametrize("options", [EXACT, WINDOW])
@pytest.mark.parametrize("frames", [1, 2])
def test_short_videos(world, ground_truth, frames, options):
    short = world(8, frames)
    odometry = track(short, ground_truth(short), size=SIZE, options=options)
    assert methods(odometry) == ["start", "essential"][:frames]


def test_classical_flow_and_the_depth_of_the_sequence_track_too(sequence):
    odometry = track(sequence, Classical(SequenceDepth(sequence)), size=SIZE)
    assert distance(odometry, sequence).max() < 0.05 * float(Trajectory(sequence.poses).distances()[-1])
