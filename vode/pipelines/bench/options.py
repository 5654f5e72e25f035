"""Options of a bench."""

from __future__ import annotations

from dataclasses import dataclass

from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.world.options import WorldOptions


@dataclass(frozen=True)
class BenchOptions(DataOptions):
    """What all runs of a bench have in common; the rest is the recipes' own."""

    dataset: str = "world"
    """name of the data set, or world, the built-in one, which needs no folder"""
    test: tuple[str, ...] = ()
    """names of the sequences that are scored; none = the data set's test sequences"""
    size: tuple[int, int] = (64, 192)
    """(height, width) of the networks' input images"""
    world: WorldOptions = WorldOptions()
    """options of the built-in world; its image size follows ``size``"""
    seeds: tuple[int, ...] = (0,)
    """a run of every recipe with each"""
    minutes: float = 10.0
    """time that every run trains for: it sets the steps of the recipe's stages, in their proportion"""
    samples: int = 0
    """samples that every run sees, in place of the minutes"""
    batch: int = 0
    """samples of a step; 0 = as the recipes have it"""
    points: int = 8
    """of the learning curve, at even distances"""
    shown: int = 3
    """test images whose depth is drawn"""
    crop: str | None = None
    """part of the image that depth is scored in: garg, eigen or nyu; none = all of it"""
    cap: float = 80.0
    """metres of true depth beyond which a pixel does not count"""
    device: str = "auto"
    """cpu, cuda, cuda:1, ...; auto uses the GPU if there is one"""

    def __post_init__(self) -> None:
        if self.samples < 0 or (not self.samples and not 0 < self.minutes < float("inf")):
            raise InputError("a bench needs a budget; give minutes or samples above 0", "minutes", "samples")
        if not self.seeds or min(self.seeds) < 0:
            raise InputError("a bench needs seeds, whole numbers from 0 on; give one or more", "seeds")
        if self.points < 1 or self.shown < 1 or self.batch < 0:
            raise InputError(
                "points of the curve and images shown are at least 1, a batch at least 0", "points", "shown", "batch"
            )

    @property
    def budget(self) -> str:
        """The budget in words."""
        return f"{self.samples} samples" if self.samples else f"{self.minutes:g} minutes of training"
