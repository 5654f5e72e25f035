"""PoseNet: the pose of a camera from a single image of a known scene.

Kendall, Grimes and Cipolla, ICCV 2015 (GoogLeNet); Kendall and Cipolla, CVPR 2017; later work takes ResNets.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import roma
import torch
import torchvision
from torch import Tensor, nn

from vode.errors import InputError
from vode.geometry.pose import (
    matrix_to_quaternion,
    matrix_to_rotation_6d,
    quaternion_exp,
    quaternion_log,
    quaternion_to_matrix,
    rotation_6d_to_matrix,
)
from vode.networks.backbone import fetch_state, load_backbone, read_state
from vode.networks.weights import Network
from vode.relocalization.options import PoseNetOptions, RotationRepresentation

NUMBERS = {"quaternion": 4, "log": 3, "6d": 6}
"""number of outputs of each rotation representation"""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""mean and standard deviation of ImageNet's colours"""


class PoseEstimate(NamedTuple):
    """An estimated camera pose."""

    position: Tensor
    """(B, 3), the camera's centre in the scene's axes and units"""
    rotation: Tensor
    """(B, 4), (B, 3) or (B, 6), in the network's representation"""
    quaternion: Tensor
    """(B, 4), of unit length, w first: the rotation from camera to scene"""


class PoseNet(Network):
    """Poses of single images. Positions are regressed relative to the scene's centre, in units of its spread."""

    kind = "pose"
    options_class = PoseNetOptions
    colour_mean: Tensor
    colour_deviation: Tensor
    centre: Tensor
    spread: Tensor

    def __init__(self, options: PoseNetOptions = PoseNetOptions()) -> None:
        super().__init__()
        self.options = options
        outputs = 3 + NUMBERS[options.rotation]
        self.backbone = _backbone(options)
        width = self.backbone.fc.in_features
        self.backbone.fc = nn.Identity()
        # GoogLeNet's own dropout would come on top
        self.backbone.dropout = nn.Identity()
        self.head = nn.Sequential(
            nn.Linear(width, options.features),
            nn.ReLU(inplace=True),
            nn.Dropout(options.dropout),
            nn.Linear(options.features, outputs),
        )
        if options.backbone == "googlenet":
            for auxiliary in (self.backbone.aux1, self.backbone.aux2):
                auxiliary.fc2 = nn.Linear(auxiliary.fc2.in_features, outputs)
        self.register_buffer("colour_mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("colour_deviation", torch.tensor(DEVIATION).view(3, 1, 1), persistent=False)
        self.register_buffer("centre", torch.zeros(3))
        self.register_buffer("spread", torch.ones(()))

    def forward(self, images: Tensor) -> list[PoseEstimate]:
        """Images (B, 3, H, W) in 0..1 -> poses; in training followed by those of GoogLeNet's two auxiliary heads."""
        found = self.backbone((images - self.colour_mean) / self.colour_deviation)
        if isinstance(found, Tensor):
            return [self._estimate(self._regress(found))]
        return [self._estimate(x) for x in (self._regress(found.logits), found.aux_logits2, found.aux_logits1)]

    @torch.no_grad()
    def fit_scene(self, T_scene_cam: Tensor) -> None:
        """Set centre, spread and initial rotation from the scene's training poses (N, 4, 4)."""
        # relative to the first, so that identical positions have a spread of exactly 0
        first = T_scene_cam[0, :3, 3]
        away = T_scene_cam[:, :3, 3] - first
        self.centre.copy_(first + away.mean(0))
        spread = (away - away.mean(0)).square().mean().sqrt()
        self.spread.copy_(spread if bool(spread > 0) else torch.ones(()))
        # the rotation nearest to the mean matrix
        mean_rotation = roma.special_procrustes(T_scene_cam[:, :3, :3].mean(0))
        start = write_rotation(matrix_to_quaternion(mean_rotation), self.options.rotation)
        for layer in self._last_layers():
            layer.bias.copy_(torch.cat([torch.zeros(3), start.float()]))

    def set_dropout(self, fraction: float) -> None:
        """Change the dropout."""
        self.options = replace(self.options, dropout=fraction)
        next(layer for layer in self.head if isinstance(layer, nn.Dropout)).p = fraction

    def _regress(self, features: Tensor) -> Tensor:
        # bfloat16 would round a rotation to half a degree
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features.float())

    def _estimate(self, outputs: Tensor) -> PoseEstimate:
        outputs = outputs.float()
        position = self.centre + self.spread * outputs[:, :3]
        return PoseEstimate(position, outputs[:, 3:], read_rotation(outputs[:, 3:], self.options.rotation))

    def _last_layers(self) -> list[nn.Linear]:
        layers = [self.head[-1]]
        if self.options.backbone == "googlenet":
            layers += [self.backbone.aux1.fc2, self.backbone.aux2.fc2]
        return [layer for layer in layers if isinstance(layer, nn.Linear)]


def read_rotation(numbers: Tensor, kind: RotationRepresentation) -> Tensor:
    """Unit quaternions (..., 4) from rotations in the representation ``kind``."""
    if kind == "quaternion":
        return nn.functional.normalize(numbers, dim=-1)
    return quaternion_exp(numbers) if kind == "log" else matrix_to_quaternion(rotation_6d_to_matrix(numbers))


def write_rotation(quaternion: Tensor, kind: RotationRepresentation) -> Tensor:
    """Rotations in the representation ``kind`` from unit quaternions (..., 4)."""
    if kind == "quaternion":
        return quaternion
    return quaternion_log(quaternion) if kind == "log" else matrix_to_rotation_6d(quaternion_to_matrix(quaternion))


def _backbone(options: PoseNetOptions) -> Any:
    if options.imagenet and options.backbone_weights is not None:
        raise InputError("the backbone takes ImageNet's weights or a file, not both; drop pose.imagenet or the file")
    extra = {"aux_logits": True, "init_weights": True} if options.backbone == "googlenet" else {}
    network = torchvision.models.get_model(options.backbone, weights=None, **extra)
    if options.backbone == "googlenet":
        # maps colours to the range that its published weights were trained with
        network.transform_input = True
    if options.imagenet:
        weights = torchvision.models.get_model_weights(options.backbone).IMAGENET1K_V1
        load_backbone(network, fetch_state(weights, "pose.backbone_weights"), weights.url)
    if options.backbone_weights is not None:
        load_backbone(network, read_state(options.backbone_weights), str(options.backbone_weights))
    return network
