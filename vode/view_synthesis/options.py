"""Options of view synthesis: snippets, losses and their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vode.errors import InputError


@dataclass(frozen=True)
class SnippetOptions:
    """The frames of a sample, of which the middle one is the target."""

    length: int = 3
    """how many; 1 with stereo alone"""
    stride: int = 1
    """from each to the next"""
    least_flow: float = 0.0
    """mean optical flow to the next frame, in pixels of the images that are trained on, below which a frame is left
    out, as the camera stands; 0 = none is"""
    stereo: bool = False
    """with the image of the camera on the right, which is one more source, at a known distance: depth is in metres"""

    def __post_init__(self) -> None:
        least = 1 if self.stereo else 2
        if self.length < least or self.stride < 1:
            raise InputError(
                f"snippets of {self.length} frames, each {self.stride} after the last; give {least} or more, and 1 or "
                "more",
                "snippet.length",
                "snippet.stride",
            )


@dataclass(frozen=True)
class SynthesisOptions:
    """How the target is compared with what is made of the other frames."""

    error: Literal["l1", "ssim"] = "ssim"
    """of a pixel: mean difference of the colours, or 0.15 of that and 0.85 of SSIM's"""
    compared_at: Literal["full", "own"] = "full"
    """size at which the coarser outputs of the depth network are compared: upsampled to that of the images, or their
    own, to which the images are resized"""
    sources: Literal["mean", "minimum"] = "mean"
    """what the errors by the other frames are put together by; the minimum lets each pixel be occluded in some"""
    outside: Literal["masked", "border"] = "masked"
    """pixels that another frame does not show do not count, or see its border"""
    auto_mask: bool = False
    """leave out pixels that the other frames as they are explain as well: those of a camera at rest, and of what moves
    along with it"""
    both_directions: bool = False
    """also make the other frames from the target, by their own depth"""
    consistency_mask: bool = False
    """weigh pixels by how well the depths of both frames agree"""
    smoothness: Literal["edges", "first", "second"] = "edges"
    """of the inverse depth: first differences relative to its mean, less where the image has edges; the same as they
    are; or second ones, as they are"""


@dataclass(frozen=True)
class SynthesisWeights:
    """Weight of each loss in the total loss; each is a mean over pixels, frames and scales."""

    photometric: float = 1.0
    smoothness: float = 1e-3
    """halved from each scale of the depth network to the next coarser one"""
    explainability: float = 0.0
    """of the cross entropy that holds the explainability near 1"""
    consistency: float = 0.0
    """of the relative difference between the depths of two frames"""
    left_right: float = 0.0
    """of the difference between the disparities of both cameras, in widths of the image, with that objective"""


@dataclass(frozen=True)
class FullFlowWeights:
    """Weight of each loss of GeoNet's full flow, each a mean over pixels and both directions, summed over scales."""

    flow_warp: float = 1.0
    """of the photometric error where both directions agree"""
    flow_smoothness: float = 0.1
    """halved from each scale to the next coarser one"""
    flow_consistency: float = 0.1
    """of the difference in pixels between both directions where they agree"""
