"""The task of Monodepth: exact disparities have the least loss, and depth is learned from pairs alone, in metres."""

import dataclasses

import pytest
import torch

from vode.datasets.base import Capability
from vode.datasets.sample import collate
from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.tasks.base import total_loss
from vode.view_synthesis.monodepth import MonodepthTask
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (32, 96)
FOCAL = 100.0
OPTIONS = DepthOptions(scales=4, disparity=(0.01, 0.95), canonical_focal=FOCAL, both_views=True)
WEIGHTS = {"photometric": 1.0, "smoothness": 0.1, "left_right": 1.0}


class Given(DepthNet):
    """Predicts depths in metres that are given, for both images."""

    def __init__(self, depth, focal):
        super().__init__(OPTIONS)
        self.given, self.focal = depth, focal

    def disparities(self, image):
        lowest, increase = OPTIONS.disparity
        sigma = (self.focal / FOCAL / self.given - lowest) / increase
        return [torch.nn.functional.interpolate(sigma, scale_factor=0.5**k, mode="nearest") for k in range(4)]


@pytest.fixture(scope="module")
def sequence():
    return WorldSequence(3, WorldOptions(size=SIZE, frames=2))


@pytest.fixture(scope="module")
def batch(sequence):
    clips = ClipDataset([sequence], ClipShape(1), ground_truth={Capability.STEREO})
    return collate([clips[0], clips[1]])


def test_the_true_depth_in_metres_has_the_least_loss(sequence, batch):
    depth = torch.stack([torch.cat([sequence.depth(i), sequence.right_depth(i)]) for i in range(2)])
    depth = torch.where(depth > 0, depth, 200.0)
    focal = float(sequence.intrinsics[1, 1])
    losses = []
    for factor in (0.7, 1.0, 1.4):
        task = MonodepthTask(Given(factor * depth, focal), {"photometric": 1.0, "left_right": 1.0})
        losses.append(total_loss(task(batch).losses, task.weights).item())
    assert losses[1] == min(losses)


def test_another_distance_between_the_cameras_is_another_depth(sequence, batch):
    depth = torch.stack([torch.cat([sequence.depth(i), sequence.right_depth(i)]) for i in range(2)])
    depth = torch.where(depth > 0, depth, 200.0)
    focal = float(sequence.intrinsics[1, 1])
    twice = batch | {"baseline": 2 * batch["baseline"]}
    tasks = [MonodepthTask(Given(factor * depth, focal), {"photometric": 1.0}) for factor in (1.0, 2.0)]
    near, far = (task(each).losses["photometric"].item() for task, each in zip(tasks, (batch, twice), strict=True))
    assert near == pytest.approx(far, rel=1e-4)


def test_every_weight_of_the_network_gets_a_gradient_and_the_losses_fall(batch):
    torch.manual_seed(0)
    task = MonodepthTask(DepthNet(dataclasses.replace(OPTIONS, decoder=(8, 8, 16, 16, 32))), WEIGHTS)
    optimiser = torch.optim.Adam(task.parameters(), 1e-3)
    first = last = None
    for _ in range(5):
        output = task(batch)
        assert output.losses.keys() == WEIGHTS.keys()
        loss = total_loss(output.losses, task.weights)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        first, last = first or output.losses["photometric"].item(), output.losses["photometric"].item()
    heads = task.depth.heads
    assert all((head.weight.grad != 0).flatten(1).any(1).all() for head in heads)
    assert last < 0.95 * first
    assert 0 <= output.metrics["agreeing"] <= 1


def test_depth_of_a_network_of_both_views_is_that_of_the_image():
    network = DepthNet(OPTIONS).eval()
    image = torch.rand(1, 3, *SIZE)
    both = network.disparities(image)
    assert [tuple(sigma.shape) for sigma in both] == [(1, 2, 32 // 2**k, 96 // 2**k) for k in range(4)]
    assert all(torch.equal(sigma, each[:, :1]) for sigma, each in zip(network(image), both, strict=True))
    expected = network.depth_of(both[0][:, :1])
    torch.testing.assert_close(network.depth(image), expected)
    torch.testing.assert_close(network.depth(image, 2 * FOCAL), 2 * expected)
