"""Options of visual relocalization: views, network and losses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class ViewOptions:
    """What is cut out of the images of a scene."""

    resize: int = 256
    """pixels of the short side that images are resized to, before a window is cut out"""
    turn: float = 0.0
    """degrees about each axis by which training views are turned at random, as a camera there would see them; with
    neither turn nor shift windows are cut out at random instead, and keep the pose of the whole image"""
    shift: float = 0.0
    """metres along each axis by which they are moved, likewise, where the scene has depth"""
    sources: int = 2
    """images that a moved view is put together from"""
    block: int = 20
    """frames of a block of time; where a scene has no test images of its own, blocks are tested on"""
    every: int = 5
    """every n-th block"""


RotationRepresentation = Literal["quaternion", "log", "6d"]


@dataclass(frozen=True)
class PoseNetOptions:
    """Options of PoseNet."""

    backbone: Literal["resnet18", "resnet34", "resnet50", "googlenet"] = "resnet18"
    imagenet: bool = False
    """start the backbone from ImageNet weights (torchvision downloads them once)"""
    backbone_weights: Path | None = None
    """or from a file, such as a checkpoint of Places365; all but its classifier must fit"""
    rotation: RotationRepresentation = "quaternion"
    """what the network is made to predict: a quaternion, its logarithm, or two columns of the matrix"""
    features: int = 2048
    """width of the layer before the pose"""
    dropout: float = 0.5
    """share of those features that are left out in training"""


@dataclass(frozen=True)
class PoseLossOptions:
    """How an estimated pose is judged."""

    kind: Literal["learned", "beta", "geometric"] = "learned"
    """errors of position and rotation under learned weights, the second times beta, or reprojection"""
    beta: float = 500.0
    """metres that a unit of rotation counts: 120 to 750 indoors, 250 to 2000 outdoors"""
    auxiliary: float = 0.3
    """weight of each of GoogLeNet's auxiliary heads"""
    clip: float = 100.0
    """largest distance of a projected point that counts, pixels"""
    nearest: float = 0.2
    """least depth of a point in front of both cameras, metres"""
    farthest: float = 1000.0
    """and its largest"""
    least: int = 10
    """points that an image must see to be judged by reprojection"""
