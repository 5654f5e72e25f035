"""Losses of absolute poses: weighed by hand or by learned weights, or one distance of projected points.

Kendall, Grimes and Cipolla, ICCV 2015 (beta); Kendall and Cipolla, CVPR 2017 (learned weights, reprojection).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from vode.geometry.camera import transform
from vode.geometry.pose import (
    from_rotation_translation,
    inverse,
    matrix_to_rotation_6d,
    near_sign,
    quaternion_exp,
    quaternion_log,
    quaternion_to_matrix,
)
from vode.relocalization.options import PoseLossOptions


def position_distance(position: Tensor, ground_truth: Tensor) -> Tensor:
    """Distance (B,) of positions (B, 3) from the true ones, in their unit."""
    return _norm(position - ground_truth)


def rotation_distance(rotation: Tensor, ground_truth: Tensor, kind: Literal["quaternion", "log", "6d"]) -> Tensor:
    """Distance (B,) of rotations, written as ``kind`` says, from true unit quaternions (B, 4), without unit.

    quaternion: |q - q'/|q'||; log: of their logarithms; both with the sign of the truth that lies nearer.
    six: of the first two columns of the matrices, as they are predicted.
    """
    if kind == "6d":
        return _norm(rotation - matrix_to_rotation_6d(quaternion_to_matrix(ground_truth)))
    if kind == "log":
        return _norm(rotation - quaternion_log(near_sign(ground_truth, quaternion_exp(rotation))))
    estimate = nn.functional.normalize(rotation, dim=-1)
    return _norm(estimate - near_sign(ground_truth, estimate))


def reprojection_distance(
    position: Tensor,
    quaternion: Tensor,
    T_scene_cam: Tensor,
    points: Tensor,
    seen: Tensor,
    intrinsics: Tensor,
    options: PoseLossOptions = PoseLossOptions(),
) -> tuple[Tensor, Tensor]:
    """Mean L1 distance (B,), pixels, of points projected with estimated and true poses, and which images can be judged.

    position (B, 3), quaternion (B, 4): the estimate; T_scene_cam (B, 4, 4): the truth; points (B, P, 3) of the scene,
    ``seen`` (B, P), 0 or 1; intrinsics (B, 3, 3). A point's distance counts up to ``clip``, and only if it lies between
    ``nearest`` and ``farthest`` before both cameras. Images with fewer than ``least`` of them get 0, and False.
    Kendall and Cipolla, CVPR 2017, eq. 8.
    """
    estimate = from_rotation_translation(quaternion_to_matrix(quaternion), position)
    focal = intrinsics.diagonal(dim1=-2, dim2=-1)[:, None, :2]
    true, true_ok = _project(inverse(T_scene_cam), points, focal, options)
    found, found_ok = _project(inverse(estimate), points, focal, options)
    counts = (seen > 0) & true_ok & found_ok
    distance = (found - true).abs().sum(-1).clamp(max=options.clip)
    number = counts.sum(-1)
    mean = torch.where(counts, distance, 0.0).sum(-1) / number.clamp(min=1)
    enough = number >= options.least
    return torch.where(enough, mean, 0.0), enough


class LearnedWeights(nn.Module):
    """Homoscedastic weights: L_x exp(-s_x) + s_x + L_q exp(-s_q) + s_q. Kendall and Cipolla, CVPR 2017, eq. 6."""

    def __init__(self) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.tensor(0.0))
        self.rotation = nn.Parameter(torch.tensor(-3.0))

    def forward(self, position: Tensor, rotation: Tensor) -> Tensor:
        """Losses of position and rotation, scalars -> their weighted sum."""
        return position * (-self.position).exp() + self.position + rotation * (-self.rotation).exp() + self.rotation


def _project(T_cam_scene: Tensor, points: Tensor, focal: Tensor, options: PoseLossOptions) -> tuple[Tensor, Tensor]:
    """Pixels (B, P, 2) about the principal point, and whether the points lie at the right depth (B, P)."""
    x = transform(T_cam_scene, points)
    z = x[..., 2]
    right = (z > options.nearest) & (z < options.farthest)
    # a constant stands in for depths that do not count, so that no gradient of theirs is infinite
    return x[..., :2] / torch.where(right, z, 1.0)[..., None] * focal, right


def _norm(difference: Tensor) -> Tensor:
    """Length over the last axis, whose gradient is finite at 0."""
    return (difference.square().sum(-1) + 1e-12).sqrt()
