"""Single frames with ground truth depth: what depth is scored on."""

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
    """what a reader of the numbers should know about this ground truth"""

    def __len__(self) -> int: ...

    def names(self) -> list[str]:
        """One name a frame, by which its prediction is kept."""
        ...

    def missing(self) -> dict[int, Path]:
        """The frames that lack their image or ground truth, each with the first file that is not there."""
        return {}

    def frame(self, index: int) -> Tensor:
        """Image (3, H, W) float32 RGB in 0..1."""
        ...

    def depth(self, index: int) -> Tensor:
        """Depth (1, H, W) float32 metres, 0 = unknown."""
        ...

    def intrinsics(self, index: int) -> Tensor | None:
        """(3, 3) pixels of the image, None where they are not known."""
        return None


class SequenceFrames(DepthFrames):
    """Every ``every``-th frame of a sequence, or of several, that has depth; InputError if none has.

    ``name`` is that of the first sequence, unless it is given.
    """

    def __init__(self, sequences: Sequence | list[Sequence], every: int = 1, *, name: str = "") -> None:
        sequences = sequences if isinstance(sequences, list) else [sequences]
        self.name = name or sequences[0].name
        self.notes = tuple(dict.fromkeys(note for sequence in sequences for note in sequence.notes))
        self._frames = [(s, i) for s in sequences for i in range(0, len(s), every) if s.has_depth(i)]
        if not self._frames:
            raise InputError(f"{self.name}: no frame has ground truth depth; add its depth maps, or choose another")

    def __len__(self) -> int:
        return len(self._frames)

    def names(self) -> list[str]:
        return [sequence.frame_name(number) for sequence, number in self._frames]

    def missing(self) -> dict[int, Path]:
        files = ((i, sequence.missing_file(number)) for i, (sequence, number) in enumerate(self._frames))
        return {i: file for i, file in files if file is not None}

    def frame(self, index: int) -> Tensor:
        sequence, number = self._frames[index]
        return sequence.frame(number)

    def depth(self, index: int) -> Tensor:
        sequence, number = self._frames[index]
        depth = sequence.depth(number)
        if depth is None:
            raise InputError(f"{sequence.frame_name(number)}: its ground truth depth is gone; restore the depth map")
        return depth

    def intrinsics(self, index: int) -> Tensor:
        return self._frames[index][0].intrinsics
