"""A tracker without depth: tracks carry the scale, whose unit is the first step."""

import pytest
import torch

from vode.evaluation.odometry import evaluate_odometry
from vode.io.trajectory import Trajectory
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Composed, NoDepth
from vode.odometry.result import Method, Reason
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry

SIZE = (96, 320)
TRACKS = TrackerOptions(subpixel=False, scale_from="tracks", refine="none")


@pytest.fixture(scope="module")
def sequence(world):
    return world(8, 12)


def test_exact_flow_alone_gives_the_trajectory_up_to_one_scale(sequence, ground_truth):
    clouds = []
    perception = Composed(ground_truth(sequence), NoDepth())
    tracked = track(
        sequence, perception, size=SIZE, options=TRACKS, observe=lambda odometry: clouds.append(odometry.points())
    )
    assert [x.method for x in tracked.results] == [Method.START] + [Method.ESSENTIAL] * 11
    assert [x.reason for x in tracked.results] == [None, Reason.ASSUMED_SCALE] + [None] * 10
    assert tracked.trajectory.positions[1].norm() == pytest.approx(1.0)
    true = Trajectory(sequence.poses, sequence.timestamps)
    unit = float(sequence.poses[1, :3, 3].norm())
    scaled = Trajectory(tracked.trajectory.poses.clone(), sequence.timestamps)
    scaled.poses[:, :3, 3] *= unit
    assert evaluate_odometry(scaled, true, "none")["ate_m"] < 0.01 * float(true.distances()[-1])
    assert len(clouds) == 12
    assert len(clouds[-1]) > 500
    K, points = sequence.intrinsics.double(), clouds[-1] * unit
    pixels = points @ K.T
    pixels = (pixels[:, :2] / pixels[:, 2:]).round().long()
    inside = ((pixels >= 0) & (pixels < torch.tensor([SIZE[1], SIZE[0]]))).all(-1)
    depth = sequence.depth(11)[0][pixels[inside, 1], pixels[inside, 0]]
    assert (points[inside, 2] / depth).log().abs().median() < 0.02


def test_a_camera_that_rests_at_first_waits_for_its_baseline(sequence, ground_truth, corrupted):
    """The first view stays the reference until the camera moves."""

    class Still(ground_truth):
        def between(self, i, j):
            return super().between(max(i, 4), max(j, 4))

    class Resting(corrupted):
        def frame(self, i):
            # not the same image, which would be told as a repetition
            return (self.sequence.frame(max(i, 4)) * (1 - 0.01 * (i % 2))).clamp(0, 1)

    tracked = track(Resting(sequence), Composed(Still(sequence), NoDepth()), size=SIZE, options=TRACKS)
    assert [x.details.reference for x in tracked.results[1:6]] == [0] * 5
    assert not tracked.trajectory.positions[:5].any()
    assert {x.method for x in tracked.results[6:]} == {Method.ESSENTIAL}


@pytest.mark.parametrize("refine", ["none", "window"])
def test_blank_frames_are_bridged_without_losing_the_scale(sequence, ground_truth, corrupted, refine):
    options = TrackerOptions(subpixel=False, scale_from="tracks", refine=refine)
    exact = Composed(ground_truth(sequence), NoDepth())
    tracked = track(corrupted(sequence, f6="black"), exact, size=SIZE, options=options)
    assert tracked.results[7].method is Method.ESSENTIAL
    assert tracked.results[7].reason is None
    unit = float(sequence.poses[1, :3, 3].norm())
    away = (unit * tracked.trajectory.positions - sequence.poses[:, :3, 3]).norm(dim=-1)
    assert away[-1] < 0.03 * float(Trajectory(sequence.poses).distances()[-1])


def test_a_frame_at_a_time_is_the_whole_sequence(sequence, ground_truth):
    perception = Composed(ground_truth(sequence), NoDepth())
    whole = track(sequence, perception, size=SIZE, options=TRACKS)
    odometry = VisualOdometry(perception, sequence.intrinsics, TRACKS)
    for i in range(len(sequence)):
        odometry.register_frame(sequence.frame(i), float(sequence.timestamps[i]))
    assert torch.equal(odometry.trajectory.poses, whole.trajectory.poses)
    assert VisualOdometry(perception, sequence.intrinsics).points().shape == (0, 3)
