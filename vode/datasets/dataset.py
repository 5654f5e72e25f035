"""The Dataset contract: sequences by name and split, and what depth and flow are scored on."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar, Literal

from vode.datasets.base import Capability, Sequence, validation_parts
from vode.datasets.depth_frames import DepthFrames, SequenceFrames
from vode.datasets.flow_pairs import FlowPairs, SequencePairs
from vode.datasets.options import SET_OPTIONS, DataOptions
from vode.datasets.sequence_slice import SequenceSlice
from vode.errors import InputError

Split = Literal["train", "validation", "test", "all"]


class Dataset:
    """The sequences of a data set in a folder, ``root``, of which ``options`` take a part.

    A reader derives from it, declares what it offers, and gives ``on_disk`` and ``open_whole``; where the data set has
    splits of its own also ``training``, ``validation`` and ``test``. InputError names what is wrong and the remedy.
    """

    name: str
    """under which the registry has it"""
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    """what its sequences, or the frames and pairs that it is scored on, can have"""
    own_options: ClassVar[frozenset[str]] = frozenset()
    """names of the options beyond the common ones that it understands: SET_OPTIONS, and arguments of its own"""
    expects: ClassVar[str]
    """what its folder holds, for messages"""
    needs_folder: ClassVar[bool] = True
    """False if it is made, not read"""

    def __init__(self, root: Path | str | None, options: DataOptions = DataOptions()) -> None:
        if root is None and self.needs_folder:
            raise InputError(f"the data set {self.name} needs its folder; name it", "data")
        self.root, self.options = Path(root or "."), options
        defaults = {field.name: field.default for field in dataclasses.fields(DataOptions)}
        foreign = [name for name in SET_OPTIONS if name not in self.own_options]
        given = [name for name in foreign if getattr(options, name) != defaults[name]]
        if given:
            raise InputError(f"{', '.join(given)}: not for {self.name}, which has its own; leave it out", *given)

    def on_disk(self) -> tuple[str, ...]:
        """The names of all sequences that are there."""
        raise NotImplementedError

    def open_whole(self, name: str, camera: int) -> Sequence:
        """A sequence by its name, whole; sets of one camera open that one, whatever ``camera`` says."""
        raise NotImplementedError

    def training(self) -> tuple[str, ...]:
        """The names that are trained on: all, unless the set has a list of its own."""
        return self.on_disk()

    def validation(self) -> tuple[str, ...]:
        """The names that are validated on; none where sequences keep frames for it instead."""
        return ()

    def test(self) -> tuple[str, ...]:
        """The names that are tested on: all, unless the set has a list of its own."""
        return self.on_disk()

    def official(self) -> dict[str, int]:
        """The number of frames of each sequence that the official list has; empty without such a list."""
        return {}

    def test_frames(self) -> DepthFrames | None:
        """The list of single frames that depth is scored on, of sets that publish one and have it."""
        return None

    def names(self, split: Split = "all") -> tuple[str, ...]:
        """The names of a split; InputError if there is none to train or to test on."""
        read = {"train": self.training, "validation": self.validation, "test": self.test, "all": self.on_disk}
        found = read[split]()
        if not found and split in ("train", "test"):
            raise InputError(f"{self.root}: no {self.expects} in it; check the folder", "data", "dataset")
        return found

    def chosen(self, split: Split) -> tuple[str, ...]:
        """The names that the options give, or else those of a split."""
        return self.options.sequences or self.names(split)

    def open(self, name: str, camera: int | None = None) -> Sequence:
        """A sequence, or the part of it that the options ask for; without ``camera`` of the first of theirs."""
        whole = self.open_whole(name, self.options.cameras[0] if camera is None else camera)
        start, end, step = self.options.start, self.options.end, self.options.step
        return whole if (start, end, step) == (0, None, 1) else SequenceSlice(whole, start=start, end=end, step=step)

    def open_all(self, names: Iterable[str]) -> list[Sequence]:
        """Those sequences, each of every camera that the options ask for."""
        return [self.open(name, camera) for name in names for camera in self.options.cameras]

    def sequences(self, split: Split = "all") -> list[Sequence]:
        """The sequences that the options name, or else those of a split.

        For validation those that the set has for it, or else the training sequences with the frames that they keep.
        """
        if split != "validation":
            return self.open_all(self.chosen(split))
        names = self.names("validation")
        return self.open_all(names) if names else validation_parts(self.sequences("train"))

    def depth_frames(self, every: int = 1) -> list[DepthFrames]:
        """What depth is scored on: the list of test frames, or every ``every``-th frame of each test sequence."""
        self.require(Capability.DEPTH)
        listed = self.test_frames()
        return [listed] if listed else [SequenceFrames(s, every) for s in self.sequences("test")]

    def flow_pairs(self, every: int = 1) -> list[FlowPairs]:
        """What flow is scored on: every ``every``-th pair of each test sequence."""
        self.require(Capability.FLOW)
        return [SequencePairs(sequence, every) for sequence in self.sequences("test")]

    def require(self, capability: Capability) -> None:
        """InputError unless the data set declares it."""
        if capability not in self.capabilities:
            raise InputError(f"{self.name} has no ground truth of {capability}; choose a set that has", "dataset")
