"""What the tracker sees of a video: depth of each frame, and flow or correspondences between two frames."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.datasets.base import Sequence
from vode.geometry import warp
from vode.geometry.inverse_search import inverse_search, refine_flow
from vode.geometry.matches import Matches
from vode.geometry.resize import SizeFor, image_size, resize_images
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.frames import Frame
from vode.odometry.options import MatchOptions, TrackerOptions
from vode.odometry.two_frame import flow_matches, tracked_matches


class DepthSource(Protocol):
    """Depth of frames."""

    device: torch.device
    """where frames are to lie, and where results lie"""

    def depth(self, frame: Frame) -> Tensor:
        """Depth (1, 1, H, W) in one unit for the whole video, 0 = unknown."""
        ...


class Perception(DepthSource, Protocol):
    """Depth of frames and dense flow between two, all of one size."""

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        """Flows a to b and b to a, (1, 2, H, W) pixels."""
        ...


@runtime_checkable
class Matcher(Protocol):
    """Correspondences between two frames, instead of flow. What it keeps of frames must not grow with the video."""

    def correspondences(self, a: Frame, b: Frame) -> Matches:
        """Matches (1, N), in pixels of the frames' images, in any order; scores > 0, N may differ and may be 0."""
        ...


class MatchingPerception(DepthSource, Matcher, Protocol):
    """Depth of frames and correspondences between two."""


class Matched(MatchingPerception):
    """A matcher's correspondences beside the depth of another source."""

    def __init__(self, matcher: Matcher, depth: DepthSource) -> None:
        self.device, self._matcher, self._depth = depth.device, matcher, depth

    def correspondences(self, a: Frame, b: Frame) -> Matches:
        return self._matcher.correspondences(a, b)

    def depth(self, frame: Frame) -> Tensor:
        return self._depth.depth(frame)


def find_matches(
    perception: Perception | MatchingPerception,
    a: Frame,
    b: Frame,
    options: MatchOptions,
    *,
    tracked: Tensor | None = None,
    seed: int = 0,
) -> Matches:
    """At most ``options.count`` correspondences (1, N) of two frames, those of ``tracked`` points (1, M, 2) first."""
    if isinstance(perception, Matcher):
        return tracked_matches(perception.correspondences(a, b), options, tracked=tracked)
    return flow_matches(*perception.flow(a, b), options, tracked=tracked, seed=seed)[1]


class Networks(Perception):
    """Flow and depth of trained networks; metric depth takes the focal length of the frames, where it is known.

    ``size_for`` gives the (height, width) at which the networks see frames of one; flow and depth are then resized to
    theirs. None for the frames' own.
    """

    def __init__(self, flow: FlowNet, depth: DepthNet, size_for: SizeFor | None = None) -> None:
        self._flow, self._depth, self._size_for = flow, depth, size_for
        self.device = next(flow.parameters()).device

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        ab, ba = self._flow(self._seen(a), self._seen(b))
        full = image_size(a.image)
        return warp.resize_flow(ab[0].float(), full), warp.resize_flow(ba[0].float(), full)

    def depth(self, frame: Frame) -> Tensor:
        image, full = self._seen(frame), image_size(frame.image)
        ratio = image.shape[-2] / full[0]
        focal = None if frame.intrinsics is None else frame.intrinsics[:, 1, 1] * ratio
        depth = self._depth.depth(image, focal).float()
        if image_size(depth) == full:
            return depth
        return 1 / F.interpolate(1 / depth, full, mode="bilinear", align_corners=False)

    def _seen(self, frame: Frame) -> Tensor:
        return (
            frame.image
            if self._size_for is None
            else resize_images(frame.image, self._size_for(image_size(frame.image)))
        )


class Classical(Perception):
    """OpenCV's dense inverse search flow (Kroeger et al., ECCV 2016) beside the depth of another source."""

    def __init__(self, depth: DepthSource) -> None:
        self.device, self._depth = depth.device, depth

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        return inverse_search(a.image, b.image), inverse_search(b.image, a.image)

    def depth(self, frame: Frame) -> Tensor:
        return self._depth.depth(frame)


class Refined(Networks):
    """Flow and depth of trained networks, the flow refined on the frames by dense inverse search."""

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        return refine_flow(a.image, b.image, *super().flow(a, b))


def network_perception(flow: FlowNet, depth: DepthNet, options: TrackerOptions, size_for: SizeFor) -> Perception:
    """What a model sees, as the options of its tracker say; ``size_for`` gives the size that its networks work at."""
    kind = Refined if options.flow == "refined" else Networks
    networks = kind(flow, depth, None if options.magnify == 1 else size_for)
    return Classical(networks) if options.flow == "classical" else networks


class SequenceDepth(DepthSource):
    """The depth that a sequence itself has; 0 where it has none."""

    def __init__(self, sequence: Sequence) -> None:
        self.device, self._sequence = torch.device("cpu"), sequence

    def depth(self, frame: Frame) -> Tensor:
        depth = self._sequence.depth(frame.index)
        if depth is None:
            return torch.zeros_like(frame.image[:, :1])
        return F.interpolate(depth[None], frame.image.shape[-2:], mode="nearest-exact")
