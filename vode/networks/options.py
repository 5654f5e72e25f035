"""Options of the depth and flow networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DepthOptions:
    """Options of DepthNet."""

    imagenet: bool = False
    """start the encoder from ImageNet weights (torchvision downloads them once)"""
    scales: Literal[1, 4] = 1
    """number of output scales: 1 as TrianFlow, 4 as Monodepth2"""
    upsampling: Literal["bilinear", "nearest"] = "bilinear"
    """how the decoder doubles its features: bilinear as TrianFlow, nearest as Monodepth2"""


@dataclass(frozen=True)
class FlowOptions:
    """Options of FlowNet."""

    search: int = 4
    """largest displacement of the cost volume in pixels of each level"""
    normalise: bool = True
    """normalise features before they are correlated"""
