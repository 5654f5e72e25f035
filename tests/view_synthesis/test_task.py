"""The task: a batch of snippets to losses of every kind, with gradients into both networks."""

from dataclasses import asdict

import pytest
import torch

from vode.networks.depth import DepthNet
from vode.networks.options import DepthOptions, PoseOptions
from vode.networks.pose import PoseNet
from vode.training.tasks.base import total_loss
from vode.view_synthesis.options import SynthesisOptions, SynthesisWeights
from vode.view_synthesis.task import ViewSynthesisTask

ALL = SynthesisWeights(photometric=1.0, smoothness=0.1, consistency=0.5)
WEIGHTS = {
    "own": (SynthesisOptions("l1", "own", smoothness="second"), SynthesisWeights(smoothness=0.2, explainability=0.2)),
    "full": (SynthesisOptions(sources="minimum", outside="border", auto_mask=True), SynthesisWeights()),
    "both": (SynthesisOptions(auto_mask=True, both_directions=True, consistency_mask=True), ALL),
}


@pytest.mark.parametrize("name", WEIGHTS)
def test_losses_are_finite_named_and_train_both_networks(name, snippet):
    torch.manual_seed(0)
    options, weights = WEIGHTS[name]
    pose = PoseOptions("posecnn", explainability=True) if name == "own" else PoseOptions("resnet18")
    depth = DepthNet.build(DepthOptions(encoder="dispnet" if name == "own" else "resnet18", scales=4))
    task = ViewSynthesisTask(depth, PoseNet(pose), options, weights)
    output = task(snippet)
    assert output.losses.keys() == {name for name, weight in asdict(weights).items() if weight}
    assert all(loss.isfinite() for loss in output.losses.values())
    assert output.visualizations.keys() >= {"image", "depth", "made", "counted"}
    assert {x.dim() for x in output.visualizations.values()} == {3}
    total_loss(output.losses, task.weights).backward()
    for network in task.trained():
        # batch normalisation hides biases before it
        reached = [p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters()]
        assert sum(reached) > 0.9 * len(reached)
