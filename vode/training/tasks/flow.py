"""The flow task: photometric and smoothness losses."""

from __future__ import annotations

import dataclasses

from torch import Tensor, nn

from vode.losses.flow import flow_losses
from vode.networks.flow import FlowNet
from vode.training.options import TaskOptions
from vode.training.tasks.base import Task, TaskOutput, detach, run_network


class FlowTask(Task):
    """Trains the flow network on photometric and smoothness losses."""

    def __init__(self, flow: FlowNet, options: TaskOptions = TaskOptions()) -> None:
        super().__init__()
        self.flow, self.options = flow, options
        self.weights = dataclasses.asdict(options.weights)

    def trained(self) -> list[nn.Module]:
        """The flow network."""
        return [self.flow]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Flow losses of a batch of pairs."""
        image_a, image_b = batch["images"][:, 0], batch["images"][:, 1]
        flows_ab, flows_ba = run_network(self.flow, image_a, image_b, mixed=self.options.mixed)
        losses, mask = flow_losses(image_a, image_b, flows_ab, flows_ba, options=self.options.flow_loss)
        shown = {"image": image_a[0], "flow": flows_ab[0][0], "visible": mask[0]}
        return TaskOutput({name: value.mean() for name, value in losses.items()}, {}, detach(shown))
