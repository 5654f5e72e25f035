"""Lengths of motions from tracks and depth together, in the tracker: depth that is right, and depth that is useless."""

import pytest
import torch

from vode.evaluation.odometry import evaluate_odometry
from vode.io.trajectory import Trajectory
from vode.odometry.options import TrackerOptions
from vode.odometry.result import Method
from vode.odometry.track import track

SIZE, FRAMES = (96, 320), 20


@pytest.fixture(scope="module")
def sequence(world):
    return world(8, FRAMES)


def ate(sequence, perception, alignment="7dof", **options):
    """The tracker, and its error over the length of the way."""
    tracked = track(sequence, perception, size=SIZE, options=TrackerOptions(subpixel=False, **options))
    true = Trajectory(sequence.poses, sequence.timestamps)
    return tracked, evaluate_odometry(tracked.trajectory, true, alignment)["ate_m"] / float(true.distances()[-1])


@pytest.fixture(scope="module")
def swinging(ground_truth):
    """Exact flow; depth whose level is off by a tenth for many frames, and by a little in each."""

    class Swinging(ground_truth):
        def depth(self, frame):
            factor = 1 + 0.1 * torch.tensor(frame.index / 2).sin() + 0.02 * (-1) ** frame.index
            texture = 1 + 0.1 * torch.randn(SIZE, generator=torch.Generator().manual_seed(frame.index))
            return super().depth(frame) * factor * texture

    return Swinging


@pytest.fixture(scope="module")
def alone(sequence, swinging):
    """Error of lengths by the depth of each pair alone."""
    return ate(sequence, swinging(sequence), scale_from="depth", refine="none")[1]


@pytest.mark.parametrize("refine", ["none", "window"])
def test_swings_of_the_depth_are_evened_out(sequence, swinging, alone, refine):
    tracked, error = ate(sequence, swinging(sequence), refine=refine)
    assert error < 0.5 * alone
    steps = tracked.trajectory.positions.diff(dim=0).norm(dim=-1) / sequence.poses[:, :3, 3].diff(dim=0).norm(dim=-1)
    assert steps.log().std() < 0.03
    assert steps.log().mean().abs() < 0.1
    assert all(0 < x.scale_deviation < 0.3 for x in tracked.results[1:])


@pytest.mark.parametrize("refine", ["none", "window"])
def test_poses_are_rigid_to_the_last_bits(sequence, ground_truth, refine):
    tracked, _ = ate(sequence, ground_truth(sequence), refine=refine)
    rotation = tracked.trajectory.poses[:, :3, :3]
    assert (rotation @ rotation.mT - torch.eye(3)).abs().max() < 1e-13


@pytest.fixture(scope="module")
def by_tracks(sequence, ground_truth):
    """Error of tracks without depth."""
    return ate(sequence, ground_truth(sequence), scale_from="tracks", refine="none")[1]


@pytest.mark.parametrize(("useless", "refine"), [("constant", "none"), ("constant", "window"), ("noise", "window")])
def test_where_depth_is_useless_tracks_carry_the_scale(sequence, ground_truth, by_tracks, useless, refine):
    class Useless(ground_truth):
        def depth(self, frame):
            if useless == "constant":
                return torch.full((1, 1, *SIZE), 10.0)
            return (torch.randn(1, 1, *SIZE, generator=torch.Generator().manual_seed(frame.index)) + 2).exp()

    tracked, error = ate(sequence, Useless(sequence), refine=refine)
    assert {x.method for x in tracked.results[1:]} == {Method.ESSENTIAL}
    assert error < 1.5 * by_tracks + 0.005


def test_depth_that_is_lost_on_the_way_does_not_end_the_path(sequence, ground_truth):
    class Lost(ground_truth):
        def depth(self, frame):
            return super().depth(frame) * (frame.index < 10)

    tracked, error = ate(sequence, Lost(sequence), "none")
    assert {x.method for x in tracked.results[1:]} == {Method.ESSENTIAL}
    assert error < 0.02
    deviations = [x.scale_deviation for x in tracked.results[1:]]
    assert deviations[-1] > 2 * deviations[8]
