"""Options of the depth and flow networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DepthOptions:
    """Options of DepthNet."""

    imagenet: bool = False
    """initialise the encoder with ImageNet weights (torchvision downloads them once)"""
    scales: Literal[1, 4] = 1
    """number of output scales, all of which are trained: 1 as in TrianFlow, 4 as in Monodepth2"""
    upsampling: Literal["bilinear", "nearest"] = "bilinear"
    """how the decoder upsamples features: bilinear as in TrianFlow, nearest as in Monodepth2"""


@dataclass(frozen=True)
class FlowOptions:
    """Options of FlowNet."""

    search: int = 4
    """largest displacement in the cost volume, in pixels of each level"""
    normalise: bool = True
    """normalise features before they are correlated"""
