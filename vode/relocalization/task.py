"""The relocalization task: trains an absolute pose regressor on the images of a mapped scene."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vode.geometry.pose import matrix_to_quaternion, quaternion_distance
from vode.relocalization.losses import LearnedWeights, position_distance, reprojection_distance, rotation_distance
from vode.relocalization.network import PoseEstimate, PoseNet
from vode.relocalization.options import PoseLossOptions
from vode.relocalization.views import cut_view
from vode.training.tasks.base import Task, TaskOutput, detach, mean_reliable, run_network


class PoseTask(Task):
    """Trains PoseNet, and with it the learned weights of its two losses."""

    def __init__(
        self,
        network: PoseNet,
        balance: LearnedWeights,
        options: PoseLossOptions,
        size: tuple[int, int],
        mixed: torch.dtype | None = None,
        *,
        half: bool = False,
    ) -> None:
        super().__init__()
        self.network, self.balance = network, balance
        self.options, self.size, self.mixed, self.half_size = options, size, mixed, half
        self.weights = {"pose": 1.0}

    def trained(self) -> list[nn.Module]:
        """The network, and the loss weights if they are learned."""
        return [self.network, self.balance] if self.options.kind == "learned" else [self.network]

    def forward(self, batch: dict[str, Tensor]) -> TaskOutput:
        """The pose loss of a batch of PosedImages."""
        view = cut_view(batch, self.size, half=self.half_size)
        estimates = run_network(self.network, view["images"], mixed=self.mixed)
        ground_truth = view["T_scene_cam"]
        position, quaternion = ground_truth[:, :3, 3], matrix_to_quaternion(ground_truth[:, :3, :3])
        main, *auxiliary = (self._losses(estimate, view, position, quaternion) for estimate in estimates)
        pose, metrics = main.pop("pose"), main
        pose = pose + self.options.auxiliary * sum(loss["pose"] for loss in auxiliary)
        metrics |= {
            "position_m": position_distance(estimates[0].position, position).mean(),
            "rotation_deg": quaternion_distance(estimates[0].quaternion, quaternion).mean().rad2deg(),
        }
        return TaskOutput({"pose": pose}, metrics, detach({"image": view["images"][0]}))

    def _losses(
        self, estimate: PoseEstimate, view: dict[str, Tensor], position: Tensor, quaternion: Tensor
    ) -> dict[str, Tensor]:
        """The loss of one head, as ``pose``, and the fraction of images with too few points for it."""
        if self.options.kind == "geometric":
            distance, enough = reprojection_distance(
                estimate.position,
                estimate.quaternion,
                view["T_scene_cam"],
                view["points"],
                view["seen"],
                view["intrinsics"],
                self.options,
            )
            return {"pose": mean_reliable(distance, enough.float()), "too_few_points": 1 - enough.float().mean()}
        moved = position_distance(estimate.position, position).mean()
        turned = rotation_distance(estimate.rotation, quaternion, self.network.options.rotation).mean()
        return {
            "pose": moved + self.options.beta * turned if self.options.kind == "beta" else self.balance(moved, turned)
        }
