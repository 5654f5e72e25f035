"""The sliding window: what enters, what leaves, and that it steadies a trajectory."""

import pytest
import torch

from vode.geometry.camera import project, rays, transform
from vode.geometry.matches import Matches
from vode.geometry.pose import inverse, se3_exp
from vode.odometry.options import TrackerOptions, WindowOptions
from vode.odometry.track import track
from vode.odometry.window import Window
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

K = torch.tensor([[300.0, 0, 160], [0, 300, 100], [0, 0, 1]], dtype=torch.float64)
N = 300


class Drive:
    """Points that a camera passes, and the matches that a window asks for."""

    def __init__(self, speed=0.8, noise=0.0):
        self.generator = torch.Generator().manual_seed(0)
        self.speed, self.noise = speed, noise
        spread = torch.rand(4000, 3, generator=self.generator, dtype=torch.float64)
        self.points = (spread - torch.tensor([0.5, 0.5, 0.0])) * torch.tensor([40.0, 20.0, 80.0])

    def pose(self, i):
        """T_cam_world."""
        return se3_exp(i * torch.tensor([0.02, 0.0, -self.speed, 0.0, 0.005, 0.0], dtype=torch.float64))

    def step(self, window, i):
        """Motion, matches and which of them are right, from frame i to the next."""
        seen = [project(transform(self.pose(k), self.points), K) for k in (i, i + 1)]
        inside = torch.stack([(z > 1) & ((p - K[:2, 2]).abs() < K[:2, 2]).all(-1) for p, z in seen]).all(0)
        tracked = window.tracked()[0]
        near = torch.cdist(tracked, seen[0][0][inside])
        which = inside.nonzero()[:, 0][near.argmin(1)] if len(tracked) else torch.zeros(0, dtype=torch.int64)
        fresh = inside.nonzero()[torch.randperm(int(inside.sum()), generator=self.generator)[:N], 0]
        index = torch.cat([which, fresh])
        a, b = seen[0][0][index], seen[1][0][index]
        a[: len(which)] = tracked
        good = torch.ones(1, len(index), dtype=torch.bool)
        good[0, : len(which)] = near.amin(1) < 1 if len(tracked) else good[0, :0]
        b = b + self.noise * torch.randn(b.shape, generator=self.generator, dtype=torch.float64)
        return self.pose(i + 1) @ inverse(self.pose(i)), Matches(a[None], b[None], good.double()), good


def run(sequence, frames, options=WindowOptions(tracks=200), disturb=None):
    window = Window(K, options)
    window.start(0, torch.eye(4, dtype=torch.float64))
    poses = {}
    for i in range(frames - 1):
        motion, found, good = sequence.step(window, i)
        if disturb is not None:
            motion = disturb(i, motion)
        window.add(i + 1, motion, 0.05, found, good)
        poses |= window.poses()
    return window, poses


def test_exact_matches_leave_the_exact_motion():
    sequence, frames = Drive(), 15
    window, poses = run(sequence, frames)
    assert window.frames == list(range(8, 15))
    for i in range(frames):
        torch.testing.assert_close(poses[i], inverse(sequence.pose(i)), atol=1e-8, rtol=0)


def test_lengths_of_steps_that_differ_by_chance_are_brought_together():
    sequence = Drive(noise=0.1)
    generator = torch.Generator().manual_seed(3)
    factors = (0.05 * torch.randn(19, generator=generator, dtype=torch.float64)).exp()

    def disturb(i, motion):
        motion = motion.clone()
        motion[:3, 3] *= factors[i]
        return motion

    _, poses = run(sequence, 20, disturb=disturb)
    steps = torch.stack([(poses[i + 1][:3, 3] - poses[i][:3, 3]).norm() for i in range(19)])
    assert steps.log()[3:].std() < 0.5 * factors.log()[3:].std()


def test_points_are_where_they_are_and_move_with_the_world():
    sequence = Drive()
    window, poses = run(sequence, 8)

    def far(window):
        """The points of the newest frame in the world."""
        pose, depth = window.poses()[7], window.depth()
        return transform(pose, rays(window.tracked(), K[None])[0] * depth[0, :, None])

    before = far(window)
    assert torch.cdist(before, sequence.points).amin(1).median() < 1e-6
    shift = torch.tensor([3.0, -1.0, 2.0], dtype=torch.float64)
    window.rescale(1.7, shift)
    torch.testing.assert_close(far(window), 1.7 * before + shift)
    torch.testing.assert_close(window.poses()[5][:3, 3], 1.7 * poses[5][:3, 3] + shift)
    motion, found, good = sequence.step(window, 7)
    motion = motion.clone()
    motion[:3, 3] *= 1.7
    window.add(8, motion, 0.05, found, good)
    torch.testing.assert_close(window.poses()[8][:3, 3], 1.7 * inverse(sequence.pose(8))[:3, 3] + shift)


def test_frames_that_hardly_move_do_not_stay():
    sequence = Drive(speed=0.02)
    window, _ = run(sequence, 15, WindowOptions(tracks=200, parallax=2.0))
    assert window.frames[-1] == 14
    assert window.frames[0] == 0
    assert len(window.frames) < 7


def test_no_more_points_are_followed_than_asked_for():
    sequence = Drive()
    window = Window(K, WindowOptions(tracks=150))
    window.start(0, torch.eye(4, dtype=torch.float64))
    for i in range(10):
        window.add(i + 1, *[sequence.step(window, i)[0], 0.05], *sequence.step(window, i)[1:])
        assert window.tracked().shape[1] <= 150
    assert window.tracked().shape[1] > 100


def test_a_window_without_points_keeps_the_motions():
    window = Window(K, WindowOptions())
    window.start(3, torch.eye(4, dtype=torch.float64))
    nothing = Matches(torch.zeros(1, 0, 2), torch.zeros(1, 0, 2), torch.zeros(1, 0))
    motion = se3_exp(torch.tensor([0.0, 0.1, -1.0, 0.01, 0.0, 0.0], dtype=torch.float64))
    for i in range(4, 14):
        window.add(i, motion, 0.1, nothing, torch.zeros(1, 0, dtype=torch.bool))
    poses = window.poses()
    for i in window.frames[1:]:
        torch.testing.assert_close(inverse(poses[i]) @ poses[i - 1], motion, atol=1e-6, rtol=0)


@pytest.mark.parametrize("fraction", [0.3])
def test_depth_that_flickers_is_steadied(ground_truth, fraction):
    sequence = WorldSequence(8, WorldOptions(size=(96, 320), frames=25, moving=False))

    class Flickers(ground_truth):
        def depth(self, frame):
            draw = torch.randn(1, generator=torch.Generator().manual_seed(frame.index))
            return super().depth(frame) * (fraction * draw).exp()

    away = []
    for refine in ("none", "window"):
        options = TrackerOptions(subpixel=False, refine=refine, scale_from="depth")
        tracked = track(sequence, Flickers(sequence), size=(96, 320), options=options)
        steps = tracked.trajectory.positions.diff(dim=0).norm(dim=-1) / sequence.poses[:, :3, 3].diff(dim=0).norm(
            dim=-1
        )
        away.append(float(steps.log()[3:].std()))
    assert away[1] < 0.7 * away[0]
