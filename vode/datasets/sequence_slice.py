"""A part of a sequence, or every n-th frame of it."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from vode.datasets.base import Sequence, known
from vode.errors import InputError
from vode.geometry.pose import from_first


class SequenceSlice(Sequence):
    """The frames ``start``, ``start + step``, ... before ``end`` of a sequence; world = the first of them.

    Flow is known for ``step`` 1 alone. InputError if that leaves no frame.
    """

    def __init__(self, whole: Sequence, *, start: int = 0, end: int | None = None, step: int = 1) -> None:
        if step < 1 or start < 0 or (end is not None and end < 0):
            bounds = f"step {step}, start {start}, end {end}"
            raise InputError(f"{bounds}: a step is 1 or more, start and end 0 or more", "step", "start", "end")
        self._whole, self._numbers = whole, range(len(whole))[start:end:step]
        if not self._numbers:
            none = f"no frame from {start} to {end}, of {len(whole)}"
            raise InputError(f"{whole.name}: {none}; change the start or the end", "start", "end")
        self.name, self.size, self.intrinsics, self.notes = whole.name, whole.size, whole.intrinsics, whole.notes
        self.sparse_depth, self.baseline = whole.sparse_depth, whole.baseline
        chosen = list(self._numbers)
        self.capabilities = whole.capabilities - (known() if step == 1 else known(flow=True, flow_back=True))
        self.poses = None if whole.poses is None else from_first(whole.poses[chosen])
        self.poses_in_scene = None if whole.poses_in_scene is None else whole.poses_in_scene[chosen]
        self.timestamps = None if whole.timestamps is None else whole.timestamps[chosen]
        places = {number: i for i, number in enumerate(chosen)}
        if whole.starts is not None:
            self.starts = tuple(places[number] for number in whole.starts if number in places)
        self.validation = tuple(places[number] for number in whole.validation if number in places)

    def __len__(self) -> int:
        return len(self._numbers)

    def frame_name(self, index: int) -> str:
        return self._whole.frame_name(self._numbers[index])

    def file_stem(self, index: int) -> str:
        return self._whole.file_stem(self._numbers[index])

    def missing_file(self, index: int) -> Path | None:
        return self._whole.missing_file(self._numbers[index])

    def frame(self, index: int) -> Tensor:
        return self._whole.frame(self._numbers[index])

    def raw(self, index: int, size: tuple[int, int]) -> Tensor:
        return self._whole.raw(self._numbers[index], size)

    def has_depth(self, index: int) -> bool:
        return self._whole.has_depth(self._numbers[index])

    def depth(self, index: int) -> Tensor | None:
        return self._whole.depth(self._numbers[index])

    def points(self, index: int) -> Tensor | None:
        return self._whole.points(self._numbers[index])

    def has_flow(self, index: int) -> bool:
        return self._numbers.step == 1 and index + 1 < len(self) and self._whole.has_flow(self._numbers[index])

    def flow(self, index: int) -> tuple[Tensor, Tensor] | None:
        return self._whole.flow(self._numbers[index]) if self.has_flow(index) else None

    def flow_back(self, index: int) -> tuple[Tensor, Tensor] | None:
        return self._whole.flow_back(self._numbers[index]) if self.has_flow(index) else None

    def flow_noc(self, index: int) -> Tensor | None:
        return self._whole.flow_noc(self._numbers[index]) if self.has_flow(index) else None

    def has_right(self, index: int) -> bool:
        return self._whole.has_right(self._numbers[index])

    def right(self, index: int) -> Tensor | None:
        return self._whole.right(self._numbers[index])

    def right_raw(self, index: int, size: tuple[int, int]) -> Tensor | None:
        return self._whole.right_raw(self._numbers[index], size)
