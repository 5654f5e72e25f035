"""Clips of unlabelled video with what was triangulated in it, and the parts that they are cut from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.adaptation.structure import SparseDepth
from vode.augmentation.options import Augment
from vode.datasets.base import Sequence, only_frames
from vode.datasets.sample import Sample
from vode.datasets.sequence_slice import SequenceSlice
from vode.geometry.pose import from_first
from vode.training.clip_dataset import ClipDataset, ClipShape

LEAST_POINTS = 100
"""points that a frame must have to take part"""


LEAST_HELD_OUT = 12
"""frames that are held out of a sequence, if it is long enough"""


class Structure(NamedTuple):
    """What was found out about a part of a video, in the unit of its trajectory."""

    poses: Tensor
    """(N, 4, 4) float64 world-from-camera, NaN where unknown"""
    depth: list[SparseDepth]
    """of each frame"""
    start: np.ndarray
    """(N, 1, H, W) float16 logarithm of the depth that the start predicts"""

    def usable(self, frames: range) -> bool:
        """Whether the trajectory goes on through these frames, each of which has points enough."""
        tracked = self.poses[frames[0] : frames[-1] + 1].isfinite().all()
        return bool(tracked) and all(len(self.depth[i].pixels) >= LEAST_POINTS for i in frames)


class StructureClips(ClipDataset):
    """Clips with ``poses``, sparse ``depth`` and its ``deviation``, and ``start_depth``; see ``Structure``.

    Depths are (T, 1, H, W), 0 = unknown; the deviation is that of the logarithm; the start's depth is in metres.
    Clips of several frames begin where all of them are usable.
    """

    def __init__(
        self,
        sequences: list[Sequence],
        structures: Mapping[str, Structure],
        shape: ClipShape,
        *,
        size: tuple[int, int],
        augment: Augment | None = None,
        seed: int = 0,
    ) -> None:
        self._structures = structures
        chosen = sequences
        if shape.length > 1:
            chosen = [only_frames(sequence, self._usable(sequence, shape)) for sequence in sequences]
        super().__init__(chosen, shape, size=size, augment=augment, seed=seed, raw=True)

    def of_shape(self, sequences: list[Sequence], shape: ClipShape, *, vary: bool) -> StructureClips:
        """Other clips of the same structures, augmented if ``vary``; InputError if there are none."""
        assert self.size is not None
        augment = self.augment if vary else None
        return StructureClips(sequences, self._structures, shape, size=self.size, augment=augment, seed=self.seed)

    def _usable(self, sequence: Sequence, shape: ClipShape) -> list[int]:
        structure = self._structures[sequence.name]
        starts = range(len(sequence)) if sequence.starts is None else sequence.starts
        span = (shape.length - 1) * shape.stride
        return [
            i for i in starts if i + span < len(sequence) and structure.usable(range(i, i + span + 1, shape.stride))
        ]

    def _read(self, sequence: Sequence, frames: range, size: tuple[int, int]) -> Sample:
        structure = self._structures[sequence.name]
        maps = [dense(structure.depth[i], size) for i in frames]
        return super()._read(sequence, frames, size) | {
            "poses": from_first(structure.poses[list(frames)]).to(torch.float32),
            "depth": torch.stack([depth for depth, _ in maps]),
            "deviation": torch.stack([deviation for _, deviation in maps]),
            "start_depth": torch.from_numpy(structure.start[list(frames)].astype(np.float32)).exp(),
        }


def dense(sparse: SparseDepth, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Depth, 0 = unknown, and the deviation of its logarithm, both (1, H, W)."""
    depth, deviation = torch.zeros(2, size[0] * size[1])
    depth[sparse.pixels] = sparse.log_depth.exp()
    deviation[sparse.pixels] = sparse.deviation
    return depth.view(1, *size), deviation.view(1, *size)


def cut(sequences: Iterable[Sequence], part: int, most: int) -> list[Sequence]:
    """Parts of about ``part`` consecutive frames, of all videos at most ``most`` frames, evenly spread.

    Each is named by its sequence and its frames. Parts of fewer than half as many frames join the one before.
    """
    parts: list[Sequence] = []
    for sequence in sequences:
        count = max(round(len(sequence) / part), 1)
        bounds = np.linspace(0, len(sequence), count + 1).round().astype(int)
        for start, end in pairwise(bounds.tolist()):
            piece = SequenceSlice(sequence, start=start, end=end)
            piece.name = f"{sequence.name} {start}-{end - 1}"
            parts.append(piece)
    kept = max(min(most // part, len(parts)), 1)
    return [parts[i] for i in np.linspace(0, len(parts) - 1, kept).round().astype(int)]


def split(sequence: Sequence, held_out: float, span: int) -> tuple[Sequence, Sequence]:
    """The same frames twice: clips that span ``span`` + 1 frames begin in its beginning, or in its end.

    The end is a fraction ``held_out`` of the frames, but of short sequences as many as a verdict takes, up to a third.
    """
    count = len(sequence)
    first = count - max(round(count * held_out), min(LEAST_HELD_OUT, count // 3))
    before = only_frames(sequence, range(max(first - span, 0)))
    return before, only_frames(sequence, range(first, max(count - span, first)))
