"""The task of Monodepth: depth of single images from rectified stereo pairs (Godard et al., CVPR 2017)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vode.geometry.camera import resize_intrinsics
from vode.geometry.resize import image_size, resize_images
from vode.networks.depth import DepthNet
from vode.training.tasks.base import Task, TaskOutput, detach, run_network
from vode.view_synthesis.left_right import Pair, disparity_fraction, left_right_difference, left_right_losses


class MonodepthTask(Task):
    """Trains a depth network that predicts from the left image the disparities of both.

    Depth is in metres, for the distance between the cameras is.
    """

    def __init__(self, depth: DepthNet, weights: Mapping[str, float], mixed: torch.dtype | None = None) -> None:
        super().__init__()
        self.depth, self.mixed = depth, mixed
        self.weights = {name: weight for name, weight in weights.items() if weight}

    def trained(self) -> list[nn.Module]:
        """The depth network."""
        return [self.depth]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """Losses of all pairs of a batch, averaged over the network's output scales, each at its own size."""
        pair = Pair(batch["images"].flatten(0, 1), batch["right"].flatten(0, 1))
        length = batch["images"].shape[1]
        intrinsics = batch["intrinsics"].float().repeat_interleave(length, 0)
        baseline = batch["baseline"].float().repeat_interleave(length, 0)
        losses, disparities = [], []
        for k, sigma in enumerate(run_network(self.depth.disparities, pair.left, mixed=self.mixed)):
            depth = self.depth.metric(self.depth.depth_of(sigma.float()), intrinsics[:, 1, 1])
            K = resize_intrinsics(intrinsics, image_size(pair.left), image_size(sigma))
            disparity = Pair(*disparity_fraction(depth, K, baseline).split(1, 1))
            found = left_right_losses(Pair(*(resize_images(image, image_size(sigma)) for image in pair)), disparity)
            # neighbours at a coarser scale are farther apart, and differ by as much more
            losses.append(found | {"smoothness": found["smoothness"] / 2**k})
            disparities.append(disparity)
        width = pair.left.shape[-1]
        agreeing = left_right_difference(disparities[0]).left.detach() * width < 1
        shown = {"image": pair.left[0], "right": pair.right[0], "disparity": width * disparities[0].left[0]}
        return TaskOutput(
            {name: torch.stack([each[name].mean() for each in losses]).mean() for name in self.weights},
            {"agreeing": agreeing.float().mean()},
            detach(shown),
        )
