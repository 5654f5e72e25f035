"""Losses of absolute poses: position and rotation with fixed or learned weights, or reprojection error.

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
    """Distance (B,) between positions (B, 3) and the ground truth, in their unit."""
    return _norm(position - ground_truth)


def rotation_distance(rotation: Tensor, ground_truth: Tensor, kind: Literal["quaternion", "log", "6d"]) -> Tensor:
    """Distance (B,) between rotations in the representation ``kind`` and true unit quaternions (B, 4), without unit.

    "quaternion": |q - q'/|q'||; "log": between quaternion logarithms; both with the nearer sign of the ground truth.
    "6d": between the first two columns of the matrices, as predicted.
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
    """Mean L1 distance (B,) in pixels between points projected with estimated and true poses, and its validity (B,).

    position (B, 3), quaternion (B, 4): the estimate; T_scene_cam (B, 4, 4): the ground truth; points (B, P, 3) of the
    scene, ``seen`` (B, P), 0 or 1; intrinsics (B, 3, 3). Distances are clipped at ``clip``, and a point counts only at
    a depth between ``nearest`` and ``farthest`` in both cameras. Images with fewer than ``least`` such points get 0
    and False.
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

    def __init__(self, start: Literal["spread", "metre"] = "metre") -> None:
        super().__init__()
        self.start = start
        self.position = nn.Parameter(torch.tensor(0.0))
        self.rotation = nn.Parameter(torch.tensor(-3.0))

    @torch.no_grad()
    def fit_scene(self, spread: Tensor) -> None:
        """Start s_x at the log of the scene's spread, a scalar in metres, unless it starts at that of one metre.

        s_x rests at log L_x, and no network that has yet to learn is nearer to a place than the spread. From 0, Adam
        takes log(spread) / learning rate steps to get there, which in a scene of 300 m is more than a run has.
        """
        if self.start == "spread":
            self.position.copy_(spread.log())

    def forward(self, position: Tensor, rotation: Tensor) -> Tensor:
        """The weighted sum of a position and a rotation loss, scalars."""
        return position * (-self.position).exp() + self.position + rotation * (-self.rotation).exp() + self.rotation


def _project(T_cam_scene: Tensor, points: Tensor, focal: Tensor, options: PoseLossOptions) -> tuple[Tensor, Tensor]:
    """Pixels (B, P, 2) relative to the principal point, and whether the points' depths are valid (B, P)."""
    x = transform(T_cam_scene, points)
    z = x[..., 2]
    right = (z > options.nearest) & (z < options.farthest)
    # a constant replaces invalid depths, so that their gradients are finite
    return x[..., :2] / torch.where(right, z, 1.0)[..., None] * focal, right


def _norm(difference: Tensor) -> Tensor:
    """Norm over the last axis, with a finite gradient at 0."""
    return (difference.square().sum(-1) + 1e-12).sqrt()
