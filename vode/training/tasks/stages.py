"""Stages: batch -> named losses and pictures. Each says what it trains.

A sample whose geometry fails is left out of the geometric losses by a mask and counted in
``geometry_failed``; it never changes another sample's loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from vode.geometry import matches, triangulation, two_view, warp
from vode.geometry.alignment import align_depth_scale
from vode.geometry.epipolar import epipolar_distance
from vode.losses.depth import reprojection, triangulated_depth
from vode.losses.epipolar import epipolar
from vode.losses.flow import flow_losses
from vode.losses.options import FlowLossOptions
from vode.losses.smoothness import disparity_smoothness
from vode.networks.depth import DepthNet, disparity_to_depth
from vode.networks.flow import FlowNet
from vode.training import distributed
from vode.training.options import MotionOptions

LossesAndPictures = tuple[dict[str, Tensor], dict[str, Tensor]]


class Motion(NamedTuple):
    """Two-view motion of a batch and the points that it triangulates; no gradient."""

    T_b_a: Tensor
    """(B, 4, 4), unit baseline"""
    fundamental: Tensor
    """(B, 3, 3)"""
    reliable: Tensor
    """(B,), 0 or 1"""
    mask: Tensor
    """M_o (B, 1, H, W): seen in both images"""
    rigid: Tensor
    """M_r (B, 1, H, W): inlier score of the epipolar geometry"""
    points_a: Tensor
    points_b: Tensor
    """(B, N, 2) pixels"""
    depth_a: Tensor
    depth_b: Tensor
    """(B, N), in baselines"""
    valid: Tensor
    """(B, N), 0 or 1"""


@torch.no_grad()
def motion_from_flow(flow_ab: Tensor, flow_ba: Tensor, intrinsics: Tensor, options: MotionOptions) -> Motion:
    """Correspondences, two-view motion and triangulation of flows (B, 2, H, W): Zhao et al., section 3.1."""
    flow_ab, flow_ba, intrinsics = flow_ab.float(), flow_ba.float(), intrinsics.float()
    size = tuple(flow_ab.shape[-2:])
    scores = matches.flow_scores(flow_ab, flow_ba)
    found = matches.best_matches(flow_ab, scores.score, share=options.share, count=options.count)
    pair = two_view.relative_pose(
        found.points_a,
        found.points_b,
        intrinsics,
        scores=found.scores,
        threshold=options.threshold * size[1] / 832,
    )
    target = warp.flow_target(flow_ab)
    grid = target - flow_ab
    distance = epipolar_distance(pair.fundamental, grid.flatten(2).mT, target.flatten(2).mT)
    distance = distance.view_as(scores.mask)
    rigid = (distance < options.inlier) / (1 + distance)
    best = matches.best_matches(flow_ab, scores.score * rigid, share=options.share, count=options.count)
    points = triangulation.midpoint(best.points_a, best.points_b, intrinsics, pair.T_b_a, size=size)
    apart = points.parallax * intrinsics[:, :1, 0] > options.min_parallax
    reliable = pair.reliable.to(flow_ab.dtype)
    valid = points.valid * apart * (best.scores > 0) * reliable[:, None]
    return Motion(
        pair.T_b_a,
        pair.fundamental,
        reliable,
        scores.mask,
        rigid * reliable.view(-1, 1, 1, 1),
        best.points_a,
        best.points_b,
        points.depth_a,
        points.depth_b,
        valid.to(flow_ab.dtype),
    )


@dataclass(frozen=True)
class StageOptions:
    """What the stages share."""

    motion: MotionOptions = MotionOptions()
    flow_loss: FlowLossOptions = FlowLossOptions()
    triangulation_loss: Literal["log", "square"] = "log"
    mixed: torch.dtype | None = None
    """run the networks, and them alone, in torch.bfloat16 or torch.float16"""


def run(network: nn.Module, *images: Tensor, mixed: torch.dtype | None) -> Any:
    """What ``network`` makes of ``images``, computed in the ``mixed`` type if there is one."""
    with torch.autocast(images[0].device.type, mixed, enabled=mixed is not None):
        return network(*images)


class FlowStage(nn.Module):
    """Trains the flow network on photometric and smoothness losses."""

    def __init__(self, flow: FlowNet, options: StageOptions = StageOptions()) -> None:
        super().__init__()
        self.flow, self.options = flow, options

    def trained(self) -> list[nn.Module]:
        return [self.flow]

    def forward(self, sample: dict[str, Tensor]) -> LossesAndPictures:
        image_a, image_b = sample["images"][:, 0], sample["images"][:, 1]
        flows_ab, flows_ba = run(self.flow, image_a, image_b, mixed=self.options.mixed)
        losses, mask = flow_losses(image_a, image_b, flows_ab, flows_ba, options=self.options.flow_loss)
        pictures = {"image": image_a[0], "flow": flows_ab[0][0], "visible": mask[0]}
        return {name: value.mean() for name, value in losses.items()}, detach(pictures)


class DepthStage(nn.Module):
    """Trains the depth network on what the frozen flow network triangulates."""

    def __init__(self, flow: FlowNet, depth: DepthNet, options: StageOptions = StageOptions()) -> None:
        super().__init__()
        self.flow, self.depth, self.options = flow, depth, options

    def trained(self) -> list[nn.Module]:
        return [self.depth]

    def forward(self, sample: dict[str, Tensor]) -> LossesAndPictures:
        image_a, image_b = sample["images"][:, 0], sample["images"][:, 1]
        with torch.no_grad():
            flows_ab, flows_ba = run(self.flow, image_a, image_b, mixed=self.options.mixed)
        flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
        motion = motion_from_flow(flow_ab, flow_ba, sample["intrinsics"], self.options.motion)
        losses, pictures = depth_losses(self.depth, sample, flow_ab, motion, self.options)
        del losses["reprojection_flow"]
        return losses, pictures


class JointStage(nn.Module):
    """Trains both networks on all losses, as the paper's last stage; ``flow_only`` as the released code."""

    def __init__(
        self,
        flow: FlowNet,
        depth: DepthNet,
        options: StageOptions = StageOptions(),
        *,
        flow_only: bool = False,
    ) -> None:
        super().__init__()
        self.flow, self.depth, self.options, self.flow_only = flow, depth, options, flow_only

    def trained(self) -> list[nn.Module]:
        return [self.flow] if self.flow_only else [self.flow, self.depth]

    def forward(self, sample: dict[str, Tensor]) -> LossesAndPictures:
        image_a, image_b = sample["images"][:, 0], sample["images"][:, 1]
        flows_ab, flows_ba = run(self.flow, image_a, image_b, mixed=self.options.mixed)
        per_sample, _ = flow_losses(image_a, image_b, flows_ab, flows_ba, options=self.options.flow_loss)
        losses = {name: value.mean() for name, value in per_sample.items()}
        flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
        motion = motion_from_flow(flow_ab, flow_ba, sample["intrinsics"], self.options.motion)
        target = warp.flow_target(flow_ab)
        grid = (target - flow_ab).detach()
        distance = epipolar(motion.fundamental, grid.flatten(2).mT, target.flatten(2).mT, motion.mask.flatten(1))
        losses["epipolar"] = mean_reliable(distance, motion.reliable)
        geometric, pictures = depth_losses(self.depth, sample, flow_ab, motion, self.options)
        if self.flow_only:
            geometric = {k: geometric[k] for k in ("reprojection_flow", "geometry_failed")}
        return losses | geometric, pictures


def depth_losses(
    network: DepthNet,
    sample: dict[str, Tensor],
    flow_ab: Tensor,
    motion: Motion,
    options: StageOptions = StageOptions(),
) -> LossesAndPictures:
    """Depth losses of both images of every pair, whose depths share one scale, and the failed share."""
    image_a, image_b = sample["images"][:, 0], sample["images"][:, 1]
    images = torch.cat([image_a, image_b])
    sigma = run(network, images, mixed=options.mixed)[0].float()
    depth_a, depth_b = disparity_to_depth(sigma).chunk(2)
    at_a, at_b = at_points(depth_a, motion.points_a), at_points(depth_b, motion.points_b)
    reference = torch.cat([motion.depth_a, motion.depth_b], 1)
    predicted, valid = torch.cat([at_a, at_b], 1), motion.valid.repeat(1, 2)
    outlier = float("inf") if options.triangulation_loss == "square" else None
    scale, aligned = align_depth_scale(predicted.detach(), reference, valid, outlier=outlier)
    usable = motion.reliable * aligned
    scale = torch.where(usable > 0, scale, 1.0)
    per_sample = {
        "triangulated_depth": triangulated_depth(
            scale[:, None] * predicted, reference, valid, options.triangulation_loss
        ),
        "depth_smoothness": disparity_smoothness(sigma, images).view(2, -1).mean(0),
    }
    map_scale = scale.view(-1, 1, 1, 1)
    per_sample["reprojection_depth"], per_sample["reprojection_flow"] = reprojection(
        map_scale * depth_a,
        map_scale * depth_b,
        flow_ab,
        sample["intrinsics"].float(),
        motion.T_b_a,
        motion.mask * motion.rigid,
        motion.rigid,
    )
    losses = {
        name: value.mean() if name == "depth_smoothness" else mean_reliable(value, usable)
        for name, value in per_sample.items()
    }
    losses["geometry_failed"] = 1 - usable.mean()
    pictures = {"image": image_a[0], "flow": flow_ab[0], "depth": depth_a[0], "rigid": motion.rigid[0]}
    return losses, detach(pictures)


def at_points(depth: Tensor, points: Tensor) -> Tensor:
    """Depth (B, 1, H, W) at pixels (B, N, 2): (B, N)."""
    return warp.sample(depth, points.mT.unsqueeze(-1))[:, 0, :, 0]


def mean_reliable(values: Tensor, reliable: Tensor) -> Tensor:
    """Mean over the samples (B,) whose geometry holds, among those of all processes; 0 where none does."""
    count = distributed.mean(reliable.sum())
    return torch.where(reliable > 0, values, 0.0).sum() / torch.where(count > 0, count, 1.0)


def detach(pictures: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: picture.detach() for name, picture in pictures.items()}
