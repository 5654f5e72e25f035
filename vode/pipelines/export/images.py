"""Rendered images that exported graphs are compared, calibrated and scored on."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from vode.recipes.supervised import EVERYWHERE
from vode.world.options import KINDS, WorldOptions
from vode.world.sequence import WorldSequence

SEED = 40_000
"""of the first sequence"""
PLACES, TIMES = 2, (0, 10)
"""places of each kind, and the frames that are seen there"""


class Sample(NamedTuple):
    """An image and what is true of it."""

    image: Tensor
    """(1, 3, H, W) in 0..1"""
    focal: float
    """vertical, pixels"""
    depth: Tensor
    """(1, 1, H, W), metres"""


def rendered(size: tuple[int, int], seed: int = SEED) -> WorldSequence:
    """A rendered sequence of images of ``size`` (height, width)."""
    return WorldSequence(seed, WorldOptions(size=size))


def everywhere(size: tuple[int, int], seed: int) -> list[Sample]:
    """Images of ``size`` (height, width) of places of all kinds, from this seed on, by cameras of many kinds."""
    samples = []
    for kind in KINDS:
        options = replace(EVERYWHERE, size=size, frames=TIMES[-1] + 1, scenes=(kind,))
        for place in range(PLACES):
            sequence = WorldSequence(seed + place, options)
            focal = float(sequence.intrinsics[1, 1])
            samples += [Sample(sequence.frame(i)[None], focal, sequence.depth(i)[None]) for i in TIMES]
    return samples
