"""Pairs of frames with ground truth flow: what flow is scored on."""

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

    def ground_truth(self, index: int) -> GroundTruthFlow:
        """The flow of pair ``index`` as the set has it."""
        ...


class SequencePairs(FlowPairs):
    """Every ``every``-th pair of consecutive frames of a sequence, or of several, that has flow; else InputError.

    ``name`` is that of the first sequence, unless it is given.
    """

    def __init__(self, sequences: Sequence | list[Sequence], every: int = 1, *, name: str = "") -> None:
        sequences = sequences if isinstance(sequences, list) else [sequences]
        self.name = name or sequences[0].name
        self._pairs = [(s, i) for s in sequences for i in range(0, len(s) - 1, every) if s.has_flow(i)]
        if not self._pairs:
            raise InputError(f"{self.name}: no pair has ground truth flow; add its flow maps, or choose another")

    def __len__(self) -> int:
        return len(self._pairs)

    def names(self) -> list[str]:
        return [sequence.frame_name(number) for sequence, number in self._pairs]

    def missing(self) -> dict[int, Path]:
        files = ((i, s.missing_file(n) or s.missing_file(n + 1)) for i, (s, n) in enumerate(self._pairs))
        return {i: file for i, file in files if file is not None}

    def images(self, index: int) -> tuple[Tensor, Tensor]:
        sequence, number = self._pairs[index]
        return sequence.frame(number), sequence.frame(number + 1)

    def ground_truth(self, index: int) -> GroundTruthFlow:
        sequence, number = self._pairs[index]
        known = sequence.flow(number)
        if known is None:
            raise InputError(f"{sequence.frame_name(number)}: its ground truth flow is gone; restore the flow map")
        return GroundTruthFlow(*known, sequence.flow_noc(number))
