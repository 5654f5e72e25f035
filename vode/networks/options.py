"""Options of the depth, flow and pose networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from vode.errors import InputError

WIDEST = 1024
"""channels of a level of the decoder; files of weights could else ask for more memory than there is"""
LARGEST = 2**18
"""pixels of the images that fully connected layers are made for, likewise: 1 GB of weights"""
EIGEN = "eigen"
"""name of the encoder that is a whole network, whose layers are made for one size"""
FARTHEST = 32
"""pixels of the cost volume, whose size is their square"""


@dataclass(frozen=True)
class DepthOptions:
    """Options of DepthNet."""

    encoder: str = "resnet18"
    """resnet18, the method's own, or the name of any of timm's convolutional ones, such as efficientnet_lite0;
    dispnet, SfMLearner's, and eigen, Eigen et al.'s of 2014, come with a decoder of their own"""
    encoder_weights: str = "none"
    """what initialises it: none, imagenet (downloaded once), a file, or package:NAME, an installed package with one"""
    scales: Literal[1, 4] = 1
    """number of output scales, all of which are trained: 1 as in TrianFlow, 4 as in Monodepth2"""
    upsampling: Literal["bilinear", "nearest"] = "bilinear"
    """how the decoder upsamples features: bilinear as in TrianFlow, nearest as in Monodepth2"""
    decoder: tuple[int, int, int, int, int] = (16, 32, 64, 128, 256)
    """channels of the decoder's levels, finest first"""
    padding: Literal["reflect", "zeros"] = "reflect"
    """of the decoder's convolutions: reflect as in TrianFlow; zeros saves a fifth of a training step on a CPU"""
    disparity: tuple[float, float] = (0.01, 9.99)
    """inverse depth where the output sigma is 0, and its increase up to sigma = 1: depths of 0.1 to 100"""
    canonical_focal: float = 0.0
    """focal length in pixels of the input image that depth is predicted for, so that it is metres for any camera;
    0 = depth up to scale"""
    both_views: bool = False
    """predict two disparities, that of the image and that of the camera on its right, as stereo training by left-right
    consistency wants it; depth is that of the image"""
    edge_ratio: float = 0.0
    """ratio of neighbouring depths above which the ramp of an edge is made a step in predictions; 0 = it stays"""
    full_size: tuple[int, int] = (0, 0)
    """(height, width) of the images that eigen's fully connected layers are made for; 0 0 = that of the training"""

    def __post_init__(self) -> None:
        if len(self.decoder) != 5 or not all(0 < width <= WIDEST for width in self.decoder):
            raise InputError(f"a decoder of {self.decoder} channels; give five of 1 to {WIDEST}", "depth.decoder")
        if len(self.disparity) != 2 or not all(0 < value < float("inf") for value in self.disparity):
            raise InputError(f"a disparity of {self.disparity}; give two numbers above 0", "depth.disparity")
        if not 0 <= self.canonical_focal < float("inf"):
            raise InputError(
                f"a focal length of {self.canonical_focal} pixels; give 0 or more", "depth.canonical_focal"
            )
        if self.edge_ratio and not 1 < self.edge_ratio < float("inf"):
            raise InputError(f"a ratio of {self.edge_ratio}; give 0 or more than 1", "depth.edge_ratio")
        if len(self.full_size) != 2 or min(self.full_size) < 0 or self.full_size[0] * self.full_size[1] > LARGEST:
            raise InputError(
                f"layers for images of {self.full_size}; give a height and a width of at most {LARGEST} pixels",
                "depth.full_size",
            )

    def for_images(self, size: tuple[int, int]) -> DepthOptions:
        """The options of a network that is trained on images of ``size``, which matters to eigen alone."""
        return replace(self, full_size=size) if self.encoder == EIGEN and self.full_size == (0, 0) else self


@dataclass(frozen=True)
class FlowOptions:
    """Options of FlowNet. ``TRIANFLOW`` has those of Zhao et al.'s released code."""

    search: int = 4
    """largest displacement in the cost volume, in pixels of each level"""
    normalise: bool = True
    """normalise features before they are correlated"""
    image: Literal["normalised", "raw"] = "normalised"
    """what the first layer sees: images of zero mean, or of 0..1"""
    cost: Literal["rectified", "mean"] = "rectified"
    """cost of a displacement: the products of the features summed, through a leaky ReLU, or averaged"""
    outside: Literal["border", "zeros"] = "border"
    """features that a flow finds beyond the border: those of the border, or zeros"""
    outputs: Literal["finest", "levels"] = "finest"
    """flow at full, 1/2 and 1/4 size: that of the finest level, resized, or of the three finest levels"""
    start: Literal["torch", "kaiming"] = "torch"
    """random weights that training starts from: the defaults of torch, or Kaiming's, with flow near zero"""

    def __post_init__(self) -> None:
        if not 0 < self.search <= FARTHEST:
            raise InputError(f"a search of {self.search} pixels; give 1 to {FARTHEST}", "flow.search")


@dataclass(frozen=True)
class ResidualFlowOptions:
    """Options of ResidualFlowNet."""

    encoder: str = "resnet18"
    """resnet18, or the name of any of timm's convolutional ones; GeoNet's is resnet50"""
    decoder: tuple[int, int, int, int, int] = (16, 32, 64, 128, 256)
    """channels of the decoder's levels, finest first"""
    unit: float = 0.1
    """flow of an output of 1, as a fraction of the width and the height of the image"""

    def __post_init__(self) -> None:
        if len(self.decoder) != 5 or not all(0 < width <= WIDEST for width in self.decoder):
            raise InputError(f"a decoder of {self.decoder} channels; give five of 1 to {WIDEST}", "residual.decoder")
        if not 0 < self.unit < float("inf"):
            raise InputError(f"a unit of {self.unit}; give a number above 0", "residual.unit")


EARLIER_FLOW = {
    "normalise": True,
    "image": "normalised",
    "cost": "rectified",
    "outside": "border",
    "outputs": "finest",
    "start": "kaiming",
}
"""What the options were before files of weights and of configurations told them."""

TRIANFLOW = FlowOptions(normalise=False, image="raw", cost="mean", outside="zeros", outputs="levels")
"""The flow network of Zhao et al.'s released code (TrianFlow)."""


LONGEST_SNIPPET = 9
"""frames that a pose network takes at once"""


@dataclass(frozen=True)
class PoseOptions:
    """Options of PoseNet."""

    network: Literal["posecnn", "resnet18"] = "posecnn"
    """posecnn, SfMLearner's, sees all frames of a snippet at once; resnet18, Monodepth2's, sees two at a time"""
    input: Literal["images", "flow"] = "images"
    """what it sees: the frames, or the optical flow from the target to each other frame, one flow at a time"""
    frames: int = 3
    """frames of the snippets that a posecnn of images takes"""
    rotation: Literal["euler", "axis-angle", "quaternion", "6d"] = "euler"
    """how it tells a rotation: angles about x, y and z as in SfMLearner, a vector as in Monodepth2, or what is added to
    the identity's quaternion, or to the first two columns of its matrix"""
    explainability: bool = False
    """predict which pixels of the target each other frame explains; posecnn alone"""
    normalise: bool = False
    """batch normalisation after each convolution of a posecnn, as in GeoNet"""
    encoder_weights: str = "none"
    """what initialises the resnet18: none, imagenet (downloaded once), a file, or package:NAME"""

    def __post_init__(self) -> None:
        if not 2 <= self.frames <= LONGEST_SNIPPET:
            raise InputError(f"snippets of {self.frames} frames; give 2 to {LONGEST_SNIPPET}", "pose.frames")
        if self.explainability and (self.network, self.input) != ("posecnn", "images"):
            raise InputError("explainability is that of a posecnn of images; choose it", "pose.explainability")
        if self.encoder_weights != "none" and (self.network, self.input) != ("resnet18", "images"):
            raise InputError("only a resnet18 of images has pretrained weights; choose it", "pose.encoder_weights")
