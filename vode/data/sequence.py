"""The Sequence contract (one reader a data set) and snippets of consecutive frames for training."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import Dataset

from vode.data.sample import Sample
from vode.data.transforms import Augment, augment_sample
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
    stamps: Tensor | None = None
    """(N,) float64 seconds."""

    def __len__(self) -> int: ...

    def frame(self, index: int) -> Tensor:
        """Image (3, H, W) float32 RGB in 0..1."""
        ...

    def depth(self, index: int) -> Tensor | None:
        """Depth (1, H, W) float32 metres, 0 = unknown."""
        return None

    def flow(self, index: int) -> tuple[Tensor, Tensor] | None:
        """Flow (2, H, W) pixels from this frame to the next and visible (1, H, W), bool or 0 and 1."""
        return None

    def has_depth(self, index: int) -> bool:
        """Whether ``depth`` gives something; readers that can tell without reading say so."""
        return self.depth(index) is not None

    def has_flow(self, index: int) -> bool:
        """Whether ``flow`` gives something, likewise."""
        return self.flow(index) is not None


class Snippets(Dataset[Sample]):
    """Every run of ``length`` frames, ``stride`` apart, of several sequences.

    An index is a number, or a pair (number, draw) in which ``draw`` is an int that the sampler hands
    out once: with ``seed`` it alone decides the augmentation, so that neither the worker nor a resumed
    run changes it. A plain number serves as its own draw.

    ``size`` (height, width) resizes everything; without it all sequences must have one size.
    ``truth`` adds depth, poses and flow where every sequence has them (flow only for stride 1); frames
    whose depth or flow is missing get 0 = unknown. Poses are relative to the snippet's first frame.
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
    ) -> None:
        self.sequences = list(sequences)
        if length < 1 or stride < 1:
            raise ValueError(f"length and stride are at least 1, not {length} and {stride}")
        if not self.sequences:
            raise ValueError("no sequences")
        self.length, self.stride, self.size = length, stride, size
        self.augment, self.seed = augment, seed
        span = (length - 1) * stride
        self._ends = list(accumulate(max(0, len(sequence) - span) for sequence in self.sequences))
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
        sample = self._read(sequence, range(start, start + self.length * self.stride, self.stride))
        if self.size is not None:
            sample = resize_sample(sample, self.size)
        if self.augment is not None:
            sample = augment_sample(sample, self.augment, seed=(self.seed, draw))
        return sample

    def locate(self, number: int) -> tuple[Sequence, int]:
        """The sequence and its first frame of snippet ``number``."""
        if not 0 <= number < len(self):
            raise IndexError(f"snippet {number} of {len(self)}")
        which = bisect_right(self._ends, number)
        return self.sequences[which], number - (self._ends[which - 1] if which else 0)

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

    def _read(self, sequence: Sequence, frames: range) -> Sample:
        images = torch.stack([sequence.frame(i) for i in frames])
        sample: Sample = {"images": images, "intrinsics": sequence.intrinsics.to(torch.float32)}
        unknown = images.new_zeros(1, *images.shape[-2:])
        if "poses" in self._truth:
            poses = sequence.poses[list(frames)]
            sample["poses"] = torch.linalg.solve(poses[0], poses).to(torch.float32)
        if "depth" in self._truth:
            maps = [sequence.depth(i) for i in frames]
            sample["depth"] = torch.stack([unknown if depth is None else depth for depth in maps])
        if "flow" in self._truth:
            pairs = [_flow(sequence, i) or (unknown.expand(2, -1, -1), unknown) for i in frames[:-1]]
            sample["flow"] = torch.stack([flow for flow, _ in pairs])
            sample["visible"] = torch.stack([visible.to(images.dtype) for _, visible in pairs])
        return sample


def _flow(sequence: Sequence, index: int) -> tuple[Tensor, Tensor] | None:
    return sequence.flow(index) if hasattr(sequence, "flow") else None


def resize_sample(sample: Sample, size: tuple[int, int]) -> Sample:
    """A sample resized to ``size`` (height, width), with its intrinsics and flow.

    Images are resized with antialiasing, depth by the nearest pixel (no depth between two objects),
    flow bilinearly over its known pixels.
    """
    old = tuple(sample["images"].shape[-2:])
    if old == tuple(size):
        return sample
    resized: Sample = dict(sample)
    images = F.interpolate(sample["images"], size, mode="bilinear", align_corners=False, antialias=True)
    resized["images"] = images.clamp(0, 1)
    resized["intrinsics"] = resize_intrinsics(sample["intrinsics"], old, size)
    if "depth" in sample:
        resized["depth"] = F.interpolate(sample["depth"], size, mode="nearest-exact")
    if "flow" in sample:
        visible = sample.get("visible", torch.ones_like(sample["flow"][:, :1]))
        resized["flow"], resized["visible"] = resize_flow(sample["flow"], visible, size)
    return resized


def resize_flow(flow: Tensor, visible: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flow (B, 2, H, W) in pixels and visible (B, 1, H, W) resized to ``size``, the flow in new pixels.

    A pixel that is neither visible nor has a flow is unknown and takes no part in the interpolation.
    """
    scale = flow.new_tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]]).view(1, 2, 1, 1)
    known = ((visible > 0.5) | flow.ne(0).any(dim=1, keepdim=True)).to(flow.dtype)
    both = torch.cat([flow * known, known], dim=1)
    both = F.interpolate(both, size, mode="bilinear", align_corners=False)
    visible = F.interpolate(visible, size, mode="nearest-exact")
    return both[:, :2] / both[:, 2:].clamp(min=1e-6) * scale, visible
