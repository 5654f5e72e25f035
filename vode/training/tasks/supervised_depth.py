"""The supervised depth task: depth of single images against ground truth."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.resize import image_size
from vode.losses.masked import masked_mean
from vode.losses.options import DepthErrorOptions
from vode.losses.supervised import depth_target, gradient_difference, log_difference, scale_invariant
from vode.networks.depth import DepthNet
from vode.training.tasks.base import Task, TaskOutput, detach, run_network


class SupervisedDepthTask(Task):
    """Trains the depth network on ground truth depth; what is not known has no influence."""

    def __init__(
        self, depth: DepthNet, options: DepthErrorOptions = DepthErrorOptions(), mixed: torch.dtype | None = None
    ) -> None:
        super().__init__()
        self.depth, self.options, self.mixed = depth, options, mixed
        names = ("log_depth", "depth_gradient", "scale_invariant")
        self.weights = {name: getattr(options, name) for name in names if getattr(options, name)}

    def trained(self) -> list[torch.nn.Module]:
        """The depth network."""
        return [self.depth]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Depth losses of all images of a batch, averaged over the network's output scales.

        Every output is compared at full size, to which it is upsampled.
        """
        images, known = batch["images"].flatten(0, 1), batch["depth"].flatten(0, 1)
        target, weight = depth_target(self._canonical(known, batch["intrinsics"]), self.options)
        outputs = run_network(self.depth, images, mixed=self.mixed)
        maps = [self.depth.depth_of(_full_size(sigma.float(), image_size(images))) for sigma in outputs]
        losses = [self._losses(depth.log() - target, weight) for depth in maps]
        error = ((maps[0].detach() / target.exp()) - 1).abs()
        return TaskOutput(
            {name: torch.stack([each[name].mean() for each in losses]).mean() for name in self.weights},
            {"abs_rel": masked_mean(error, (known > 0).to(error.dtype)).mean()},
            detach({"image": images[0], "depth": maps[0][0], "ground_truth_depth": known[0]}),
        )

    def _canonical(self, depth: Tensor, intrinsics: Tensor) -> Tensor:
        """Depth (B T, 1, H, W) as the network's canonical camera would have it, of cameras (B, 3, 3)."""
        canonical = self.depth.options.canonical_focal
        if not self.depth.is_metric:
            return depth
        factor = canonical / intrinsics[:, 1, 1].float()
        return depth * factor.repeat_interleave(len(depth) // len(factor)).view(-1, 1, 1, 1)

    def _losses(self, residual: Tensor, weight: Tensor) -> dict[str, Tensor]:
        """The losses with a weight, (B,), of the residual of log depth."""
        losses = {}
        if "log_depth" in self.weights:
            losses["log_depth"] = log_difference(residual, weight)
        if "depth_gradient" in self.weights:
            losses["depth_gradient"] = gradient_difference(residual, weight, self.options.strides)
        if "scale_invariant" in self.weights:
            losses["scale_invariant"] = scale_invariant(residual, weight, self.options.invariance)
        return losses


def _full_size(sigma: Tensor, size: tuple[int, int]) -> Tensor:
    if image_size(sigma) == size:
        return sigma
    return F.interpolate(sigma, size, mode="bilinear", align_corners=False)
