"""The tracker chains motions into a trajectory; networks are replaced by the world's truth."""

import pytest
import torch

from vode.data.world import WorldOptions, WorldSequence
from vode.evaluation.odometry import evaluate_odometry
from vode.odometry.tracker import network_image, track
from vode.trajectory import Trajectory

SIZE = (96, 320)


class Truth(torch.nn.Module):
    """Depth and flow networks that look the frame up in a drive and know the answer."""

    def __init__(self, drive):
        super().__init__()
        self.anything = torch.nn.Parameter(torch.zeros(1))
        self.drive = drive

    def number(self, image):
        return next(i for i in range(len(self.drive)) if torch.equal(self.drive.frame(i), image[0]))

    def depth(self, image):
        depth = self.drive.depth(self.number(image))[None]
        return torch.where(depth > 0, depth, 500.0)

    def forward(self, image_a, image_b):
        flow, visible = self.drive.flow(self.number(image_a))
        y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
        seen = visible[0]
        column = (x + flow[0].round().long()).clamp(0, SIZE[1] - 1)[seen]
        row = (y + flow[1].round().long()).clamp(0, SIZE[0] - 1)[seen]
        back = torch.full_like(flow, 1e3)
        back[:, row, column] = -flow[:, seen]
        return [flow[None]], [back[None]]


def test_true_flow_and_depth_give_the_true_trajectory():
    drive = WorldSequence(8, WorldOptions(size=SIZE, frames=12))
    told = []
    tracked = track(drive, Truth(drive), Truth(drive), size=SIZE, tell=told.append)
    assert told == list(range(1, 12))
    assert len(tracked.trajectory) == 12
    assert torch.equal(tracked.trajectory.poses[0], torch.eye(4, dtype=torch.float64))
    truth = Trajectory(drive.poses, drive.stamps)
    length = float(truth.distances()[-1])
    assert evaluate_odometry(tracked.trajectory, truth, "none")["ate_m"] < 0.01 * length
    assert tracked.summary() == "11 motions: 11 essential"


def test_frames_reach_the_networks_at_their_size():
    image = torch.rand(3, 50, 70)
    resized = network_image(image, (32, 64), torch.device("cpu"))
    assert resized.shape == (1, 3, 32, 64)
    assert torch.equal(network_image(image, (50, 70), torch.device("cpu"))[0], image)
    assert network_image(torch.full((3, 50, 70), 0.3), (32, 64), "cpu").sub(0.3).abs().max() < 1e-5


@pytest.mark.parametrize("frames", [1, 2])
def test_short_videos(frames):
    drive = WorldSequence(8, WorldOptions(size=SIZE, frames=frames))
    assert len(track(drive, Truth(drive), Truth(drive), size=SIZE).trajectory) == frames
