"""Single frames with true depth: what depth is scored on."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from torch import Tensor

from vode.datasets.base import Sequence
from vode.errors import InputError


class DepthFrames(Protocol):
    """A list of frames, each of which may have a size of its own."""

    name: str
    notes: tuple[str, ...] = ()
    """what a reader of the numbers should know about this truth"""

    def __len__(self) -> int: ...

    def names(self) -> list[str]:
        """One name a frame, by which its prediction is kept."""
        ...

    def missing(self) -> dict[int, Path]:
        """The frames that lack their image or truth, each with the first file that is not there."""
        return {}

    def frame(self, index: int) -> Tensor:
        """Image (3, H, W) float32 RGB in 0..1."""
        ...

    def depth(self, index: int) -> Tensor:
        """Depth (1, H, W) float32 metres, 0 = unknown."""
        ...


class SequenceFrames(DepthFrames):
    """Every ``every``-th frame of a Sequence that has true depth; InputError if none has."""

    def __init__(self, sequence: Sequence, every: int = 1) -> None:
        self.name, self._sequence = sequence.name, sequence
        self._numbers = [i for i in range(0, len(sequence), every) if sequence.has_depth(i)]
        if not self._numbers:
            raise InputError(f"{sequence.name}: no frame has true depth; put uint16 PNGs in depth_C beside image_C")

    def __len__(self) -> int:
        return len(self._numbers)

    def names(self) -> list[str]:
        return [f"{self.name} frame {number}" for number in self._numbers]

    def frame(self, index: int) -> Tensor:
        return self._sequence.frame(self._numbers[index])

    def depth(self, index: int) -> Tensor:
        return self._sequence.depth(self._numbers[index])
