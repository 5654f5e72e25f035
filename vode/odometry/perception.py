"""What the tracker sees of a video: depth of each frame, and flow or correspondences between two frames."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Protocol, runtime_checkable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.datasets.base import Sequence
from vode.devices import computes_bfloat16
from vode.errors import InputError
from vode.geometry import warp
from vode.geometry.inverse_search import inverse_search, refine_flow
from vode.geometry.matches import Matches
from vode.geometry.resize import SAME_ASPECT, SizeFor, image_size, resize_depth, resize_images
from vode.networks.depth import DepthNet
from vode.networks.edges import magnify_depth
from vode.networks.flow import FlowNet
from vode.odometry import trianflow
from vode.odometry.frames import Frame
from vode.odometry.options import TrackerOptions
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


@runtime_checkable
class FlowSource(Protocol):
    """Dense flow between frames."""

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        """Flows a to b and b to a, (1, 2, H, W) pixels."""
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


class Composed(Perception):
    """The flow of one source beside the depth of another."""

    def __init__(self, flow: FlowSource, depth: DepthSource) -> None:
        self.device, self._flow, self._depth = depth.device, flow, depth
        self.at_work = partial(at_work, flow)
        for name in ("motion", "history"):
            if hasattr(flow, name):
                setattr(self, name, getattr(flow, name))

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        return self._flow.flow(a, b)

    def depth(self, frame: Frame) -> Tensor:
        return self._depth.depth(frame)


def with_depth(source: FlowSource | Matcher, depth: DepthSource) -> Perception | MatchingPerception:
    """The flow or the correspondences of a source, which may be a whole perception, beside the depth of another."""
    return Matched(source, depth) if isinstance(source, Matcher) else Composed(source, depth)


def at_work(source: DepthSource | FlowSource | Matcher) -> AbstractContextManager[None]:
    """What is held while a frame is worked on: a perception that computes beside the tracker shares the cores so."""
    held: Callable[[], AbstractContextManager[None]] = getattr(source, "at_work", nullcontext)
    return held()


def find_matches(
    perception: Perception | MatchingPerception,
    a: Frame,
    b: Frame,
    options: TrackerOptions,
    *,
    tracked: Tensor | None = None,
    seed: int = 0,
) -> Matches:
    """At most ``options.count`` correspondences (1, N) of two frames, those of ``tracked`` points (1, M, 2) first."""
    if options.tracker == "trianflow":
        if isinstance(perception, Matcher):
            raise InputError("TrianFlow's tracker takes dense flow; leave the matcher out", "tracker", "matcher")
        return trianflow.select_matches(*perception.flow(a, b), seed=seed)
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
        return magnify_depth(self._depth.depth(image, focal).float(), full, self._depth.options.edge_ratio)

    def _size_of(self, full: tuple[int, int]) -> tuple[int, int]:
        """The (height, width) at which the networks see frames of ``full``."""
        return full if self._size_for is None else self._size_for(full)

    def _seen(self, frame: Frame) -> Tensor:
        return resize_images(frame.image, self._size_of(image_size(frame.image)))


class Classical(Perception):
    """OpenCV's dense inverse search flow (Kroeger et al., ECCV 2016) beside the depth of another source."""

    def __init__(self, depth: DepthSource) -> None:
        self.device, self._depth = depth.device, depth

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        return inverse_search(a.image, b.image), inverse_search(b.image, a.image)

    def depth(self, frame: Frame) -> Tensor:
        return self._depth.depth(frame)


class Refined(Perception):
    """The flow of another perception refined on the frames by dense inverse search, beside its depth."""

    def __init__(self, seen: Perception) -> None:
        self.device, self._perception = seen.device, seen
        self.at_work = partial(at_work, seen)

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        return refine_flow(a.image, b.image, *self._perception.flow(a, b))

    def depth(self, frame: Frame) -> Tensor:
        return self._perception.depth(frame)


def network_perception(flow: FlowNet, depth: DepthNet, options: TrackerOptions, size_for: SizeFor) -> Perception:
    """What a model sees, as the options of its tracker say; ``size_for`` gives the size that its networks work at."""
    from vode.odometry.sources.concurrent_networks import ConcurrentNetworks

    seen_at, device = None if options.magnify == 1 else size_for, next(flow.parameters()).device
    fast = options.precision == "bfloat16"
    if options.precision == "auto":
        fast = device.type == "cpu" and computes_bfloat16(device)
    return as_tracked(ConcurrentNetworks(flow, depth, seen_at) if fast else Networks(flow, depth, seen_at), options)


def as_tracked(networks: Perception, options: TrackerOptions) -> Perception:
    """What networks see, with the flow that the options of a tracker ask for."""
    if options.flow == "classical":
        return Classical(networks)
    return Refined(networks) if options.flow == "refined" else networks


class NoDepth(DepthSource):
    """Depth that is unknown everywhere: for trackers whose tracks carry the scale."""

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)

    def depth(self, frame: Frame) -> Tensor:
        return torch.zeros_like(frame.image[:, :1])


class SequenceDepth(DepthSource):
    """The depth that a sequence itself has; 0 where it has none."""

    def __init__(self, sequence: Sequence) -> None:
        self.device, self._sequence = torch.device("cpu"), sequence

    def depth(self, frame: Frame) -> Tensor:
        depth = self._sequence.depth(frame.index)
        if depth is None:
            return torch.zeros_like(frame.image[:, :1])
        return F.interpolate(depth[None], frame.image.shape[-2:], mode="nearest-exact")


class DepthFunction(DepthSource):
    """Depth by any function, such as a foundation model: it is given an image, and gives its depth.

    Args:
        function: takes RGB (H, W, 3) uint8, at the size that frames are tracked at, and with ``takes_intrinsics``
            also their intrinsics (3, 3) float64, pixels. Gives depth (H, W), numpy or torch, in one unit for the whole
            video; values that are not finite and above 0 are unknown. Another size of the frames' aspect is resized.
        takes_intrinsics: whether the function takes the intrinsics too.
        device: where frames are to lie, and where results lie.
    """

    def __init__(
        self,
        function: Callable[..., np.ndarray | Tensor],
        *,
        takes_intrinsics: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self.device, self._function, self._takes_intrinsics = torch.device(device), function, takes_intrinsics

    def depth(self, frame: Frame) -> Tensor:
        arguments = [_pixels(frame)]
        if self._takes_intrinsics:
            if frame.intrinsics is None:
                raise ValueError("a function that takes intrinsics is for frames whose intrinsics are known")
            arguments.append(frame.intrinsics[0].double().cpu().numpy())
        values = torch.as_tensor(self._function(*arguments)).detach()
        return depth_map(values, image_size(frame.image), f"depth of frame {frame.index}").to(self.device)


class FlowFunction(FlowSource):
    """Flow by any function of two images, RGB (H, W, 3) uint8: (H, W, 2) pixels from the first to the second."""

    def __init__(self, function: Callable[[np.ndarray, np.ndarray], np.ndarray | Tensor]) -> None:
        self._function = function

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        return self._between(a, b), self._between(b, a)

    def _between(self, a: Frame, b: Frame) -> Tensor:
        values = torch.as_tensor(self._function(_pixels(a), _pixels(b))).detach().to(a.image.device, torch.float32)
        wanted = (*image_size(a.image), 2)
        if values.shape != wanted:
            raise InputError(f"flow of frames {a.index} and {b.index}: {tuple(values.shape)}; give {wanted}, in pixels")
        return values.movedim(-1, 0)[None].contiguous()


def depth_map(values: Tensor, size: tuple[int, int], name: str) -> Tensor:
    """Depth as others give it, (..., H, W), made (1, 1, height, width) float32 of ``size`` with 0 = unknown.

    Another size of the same aspect is resized by the nearest pixel; InputError, under ``name``, for one of another.
    """
    if values.ndim < 2 or values.numel() != values.shape[-2] * values.shape[-1] or values.numel() == 0:
        raise InputError(f"{name}: {tuple(values.shape)} is no map of depth; give (H, W)")
    (height, width), (rows, columns) = size, image_size(values)
    if abs(columns / rows / (width / height) - 1) > SAME_ASPECT:
        raise InputError(f"{name}: {columns}x{rows} pixels for frames of {width}x{height}; give depth of whole frames")
    depth = values.reshape(1, 1, rows, columns).to(torch.float32)
    return resize_depth(torch.where(depth.isfinite() & (depth > 0), depth, 0.0), size)


def _pixels(frame: Frame) -> np.ndarray:
    """The image of a frame as RGB (H, W, 3) uint8."""
    return (frame.image[0] * 255).round().clamp(0, 255).to(torch.uint8).movedim(0, -1).contiguous().cpu().numpy()
