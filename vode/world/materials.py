"""Materials of the built-in world: what a surface looks like, as rows of one table a scene."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor


class Pattern(IntEnum):
    """What is drawn on a surface, laid out by its uv in metres."""

    PLAIN = 0
    WINDOWS = 1
    """panes, ``pitch`` from each to the next across and up, in ``second``"""
    BRICKS = 2
    """courses of bricks ``pitch`` long and high, joints in ``second``"""
    TILES = 3
    """a lattice of lines ``pitch`` apart, the lines in ``second``"""
    PLANKS = 4
    """boards ``pitch[0]`` wide along v, each of its own shade"""
    STRIPES = 5
    """bands along v, ``pitch[0]`` wide, every other in ``second``"""
    ROAD = 6
    """a road whose u is metres right of its middle: lanes ``pitch[0]`` wide, half of it ``pitch[1]`` wide; lines in
    ``second``, dashed between lanes, solid at the edges"""
    CHECKS = 7
    """squares of ``pitch``, every other in ``second``"""
    SPOTS = 8
    """irregular patches of about ``pitch[0]`` in ``second``, as in camouflage, rugs and pictures"""
    LEAVES = 9
    """foliage: deep contrast, which clumps at ``pitch[0]``"""
    PARKING = 10
    """bays ``pitch[0]`` wide in u and ``pitch[1]`` deep in v, lines in ``second``"""


Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """The look of a surface; colours are reflectances in 0..1."""

    colour: Colour
    pattern: Pattern = Pattern.PLAIN
    second: Colour = (0.0, 0.0, 0.0)
    """the pattern's other colour"""
    pitch: tuple[float, float] = (1.0, 1.0)
    """size of the pattern in metres"""
    noise: float = 0.25
    """strength of the irregularities that every surface has, down to a pixel"""
    gloss: float = 0.0
    """0 = dull; 1 = a mirror, as glass and paint reflect the sky, and a wet road what stands on it"""
    emission: float = 0.0
    """light that it gives out, in units of the white of an image"""


class Palette:
    """Collects the materials of a scene; equal ones are one row."""

    def __init__(self) -> None:
        self._rows: dict[Material, int] = {}

    def add(self, material: Material) -> int:
        """The row of a material."""
        return self._rows.setdefault(material, len(self._rows))

    def plain(self, colour: Colour, *, noise: float = 0.25, gloss: float = 0.0) -> int:
        """The row of a material without a pattern."""
        return self.add(Material(colour, noise=noise, gloss=gloss))

    def table(self, device: torch.device | str | None = None) -> Table:
        """All rows as tensors."""
        return Table(tuple(self._rows), device)


class Table:
    """Materials as tensors, a row each."""

    def __init__(self, rows: tuple[Material, ...], device: torch.device | str | None = None) -> None:
        def column(values: list) -> Tensor:
            return torch.tensor(np.array(values), device=device)

        floats = np.array(
            [(*m.colour, *m.second, *m.pitch, m.noise, m.gloss, m.emission) for m in rows], dtype=np.float32
        ).reshape(-1, 11)
        self.values = torch.tensor(floats, device=device)
        """(M, 11): colour, second colour, pitch, noise, gloss, emission"""
        self.pattern = column([int(m.pattern) for m in rows])
        """(M,) of ``Pattern``"""
        self.patterns = frozenset(m.pattern for m in rows)
