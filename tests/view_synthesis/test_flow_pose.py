"""PoseNet-Flow: the pose network sees the flow from the target to each source, and the flow network stays as it is."""

import pytest
import torch
from torch import nn

from vode.datasets.sample import collate
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions, PoseOptions
from vode.networks.pose import PoseNet
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.tasks.base import total_loss
from vode.view_synthesis.flow_pose import FlowPose, PoseNetFlowTask
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

TINY = DepthOptions("mobilenetv3_small_050", decoder=(8, 8, 8, 8, 8))


@pytest.fixture(scope="module")
def batch():
    """Two snippets of three frames."""
    sequence = WorldSequence(1, WorldOptions(size=(64, 96), frames=4))
    clips = ClipDataset([sequence], ClipShape(3))
    return collate([clips[0], clips[1]])


class Difference(nn.Module):
    """A flow network whose flow is a difference of colours."""

    def forward(self, image_a, image_b):
        return [(image_b - image_a)[:, :2]], [(image_a - image_b)[:, :2]]


class Seen(nn.Module):
    def forward(self, flow):
        return flow


def test_the_pose_network_sees_flow_from_the_target_to_each_source_in_the_order_of_time(batch):
    flow = FlowPose(Difference(), Seen())(batch["images"])
    before, now, after = batch["images"].unbind(1)
    assert torch.equal(flow, torch.stack([(before - now)[:, :2], (after - now)[:, :2]], 1))


def test_depth_and_pose_are_trained_and_the_flow_is_not(batch):
    torch.manual_seed(0)
    flow, depth, pose = FlowNet(), DepthNet(TINY), PoseNet(PoseOptions(input="flow"))
    task = PoseNetFlowTask(depth, FlowPose(flow, pose))
    assert task.trained() == [depth, pose]
    output = task(batch)
    total_loss(output.losses, task.weights).backward()
    for trained in (depth, pose):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in trained.parameters())
        assert any(p.grad.any() for p in trained.parameters())
    assert all(p.grad is None for p in flow.parameters())
