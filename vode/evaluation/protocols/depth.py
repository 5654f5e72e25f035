"""Protocols of depth: the usual one of each data set, and those of other systems' released code where they differ.

monodepth2 and trianflow score KITTI's Eigen frames against the lidar's x, which is 0.28 m more than the camera's z in
the median, and sfmlearner (Zhou et al.) also resizes depth instead of its inverse. Two pixels share a number in their
ground truth where one is in the last column and the other in the first, which the crop leaves out: nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vode.datasets.depth_frames import DepthFrames
from vode.datasets.kitti.lidar import LidarAxis
from vode.errors import InputError
from vode.evaluation.depth import DepthProtocol

DEPTH = {
    "kitti-eigen": DepthProtocol(crop="garg"),
    "kitti-eigen-benchmark": DepthProtocol(cap=None, clip=(1e-3, 80.0)),
    "nyu": DepthProtocol(crop="nyu", cap=10.0),
}
"""of depth by the name of the data set, where it is not the usual one"""


@dataclass(frozen=True)
class PublishedDepth:
    """How released code scores depth on a data set."""

    protocol: DepthProtocol
    lidar: LidarAxis = "z"
    """what of a lidar point is its depth: the camera's z, or the x of the lidar itself"""
    window: tuple[int, int, int, int] | None = None
    """(top, bottom, left, right) pixels that are cut out before the network sees the image; None is the whole image"""


_GARG = DEPTH["kitti-eigen"]
PUBLISHED: Mapping[str, Mapping[str, PublishedDepth]] = {
    "monodepth2": {
        "kitti-eigen": PublishedDepth(_GARG, lidar="x"),
        "kitti-eigen-benchmark": PublishedDepth(DEPTH["kitti-eigen-benchmark"]),
    },
    "trianflow": {
        "kitti-eigen": PublishedDepth(_GARG, lidar="x"),
        "nyu": PublishedDepth(DepthProtocol(cap=80.0), window=(45, 472, 41, 602)),
    },
    "sfmlearner": {"kitti-eigen": PublishedDepth(replace(_GARG, resizing="depth"), lidar="x")},
}
"""by the names of the system and of the data set"""


def depth_protocol(dataset: str) -> DepthProtocol:
    """What counts of a data set's depth: all of the image, up to 80 m, unless its figures were published otherwise."""
    return DEPTH.get(dataset, DepthProtocol())


def published_depth(system: str | None, dataset: str) -> PublishedDepth:
    """How a system scores depth on a data set; without a system, the usual protocol of the set.

    InputError if it has published none on that set.
    """
    if system is None:
        return PublishedDepth(depth_protocol(dataset))
    known = PUBLISHED[system]
    if dataset not in known:
        raise InputError(f"{system} has no protocol for {dataset}, but for {', '.join(known)}", "protocol", "dataset")
    return known[dataset]


def named(system: str, dataset: str, used: DepthProtocol) -> str:
    """The name of a system's protocol with what differs from the usual one of the data set, in words."""
    published, usual = published_depth(system, dataset), depth_protocol(dataset).described()
    differs = [f"{part} {text}" for part, text in used.described().items() if text != usual[part]]
    if published.lidar == "x":
        differs.append("ground truth is the x of the lidar, not the z of the camera")
    if published.window is not None:
        top, bottom, left, right = published.window
        differs.append(f"images are cut to rows {top}:{bottom}, columns {left}:{right} before the network")
    return f"{system}; unlike the default: {'; '.join(differs) or 'nothing'}"


class CroppedFrames(DepthFrames):
    """Frames of which only a ``window`` (top, bottom, left, right) is seen and scored."""

    def __init__(self, frames: DepthFrames, window: tuple[int, int, int, int]) -> None:
        self._frames, (self._top, self._bottom, self._left, self._right) = frames, window
        self.name, self.notes = frames.name, frames.notes

    def __len__(self) -> int:
        return len(self._frames)

    def names(self) -> list[str]:
        return self._frames.names()

    def frame(self, index: int) -> Tensor:
        return self._cut(self._frames.frame(index))

    def depth(self, index: int) -> Tensor:
        return self._cut(self._frames.depth(index))

    def intrinsics(self, index: int) -> Tensor | None:
        whole = self._frames.intrinsics(index)
        if whole is None:
            return None
        corner = torch.zeros_like(whole)
        corner[0, 2], corner[1, 2] = self._left, self._top
        return whole - corner

    def _cut(self, image: Tensor) -> Tensor:
        return image[..., self._top : self._bottom, self._left : self._right]
