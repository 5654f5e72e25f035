"""The supervised flow task: flow between the two images of a pair against ground truth."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.losses.masked import masked_mean
from vode.losses.options import FlowErrorOptions
from vode.losses.supervised import end_point_error, flow_error, known_flow
from vode.networks.flow import FlowNet
from vode.training.tasks.base import Task, TaskOutput, detach, run_network


class SupervisedFlowTask(Task):
    """Trains the flow network on ground truth flow, in both directions where both are known."""

    def __init__(
        self, flow: FlowNet, options: FlowErrorOptions = FlowErrorOptions(), mixed: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.flow, self.options, self.mixed = flow, options, mixed
        self.weights = {"flow_error": 1.0}

    def trained(self) -> list[torch.nn.Module]:
        """The flow network."""
        return [self.flow]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Flow losses of a batch of pairs."""
        image_a, image_b = batch["images"][:, 0], batch["images"][:, 1]
        flows_ab, flows_ba = run_network(self.flow, image_a, image_b, mixed=self.mixed)
        flows, truth, visible = flows_ab, batch["flow"][:, 0], batch["visible"][:, 0]
        if "flow_back" in batch:
            flows = [torch.cat(pair) for pair in zip(flows_ab, flows_ba, strict=True)]
            truth = torch.cat([truth, batch["flow_back"][:, 0]])
            visible = torch.cat([visible, batch["visible_back"][:, 0]])
        mask = known_flow(truth, visible) * (1.0 if self.options.hidden else visible)
        error = end_point_error(flows[0].detach(), truth)
        return TaskOutput(
            {"flow_error": flow_error(flows, truth, mask, self.options).mean()},
            {"epe_px": masked_mean(error, mask).mean()},
            detach({"image": image_a[0], "flow": flows[0][0], "error_10px": error[0] / 10, "known": mask[0]}),
        )
