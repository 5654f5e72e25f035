"""Names on the sides of vehicles, in strokes that are seen from nearby."""

from __future__ import annotations

import numpy as np

from vode.world.mesh import EMPTY, Mesh, quads

# strokes of a cell of width 0.55 and height 1: (left, bottom, right, top)
_STROKES = {
    "a": (0.0, 0.86, 0.55, 1.0),
    "b": (0.42, 0.5, 0.55, 1.0),
    "c": (0.42, 0.0, 0.55, 0.5),
    "d": (0.0, 0.0, 0.55, 0.14),
    "e": (0.0, 0.0, 0.13, 0.5),
    "f": (0.0, 0.5, 0.13, 1.0),
    "g": (0.0, 0.43, 0.55, 0.57),
    "i": (0.21, 0.0, 0.34, 1.0),
}
_LETTERS = ("abcefg", "adefg", "bcefg", "def", "abcdef", "ai", "bcdef", "acdfg", "abefg", "i", "abcef", "adef", "aefg")
PITCH = 0.75
"""heights from one letter to the next"""


def lettering(rng: np.random.Generator, material: int, length: float, height: float) -> Mesh:
    """A word of at most ``length`` metres in letters ``height`` metres high, upright at x = 0 and seen from +x.

    It is centred on z = 0 and stands on y = 0.
    """
    count = min(int(length / (PITCH * height)), int(rng.integers(4, 12)))
    strokes = [(PITCH * k, *_STROKES[s]) for k in range(count) for s in _LETTERS[int(rng.integers(len(_LETTERS)))]]
    if not strokes:
        return EMPTY
    start, left, bottom, right, top = np.array(strokes).T
    z = np.stack([start + left, start + right, start + right, start + left], 1) - PITCH * count / 2
    corners = np.stack([np.zeros_like(z), -np.stack([bottom, bottom, top, top], 1), z], -1) * height
    mesh = quads(corners, material)
    return mesh._replace(normals=np.tile(np.array([1.0, 0.0, 0.0], np.float32), (len(mesh.vertices), 1)))
