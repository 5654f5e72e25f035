"""The Sequence contract (one reader a data set) and snippets of consecutive frames for training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

import numpy as np
from torch import Tensor

from vode.geometry.resize import as_float, resize_images
from vode.io.image import to_raw


@runtime_checkable
class Sequence(Protocol):
    """A video of one camera. Readers derive from it and so inherit "not known" for what they lack."""

    name: str
    size: tuple[int, int]
    """(height, width) of every frame."""
    intrinsics: Tensor
    """(3, 3) float32 pixels, for the full ``size``."""
    poses: Tensor | None = None
    """(N, 4, 4) float64 world-from-camera, metres, world = the first frame."""
    poses_in_scene: Tensor | None = None
    """(N, 4, 4) float64, likewise, but in the axes that all sequences of a mapped scene share."""
    timestamps: Tensor | None = None
    """(N,) float64 seconds."""
    starts: tuple[int, ...] | None = None
    """The frames that training snippets may begin at; None = all."""
    validation: tuple[int, ...] = ()
    """Those that the data set keeps for validation instead."""
    notes: tuple[str, ...] = ()
    """What was left out, assumed or could not be had: for people to read."""

    def __len__(self) -> int: ...

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
        """Flow (2, H, W) pixels from this frame to the next and visible (1, H, W), bool or 0 and 1."""
        return None

    def points(self, index: int) -> Tensor | None:
        """Scene points (N, 3) float64 that the frame sees, in the axes of ``poses_in_scene``; N may be 0."""
        return None

    def has_depth(self, index: int) -> bool:
        """Whether ``depth`` gives something; readers that can tell without reading say so."""
        return self.depth(index) is not None

    def has_flow(self, index: int) -> bool:
        """Whether ``flow`` gives something, likewise."""
        return self.flow(index) is not None


class ImageSequence(Sequence, Protocol):
    """A sequence whose images come as pixels of 8 or 16 bits, which are resized before they become float."""

    def pixels(self, index: int) -> np.ndarray:
        """RGB (H, W, 3)."""
        ...

    def frame(self, index: int) -> Tensor:
        return as_float(to_raw(self.pixels(index)))

    def raw(self, index: int, size: tuple[int, int]) -> Tensor:
        return to_raw(self.pixels(index), size)


def noted(sequences: Iterable[Sequence], shown: int = 5) -> list[str]:
    """The notes of sequences, a line each, the first few of many."""
    lines = [f"{sequence.name}: {note}" for sequence in sequences for note in sequence.notes]
    rest = len(lines) - shown
    return lines if rest <= 1 else [*lines[:shown], f"and {rest} more notes; vode data check tells all"]


def left_out_note(kept: Tensor, what: str = "frames whose pose is not finite or no rotation") -> tuple[str, ...]:
    """A note that counts what ``kept`` (N,) leaves out; none if that is nothing."""
    count = int((~kept).sum())
    return (f"{count} of {len(kept)} {what} are left out",) if count else ()
