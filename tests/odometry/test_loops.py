"""The tracker corrects its poses where the camera comes back, and says which."""

from dataclasses import replace

import pytest
import torch

from vode.datasets.base import Sequence
from vode.odometry.loop_closure import closure, correction
from vode.odometry.options import LoopOptions, TrackerOptions, VerificationOptions
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.run.snapshot import load_snapshot, restore_tracker, save_snapshot, tracker_state

SIZE = (96, 320)
LOOPS = LoopOptions(gap=8, spacing=0.05, verification=VerificationOptions(inliers=20))
OPTIONS = TrackerOptions(subpixel=False, scale_from="depth", refine="none", loops=True, loop_closure=LOOPS)


class Returning(Sequence):
    """The way through a sequence, and the same way back."""

    def __init__(self, sequence, last):
        self.sequence, self.order = sequence, [*range(0, last, 2), *range(last, -1, -2)]
        self.name, self.size, self.intrinsics = sequence.name, sequence.size, sequence.intrinsics
        self.poses, self.timestamps = sequence.poses[self.order], None

    def __len__(self):
        return len(self.order)

    def frame(self, i):
        return self.sequence.frame(self.order[i])


@pytest.fixture(scope="module")
def returning(world):
    return Returning(world(8, 25), 24)


@pytest.fixture(scope="module")
def drifting(ground_truth, returning):
    """Its flow and depth; the scale of the depth drifts."""

    class Drifting(ground_truth):
        def flow(self, a, b):
            i, j = (returning.order[x.index] for x in (a, b))
            return self.between(i, j), self.between(j, i)

        def depth(self, frame):
            depth = self.sequence.depth(returning.order[frame.index])[None]
            return torch.where(depth > 0, depth, 500.0) * 1.02**frame.index

    return Drifting(returning.sequence)


@pytest.fixture(scope="module")
def tracked(returning, drifting):
    return track(returning, drifting, size=SIZE, options=OPTIONS)


def end(odometry):
    return float(odometry.trajectory.positions[-1].norm())


def test_the_camera_ends_where_it_began(returning, drifting, tracked):
    plain = track(returning, drifting, size=SIZE, options=replace(OPTIONS, loops=False))
    assert (plain.loops, plain.depth_scales) == ((), {})
    assert len(tracked.loops) >= 3
    assert end(tracked) < 0.1 * end(plain)
    assert tracked.trajectory.poses[0].equal(torch.eye(4, dtype=torch.float64))
    drift = torch.tensor([scale * 1.02**frame for frame, scale in tracked.depth_scales.items()]).log()
    assert drift.std() < 0.3 * torch.tensor([1.02**frame for frame in tracked.depth_scales]).log().std()


@pytest.mark.parametrize("refine", ["none", "window"])
def test_results_say_which_poses_are_corrected(returning, drifting, refine):
    odometry = VisualOdometry(drifting, returning.intrinsics, replace(OPTIONS, refine=refine))
    most = 0
    for i in range(len(returning)):
        before = odometry.trajectory.poses
        found = odometry.register_frame(returning.frame(i))
        after = odometry.trajectory.poses
        assert list(found.changed) == [k for k in range(i) if not torch.equal(before[k], after[k])]
        torch.testing.assert_close(found.pose, after[i], atol=1e-12, rtol=0)
        torch.testing.assert_close(odometry.pose(-1), after[i], atol=1e-12, rtol=0)
        most = max(most, len(found.changed))
    # the window reaches back by seven keyframes, loops by all
    assert most > 12


def test_a_frame_at_a_time_is_the_whole_sequence(returning, drifting, tracked):
    odometry = VisualOdometry(drifting, returning.intrinsics, OPTIONS)
    for i in range(len(returning)):
        odometry.register_frame(returning.frame(i))
    assert torch.equal(odometry.trajectory.poses, tracked.trajectory.poses)


def test_a_tracker_goes_on_from_what_was_written_of_it(returning, drifting, tracked, tmp_path):
    before = VisualOdometry(drifting, returning.intrinsics, OPTIONS)
    after = VisualOdometry(drifting, returning.intrinsics, OPTIONS)
    # as late as loops are known already
    for i in range(len(returning) - 2):
        before.register_frame(returning.frame(i))
    assert before.loops
    save_snapshot(tmp_path / "state.npz", {"tracker": tracker_state(before)})
    restore_tracker(after, load_snapshot(tmp_path / "state.npz")["tracker"])
    for i in range(len(returning) - 2, len(returning)):
        after.register_frame(returning.frame(i))
    assert torch.equal(after.trajectory.poses, tracked.trajectory.poses)
    assert [x[:2] for x in after.loops] == [x[:2] for x in tracked.loops]
    assert [x.changed for x in after.results] == [x.changed for x in tracked.results]


def test_a_tracker_goes_on_while_an_optimisation_does(returning, drifting, tracked, tmp_path, monkeypatch):
    for module in (closure, correction):
        monkeypatch.setattr(module, "FEW", 0)
    count = len(returning)
    whole, first, second = (VisualOdometry(drifting, returning.intrinsics, OPTIONS) for _ in range(3))
    for i in range(count):
        whole.register_frame(returning.frame(i))
    due = next(x.index for x in whole.results if len(x.changed) > 5)
    for i in range(due):
        first.register_frame(returning.frame(i))
    save_snapshot(tmp_path / "state.npz", {"tracker": tracker_state(first)})
    restore_tracker(second, load_snapshot(tmp_path / "state.npz")["tracker"])
    for odometry in (first, second):
        for i in range(due, count):
            odometry.register_frame(returning.frame(i))
        assert torch.equal(odometry.trajectory.poses, whole.trajectory.poses)
        assert [x.changed for x in odometry.results] == [x.changed for x in whole.results]
    assert whole.finish()
    torch.testing.assert_close(whole.trajectory.poses, tracked.trajectory.poses, atol=1e-3, rtol=0)


class Covered(Returning):
    """The way through a sequence, a covered lens, and the same way once more."""

    hidden = 8

    def __init__(self, sequence, last):
        super().__init__(sequence, last)
        way = list(range(0, last, 2))
        self.order, self.again = way + [0] * self.hidden + way, len(way) + self.hidden
        self.poses = sequence.poses[self.order]

    def frame(self, i):
        return super().frame(i) * (not self.again - self.hidden <= i < self.again)


def test_a_camera_that_was_lost_is_found_again(ground_truth, world):
    covered = Covered(world(8, 25), 24)

    class Lost(ground_truth):
        """Exact, but nothing is in common before and after."""

        def flow(self, a, b):
            i, j = (covered.order[x.index] for x in (a, b))
            there, back = self.between(i, j), self.between(j, i)
            if a.index < covered.again <= b.index:
                generator = torch.Generator().manual_seed(0)
                there, back = (100 * torch.randn(x.shape, generator=generator).to(x) for x in (there, back))
            return there, back

        def depth(self, frame):
            depth = self.sequence.depth(covered.order[frame.index])[None]
            return torch.where(depth > 0, depth, 500.0)

    odometry = track(covered, Lost(covered.sequence), size=SIZE, options=OPTIONS)
    assert [x.method for x in odometry.results[covered.again - 8 : covered.again + 1]] == ["extrapolated"] * 9
    assert len(odometry.loops) >= 3
    assert odometry.maps == {0: True, covered.again: True}
    away = (odometry.trajectory.poses[covered.again :, :3, 3] - covered.poses[covered.again :, :3, 3]).norm(dim=-1)
    plain = track(covered, Lost(covered.sequence), size=SIZE, options=replace(OPTIONS, loops=False))
    before = (plain.trajectory.poses[covered.again :, :3, 3] - covered.poses[covered.again :, :3, 3]).norm(dim=-1)
    assert away.max() < 0.05 * before.max()
