"""The images that exported graphs are compared on."""

from __future__ import annotations

from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SEED = 40_000
"""of the first sequence"""


def rendered(size: tuple[int, int], seed: int = SEED) -> WorldSequence:
    """A rendered sequence of images of ``size`` (height, width)."""
    return WorldSequence(seed, WorldOptions(size=size))
