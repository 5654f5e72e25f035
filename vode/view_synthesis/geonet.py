"""GeoNet (Yin and Shi, CVPR 2018): flow as rigid flow by depth and motion, and the residual that a network adds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from vode.datasets.base import Sequence
from vode.devices import device_name
from vode.evaluation.flow import evaluate_flow
from vode.geometry.camera import resize_intrinsics
from vode.geometry.resize import image_size, resize_images
from vode.geometry.warp import resize_flow
from vode.losses.full_flow import full_flow_losses, warp_error
from vode.losses.options import FlowConsistencyOptions
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.pose import PoseNet
from vode.networks.residual_flow import ResidualFlowNet
from vode.networks.weights import Network
from vode.run_folder import find_run
from vode.training.tasks.base import Task, TaskOutput, detach, run_network
from vode.view_synthesis.config import ViewSynthesisConfig
from vode.view_synthesis.flow_pose import motion_network
from vode.view_synthesis.options import FullFlowWeights
from vode.view_synthesis.task import image_pairs, snippet_views
from vode.view_synthesis.warp import Views, inverse_warp


class Flows(NamedTuple):
    """Flow between the targets of B snippets and each of their S sources, both ways."""

    ab: Tensor
    """(B S, 2, h, w) pixels, from the targets to the sources"""
    ba: Tensor
    """from the sources to the targets"""


class FullFlow(NamedTuple):
    """What GeoNet tells of snippets."""

    rigid: Flows
    """by depth and motion, at full size"""
    full: list[Flows]
    """with the residual, at full, 1/2, 1/4 and 1/8 size, in pixels of that size"""


class GeoNet(nn.Module):
    """The three networks of GeoNet: depth, motion, and what is left of the flow."""

    def __init__(self, depth: DepthNet, pose: nn.Module, residual: ResidualFlowNet) -> None:
        super().__init__()
        self.depth, self.pose, self.residual = depth, pose, residual

    def forward(self, images: Tensor, intrinsics: Tensor, *, mixed: torch.dtype | None = None) -> FullFlow:
        """Snippets (B, L, 3, H, W) in 0..1 of cameras (B, 3, 3), pixels -> their flow.

        Gradients reach the residual network alone: the rigid flow is what the others have learned before.
        """
        with torch.no_grad():
            T_s_t = run_network(self.pose, images, mixed=mixed)[0].float()
            rigid = rigid_flows(self.depth, snippet_views(images, T_s_t, intrinsics.float()), mixed=mixed)
        target, source = image_pairs(images)
        a, b, flow = torch.cat([target, source]), torch.cat([source, target]), torch.cat(rigid)
        seen, error = warp_error(a, b, flow)
        residual = run_network(self.residual, a, b, seen, flow, error, mixed=mixed)
        full = [resize_flow(flow, image_size(left)) + left for left in residual]
        return FullFlow(rigid, [Flows(*each.chunk(2)) for each in full])

    @torch.no_grad()
    def predict_flow(self, frames: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Full and rigid flow (2, H, W) in pixels from the middle one of frames (L, 3, H, W) to the next, L >= 3.

        Computed at ``size`` (height, width). intrinsics (3, 3) are those of the frames.
        """
        device, frame_size = next(self.residual.parameters()).device, image_size(frames)
        images = resize_images(frames.to(device), size)[None]
        found = self(images, resize_intrinsics(intrinsics.float(), frame_size, size)[None].to(device))
        # the sources are in the order of time, and the next frame is the first after the target
        after = slice(len(frames) // 2, len(frames) // 2 + 1)
        full, rigid = (resize_flow(flows.ab[after], frame_size)[0].cpu() for flows in (found.full[0], found.rigid))
        return full, rigid


def geonet_of(networks: nn.ModuleDict) -> GeoNet:
    """The networks of a run that has a residual flow network."""
    residual = cast(ResidualFlowNet, networks["residual"])
    return GeoNet(cast(DepthNet, networks["depth"]), motion_network(networks), residual)


def load_geonet(run: str | Path, *, device: str = "auto") -> tuple[GeoNet, tuple[int, int]]:
    """GeoNet from the folder of a run, in evaluation mode, and the (height, width) that it was trained at.

    InputError if the run has no residual flow network.
    """
    folder, where = find_run(run), device_name(device)
    kinds: dict[str, type[Network]] = {"depth": DepthNet, "pose": PoseNet, "residual": ResidualFlowNet}
    if folder.has_network(FlowNet):
        kinds["flow"] = FlowNet
    networks = nn.ModuleDict({name: folder.load_network(kind, where) for name, kind in kinds.items()})
    return geonet_of(networks), folder.read_config(ViewSynthesisConfig).size


class ResidualFlowTask(Task):
    """GeoNet's second stage: trains the residual flow network on snippets; depth and motion stay as they are."""

    def __init__(
        self,
        geonet: GeoNet,
        options: FlowConsistencyOptions = FlowConsistencyOptions(),
        weights: FullFlowWeights = FullFlowWeights(),
        mixed: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.geonet, self.options, self.mixed = geonet, options, mixed
        self.weights = dataclasses.asdict(weights)

    def trained(self) -> list[nn.Module]:
        """The residual flow network."""
        return [self.geonet.residual]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Losses of a batch of snippets."""
        images = batch["images"]
        found = self.geonet(images, batch["intrinsics"], mixed=self.mixed)
        flows_ab, flows_ba = ([flows[way] for flows in found.full] for way in (0, 1))
        target, source = image_pairs(images)
        losses, agree = full_flow_losses(target, source, flows_ab, flows_ba, self.options)
        residual = (flows_ab[0] - found.rigid.ab).norm(dim=1).mean()
        shown = {"image": target[0], "rigid": found.rigid.ab[0], "flow": flows_ab[0][0], "agree": agree[0]}
        metrics = {"agree": agree.mean(), "residual_px": residual.detach()}
        return TaskOutput({name: value.mean() for name, value in losses.items()}, metrics, detach(shown))


def rigid_flows(depth: DepthNet, views: Views, *, mixed: torch.dtype | None = None) -> Flows:
    """Flow of a static scene between the targets and the sources of views, by predicted depth."""
    frames = torch.cat([views.target[:, None], views.sources], 1)
    sigma = run_network(depth, frames.flatten(0, 1), mixed=mixed)[0].float()
    focal = views.intrinsics[:, 1, 1].repeat_interleave(frames.shape[1])
    maps = depth.metric(depth.depth_of(sigma), focal).unflatten(0, frames.shape[:2])
    back = views.reversed()
    ab = inverse_warp(maps[:, 0], views.T_s_t, views.intrinsics).flow
    ba = inverse_warp(maps[:, 1:].flatten(0, 1), back.T_s_t, back.intrinsics).flow
    return Flows(ab.flatten(0, 1), ba.flatten(0, 1))


def snippet_around(sequence: Sequence, target: int, length: int) -> Tensor:
    """Frames (L, 3, H, W) of a sequence, ``target`` in the middle; beyond its ends, the first and the last again."""
    first = target - length // 2
    return torch.stack([sequence.frame(min(max(i, 0), len(sequence) - 1)) for i in range(first, first + length)])


def score_full_flow(
    geonet: GeoNet, sequence: Sequence, length: int, size: tuple[int, int], *, every: int = 1
) -> dict[str, float | None]:
    """End-point errors in pixels of full and rigid flow to the next frame, over what is visible there.

    Of every ``every``-th frame with ground truth, with snippets of ``length`` frames, computed at ``size``.
    """
    targets = [i for i in range(0, len(sequence) - 1, every) if sequence.has_flow(i)]
    snippets = (snippet_around(sequence, i, length) for i in targets)
    full, rigid = zip(*(geonet.predict_flow(each, sequence.intrinsics, size) for each in snippets), strict=True)
    truths = [truth for i in targets if (truth := sequence.flow(i)) is not None]
    flows, visible = zip(*truths, strict=True)
    return {
        "full_flow_epe_px": evaluate_flow(full, flows, visible)["flow_epe_px"],
        "rigid_flow_epe_px": evaluate_flow(rigid, flows, visible)["flow_epe_px"],
    }
