"""Training samples: clips of consecutive frames, cut from sequences."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple

import torch
from torch.utils.data import Dataset

from vode.augmentation.geometric import draw_variation, vary_sample
from vode.augmentation.options import Augment
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.base import Capability, Sequence
from vode.datasets.sample import Sample
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import from_first
from vode.geometry.resize import resize_depth, resize_flow


class ClipShape(NamedTuple):
    """The frames of a clip."""

    length: int = 2
    """how many"""
    stride: int = 1
    """from each to the next"""


class ClipDataset(Dataset[Sample]):
    """Every clip of that ``shape`` in several sequences, from the frames that may begin one.

    An index is a number, or a pair (number, draw) in which ``draw`` is an int that the sampler hands
    out once: with ``seed`` it alone decides the augmentation, so that neither the worker nor a resumed
    run changes it. A plain number serves as its own draw.

    ``size`` (height, width) resizes everything; without it all sequences must have one size.
    ``ground_truth`` adds depth, poses and flow where every sequence has them (flow only for stride 1); frames
    whose depth or flow is missing get 0 = unknown. Poses are relative to the clip's first frame. ``raw`` samples
    are faster to load and to move; ``augmentation.photometric.to_float_and_augment`` makes finished ones of them, or
    of a batch of them.
    """

    def __init__(
        self,
        sequences: Iterable[Sequence],
        shape: ClipShape = ClipShape(),
        *,
        size: tuple[int, int] | None = None,
        augment: Augment | None = None,
        seed: int = 0,
        ground_truth: bool = False,
        raw: bool = False,
    ) -> None:
        self.sequences, (length, stride) = list(sequences), shape
        if length < 1 or stride < 1:
            raise ValueError(f"length and stride are at least 1, not {length} and {stride}")
        if not self.sequences:
            raise ValueError("no sequences")
        self.length, self.stride, self.size = length, stride, size
        self.augment, self.seed, self.raw = augment, seed, raw
        span = (length - 1) * stride
        self._starts = [_starts(sequence, span) for sequence in self.sequences]
        self._ends = list(accumulate(map(len, self._starts)))
        if self._ends[-1] == 0:
            longest = max(self.sequences, key=len)
            few = f"{len(longest)} frames, too few for clips that span {span + 1}"
            raise InputError(f"{longest.name}: {few}; add frames or shorten the clips")
        if size is None and len({tuple(sequence.size) for sequence in self.sequences}) > 1:
            sizes = ", ".join(f"{s.name} {s.size[1]}x{s.size[0]}" for s in self.sequences)
            raise InputError(f"the sequences differ in size ({sizes}); give one size to resize them to")
        self._ground_truth = self._common_ground_truth() if ground_truth else frozenset()

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int | tuple[int, int]) -> Sample:
        number, draw = index if isinstance(index, tuple) else (index, index)
        sequence, start = self.locate(number)
        frames = range(start, start + self.length * self.stride, self.stride)
        size = self.size or sequence.size
        if self.augment is None:
            sample = self._read(sequence, frames, size)
        else:
            drawn = draw_variation(self.augment, size, seed=(self.seed, draw))
            sample = vary_sample(self._read(sequence, frames, drawn.whole), drawn)
        return sample if self.raw else to_float_and_augment(sample)

    def locate(self, number: int) -> tuple[Sequence, int]:
        """The sequence and its first frame of clip ``number``."""
        if not 0 <= number < len(self):
            raise IndexError(f"clip {number} of {len(self)}")
        which = bisect_right(self._ends, number)
        return self.sequences[which], self._starts[which][number - (self._ends[which - 1] if which else 0)]

    def _common_ground_truth(self) -> frozenset[Capability]:
        wanted = {Capability.POSES, Capability.DEPTH}
        if self.stride == 1 and self.length > 1:
            wanted.add(Capability.FLOW)
        return frozenset(wanted).intersection(*(sequence.capabilities for sequence in self.sequences))

    def _read(self, sequence: Sequence, frames: range, size: tuple[int, int]) -> Sample:
        sample: Sample = {
            "images": torch.stack([sequence.raw(i, size) for i in frames]),
            "intrinsics": resize_intrinsics(sequence.intrinsics.to(torch.float32), sequence.size, size),
        }
        if not self._ground_truth:
            return sample
        unknown = torch.zeros(1, *sequence.size)
        if Capability.POSES in self._ground_truth and sequence.poses is not None:
            sample["poses"] = from_first(sequence.poses[list(frames)]).to(torch.float32)
        if Capability.DEPTH in self._ground_truth:
            maps = [sequence.depth(i) for i in frames]
            sample["depth"] = resize_depth(torch.stack([unknown if depth is None else depth for depth in maps]), size)
        if Capability.FLOW in self._ground_truth:
            pairs = [sequence.flow(i) or (unknown.expand(2, -1, -1), unknown) for i in frames[:-1]]
            flow, visible = (
                torch.stack([part.to(torch.float32) for part in parts]) for parts in zip(*pairs, strict=True)
            )
            sample["flow"], sample["visible"] = resize_flow(flow, visible, size)
        return sample


def _starts(sequence: Sequence, span: int) -> range | list[int]:
    """The frames that a clip which ends ``span`` frames later begins at."""
    last = len(sequence) - span
    return range(max(0, last)) if sequence.starts is None else [i for i in sequence.starts if i < last]
