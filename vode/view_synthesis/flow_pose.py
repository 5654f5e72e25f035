"""PoseNet-Flow (Zhao et al., CVPR 2020): a pose network that sees optical flow, trained together with depth."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from vode.networks.flow import FlowNet
from vode.networks.pose import Motions, PoseNet
from vode.view_synthesis.task import ViewSynthesisTask, image_pairs


class FlowPose(nn.Module):
    """A pose network of flow behind the flow network that it sees frames by; takes what a pose network of images does.

    No gradient reaches the flow network.
    """

    def __init__(self, flow: FlowNet, pose: PoseNet) -> None:
        super().__init__()
        self.flow, self.pose = flow, pose

    def forward(self, images: Tensor) -> Motions:
        """Snippets, images (B, L, 3, H, W) in 0..1 -> their motions, as ``PoseNet``."""
        with torch.no_grad():
            flow = self.flow(*image_pairs(images))[0][0].float()
        return self.pose(flow.unflatten(0, (len(images), -1)))


def motion_network(networks: nn.ModuleDict) -> PoseNet | FlowPose:
    """What tells the motions of snippets of images: the pose network, behind a flow network if it takes flow."""
    pose = cast(PoseNet, networks["pose"])
    return FlowPose(cast(FlowNet, networks["flow"]), pose) if "flow" in networks else pose


class PoseNetFlowTask(ViewSynthesisTask):
    """Trains a depth network and a pose network of flow on snippets; the flow stays as it is."""

    def trained(self) -> list[nn.Module]:
        """Depth and pose, without the flow network."""
        return [each.pose if isinstance(each, FlowPose) else each for each in super().trained()]
