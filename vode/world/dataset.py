"""The built-in world as a data set, whose sequences are named by their seeds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vode.datasets.base import Capability, Sequence
from vode.datasets.dataset import Dataset, Split
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.world.options import KINDS, WorldOptions
from vode.world.sequence import HELD_OUT_SEED, WorldSequence, held_out_sequence

TRAINING_SEEDS = tuple(str(seed) for seed in range(64))
VALIDATION_SEEDS = ("20000", "20001", "20002", "20003")
"""neither trained on nor tested on"""
TEST_SEEDS = (str(HELD_OUT_SEED),)


class WorldDataset(Dataset):
    """Scenes that are rendered as ``world`` says; any seed names one, and A-B all seeds from A to B.

    The test sequence alone has its own options.
    """

    name = "world"
    capabilities = frozenset(
        {Capability.DEPTH, Capability.FLOW, Capability.FLOW_BACK, Capability.POSES, Capability.STEREO}
    )
    own_options = frozenset({"world"})
    expects = "sequence"
    needs_folder = False

    def __init__(
        self,
        root: Path | str | None = None,
        options: DataOptions = DataOptions(),
        *,
        world: WorldOptions = WorldOptions(),
    ) -> None:
        super().__init__(root, options)
        unknown = [kind for kind in world.scenes if kind not in KINDS]
        if unknown or not world.scenes:
            found = f"no scene is called {unknown[0]!r}" if unknown else "no scenes"
            raise InputError(f"{found}; the built-in world has {', '.join(KINDS)}", "world")
        self.world = world

    def on_disk(self) -> tuple[str, ...]:
        return TRAINING_SEEDS + VALIDATION_SEEDS + TEST_SEEDS

    def training(self) -> tuple[str, ...]:
        return TRAINING_SEEDS

    def validation(self) -> tuple[str, ...]:
        return VALIDATION_SEEDS

    def test(self) -> tuple[str, ...]:
        return TEST_SEEDS

    def chosen(self, split: Split) -> tuple[str, ...]:
        return tuple(seed for name in super().chosen(split) for seed in _seeds(name))

    def open_all(self, names: Iterable[str]) -> list[Sequence]:
        return super().open_all(seed for name in names for seed in _seeds(name))

    def open_whole(self, name: str, camera: int) -> WorldSequence:
        if not (name.isascii() and name.isdigit()):
            raise InputError(
                f"sequences of the built-in world are numbers, not {name!r}; name seeds, or A-B", "sequences"
            )
        if name in TEST_SEEDS:
            return held_out_sequence(self.world.size)
        return WorldSequence(int(name), self.world)


def _seeds(name: str) -> tuple[str, ...]:
    """The seeds that a name stands for: those from A to B if it is A-B, else itself."""
    first, _, last = name.partition("-")
    if not all(part.isascii() and part.isdigit() for part in (first, last)) or int(first) > int(last):
        return (name,)
    return tuple(str(seed) for seed in range(int(first), int(last) + 1))
