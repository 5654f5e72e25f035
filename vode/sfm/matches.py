"""Which images of a walk are matched with which, and what their matches tell of a walk that cannot be mapped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

BLURRED = 2.5
"""pixels that edges are wide; sharp photographs have 1.1 to 1.7"""
FEATURES = 150
"""in an image, to be mapped"""
MATCHES = 30
"""with the next image, likewise: as many as registering an image takes"""
STILL = 1.0
"""pixels that the features of a camera at rest move by"""
TURNING = 0.002
"""of the width: parallax, beside any turn of the camera, that is too little to tell a depth"""
VIEWS = range(30, 121, 10)
"""degrees of horizontal field of view that a turning camera may have"""
SAMPLE = 12
"""pairs of images that parallax is measured on"""

Pair = tuple[int, int]


class Evidence(NamedTuple):
    """What the images and their matches are like."""

    size: tuple[int, int]
    """(height, width) of the images"""
    blur: float
    """pixels that edges are wide, the median"""
    features: tuple[int, ...]
    """of each image"""
    matches: Mapping[Pair, tuple[np.ndarray, np.ndarray]]
    """pixels (M, 2) of the matches of pairs of images that their geometry confirms"""


def pairs_to_match(count: int, *, overlap: int, everything: int) -> list[Pair]:
    """Each image with the next ``overlap`` and those 2, 4, 8, ... ahead, and ``everything`` evenly spread ones, which
    are all if there are no more, with one another: so that loops close wherever a walk returns to.
    """
    ahead = {*range(1, overlap + 1), *(2**k for k in range(count.bit_length()))}
    pairs = {(i, i + d) for i in range(count) for d in ahead if i + d < count}
    spread = np.unique(np.linspace(0, count - 1, min(everything, count)).round().astype(int)).tolist()
    pairs |= {(i, j) for at, i in enumerate(spread) for j in spread[at + 1 :]}
    return sorted(pairs)


def why_not(evidence: Evidence) -> str | None:
    """What keeps such images from being mapped, and the remedy; None if they look as if they could be."""
    # A frame without any edge is empty rather than blurred.
    blurred = BLURRED < evidence.blur < np.inf
    soft = f"blurred (edges {evidence.blur:.1f} pixels wide); film in more light, move slowly, focus"
    features, neighbours = float(np.median(evidence.features)), neighbour_matches(evidence)
    if features < FEATURES:
        few = f"too little to see in its frames (median {features:.0f} features of {FEATURES} that are needed)"
        return soft if blurred else f"{few}; film what has texture, in more light"
    moved = motion(evidence)
    if moved is not None and moved < STILL:
        return f"no motion between its frames (median {moved:.1f} px); film while walking"
    if neighbours < MATCHES:
        few = f"too few matches (median {neighbours:.0f} between neighbours; {MATCHES} are needed)"
        return soft if blurred else f"{few}; film more slowly, or take more frames with a smaller step"
    shift = parallax(evidence)
    if shift is not None and shift < TURNING * evidence.size[1]:
        return f"the camera only turns (parallax {shift:.1f} px); walk sideways while filming"
    return None


def neighbour_matches(evidence: Evidence) -> float:
    """The median number of confirmed matches of an image with the next."""
    none = np.empty((0, 2)), np.empty((0, 2))
    counts = [len(evidence.matches.get((i, i + 1), none)[0]) for i in range(len(evidence.features) - 1)]
    return float(np.median(counts)) if counts else 0.0


def motion(evidence: Evidence) -> float | None:
    """Pixels that features move by between two images, the median of a pair, in the pairs that move most.

    None if no pair has enough matches.
    """
    pairs = _moving(evidence)
    return float(np.median([moved for moved, *_ in pairs])) if pairs else None


def parallax(evidence: Evidence) -> float | None:
    """Pixels that remain of that motion when a turn of the camera, of whatever focal length, is taken out.

    None if no pair has enough matches.
    """
    pairs = _moving(evidence)[:: max(len(_moving(evidence)) // SAMPLE, 1)]
    left = [np.median([_beside_turn(a, b, evidence.size, view) for _, a, b in pairs]) for view in VIEWS]
    return float(min(left)) if pairs else None


def _moving(evidence: Evidence) -> list[tuple[float, np.ndarray, np.ndarray]]:
    """The quarter of the pairs with enough matches that moves most: how far, and the matches."""
    pairs = [
        (float(np.median(np.linalg.norm(b - a, axis=1))), a, b)
        for a, b in evidence.matches.values()
        if len(a) >= MATCHES
    ]
    pairs.sort(key=lambda pair: -pair[0])
    return pairs[: -(-len(pairs) // 4)]


def _beside_turn(a: np.ndarray, b: np.ndarray, size: tuple[int, int], view: float) -> float:
    """Median distance in pixels of matches (M, 2) after the turn that fits most of them."""
    height, width = size
    focal = width / 2 / np.tan(np.radians(view) / 2)
    rays = [np.c_[(x - [width / 2, height / 2]) / focal, np.ones(len(x))] for x in (a, b)]
    rays_a, rays_b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in rays)
    kept = np.ones(len(a), dtype=bool)
    for _ in range(5):
        U, _, Vt = np.linalg.svd(rays_b[kept].T @ rays_a[kept])
        U[:, 2] *= np.linalg.det(U @ Vt)
        left = focal * np.linalg.norm(rays_b - rays_a @ (U @ Vt).T, axis=1)
        kept = left <= 2 * np.median(left)
    return float(np.median(left))
