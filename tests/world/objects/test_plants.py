"""Foliage: colours that leaves have."""

from __future__ import annotations

import numpy as np
import pytest

from vode.world.materials import Palette, Pattern
from vode.world.objects import plants
from vode.world.objects.shapes import Maker


def leaves(make: Maker, seeds: range) -> np.ndarray:
    """Reflectances (N, 3) of foliage."""
    palette = Palette()
    for seed in seeds:
        make(np.random.default_rng(seed), palette)
    table = palette.table()
    return table.values[table.pattern == int(Pattern.LEAVES), :3].numpy()


def test_leaves_are_as_bright_as_leaves_are_and_a_tenth_in_autumn_colours() -> None:
    red, green, _ = leaves(lambda rng, palette: plants.hedge(rng, palette, 4.0), range(400)).T
    autumn = red > green
    assert 0.05 < autumn.mean() < 0.15
    assert green[~autumn].min() > 0.18
    assert green[~autumn].max() < 0.45


def test_conifers_are_darker() -> None:
    red, green, blue = leaves(plants.conifer, range(100)).T
    assert (green > np.maximum(red, blue)).all()
    assert green.min() > 0.10
    assert green.max() < 0.30
    assert green.mean() == pytest.approx(0.19, abs=0.03)
