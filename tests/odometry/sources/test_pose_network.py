"""Motions of a pose network chained to a trajectory, and when there is none."""

import pytest
import torch
from torch import nn

from vode.errors import InputError
from vode.geometry.pose import inverse, se3_exp
from vode.networks.options import PoseOptions
from vode.networks.pose import Motions, PoseNet, others
from vode.odometry.options import POSE_NETWORK, TrackerOptions
from vode.odometry.perception import NoDepth, with_depth
from vode.odometry.result import Method
from vode.odometry.sources.pose_network import WithPoseNetwork
from vode.odometry.visual_odometry import VisualOdometry

K = torch.tensor([[30.0, 0, 23.5], [0, 30.0, 15.5], [0, 0, 1]])
TWISTS = torch.tensor([[0.1, 0.0, 1.0, 0.0, 0.05 * k, 0.01] for k in range(6)], dtype=torch.float64)


class Numbered(PoseNet):
    """Knows the true pose of each frame by its grey value, k / 20."""

    def __init__(self, frames):
        nn.Module.__init__(self)
        self.options, self.together, self.seen = PoseOptions(frames=frames), frames - 1, []

    def forward(self, images, *, masks):
        numbers = (images[0].mean((1, 2, 3)) * 20).round().int().tolist()
        self.seen.append(numbers)
        poses = world()[numbers]
        target = len(numbers) // 2
        T = torch.stack([inverse(poses[i]) @ poses[target] for i in others(len(numbers))])
        return Motions(T[None].float(), [])


def world():
    poses = [torch.eye(4, dtype=torch.float64)]
    for twist in TWISTS:
        poses.append(poses[-1] @ se3_exp(twist))
    return torch.stack(poses)


def image(number):
    stripes = torch.arange(48).remainder(2) * 0.06 - 0.03
    return (number / 20 + stripes).clamp(0, 1).expand(3, 32, 48)


def tracked(network, numbers):
    seen = WithPoseNetwork(NoDepth(), network, lambda size: size)
    odometry = VisualOdometry(with_depth(seen, NoDepth()), K, POSE_NETWORK)
    for number in numbers:
        odometry.register_frame(image(number))
    return odometry


@pytest.mark.parametrize("frames", [2, 3, 5])
def test_motions_of_snippets_are_chained(frames):
    network = Numbered(frames)
    odometry = tracked(network, range(1, 6))
    expected = inverse(world()[1]) @ world()[1:6]
    torch.testing.assert_close(odometry.trajectory.poses, expected, atol=1e-5, rtol=0)
    assert [x.method for x in odometry.results] == [Method.START] + [Method.NETWORK] * 4
    # the newest frames, of which the first is repeated at the beginning
    assert network.seen[-1] == list(range(6 - frames, 6))
    assert network.seen[0] == [1] * (frames - 1) + [2]


def test_frames_that_show_nothing_are_extrapolated_and_not_looked_at():
    network = Numbered(3)
    odometry = tracked(network, [1, 2, 3])
    odometry.register_frame(torch.zeros(3, 32, 48))
    odometry.register_frame(image(4))
    assert [x.method for x in odometry.results[2:]] == [Method.NETWORK, Method.EXTRAPOLATED, Method.NETWORK]
    assert network.seen[-1] == [2, 3, 4]
    expected = inverse(world()[1]) @ world()[4]
    torch.testing.assert_close(odometry.trajectory.poses[-1], expected, atol=1e-5, rtol=0)


def test_without_a_pose_network_there_is_no_such_tracker():
    odometry = VisualOdometry(NoDepth(), K, POSE_NETWORK)
    odometry.register_frame(image(1))
    with pytest.raises(InputError, match="no pose network"):
        odometry.register_frame(image(2))
    with pytest.raises(InputError, match="no window"):
        TrackerOptions(tracker="pose-network")
    assert POSE_NETWORK.geometric() == TrackerOptions()
    flow = PoseNet(PoseOptions(input="flow"))
    with pytest.raises(InputError, match="flow"):
        tracked(flow, [1, 2])
