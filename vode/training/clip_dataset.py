"""Training samples: clips of consecutive frames, cut from sequences."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from itertools import accumulate
from typing import NamedTuple, Self

import torch
from torch.utils.data import Dataset

from vode.augmentation.geometric import FLOWS, draw_variation, vary_sample
from vode.augmentation.options import NO_AUGMENT, Augment
from vode.augmentation.photometric import to_float_and_augment
from vode.datasets.base import Capability, Sequence
from vode.datasets.sample import Sample
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import from_first
from vode.geometry.resize import resize_depth, resize_flow

MOST_READERS = 4
"""threads that read the clips of a sequence together"""


class ClipShape(NamedTuple):
    """The frames of a clip."""

    length: int = 2
    """how many"""
    stride: int = 1
    """from each to the next"""
    every: int = 1
    """only every n-th of a sequence's frames begins a clip"""


class ClipDataset(Dataset[Sample]):
    """Every clip of that ``shape`` in several sequences, from the frames that may begin one.

    An index is a number, or a pair (number, draw) in which ``draw`` is an int that the sampler hands
    out once: with ``seed`` it alone decides the augmentation, so that neither the worker nor a resumed
    run changes it. A plain number serves as its own draw.

    ``size`` (height, width) resizes everything; without it all sequences must have one size.
    ``ground_truth`` adds depth, poses and flow where every sequence has them (flow only for stride 1); frames
    whose depth or flow is missing get 0 = unknown. It can be some capabilities instead: those alone, among them
    ``STEREO``, the images of the camera on the right, which True leaves out. Poses are relative to the clip's first
    frame. ``raw`` samples are faster to load and to move; ``augmentation.photometric.to_float_and_augment`` makes
    finished ones of them, or of a batch of them.
    """

    _crops: tuple[tuple[int, int], ...] = ()
    _batch = 1
    _block = _most_kept = 0

    def __init__(
        self,
        sequences: Iterable[Sequence],
        shape: ClipShape = ClipShape(),
        *,
        size: tuple[int, int] | None = None,
        augment: Augment | None = None,
        seed: int = 0,
        ground_truth: bool | Collection[Capability] = False,
        raw: bool = False,
    ) -> None:
        self.sequences, (length, stride, every) = list(sequences), shape
        if min(shape) < 1:
            raise ValueError(f"length, stride and every are at least 1, not {length}, {stride} and {every}")
        if not self.sequences:
            raise ValueError("no sequences")
        self.length, self.stride, self.size = length, stride, size
        self._begun: set[int] = set()
        """the sequences of which a clip was read"""
        self.augment, self.seed, self.raw = augment, seed, raw
        span = (length - 1) * stride
        self._starts = [_starts(sequence, span, every) for sequence in self.sequences]
        self._ends = list(accumulate(map(len, self._starts)))
        if self._ends[-1] == 0:
            longest = max(self.sequences, key=len)
            few = f"{len(longest)} frames, too few for clips that span {span + 1}"
            raise InputError(f"{longest.name}: {few}; add frames or shorten the clips")
        if size is None and len({tuple(sequence.size) for sequence in self.sequences}) > 1:
            sizes = ", ".join(f"{s.name} {s.size[1]}x{s.size[0]}" for s in self.sequences)
            raise InputError(f"the sequences differ in size ({sizes}); give one size to resize them to")
        self._ground_truth = self._common_ground_truth(ground_truth)
        self._kept: dict[int, Sample] = {}

    def cropped(self, shapes: tuple[tuple[int, int], ...], batch: int) -> Self:
        """The same clips, cropped at random: those of a ``batch`` of draws to one of ``shapes`` (height, width).

        The number of the batch chooses the shape, one after the other. InputError for a shape that is larger than
        ``size``.
        """
        for height, width in shapes:
            for whole in [self.size] if self.size else [sequence.size for sequence in self.sequences]:
                if height > whole[0] or width > whole[1]:
                    raise InputError(
                        f"a crop of {width}x{height} from {whole[1]}x{whole[0]}; choose a smaller", "crops"
                    )
        clips = copy(self)
        clips._crops, clips._batch = shapes, batch
        clips.augment = self.augment or NO_AUGMENT
        return clips

    def kept(self, block: int, reuse: int) -> Self:
        """The same clips, each of which is kept for all of its draws by ``sampler.Blocks``, and so read only once.

        What is missing is read with all clips of its sequence in the block, so that a sequence is rendered in one go.
        """
        clips = copy(self)
        clips._block, clips._most_kept = block, (reuse + 1) * block
        clips._kept = {}
        return clips

    def __len__(self) -> int:
        return self._ends[-1]

    def __getitem__(self, index: int | tuple[int, int]) -> Sample:
        number, draw = index if isinstance(index, tuple) else (index, index)
        size = self.size or self.locate(number)[0].size
        if self.augment is None:
            sample = self._clip(number, size)
        else:
            window = self._crops[draw // self._batch % len(self._crops)] if self._crops else None
            drawn = draw_variation(self.augment, size, seed=(self.seed, draw), window=window)
            sample = vary_sample(self._clip(number, size if self._most_kept else drawn.whole), drawn)
        return sample if self.raw else to_float_and_augment(sample)

    def locate(self, number: int) -> tuple[Sequence, int]:
        """The sequence and its first frame of clip ``number``."""
        if not 0 <= number < len(self):
            raise IndexError(f"clip {number} of {len(self)}")
        which = bisect_right(self._ends, number)
        return self.sequences[which], self._starts[which][number - (self._ends[which - 1] if which else 0)]

    def _common_ground_truth(self, asked: bool | Collection[Capability]) -> frozenset[Capability]:
        if not asked:
            return frozenset()
        wanted = {Capability.POSES, Capability.DEPTH} | (set() if asked is True else {Capability.STEREO})
        if self.stride == 1 and self.length > 1:
            wanted |= {Capability.FLOW, Capability.FLOW_BACK}
        wanted &= wanted if asked is True else set(asked)
        return frozenset(wanted).intersection(*(sequence.capabilities for sequence in self.sequences))

    def _clip(self, number: int, size: tuple[int, int]) -> Sample:
        """Clip ``number`` as it is read, or kept from before."""
        which = bisect_right(self._ends, number)
        begin, end = self._ends[which - 1] if which else 0, self._ends[which]
        if not self._most_kept:
            if which not in self._begun and self.sequences[which].best_read_whole():
                for each in range(begin, end):
                    self._read(*self._frames(each), size)
            self._begun.add(which)
            return self._read(*self._frames(number), size)
        if number not in self._kept:
            first = max(number - number % self._block, begin)
            together = range(first, min(number - number % self._block + self._block, end))
            missing = [each for each in together if each not in self._kept]
            # several samples at a time, a thread each, take half as long as one at a time with all threads
            with ThreadPoolExecutor(
                min(torch.get_num_threads(), MOST_READERS), "read", torch.set_num_threads, (1,)
            ) as pool:
                read = pool.map(lambda each: self._read(*self._frames(each), size), missing)
                self._kept.update(zip(missing, read, strict=True))
            while len(self._kept) > self._most_kept:
                del self._kept[next(iter(self._kept))]
        # put at the end, so that those not drawn for longest are the first to go
        self._kept[number] = self._kept.pop(number)
        return self._kept[number]

    def _frames(self, number: int) -> tuple[Sequence, range]:
        sequence, start = self.locate(number)
        return sequence, range(start, start + self.length * self.stride, self.stride)

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
        if Capability.STEREO in self._ground_truth:
            sample |= _right(sequence, frames, size)
        for key, visible in FLOWS.items():
            if key in self._ground_truth:
                read = getattr(sequence, key)
                pairs = [read(i) or (unknown.expand(2, -1, -1), unknown) for i in frames[:-1]]
                flow, seen = (torch.stack([pair[k].to(torch.float32) for pair in pairs]) for k in (0, 1))
                sample[key], sample[visible] = resize_flow(flow, seen, size)
        return sample


def _starts(sequence: Sequence, span: int, every: int) -> range | list[int]:
    """The frames that a clip which ends ``span`` frames later begins at."""
    last = len(sequence) - span
    if sequence.starts is None:
        return range(0, max(0, last), every)
    return [i for i in sequence.starts if i < last][::every]


def _right(sequence: Sequence, frames: range, size: tuple[int, int]) -> Sample:
    """What the camera on the right shows, and the distance to it."""
    views = [sequence.right_raw(i, size) for i in frames]
    lacking = [i for i, view in zip(frames, views, strict=True) if view is None]
    if lacking or sequence.baseline is None:
        what = f"{sequence.frame_name(lacking[0])} has no image" if lacking else "the distance is not known"
        raise InputError(f"{sequence.name}: {what} of the right camera; train on others or without stereo", "sequences")
    return {
        "right": torch.stack([view for view in views if view is not None]),
        "baseline": torch.tensor(sequence.baseline, dtype=torch.float32),
    }
