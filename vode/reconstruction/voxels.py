"""Points averaged in the cells of a grid, as many as there may be, with memory for the cells alone."""

from __future__ import annotations

import numpy as np

BITS = 21
"""of a cell's number along each axis"""
PENDING = 1_000_000
"""points that are gathered before they are merged"""


class VoxelGrid:
    """Means of points and of their colours in cells of side ``voxel``.

    The side doubles while there are more than ``most`` cells, so that memory is bounded whatever is added.
    """

    def __init__(self, voxel: float, most: int) -> None:
        self.voxel, self.most = voxel, most
        self._sums, self._counts = np.zeros((0, 6)), np.zeros(0, np.int64)
        self._pending: list[np.ndarray] = []
        self._waiting = 0

    def add(self, points: np.ndarray, colors: np.ndarray) -> None:
        """Add points (N, 3) and their RGB (N, 3) in 0..255."""
        self._pending.append(np.concatenate([points, colors], 1).astype(np.float64))
        self._waiting += len(points)
        if self._waiting > PENDING:
            self._merge()

    def cloud(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points (M, 3) float32, RGB (M, 3) uint8, and how many points each is the mean of (M,)."""
        self._merge()
        means = self._sums / self._counts[:, None]
        return means[:, :3].astype(np.float32), means[:, 3:].round().clip(0, 255).astype(np.uint8), self._counts

    def _merge(self) -> None:
        values = np.concatenate([self._sums, *self._pending])
        ones = np.ones(self._waiting, np.int64)
        self._bin(values, np.concatenate([self._counts, ones]))
        self._pending, self._waiting = [], 0
        while len(self._counts) > self.most:
            self.voxel *= 2
            self._bin(self._sums, self._counts)

    def _bin(self, sums: np.ndarray, counts: np.ndarray) -> None:
        cells = np.floor(sums[:, :3] / counts[:, None] / self.voxel).astype(np.int64)
        half = 1 << (BITS - 1)
        cells = cells.clip(-half, half - 1) + half
        keys = (cells[:, 0] << 2 * BITS) | (cells[:, 1] << BITS) | cells[:, 2]
        kept, index = np.unique(keys, return_inverse=True)
        self._sums = np.stack([np.bincount(index, column, len(kept)) for column in sums.T], 1)
        self._counts = np.bincount(index, counts, len(kept)).astype(np.int64)
