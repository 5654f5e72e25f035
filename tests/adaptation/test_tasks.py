"""The tasks of adaptation: every loss reaches the weights, statistics stay, exact depth is at the minimum."""

import math

import pytest
import torch

from vode.adaptation.options import DepthLossOptions
from vode.adaptation.tasks import AdaptDepthTask, AdaptFlowTask, fundamental_of, round_trip
from vode.geometry.epipolar import epipolar_distance
from vode.geometry.warp import flow_target
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet

FRAMES = [0, 2, 4]


@pytest.fixture(scope="module")
def batch(sequence):
    torch.manual_seed(0)
    depth = torch.stack([sequence.depth(i) for i in FRAMES])[None]
    kept = torch.rand(depth.shape) < 0.1
    return {
        "images": torch.stack([sequence.frame(i) for i in FRAMES])[None],
        "intrinsics": sequence.intrinsics[None],
        "poses": sequence.poses[FRAMES][None].float(),
        "depth": torch.where(kept, depth, 0.0),
        "deviation": torch.where(kept & (depth > 0), 0.02, 0.0),
        "start_depth": torch.full_like(depth, 5.0),
    }


@pytest.mark.parametrize("name", ["triangulated", "consistency", "photometric", "hold", "hold_edges"])
def test_every_loss_of_depth_reaches_the_weights(batch, name):
    torch.manual_seed(0)
    none = dict.fromkeys(("triangulated", "consistency", "photometric", "hold", "hold_edges"), 0.0)
    task = AdaptDepthTask(DepthNet(), DepthLossOptions(**(none | {name: 1.0}), disagreement=3.0)).train()
    statistics = {key: value.clone() for key, value in task.named_buffers()}
    output = task(batch)
    assert list(output.losses) == list(task.weights) == [name]
    output.losses[name].backward()
    assert sum(p.grad.abs().sum() for p in task.parameters() if p.grad is not None) > 0
    assert all(value.equal(statistics[key]) for key, value in task.named_buffers())


def test_exact_depth_has_no_residual_and_twice_of_it_has(batch, sequence, monkeypatch):
    depth = torch.stack([sequence.depth(i) for i in FRAMES])
    exact = torch.where(depth > 0, depth, 90.0).clamp(max=90.0)
    task = AdaptDepthTask(DepthNet())
    near = batch | {"depth": torch.where(batch["depth"] < 30, batch["depth"], 0.0)}
    found = []
    for factor in (1.0, 1.5):
        sigma = ((1 / (factor * exact)).clamp(min=0.01) - 0.01) / 9.99
        monkeypatch.setattr(task.depth, "forward", lambda images, sigma=sigma: [sigma])
        found.append(task(near))
    assert found[0].losses["triangulated"] < 1e-3
    assert found[0].metrics["left_out"] < 0.01
    assert found[1].losses["triangulated"] > 0.3
    assert found[1].metrics["level"] == pytest.approx(math.log(1.5), rel=1e-2)


def test_flow_learns_from_images_and_the_trajectory(batch):
    torch.manual_seed(0)
    task = AdaptFlowTask(FlowNet())
    output = task(batch)
    assert output.losses.keys() == task.weights.keys()
    output.losses["flow_photometric"].backward()
    assert sum(p.grad.abs().sum() for p in task.parameters() if p.grad is not None) > 0


def test_exact_flow_lies_on_the_epipolar_lines_and_comes_back(sequence):
    batch = {"poses": sequence.poses[[0, 1]][None].float(), "intrinsics": sequence.intrinsics[None]}
    (there, seen), (back, _) = sequence.flow_between(0, 1), sequence.flow_between(1, 0)
    target = flow_target(there[None])
    distance = epipolar_distance(fundamental_of(batch), (target - there).flatten(2).mT, target.flatten(2).mT)
    still = seen.flatten() & ~sequence.moving(0).flatten()
    assert distance[0, still].max() < 0.02
    assert round_trip(there[None], back[None], seen[None].float()) < 0.3
