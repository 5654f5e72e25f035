"""Supervised tasks: true predictions cost least, unknown pixels and other cameras change nothing, all is trained."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vode.datasets.sample import collate
from vode.losses.options import DepthErrorOptions, FlowErrorOptions
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.options import DepthOptions
from vode.training.clip_dataset import ClipDataset, ClipShape
from vode.training.tasks.base import total_loss
from vode.training.tasks.supervised_depth import SupervisedDepthTask
from vode.training.tasks.supervised_flow import SupervisedFlowTask
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

EVERYTHING = DepthErrorOptions(scale_invariant=1.0, range=(0.3, 60.0))


@pytest.fixture(scope="module")
def batch():
    """Two pairs with depth and flow in both directions."""
    sequence = WorldSequence(3, WorldOptions(size=(64, 96), frames=5))
    clips = ClipDataset([sequence], ClipShape(2), ground_truth=True)
    return collate([clips[0], clips[2]])


class TrueDepth(nn.Module):
    """Predicts given depth (N, 1, H, W), times a factor."""

    def __init__(self, depth, factor=1.0, canonical_focal=0.0):
        super().__init__()
        self.depth, self.factor = depth, factor
        self.options, self.is_metric = DepthOptions(canonical_focal=canonical_focal), canonical_focal > 0

    def forward(self, images):
        return [(1 / (self.factor * self.depth) - 0.01) / 9.99]

    def depth_of(self, sigma):
        return 1 / (0.01 + 9.99 * sigma)


def depth_losses(network, batch, options=EVERYTHING):
    return SupervisedDepthTask(network, options)(batch)


def known_depth(batch):
    depth = batch["depth"].flatten(0, 1)
    return torch.where(depth > 0, depth, 7.0).clamp(0.3, 60.0)


def test_true_depth_costs_nothing_and_errors_cost_their_logarithm(batch):
    right = depth_losses(TrueDepth(known_depth(batch)), batch)
    assert right.losses.keys() == {"log_depth", "depth_gradient", "scale_invariant"}
    assert all(loss.abs() < 1e-4 for loss in right.losses.values())
    twice = depth_losses(TrueDepth(known_depth(batch), 1.5), batch)
    assert twice.losses["log_depth"].item() == pytest.approx(0.405465, rel=1e-3)
    assert twice.losses["depth_gradient"].abs() < 1e-4
    assert twice.losses["scale_invariant"].item() == pytest.approx(0.405465**2 / 2, rel=1e-3)
    assert twice.metrics["abs_rel"].item() == pytest.approx(0.5, rel=1e-3)


def test_unknown_depth_has_no_influence_unless_it_is_the_sky(batch):
    unknown = batch["depth"].flatten(0, 1) == 0
    assert unknown.any()
    other = torch.where(unknown, 50.0, known_depth(batch))
    assert torch.equal(
        depth_losses(TrueDepth(other), batch).losses["log_depth"],
        depth_losses(TrueDepth(known_depth(batch)), batch).losses["log_depth"],
    )
    sky = replace(EVERYTHING, far=50.0)
    assert depth_losses(TrueDepth(other), batch, sky).losses["log_depth"] < 1e-4
    assert depth_losses(TrueDepth(known_depth(batch)), batch, sky).losses["log_depth"] > 1e-2


def test_depth_is_that_of_the_canonical_camera(batch):
    focal = float(batch["intrinsics"][0, 1, 1])
    canonical = TrueDepth(known_depth(batch), 0.8, canonical_focal=0.8 * focal)
    assert depth_losses(canonical, batch, replace(EVERYTHING, range=(0.1, 60))).losses["log_depth"] < 1e-2
    longer = batch | {"intrinsics": batch["intrinsics"] * torch.tensor([1.0, 2.0]).view(2, 1, 1)}
    found = depth_losses(canonical, longer, replace(EVERYTHING, range=(0.01, 90))).losses["log_depth"].item()
    assert found == pytest.approx(0.6931 / 2, abs=0.02)


@pytest.mark.parametrize("scales", [1, 4])
def test_every_parameter_of_the_depth_network_is_trained(batch, scales):
    torch.manual_seed(0)
    task = SupervisedDepthTask(DepthNet(DepthOptions(scales=scales)))
    assert task.weights == {"log_depth": 1.0, "depth_gradient": 1.0}
    assert task.trained() == [task.depth]
    total_loss(task(batch).losses, task.weights).backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in task.depth.parameters())


def test_an_image_without_ground_truth_gives_finite_gradients(batch):
    task = SupervisedDepthTask(DepthNet(), EVERYTHING)
    total_loss(task(batch | {"depth": torch.zeros_like(batch["depth"])}).losses, task.weights).backward()
    assert all(not p.grad.any() for p in task.depth.parameters())


class TrueFlow(nn.Module):
    """Predicts given flows."""

    def __init__(self, flow_ab, flow_ba):
        super().__init__()
        self.flows = flow_ab, flow_ba

    def forward(self, image_a, image_b):
        return [[nn.functional.avg_pool2d(flow, 2**k) / 2**k if k else flow for k in range(4)] for flow in self.flows]


FULL = FlowErrorOptions(scales=(1.0,), error="l2")


def test_both_directions_are_learned_where_both_are_known(batch):
    ahead, back = batch["flow"][:, 0], batch["flow_back"][:, 0]
    assert SupervisedFlowTask(TrueFlow(ahead, back), FULL)(batch).losses["flow_error"] < 2e-3
    off = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    wrong = SupervisedFlowTask(TrueFlow(ahead, back + off), FULL)(batch)
    assert wrong.losses["flow_error"].item() == pytest.approx(2.5, rel=1e-3)
    assert wrong.metrics["epe_px"].item() == pytest.approx(2.5, rel=1e-3)
    one_way = {key: value for key, value in batch.items() if not key.endswith("back")}
    assert SupervisedFlowTask(TrueFlow(ahead, back + off), FULL)(one_way).losses["flow_error"] < 2e-3


def test_hidden_points_count_if_asked_for(batch):
    ahead, back = batch["flow"][:, 0], batch["flow_back"][:, 0]
    hidden = (batch["visible"][:, 0] == 0) & (ahead != 0).any(1, keepdim=True)
    assert hidden.any()
    wrong = TrueFlow(torch.where(hidden, ahead + 5, ahead), back)
    assert SupervisedFlowTask(wrong, FULL)(batch).losses["flow_error"] > 0.05
    assert SupervisedFlowTask(wrong, replace(FULL, hidden=False))(batch).losses["flow_error"] < 2e-3


def test_the_flow_network_is_trained(batch):
    torch.manual_seed(0)
    task = SupervisedFlowTask(FlowNet())
    assert task.trained() == [task.flow]
    total_loss(task(batch).losses, task.weights).backward()
    assert all(p.grad.isfinite().all() for p in task.flow.parameters())
    assert sum(bool(p.grad.any()) for p in task.flow.parameters()) == len(list(task.flow.parameters()))
