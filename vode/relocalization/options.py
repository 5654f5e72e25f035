"""Options of visual relocalization: views, network and losses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vode.errors import InputError


@dataclass(frozen=True)
class ViewOptions:
    """How views are cropped and synthesised from the images of a scene."""

    resize: int = 256
    """length in pixels to which the short side of images is resized before cropping"""
    turn: float = 0.0
    """largest random rotation of training views about each axis, degrees; with neither turn nor shift, random windows
    are cropped instead, which keep the pose of the whole image"""
    shift: float = 0.0
    """largest random translation of training views along each axis, metres, for scenes with depth"""
    sources: int = 2
    """number of images from which a moved view is composed"""
    block: int = 20
    """frames per block of time; scenes without test images of their own are tested on blocks"""
    every: int = 5
    """test on every n-th block"""


WIDEST = 2**16
"""features of PoseNet's last layer; files of weights could else ask for more memory than there is"""
RotationRepresentation = Literal["quaternion", "log", "6d"]


@dataclass(frozen=True)
class PoseNetOptions:
    """Options of PoseNet."""

    backbone: Literal["resnet18", "resnet34", "resnet50", "googlenet"] = "resnet18"
    imagenet: bool = False
    """initialise the backbone with ImageNet weights (torchvision downloads them once)"""
    backbone_weights: Path | None = None
    """initialise the backbone from a file, such as a checkpoint of Places365; all but its classifier must match"""
    rotation: RotationRepresentation = "quaternion"
    """what the network predicts: a quaternion, its logarithm, or two columns of the matrix"""
    features: int = 2048
    """width of the layer before the pose"""
    dropout: float = 0.5
    """fraction of those features that is dropped in training"""

    def __post_init__(self) -> None:
        if not 0 < self.features <= WIDEST:
            raise InputError(f"a layer of {self.features} features; give 1 to {WIDEST}", "pose.features")
        if not 0 <= self.dropout <= 1:
            raise InputError(f"a dropout of {self.dropout}; give 0 to 1", "pose.dropout")


@dataclass(frozen=True)
class PoseLossOptions:
    """The loss of an estimated pose."""

    kind: Literal["learned", "beta", "geometric"] = "learned"
    """position and rotation loss with learned weights or with the fixed weight beta, or reprojection loss"""
    beta: float = 500.0
    """weight of the rotation loss in metres: 120 to 750 indoors, 250 to 2000 outdoors"""
    start: Literal["spread", "metre"] = "spread"
    """the error of position that the learned weight fits at the start: the scene's spread, or a metre as published"""
    auxiliary: float = 0.3
    """weight of each of GoogLeNet's auxiliary heads"""
    clip: float = 100.0
    """distance at which the reprojection error of a point is clipped, pixels"""
    nearest: float = 0.2
    """smallest depth of a point in both cameras, metres"""
    farthest: float = 1000.0
    """largest depth of a point in both cameras, metres"""
    least: int = 10
    """smallest number of visible points for the reprojection loss of an image"""
