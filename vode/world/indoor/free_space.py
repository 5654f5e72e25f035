"""Where one can walk on a floor plan, and paths through it that keep clear of things."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, label, map_coordinates
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import dijkstra

from vode.errors import InputError
from vode.world.motions import arc_lengths, resampled


class FreeSpace:
    """Where a camera may be on a floor plan, and paths through it that keep clear of things."""

    def __init__(self, free: np.ndarray, origin: np.ndarray, cell: float, clearance: float = 0.32) -> None:
        """``free`` (M, N) are the cells along x and z, of ``cell`` metres from ``origin`` on, where nothing stands."""
        self.origin, self.cell, self.least = origin, cell, clearance
        self.clearance = (distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] - 0.5) * cell
        parts, count = label(self.clearance >= clearance, np.ones((3, 3)))
        if count == 0:
            raise InputError(f"free space: no place has {clearance} m of clearance; remove obstacles", "free")
        self.open = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
        """cells of the largest connected part that keeps clear"""
        self._graph = self._connections()

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Metres (N,) from points (N, 2) to the nearest thing."""
        at = (points - self.origin) / self.cell - 0.5
        return map_coordinates(self.clearance, at.T, order=1, mode="nearest")

    def points(self) -> np.ndarray:
        """Centres (N, 2) of all open cells."""
        return self.origin + (np.argwhere(self.open) + 0.5) * self.cell

    def route(self, stops: np.ndarray, *, closed: bool = False) -> np.ndarray:
        """A smooth path (N, 2) that passes near every stop (K, 2) in turn, and back to the first if ``closed``."""
        places = np.argwhere(self.open)
        centres = self.origin + (places + 0.5) * self.cell
        nodes = [int(np.argmin(((centres - stop) ** 2).sum(1))) for stop in stops]
        order = [nodes[0]] + [n for a, n in pairwise(nodes) if n != a]
        if closed:
            order.append(order[0])
        sources = sorted(set(order))
        before = dijkstra(self._graph, directed=False, indices=sources, return_predecessors=True)[1]
        trail = [order[0]]
        for start, end in pairwise(order):
            leg, back = [end], before[sources.index(start)]
            while leg[-1] != start:
                leg.append(int(back[leg[-1]]))
            trail += leg[-2::-1] if len(leg) > 1 else []
        return self._smooth(resampled(centres[trail], self.cell), closed)

    def stroll(self, rng: np.random.Generator, metres: float) -> np.ndarray:
        """A path (N, 2) of at least so many metres through random places, over and over where there is little room."""
        points = self.points()
        stops = points[rng.integers(len(points), size=int(np.clip(metres / 2, 3, 16)))]
        path = self.route(stops, closed=True)
        length = max(float(arc_lengths(path)[-1]), 0.5)
        return np.concatenate([path, *[path[1:]] * int(metres / length)])

    def _connections(self) -> csr_matrix:
        """Neighbouring open cells and the cost from one to the next: its length, more where it is narrow."""
        number = np.full(self.open.shape, -1)
        number[self.open] = np.arange(int(self.open.sum()))
        price = 1 + 3 * (0.8 - self.clearance).clip(0)
        rows, columns, costs = [], [], []
        for i, j in ((1, 0), (0, 1), (1, 1), (1, -1)):
            here = number[: number.shape[0] - i, max(0, -j) : number.shape[1] - max(0, j)]
            there = number[i:, max(0, j) : number.shape[1] + min(0, j)]
            both = (here >= 0) & (there >= 0)
            a, b = here[both], there[both]
            flat = price[self.open]
            rows.append(a)
            columns.append(b)
            costs.append(np.hypot(i, j) * self.cell * (flat[a] + flat[b]) / 2)
        count = int(self.open.sum())
        return coo_matrix(
            (np.concatenate(costs), (np.concatenate(rows), np.concatenate(columns))), (count, count)
        ).tocsr()

    def _smooth(self, path: np.ndarray, closed: bool) -> np.ndarray:
        """A path pulled straight and rounded as far as its clearance allows."""
        if len(path) < 4:
            return path
        for _ in range(120):
            if closed:
                ring = path[:-1]
                pulled = 0.5 * ring + 0.25 * (np.roll(ring, 1, 0) + np.roll(ring, -1, 0))
                pulled = np.concatenate([pulled, pulled[:1]])
            else:
                pulled = path.copy()
                pulled[1:-1] = 0.5 * path[1:-1] + 0.25 * (path[2:] + path[:-2])
            path = np.where((self.distance(pulled) >= self.least - 0.02)[:, None], pulled, path)
        path = resampled(path, 0.05)
        if closed:
            ring = gaussian_filter1d(path[:-1], 3.0, axis=0, mode="wrap")
            return np.concatenate([ring, ring[:1]])
        return gaussian_filter1d(path, 3.0, axis=0, mode="nearest")
