"""The Sequence contract: a video of one camera, and what may be known of it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from vode.cameras.lens import Camera
from vode.geometry.resize import as_float, resize_images
from vode.io.image import to_raw


class Capability(StrEnum):
    """Ground truth, or a second view, that a data set or a sequence may have besides its images."""

    DEPTH = "depth"
    """``depth`` of some frames"""
    FLOW = "flow"
    """``flow`` from some frames to the next"""
    FLOW_BACK = "flow_back"
    """``flow_back`` from the next to these"""
    STEREO = "stereo"
    """``right``, the image of the camera to the right, of some frames"""
    POSES = "poses"
    """``poses`` of all frames"""
    MAP = "map"
    """``poses_in_scene`` of all frames, in axes that several sequences share"""
    POINTS = "points"
    """``points``, those of the map that each frame sees"""


@runtime_checkable
class Sequence(Protocol):
    """A video of one camera. Readers derive from it and so inherit "not known" for what they lack.

    ``capabilities`` declare what is known of the sequence; of single frames it may still be missing, so that
    ``depth``, ``flow``, ``flow_back`` and ``right`` give None for these. What is not declared gives None for all.
    """

    name: str
    size: tuple[int, int]
    """(height, width) of every frame."""
    intrinsics: Tensor
    """(3, 3) float32 pixels, for the full ``size``."""
    capabilities: frozenset[Capability] = frozenset()
    """What is known of some of its frames at least."""
    poses: Tensor | None = None
    """(N, 4, 4) float64 world-from-camera, metres, world = the first frame."""
    poses_in_scene: Tensor | None = None
    """(N, 4, 4) float64, likewise, but in the axes that all sequences of a mapped scene share."""
    timestamps: Tensor | None = None
    """(N,) float64 seconds."""
    baseline: float | None = None
    """Metres to the rectified camera on the right, whose image ``right`` gives; None = unknown. What that camera sees
    is the point's own pixel less its disparity, fx baseline / depth."""
    images: list[Path] | tuple[Path, ...] = ()
    """The image file of each frame, where each has one."""
    sparse_depth: bool = False
    """Whether ``depth`` is known of some frames alone by design, so that the others do not lack it."""
    starts: tuple[int, ...] | None = None
    """The frames that training clips may begin at; None = all."""
    validation: tuple[int, ...] = ()
    """Those that the data set keeps for validation instead."""
    notes: tuple[str, ...] = ()
    """What was left out, assumed or could not be had: for people to read."""

    def __len__(self) -> int: ...

    @property
    def camera(self) -> Camera:
        """The pinhole camera of its frames, which have no distortion: ``size`` and ``intrinsics``."""
        (fx, _, cx), (_, fy, cy), _ = self.intrinsics.tolist()
        return Camera((self.size[0], self.size[1]), (fx, fy), (cx, cy))

    def frame_name(self, index: int) -> str:
        """What tells a frame from all others of the data set."""
        return f"{self.name} frame {index}"

    def file_stem(self, index: int) -> str:
        """What files made of a frame are called: its image's name without the suffix, or its number in the video."""
        return self.images[index].stem if self.images else f"{index:06d}"

    def missing_file(self, index: int) -> Path | None:
        """The first file of a frame that is not there, in readers that open what is not complete."""
        return None

    def best_read_whole(self) -> bool:
        """Whether all frames are best read as soon as one is: what they share costs most, and what was read is kept."""
        return False

    def frame(self, index: int) -> Tensor:
        """Image (3, H, W) float32 RGB in 0..1."""
        ...

    def raw(self, index: int, size: tuple[int, int]) -> Tensor:
        """The image at ``size`` (height, width), as float32 in 0..1 or as 8 bits, whichever is faster."""
        return resize_images(self.frame(index)[None], size)[0]

    def resized(self, index: int, size: tuple[int, int]) -> Tensor:
        """The image at ``size`` as ``frame`` gives it."""
        return as_float(self.raw(index, size))

    def depth(self, index: int) -> Tensor | None:
        """Depth (1, H, W) float32 metres, 0 = unknown."""
        return None

    def flow(self, index: int) -> tuple[Tensor, Tensor] | None:
        """Flow (2, H, W) pixels from this frame to the next and where it is known (1, H, W), bool or 0 and 1."""
        return None

    def flow_back(self, index: int) -> tuple[Tensor, Tensor] | None:
        """Flow from the next frame to this one, in the form of ``flow``."""
        return None

    def flow_noc(self, index: int) -> Tensor | None:
        """Which pixels of known flow are seen in both images (1, H, W), bool or 0 and 1, if the data tells that."""
        return None

    def right(self, index: int) -> Tensor | None:
        """Image (3, H, W) float32 RGB in 0..1 of the rectified camera to the right, with the same intrinsics."""
        return None

    def right_raw(self, index: int, size: tuple[int, int]) -> Tensor | None:
        """The image on the right as ``raw`` gives that on the left."""
        right = self.right(index)
        return None if right is None else resize_images(right[None], size)[0]

    def points(self, index: int) -> Tensor | None:
        """Scene points (N, 3) float64 that the frame sees, in the axes of ``poses_in_scene``; N may be 0."""
        return None

    def has_depth(self, index: int) -> bool:
        """Whether ``depth`` gives something; readers that can tell without reading say so."""
        return self.depth(index) is not None

    def has_flow(self, index: int) -> bool:
        """Whether ``flow`` gives something, likewise."""
        return self.flow(index) is not None

    def has_right(self, index: int) -> bool:
        """Whether ``right`` gives something, likewise."""
        return self.right(index) is not None


class ImageSequence(Sequence, Protocol):
    """A sequence whose images come as pixels of 8 or 16 bits, which are resized before they become float."""

    def pixels(self, index: int) -> np.ndarray:
        """RGB (H, W, 3)."""
        ...

    def right_pixels(self, index: int) -> np.ndarray | None:
        """Those of the image on the right."""
        return None

    def frame(self, index: int) -> Tensor:
        return as_float(to_raw(self.pixels(index)))

    def raw(self, index: int, size: tuple[int, int]) -> Tensor:
        return to_raw(self.pixels(index), size)

    def right(self, index: int) -> Tensor | None:
        pixels = self.right_pixels(index)
        return None if pixels is None else as_float(to_raw(pixels))

    def right_raw(self, index: int, size: tuple[int, int]) -> Tensor | None:
        pixels = self.right_pixels(index)
        return None if pixels is None else to_raw(pixels, size)


def only_frames(sequence: Sequence, frames: Iterable[int]) -> Sequence:
    """The same sequence, of which only some frames may begin a clip."""
    part = copy.copy(sequence)
    part.starts = tuple(frames)
    return part


def validation_parts(sequences: Iterable[Sequence]) -> list[Sequence]:
    """The sequences that keep frames for validation, of which only these may begin a clip."""
    return [only_frames(sequence, sequence.validation) for sequence in sequences if sequence.validation]


def noted(sequences: Iterable[Sequence], shown: int = 5) -> list[str]:
    """The notes of sequences, a line each, the first few of many."""
    lines = [f"{sequence.name}: {note}" for sequence in sequences for note in sequence.notes]
    rest = len(lines) - shown
    return lines if rest <= 1 else [*lines[:shown], f"and {rest} more notes; checking the data set tells all"]


def left_out_note(kept: Tensor, what: str = "frames whose pose is not finite or no rotation") -> tuple[str, ...]:
    """A note that counts what ``kept`` (N,) leaves out; none if that is nothing."""
    count = int((~kept).sum())
    return (f"{count} of {len(kept)} {what} are left out",) if count else ()


def known(**parts: bool) -> frozenset[Capability]:
    """The capabilities whose names are given as true: ``known(poses=True, depth=False)``."""
    return frozenset(Capability(name) for name, there in parts.items() if there)
