"""The tracker chains motions into a trajectory; networks are replaced by the world's truth."""

import threading
import time

import pytest
import torch

from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.evaluation.odometry import evaluate_odometry
from vode.io.trajectory import Trajectory
from vode.odometry.frames import network_image, read_ahead
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Classical
from vode.odometry.visual_odometry import track

SIZE = (96, 320)
EXACT = TrackerOptions(subpixel=False)


class Spoilt(Sequence):
    """A drive some of whose frames are replaced: by another's image, by a colour, or by an error."""

    def __init__(self, drive, **corrupted):
        self.drive, self.corrupted = drive, {int(k[1:]): v for k, v in corrupted.items()}
        self.name, self.size, self.intrinsics = drive.name, drive.size, drive.intrinsics
        self.poses, self.timestamps = drive.poses, drive.timestamps

    def __len__(self):
        return len(self.drive)

    def frame(self, i):
        what = self.corrupted.get(i)
        if what == "lost":
            raise InputError(f"{i}.png: the image is cut short or damaged; copy it again")
        if what in ("black", "grey"):
            return torch.full((3, *self.size), 0.0 if what == "black" else 0.5)
        return self.drive.frame(i if what is None else what)


def distance(tracked, drive):
    return (tracked.trajectory.positions - drive.poses[:, :3, 3]).norm(dim=-1)


@pytest.fixture(scope="module")
def drive(world):
    return world(8, 12)


@pytest.mark.parametrize("refine", ["none", "window"])
def test_true_flow_and_depth_give_the_true_trajectory(drive, ground_truth, refine):
    told = []
    options = TrackerOptions(subpixel=False, refine=refine)
    tracked = track(drive, ground_truth(drive), size=SIZE, options=options, on_progress=told.append)
    assert told == list(range(1, 12))
    assert len(tracked.trajectory) == 12
    assert torch.equal(tracked.trajectory.poses[0], torch.eye(4, dtype=torch.float64))
    true = Trajectory(drive.poses, drive.timestamps)
    length = float(true.distances()[-1])
    assert evaluate_odometry(tracked.trajectory, true, "none")["ate_m"] < 0.01 * length
    assert tracked.summary() == "11 motions: 11 essential"
    assert all(motion.why == "" for motion in tracked.motions)


@pytest.mark.parametrize("what", ["black", "grey", "lost"])
def test_a_frame_that_shows_nothing_is_bridged(drive, ground_truth, what):
    exact = ground_truth(drive)
    tracked = track(Spoilt(drive, f5=what, f6=what), exact, size=SIZE, options=EXACT)
    assert [motion.how for motion in tracked.motions[4:6]] == ["velocity", "velocity"]
    words = "cut short" if what == "lost" else "black"
    assert words in tracked.motions[4].why
    assert tracked.motions[6].how == "essential"
    assert tracked.motions[6].why == "from frame 4"
    assert (4, 7) in exact.asked
    assert tracked.summary() == "11 motions: 9 essential, 2 velocity"
    assert [line.partition(":")[0] for line in tracked.extrapolated()] == ["frame 5", "frame 6"]
    assert words in tracked.extrapolated()[0]
    away = distance(tracked, drive)
    assert away[[5, 6]].max() < 0.3
    assert away[-1] < 0.1
    assert tracked.trajectory.poses.isfinite().all()


def test_a_repeated_frame_does_not_move(drive, ground_truth):
    tracked = track(Spoilt(drive, f5=4), ground_truth(drive), size=SIZE, options=EXACT)
    assert tracked.motions[4].how == "repeated"
    assert tracked.motions[4].why == "the image is that of frame 4"
    assert torch.equal(tracked.trajectory.poses[5], tracked.trajectory.poses[4])
    assert distance(tracked, drive)[-1] < 0.1


@pytest.mark.parametrize("refine", ["none", "window"])
@pytest.mark.parametrize("what", ["black", "lost"])
def test_the_first_frames_may_show_nothing(drive, ground_truth, what, refine):
    options = TrackerOptions(subpixel=False, refine=refine)
    tracked = track(Spoilt(drive, f0=what, f1=what), ground_truth(drive), size=SIZE, options=options)
    assert torch.equal(tracked.trajectory.poses[:3], torch.eye(4, dtype=torch.float64).expand(3, 4, 4))
    moved = torch.linalg.solve(drive.poses[2], drive.poses[11])[:3, 3]
    assert (tracked.trajectory.positions[-1] - moved).norm() < 0.1
    assert tracked.summary() == "11 motions: 9 essential, 2 start"


def test_a_video_that_shows_nothing_is_refused(world, ground_truth):
    short = world(8, 3)
    with pytest.raises(InputError, match=r"no frame shows anything.*1\.png|0\.png"):
        track(Spoilt(short, f0="lost", f1="lost", f2="lost"), ground_truth(short), size=SIZE)


def test_frames_that_come_late_are_told_and_the_velocity_reaches_over_them(drive, ground_truth):
    corrupted = Spoilt(drive, f6="black")
    steps = torch.ones(11, dtype=torch.float64)
    steps[5] = 3
    corrupted.timestamps = torch.cat([torch.zeros(1, dtype=torch.float64), steps.cumsum(0)]) * 0.1
    tracked = track(corrupted, ground_truth(drive), size=SIZE, options=EXACT)
    before, bridged = (float(tracked.motions[i].T_b_a[:3, 3].norm()) for i in (4, 5))
    assert bridged == pytest.approx(3 * before, rel=0.05)
    assert "3.0 usual steps of time" in tracked.motions[5].why


@pytest.mark.parametrize("timestamps", [0.0, float("nan"), -1.0])
def test_stamps_of_no_use_do_no_harm(drive, ground_truth, timestamps):
    corrupted = Spoilt(drive, f3="black")
    corrupted.timestamps = timestamps * torch.arange(12, dtype=torch.float64)
    assert track(corrupted, ground_truth(drive), size=SIZE, options=EXACT).trajectory.poses.isfinite().all()


def test_the_next_frame_is_read_while_one_is_worked_on(drive):
    reading = []

    class Slow(Spoilt):
        def frame(self, i):
            reading.append((i, threading.current_thread() is threading.main_thread()))
            return super().frame(i)

    frames = read_ahead(Slow(drive), SIZE, "cpu")
    assert next(frames).index == 0
    for _ in range(100):
        if len(reading) > 1:
            break
        time.sleep(0.01)
    assert reading == [(0, False), (1, False)]
    frames.close()


def test_frames_reach_the_networks_at_their_size():
    image = torch.rand(3, 50, 70)
    resized = network_image(image, (32, 64), torch.device("cpu"))
    assert resized.shape == (1, 3, 32, 64)
    assert torch.equal(network_image(image, (50, 70), torch.device("cpu"))[0], image)
    assert network_image(torch.full((3, 50, 70), 0.3), (32, 64), "cpu").sub(0.3).abs().max() < 1e-5


@pytest.mark.parametrize("refine", ["none", "window"])
@pytest.mark.parametrize("frames", [1, 2])
def test_short_videos(world, ground_truth, frames, refine):
    short = world(8, frames)
    options = TrackerOptions(subpixel=False, refine=refine)
    assert len(track(short, ground_truth(short), size=SIZE, options=options).trajectory) == frames


def test_classical_flow_and_the_depth_of_the_set_track_too(drive):
    tracked = track(drive, Classical(drive), size=SIZE)
    length = float(Trajectory(drive.poses).distances()[-1])
    assert distance(tracked, drive).max() < 0.05 * length
