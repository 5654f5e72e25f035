"""Places recognised by descriptors of whole keyframes, on a vocabulary made from the video itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.odometry.loop_closure.keyframes import root_sift
from vode.odometry.options import LoopOptions

SAMPLE = 20_000
"""features that a vocabulary is made from, at most"""
ROUNDS = 10
"""of k-means"""
FITTED = 500
"""keyframes that the principal components are computed from, at most"""
SETTLED = 2000
"""keyframes from which on a vocabulary stays as it is"""
LEAST_SIMILAR = 0.1
"""cosine of two descriptors below which a place is no candidate"""


class Vocabulary:
    """Centres of k-means, and principal components of the keyframes described by them (VLAD).

    Jegou, Douze, Schmid, Perez, CVPR 2010; every centre's part is normalised (Arandjelovic, Zisserman, CVPR 2013).
    """

    def __init__(self, features: list[np.ndarray], words: int, dimensions: int, seed: int = 0) -> None:
        """``features`` are SIFT descriptors (N, 128) uint8 of each keyframe."""
        rng = np.random.default_rng(seed)
        each = max(SAMPLE // len(features), 1)
        picked = [x if len(x) <= each else x[rng.choice(len(x), each, replace=False)] for x in features]
        self._centres = _cluster(root_sift(np.concatenate(picked)), words, rng)
        some = features if len(features) <= FITTED else [features[k] for k in rng.choice(len(features), FITTED, False)]
        described = np.stack([self._residuals(x) for x in some])
        self._mean = described.mean(0)
        _, _, components = np.linalg.svd(described - self._mean, full_matrices=False)
        self._components = components[:dimensions].T.copy()

    def describe(self, features: np.ndarray) -> np.ndarray:
        """Unit descriptor (D,) float32 of a keyframe's features (N, 128); zero, which is like nothing, without any."""
        if not len(features):
            return np.zeros(self._components.shape[1], np.float32)
        return _unit((self._residuals(features) - self._mean) @ self._components)

    def _residuals(self, features: np.ndarray) -> np.ndarray:
        """Sums (words * 128,) of what features differ by from their nearest centre."""
        values, centres = root_sift(features), self._centres
        members = _members(values, centres)
        sums = members.T @ values - members.sum(0)[:, None] * centres
        return _unit(_unit(sums).ravel())


class Places:
    """The places of a video's keyframes; the vocabulary is made anew each time they have doubled, up to ``SETTLED``."""

    def __init__(self, options: LoopOptions = LoopOptions()) -> None:
        self._options = options
        self._features: list[np.ndarray] = []
        self._descriptors = np.zeros((0, 0), np.float32)
        self._vocabulary: Vocabulary | None = None
        self._made = 0

    def __len__(self) -> int:
        return len(self._features)

    def add(self, features: np.ndarray, lost: int = 0, again: Sequence[int] = ()) -> list[int]:
        """A keyframe by its SIFT descriptors (N, 128): the numbers of those before it that look alike, the best first.

        They are at least ``gap`` keyframes earlier, or among the first ``lost``, after which the way was lost; and
        their neighbours look alike too. Keyframes ``again`` show places that earlier ones stand for, and are left out.
        """
        self._features.append(features)
        count = len(self._features)
        oldest = max(count - 1 - self._options.gap, lost - 1)
        if oldest <= 0:
            return []
        if self._made < SETTLED and count >= 2 * self._made and sum(map(len, self._features)) > self._options.words:
            self._vocabulary = Vocabulary(self._features, self._options.words, self._options.dimensions)
            self._descriptors, self._made = np.stack([self._vocabulary.describe(x) for x in self._features]), count
        elif self._vocabulary is not None:
            self._grow(count, self._vocabulary.describe(features))
        return [] if self._vocabulary is None else self._alike(count - 1, oldest, again)

    def _grow(self, count: int, descriptor: np.ndarray) -> None:
        """Put the newest descriptor into an array that doubles when it is full."""
        if count > len(self._descriptors):
            room = np.zeros((count, self._descriptors.shape[1]), np.float32)
            self._descriptors = np.concatenate([self._descriptors, room])
        self._descriptors[count - 1] = descriptor

    def _alike(self, newest: int, oldest: int, again: Sequence[int]) -> list[int]:
        similar = self._descriptors[: oldest + 1] @ self._descriptors[newest]
        # a place is seen from its neighbours too; what only one keyframe resembles is chance
        padded = np.pad(similar, 1, mode="edge")
        agreed = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
        agreed[[k for k in again if k <= oldest]] = -1
        found: list[int] = []
        for place in np.argsort(-agreed):
            if agreed[place] < LEAST_SIMILAR or len(found) == self._options.candidates:
                break
            if all(abs(int(place) - other) > 1 for other in found):
                found.append(int(place))
        return found


def _cluster(values: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Centres (count, D) of k-means, begun at values drawn at random."""
    centres = values[rng.choice(len(values), count, replace=False)]
    for _ in range(ROUNDS):
        members = _members(values, centres)
        counts = members.sum(0)[:, None]
        centres = np.where(counts > 0, members.T @ values / np.maximum(counts, 1), centres)
    return centres


def _members(values: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Which centre is nearest to each of N values, as ones among zeros: (N, count) float32."""
    nearest = np.argmax(values @ centres.T - 0.5 * np.square(centres).sum(1), 1)
    return np.eye(len(centres), dtype=np.float32)[nearest]


def _unit(values: np.ndarray) -> np.ndarray:
    return values / np.maximum(np.linalg.norm(values, axis=-1, keepdims=True), 1e-12)
