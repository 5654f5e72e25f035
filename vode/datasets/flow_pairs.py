"""Pairs of frames with true flow: what flow is scored on."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from torch import Tensor

from vode.datasets.base import Sequence
from vode.errors import InputError


class GroundTruthFlow(NamedTuple):
    """From the first image to the second."""

    flow: Tensor
    """(2, H, W) pixels"""
    valid: Tensor
    """(1, H, W), non-zero where it is known"""
    seen: Tensor | None = None
    """(1, H, W), non-zero where the pixel is seen in both images, if the set tells"""


class FlowPairs(Protocol):
    """A list of pairs, each of which may have a size of its own."""

    name: str

    def __len__(self) -> int: ...

    def names(self) -> list[str]:
        """One name a pair."""
        ...

    def missing(self) -> dict[int, Path]:
        """The pairs that lack a file, each with the first that is not there."""
        return {}

    def images(self, index: int) -> tuple[Tensor, Tensor]:
        """Both images (3, H, W) float32 RGB in 0..1."""
        ...

    def ground_truth(self, index: int) -> GroundTruthFlow: ...


class SequencePairs(FlowPairs):
    """Every ``every``-th pair of consecutive frames with true flow; InputError if there is none."""

    def __init__(self, sequence: Sequence, every: int = 1) -> None:
        self.name, self._sequence = sequence.name, sequence
        self._numbers = [i for i in range(0, len(sequence) - 1, every) if sequence.has_flow(i)]
        if not self._numbers:
            raise InputError(f"{sequence.name}: no pair has true flow; put KITTI flow PNGs in flow_C beside image_C")

    def __len__(self) -> int:
        return len(self._numbers)

    def names(self) -> list[str]:
        return [f"{self.name} frame {number}" for number in self._numbers]

    def images(self, index: int) -> tuple[Tensor, Tensor]:
        number = self._numbers[index]
        return self._sequence.frame(number), self._sequence.frame(number + 1)

    def ground_truth(self, index: int) -> GroundTruthFlow:
        return GroundTruthFlow(*self._sequence.flow(self._numbers[index]))
