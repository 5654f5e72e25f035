"""The Sequence contract (one reader a data set) and snippets of consecutive frames for training."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from vode.data.colour import as_float, finish
from vode.data.files import to_raw
from vode.data.sample import Sample
from vode.data.transforms import (
    Augment,
    draw_variation,
    resize_depth,
    resize_flow,
    resize_images,
    vary_sample,
)
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics


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
    stamps: Tensor | None = None
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


class Snippets(Dataset[Sample]):
    """Every run of ``length`` frames, ``stride`` apart, of several sequences, from the frames that may begin one.

    An index is a number, or a pair (number, draw) in which ``draw`` is an int that the sampler hands
    out once: with ``seed`` it alone decides the augmentation, so that neither the worker nor a resumed
    run changes it. A plain number serves as its own draw.

    ``size`` (height, width) resizes everything; without it all sequences must have one size.
    ``truth`` adds depth, poses and flow where every sequence has them (flow only for stride 1); frames
    whose depth or flow is missing get 0 = unknown. Poses are relative to the snippet's first frame. ``raw`` samples
    are faster to load and to move; ``vode.data.colour.finish`` makes of them, or of a batch of them, finished ones.
    """

    def __init__(
        self,
        sequences: Iterable[Sequence],
        *,
        length: int = 2,
        stride: int = 1,
        size: tuple[int, int] | None = None,
        augment: Augment | None = None,
        seed: int = 0,
        truth: bool = False,
        raw: bool = False,
    ) -> None:
        self.sequences = list(sequences)
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
            few = f"{len(longest)} frames, too few for snippets that span {span + 1}"
            raise InputError(f"{longest.name}: {few}; add frames or shorten the snippets")
        if size is None and len({tuple(sequence.size) for sequence in self.sequences}) > 1:
            sizes = ", ".join(f"{s.name} {s.size[1]}x{s.size[0]}" for s in self.sequences)
            raise InputError(f"the sequences differ in size ({sizes}); give one size to resize them to")
        self._truth = self._common_truth() if truth else frozenset()

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int | tuple[int, int]) -> Sample:
        number, draw = index if isinstance(index, tuple) else (index, index)
        sequence, start = self.locate(number)
        frames = range(start, start + self.length * self.stride, self.stride)
        size = tuple(self.size or sequence.size)
        if self.augment is None:
            sample = self._read(sequence, frames, size)
        else:
            drawn = draw_variation(self.augment, size, seed=(self.seed, draw))
            sample = vary_sample(self._read(sequence, frames, drawn.whole), drawn)
        return sample if self.raw else finish(sample)

    def locate(self, number: int) -> tuple[Sequence, int]:
        """The sequence and its first frame of snippet ``number``."""
        if not 0 <= number < len(self):
            raise IndexError(f"snippet {number} of {len(self)}")
        which = bisect_right(self._ends, number)
        return self.sequences[which], self._starts[which][number - (self._ends[which - 1] if which else 0)]

    def _common_truth(self) -> frozenset[str]:
        known = {"poses", "depth", "flow"} if self.stride == 1 and self.length > 1 else {"poses", "depth"}
        for sequence in self.sequences:
            if sequence.poses is None:
                known.discard("poses")
            if "depth" in known and sequence.depth(0) is None:
                known.discard("depth")
            if "flow" in known and _flow(sequence, 0) is None:
                known.discard("flow")
        return frozenset(known)

    def _read(self, sequence: Sequence, frames: range, size: tuple[int, int]) -> Sample:
        sample: Sample = {
            "images": torch.stack([sequence.raw(i, size) for i in frames]),
            "intrinsics": resize_intrinsics(sequence.intrinsics.to(torch.float32), sequence.size, size),
        }
        if not self._truth:
            return sample
        unknown = torch.zeros(1, *sequence.size)
        if "poses" in self._truth:
            poses = sequence.poses[list(frames)]
            sample["poses"] = torch.linalg.solve(poses[0], poses).to(torch.float32)
        if "depth" in self._truth:
            maps = [sequence.depth(i) for i in frames]
            sample["depth"] = resize_depth(torch.stack([unknown if depth is None else depth for depth in maps]), size)
        if "flow" in self._truth:
            pairs = [_flow(sequence, i) or (unknown.expand(2, -1, -1), unknown) for i in frames[:-1]]
            flow, visible = (
                torch.stack([part.to(torch.float32) for part in parts]) for parts in zip(*pairs, strict=True)
            )
            sample["flow"], sample["visible"] = resize_flow(flow, visible, size)
        return sample


def _starts(sequence: Sequence, span: int) -> range | list[int]:
    """The frames that a snippet which ends ``span`` frames later begins at."""
    last = len(sequence) - span
    return range(max(0, last)) if sequence.starts is None else [i for i in sequence.starts if i < last]


def _flow(sequence: Sequence, index: int) -> tuple[Tensor, Tensor] | None:
    return sequence.flow(index) if hasattr(sequence, "flow") else None


def noted(sequences: Iterable[Sequence], shown: int = 5) -> list[str]:
    """The notes of sequences, a line each, the first few of many."""
    lines = [f"{sequence.name}: {note}" for sequence in sequences for note in sequence.notes]
    rest = len(lines) - shown
    return lines if rest <= 1 else [*lines[:shown], f"and {rest} more notes; vode data check tells all"]
