"""The tasks of adaptation: depth and flow on clips of unlabelled video, held to the start."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vode.adaptation.losses import (
    consistency,
    held,
    pairs_of_clips,
    reconstruction,
    reproject,
    triangulated,
)
from vode.adaptation.options import FLOW_LOSS, DepthLossOptions, FlowWeights
from vode.geometry import warp
from vode.geometry.epipolar import epipolar_distance, essential_from_pose, fundamental_from_essential
from vode.geometry.pose import relative
from vode.losses.epipolar import epipolar
from vode.losses.flow import flow_losses
from vode.losses.masked import masked_mean
from vode.losses.options import FlowLossOptions
from vode.losses.supervised import gradient_difference
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.training.tasks.base import Task, TaskOutput, detach, run_network

RESIDUAL = "residual"
"""the metric of each task that tells without ground truth how good its network is"""
FARTHEST = 3.0
"""pixels to which residuals of flow are clamped"""
EDGES = (1, 2, 4)
"""scales of the differences between neighbours that are held"""


class AdaptDepthTask(Task):
    """Trains depth on what is triangulated and on its own agreement over the frames of a clip."""

    def __init__(
        self, depth: DepthNet, options: DepthLossOptions = DepthLossOptions(), mixed: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.depth, self.options, self.mixed = depth, options, mixed
        names = ("triangulated", "consistency", "photometric", "hold", "hold_edges")
        self.weights = {name: getattr(options, name) for name in names if getattr(options, name)}

    def trained(self) -> list[nn.Module]:
        """The depth network."""
        return [self.depth]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Depth losses of a batch of clips (B, T): see ``StructureClips``."""
        images, options = batch["images"], self.options
        keep_statistics(self.depth)
        sigma = run_network(self.depth, images.flatten(0, 1), mixed=self.mixed)[0].float()
        focal = batch["intrinsics"][:, 1, 1].repeat_interleave(images.shape[1])
        depth = self.depth.metric(self.depth.depth_of(sigma), focal).unflatten(0, images.shape[:2])
        log, known = depth.log(), batch["depth"] > 0
        residual = torch.where(known, log - torch.where(known, batch["depth"], 1.0).log(), 0.0)
        agree = known & (residual.detach().abs() < options.disagreement)
        weight = known / (1 + (batch["deviation"] / options.softness).square())
        change = (log - batch["start_depth"].log()).flatten(0, 1)
        # what disagrees counts here, up to a limit, so that no network looks good by having much left out
        limited = residual.clamp(-options.disagreement, options.disagreement)
        views = pairs_of_clips(depth, images, batch["intrinsics"].float(), batch["poses"])
        seen = reproject(views, options.disagreement)
        losses = {
            "triangulated": triangulated(residual, weight * agree, options.softness),
            "consistency": consistency(seen, options.softness),
            "hold": held(change, known.flatten(0, 1)),
            "hold_edges": gradient_difference(change, torch.ones_like(change), EDGES),
        }
        if "photometric" in self.weights:
            losses["photometric"] = reconstruction(views, seen)
        shown = {"image": images[0, 0], "depth": depth[0, 0], "triangulated": batch["depth"][0, 0]}
        metrics = {
            "level": residual.sum() / known.sum().clamp(min=1),
            "left_out": 1 - (agree.sum() / known.sum().clamp(min=1)),
            RESIDUAL: triangulated(limited, weight, options.softness).mean() + losses["consistency"].mean(),
        }
        return TaskOutput({name: losses[name].mean() for name in self.weights}, metrics, detach(shown))


class AdaptFlowTask(Task):
    """Trains flow on the images of consecutive frames and on the epipolar geometry of the trajectory."""

    def __init__(
        self,
        flow: FlowNet,
        weights: FlowWeights = FlowWeights(),
        flow_loss: FlowLossOptions = FLOW_LOSS,
        mixed: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.flow, self.flow_loss, self.mixed = flow, flow_loss, mixed
        self.weights = dataclasses.asdict(weights)

    def trained(self) -> list[nn.Module]:
        """The flow network."""
        return [self.flow]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Flow losses of a batch of pairs of frames with ``poses``."""
        image_a, image_b = batch["images"][:, 0], batch["images"][:, 1]
        flows_ab, flows_ba = run_network(self.flow, image_a, image_b, mixed=self.mixed)
        per_sample, visible = flow_losses(image_a, image_b, flows_ab, flows_ba, options=self.flow_loss)
        flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
        fundamental, target = fundamental_of(batch), warp.flow_target(flow_ab)
        points_a, points_b = (target - flow_ab).detach().flatten(2).mT, target.flatten(2).mT
        per_sample["epipolar"] = epipolar(fundamental, points_a, points_b, visible.flatten(1))
        off_lines = epipolar_distance(fundamental, points_a, points_b).clamp(max=FARTHEST)
        residual = round_trip(flow_ab, flow_ba, visible) + masked_mean(off_lines, visible.flatten(1))
        metrics = {RESIDUAL: residual.mean()}
        shown = {"image": image_a[0], "flow": flow_ab[0], "visible": visible[0]}
        return TaskOutput({name: value.mean() for name, value in per_sample.items()}, metrics, detach(shown))


def keep_statistics(network: nn.Module) -> None:
    """Let batch normalisation use the statistics that it has: those of a few frames of one video are no better."""
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.eval()


def fundamental_of(batch: dict[str, Tensor]) -> Tensor:
    """F (B, 3, 3), up to scale, of the first two frames of clips with ``poses`` and ``intrinsics``."""
    T_b_a = relative(batch["poses"][:, 0], batch["poses"][:, 1])
    return fundamental_from_essential(essential_from_pose(T_b_a), batch["intrinsics"].float())


def round_trip(flow_ab: Tensor, flow_ba: Tensor, visible: Tensor) -> Tensor:
    """Mean distance (B,) in pixels at which visible pixels (B, 1, H, W) end that follow both flows."""
    away = warp.round_trip(flow_ab, flow_ba).square().sum(1, keepdim=True).sqrt()
    return masked_mean(away.clamp(max=FARTHEST), visible)
