"""The depth task: supervision by points triangulated from the flow of a frozen network."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from vode.geometry.resize import image_size, resize_bilinear
from vode.losses.depth import reprojection, reprojection_of_depth, triangulated_depth
from vode.losses.smoothness import disparity_smoothness
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.scale import prediction_scale
from vode.training.options import TaskOptions
from vode.training.tasks.base import Task, TaskOutput, detach, mean_reliable, run_network
from vode.training.tasks.geometry import Motion, at_points, motion_from_flow


class DepthTask(Task):
    """Trains the depth network on points triangulated from the flow of the frozen flow network."""

    def __init__(self, flow: FlowNet, depth: DepthNet, options: TaskOptions = TaskOptions()) -> None:
        super().__init__()
        self.flow, self.depth, self.options = flow, depth, options
        self.weights = dataclasses.asdict(options.weights)

    def trained(self) -> list[nn.Module]:
        """The depth network."""
        return [self.depth]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Depth losses of a batch of pairs."""
        image_a, image_b = batch["images"][:, 0], batch["images"][:, 1]
        with torch.no_grad():
            flows_ab, flows_ba = run_network(self.flow, image_a, image_b, mixed=self.options.mixed)
        flow_ab, flow_ba = flows_ab[0].float(), flows_ba[0].float()
        motion = motion_from_flow(flow_ab, flow_ba, batch["intrinsics"], self.options.motion)
        output = depth_losses(self.depth, batch, flow_ab, motion, self.options)
        del output.losses["reprojection_flow"]
        return output


def depth_losses(
    network: DepthNet,
    batch: dict[str, Tensor],
    flow_ab: Tensor,
    motion: Motion,
    options: TaskOptions = TaskOptions(),
) -> TaskOutput:
    """Depth losses of both images of every pair, averaged over the network's output scales.

    Every output is compared at full size, to which it is upsampled, so that a coarse one is not rewarded for
    copying texture (Godard et al., ICCV 2019, section 3.3). ``flow_ab`` (B, 2, H, W) pixels.
    """
    images = torch.cat([batch["images"][:, 0], batch["images"][:, 1]])
    sigmas = [resize_bilinear(sigma.float(), image_size(images)) for sigma in _outputs(network, images, options)]
    focal = batch["intrinsics"][:, 1, 1].repeat(2)
    depths = [network.metric(network.depth_of(sigma), focal) for sigma in sigmas]
    scales = [
        _losses_of_scale(sigma, depth, batch, flow_ab, motion, options)
        for sigma, depth in zip(sigmas, depths, strict=True)
    ]
    return TaskOutput(
        _mean_by_name([scale.losses for scale in scales]),
        _mean_by_name([scale.metrics for scale in scales]),
        scales[0].visualizations,
    )


def _outputs(network: DepthNet, images: Tensor, options: TaskOptions) -> list[Tensor]:
    """The network's outputs for images (2B, 3, H, W), whose batch statistics are those of all or of either half."""
    if not options.separate_images:
        return run_network(network, images, mixed=options.mixed)
    halves = [run_network(network, half, mixed=options.mixed) for half in images.chunk(2)]
    return [torch.cat(both) for both in zip(*halves, strict=True)]


def _losses_of_scale(
    sigma: Tensor, depth: Tensor, batch: dict[str, Tensor], flow_ab: Tensor, motion: Motion, options: TaskOptions
) -> TaskOutput:
    """Losses of one disparity and its depth (2B, 1, H, W)."""
    details = options.geometry_loss
    images = torch.cat([batch["images"][:, 0], batch["images"][:, 1]])
    depths = depth.chunk(2)
    predicted = [at_points(x, points) for x, points in zip(depths, (motion.points_a, motion.points_b), strict=True)]
    references = (motion.depth_a, motion.depth_b)
    scales, aligned = _scales(predicted, references, motion.valid, options)
    usable = motion.reliable * aligned
    scales = [torch.where(usable > 0, scale, 1.0) for scale in scales]
    scaled = torch.cat([scale[:, None] * at for scale, at in zip(scales, predicted, strict=True)], 1)
    difference = triangulated_depth(
        scaled, torch.cat(references, 1), motion.valid.repeat(1, 2), options.triangulation_loss
    )
    smoothness = disparity_smoothness(sigma, images).view(2, -1).mean(0)
    # both images have as many points
    factor = 2.0 if details.images == "sum" else 1.0
    per_sample = {"triangulated_depth": factor * difference, "depth_smoothness": factor * smoothness}
    led_by_flow = details.reprojection == "flow"
    depth_part, flow_part = (reprojection if led_by_flow else reprojection_of_depth)(
        scales[0].view(-1, 1, 1, 1) * depths[0],
        scales[1].view(-1, 1, 1, 1) * depths[1],
        flow_ab,
        batch["intrinsics"].float(),
        motion.T_b_a,
        (motion.mask if led_by_flow else motion.score) * motion.rigid,
        motion.rigid,
    )
    per_sample |= {"reprojection_depth": depth_part, "reprojection_flow": flow_part}
    losses = {
        name: value.mean() if name == "depth_smoothness" else mean_reliable(value, usable)
        for name, value in per_sample.items()
    }
    shown = {"image": images[0], "flow": flow_ab[0], "depth": depths[0][0], "rigid": motion.rigid[0]}
    return TaskOutput(losses, {"geometry_failed": 1 - usable.mean()}, detach(shown))


def _scales(
    predicted: list[Tensor], references: tuple[Tensor, Tensor], valid: Tensor, options: TaskOptions
) -> tuple[list[Tensor], Tensor]:
    """What the depths of either image are multiplied by, (B,) each, and whether it is known (B,)."""
    outlier = float("inf") if options.triangulation_loss == "square" else None
    if options.geometry_loss.scale == "pair":
        both = torch.cat(predicted, 1).detach(), torch.cat(references, 1), valid.repeat(1, 2)
        scale, known = prediction_scale(*both, outlier=outlier)
        return [scale, scale], known
    found = [
        prediction_scale(depth.detach(), reference, valid, outlier=outlier)
        for depth, reference in zip(predicted, references, strict=True)
    ]
    return [scale for scale, _ in found], found[0][1] * found[1][1]


def _mean_by_name(scales: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([scale[name] for scale in scales]).mean(0) for name in scales[0]}
