"""The joint task: flow and depth, trained for mutual consistency."""

from __future__ import annotations

import dataclasses

from torch import Tensor, nn

from vode.losses.epipolar import epipolar_loss
from vode.losses.flow import flow_losses
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.training.options import TaskOptions
from vode.training.tasks.base import Task, TaskOutput, mean_reliable, run_network
from vode.training.tasks.depth import depth_losses
from vode.training.tasks.geometry import motion_from_flow


class JointTask(Task):
    """Trains both networks on all losses, as in the paper's last stage; ``flow_only`` as in the released code."""

    def __init__(
        self,
        flow: FlowNet,
        depth: DepthNet,
        options: TaskOptions = TaskOptions(),
        *,
        flow_only: bool = False,
    ) -> None:
        super().__init__()
        self.flow, self.depth, self.options, self.flow_only = flow, depth, options, flow_only
        self.weights = dataclasses.asdict(options.weights)

    def trained(self) -> list[nn.Module]:
        """Both networks, or the flow network for ``flow_only``."""
        return [self.flow] if self.flow_only else [self.flow, self.depth]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """All losses of a batch of pairs."""
        image_a, image_b = batch["images"][:, 0], batch["images"][:, 1]
        flows_ab, flows_ba = run_network(self.flow, image_a, image_b, mixed=self.options.mixed)
        per_sample, _ = flow_losses(image_a, image_b, flows_ab, flows_ba, options=self.options.flow_loss)
        losses = {name: value.mean() for name, value in per_sample.items()}
        flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
        motion = motion_from_flow(flow_ab, flow_ba, batch["intrinsics"], self.options.motion)
        distance = epipolar_loss(flow_ab, motion.fundamental, motion.mask, self.options.geometry_loss)
        losses["epipolar"] = mean_reliable(distance, motion.reliable)
        geometric = depth_losses(self.depth, batch, flow_ab, motion, self.options)
        kept = {"reprojection_flow"} if self.flow_only else geometric.losses.keys()
        losses |= {name: value for name, value in geometric.losses.items() if name in kept}
        return geometric._replace(losses=losses)
