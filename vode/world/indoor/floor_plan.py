"""Rooms of a building: their walls with doors and windows, and where on the floor something stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from vode.world.mesh import Mesh, join, quad, quads
from vode.world.objects.indoor.parts import Block, blocks

CELL = 0.1
"""size of a cell of the floor plan in metres"""
SIDES = range(4)
"""walls of a room: at its least z, greatest x, greatest z and least x"""
INWARD = (0.0, -np.pi / 2, np.pi, np.pi / 2)
"""yaw of what stands with its back at each of them"""


@dataclass(frozen=True)
class Opening:
    """A hole in a wall of a room."""

    side: int
    low: float
    high: float
    """extent along the wall: x of the map for sides 0 and 2, z for 1 and 3"""
    bottom: float = 0.0
    top: float = 2.05
    depth: float = 0.0
    """metres that its lining reaches out of the room, through the wall"""

    @property
    def window(self) -> bool:
        """Whether it is a window rather than a doorway."""
        return self.bottom > 0.01


@dataclass
class Room:
    """A rectangular room."""

    kind: str
    x: tuple[float, float]
    z: tuple[float, float]
    height: float = 2.6
    openings: list[Opening] = field(default_factory=list)

    def point(self, side: int, along: float, off: float = 0.0) -> tuple[float, float]:
        """x and z of a point ``off`` metres before a wall."""
        if side in (0, 2):
            return along, (self.z[0] + off if side == 0 else self.z[1] - off)
        return (self.x[0] + off if side == 3 else self.x[1] - off), along

    def span(self, side: int) -> tuple[float, float]:
        """Extent of a wall along itself: x of the map for sides 0 and 2, z for 1 and 3."""
        return self.x if side in (0, 2) else self.z

    def distance_within(self, x: float, z: float) -> float:
        """How far a point is from the nearest wall; negative outside."""
        return min(x - self.x[0], self.x[1] - x, z - self.z[0], self.z[1] - z)


@dataclass(frozen=True)
class Surfaces:
    """Materials of a room."""

    floor: int
    wall: int
    ceiling: int
    lining: int
    """of skirting boards and of openings"""
    dado: int | None = None
    """of the lower part of the walls, if that differs"""
    dado_height: float = 1.1


def shell(room: Room, surfaces: Surfaces) -> Mesh:
    """Floor, ceiling and walls of a room, with the lining of its openings and skirting boards."""
    (x0, x1), (z0, z1), h = room.x, room.z, room.height
    flat = np.array([[x0, 0, z0], [x1, 0, z0], [x1, 0, z1], [x0, 0, z1]])
    parts = [
        quad(flat, surfaces.floor, uv=flat[:, [0, 2]]),
        quad(flat - [0, h, 0], surfaces.ceiling, uv=flat[:, [0, 2]]),
    ]
    for side in SIDES:
        holes = sorted((o for o in room.openings if o.side == side), key=lambda o: o.low)
        parts += [_wall(room, side, holes, surfaces)]
        parts += [_lining(room, hole, surfaces.lining) for hole in holes if hole.depth > 0]
    return join(parts)


def _wall(room: Room, side: int, holes: list[Opening], surfaces: Surfaces) -> Mesh:
    (low, high), height = room.span(side), room.height
    edges = [low, *(x for hole in holes for x in (hole.low, hole.high)), high]
    rectangles = [(a, b, 0.0, height) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    boards = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 0.02]
    for hole in holes:
        rectangles += [(hole.low, hole.high, 0.0, hole.bottom), (hole.low, hole.high, hole.top, height)]
        if hole.window:
            boards += [(hole.low, hole.high)]
    upper, lower = rectangles, []
    if surfaces.dado is not None:
        level = surfaces.dado_height
        lower = [(a, b, y0, min(y1, level)) for a, b, y0, y1 in rectangles if y0 < level]
        upper = [(a, b, max(y0, level), y1) for a, b, y0, y1 in rectangles if y1 > level]
    parts = [
        _upright(room, side, rows, material) for rows, material in ((upper, surfaces.wall), (lower, surfaces.dado))
    ]
    skirting: list[Block] = []
    for a, b in boards:
        x, z = room.point(side, (a + b) / 2, 0.008)
        wide, deep = (b - a, 0.016) if side in (0, 2) else (0.016, b - a)
        skirting += [(surfaces.lining, x, 0, z, wide, 0.08, deep)]
    return join([*parts, blocks(skirting)] if skirting else parts)


def _upright(room: Room, side: int, rectangles: Sequence[tuple[float, ...]], material: int | None) -> Mesh:
    """Pieces (from, to, bottom, top) of one wall."""
    rows = [r for r in rectangles if r[1] - r[0] > 1e-3 and r[3] - r[2] > 1e-3]
    if not rows or material is None:
        return join([])
    uv = np.array([[(a, y0), (b, y0), (b, y1), (a, y1)] for a, b, y0, y1 in rows])
    corners = np.zeros((len(rows), 4, 3))
    x, z = room.point(side, 0.0)
    corners[..., 0], corners[..., 2] = (uv[..., 0], z) if side in (0, 2) else (x, uv[..., 0])
    corners[..., 1] = -uv[..., 1]
    return quads(corners, material, uv=uv)


def _lining(room: Room, hole: Opening, material: int) -> Mesh:
    """The four sides of a hole through a wall."""
    square = [(hole.low, hole.bottom), (hole.high, hole.bottom), (hole.high, hole.top), (hole.low, hole.top)]
    near, far = (np.array([(x, -y, z) for along, y in square for x, z in [room.point(hole.side, along, off)]])
                 for off in (0.0, -hole.depth))  # fmt: skip
    corners = np.stack([near, np.roll(near, -1, 0), np.roll(far, -1, 0), far], 1)
    length = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    uv = np.zeros((4, 4, 2))
    uv[:, 1:3, 0], uv[:, 2:, 1] = length[:, None], hole.depth
    return quads(corners, material, uv=uv)


def connect(first: Room, second: Room, side: int, span: tuple[float, float], top: float) -> None:
    """A doorway from one room to the next, through the wall at ``side`` of the first."""
    gap = {
        0: first.z[0] - second.z[1],
        1: second.x[0] - first.x[1],
        2: second.z[0] - first.z[1],
        3: first.x[0] - second.x[1],
    }
    first.openings.append(Opening(side, *span, top=top, depth=max(gap[side], 1e-3)))
    second.openings.append(Opening((side + 2) % 4, *span, top=top))


class FloorPlan:
    """How high the things on the floor reach, cell by cell: infinitely outside of rooms."""

    def __init__(self, rooms: list[Room]) -> None:
        self.rooms = rooms
        low = np.array([min(r.x[0] for r in rooms), min(r.z[0] for r in rooms)]) - 0.5
        high = np.array([max(r.x[1] for r in rooms), max(r.z[1] for r in rooms)]) + 0.5
        self.origin = low
        self.tops = np.full(tuple(np.ceil((high - low) / CELL).astype(int)), np.inf)
        self.reserved = np.zeros(self.tops.shape, bool)
        """cells at doors that must stay free"""
        for room in rooms:
            self.tops[self._inner(room.x, room.z)] = 0.0
        for room in rooms:
            for hole in room.openings:
                if not hole.window:
                    self._doorway(room, hole)

    def _doorway(self, room: Room, hole: Opening) -> None:
        wide = hole.high - hole.low
        ends = [room.point(hole.side, hole.low, -hole.depth - 0.1), room.point(hole.side, hole.high, 0.1)]
        x, z = (tuple(sorted(pair)) for pair in zip(*ends, strict=True))
        self.tops[self._inner(x, z)] = 0.0
        ends = [room.point(hole.side, hole.low - 0.05), room.point(hole.side, hole.high + 0.05, min(0.9, wide))]
        x, z = (tuple(sorted(pair)) for pair in zip(*ends, strict=True))
        self.reserved[self._outer(x, z)] = True

    def _inner(self, x: tuple[float, ...], z: tuple[float, ...]) -> tuple[slice, slice]:
        """Cells that lie within a rectangle."""
        (i0, i1), (j0, j1) = ((np.array(s) - o) / CELL for s, o in zip((x, z), self.origin, strict=True))
        return slice(max(int(np.ceil(i0 - 1e-6)), 0), int(i1 + 1e-6)), slice(
            max(int(np.ceil(j0 - 1e-6)), 0), int(j1 + 1e-6)
        )

    def _outer(self, x: tuple[float, ...], z: tuple[float, ...]) -> tuple[slice, slice]:
        """Cells that a rectangle touches."""
        (i0, i1), (j0, j1) = ((np.array(s) - o) / CELL for s, o in zip((x, z), self.origin, strict=True))
        return slice(max(int(i0 + 1e-6), 0), int(np.ceil(i1 - 1e-6))), slice(
            max(int(j0 + 1e-6), 0), int(np.ceil(j1 - 1e-6))
        )

    def stand(
        self, room: Room, x: tuple[float, float], z: tuple[float, float], top: float, *, tuck: float = 0.0
    ) -> bool:
        """Occupy a rectangle, unless it is occupied, outside the room, or cuts off a door; whether that was possible.

        It may reach ``tuck`` metres into what stands there, as a chair beneath a table.
        """
        middle = (
            room.x[0] - 0.06 <= x[0]
            and x[1] <= room.x[1] + 0.06
            and room.z[0] - 0.06 <= z[0]
            and z[1] <= room.z[1] + 0.06
        )
        cells, core = self._outer(x, z), self._outer((x[0] + tuck, x[1] - tuck), (z[0] + tuck, z[1] - tuck))
        here = self.tops[core]
        if not middle or here.size == 0 or self.reserved[cells].any() or (here[np.isfinite(here)] > 0.02).any():
            return False
        before = self.tops[cells].copy()
        self.tops[cells] = np.maximum(before, top)
        if self._passable(room):
            return True
        self.tops[cells] = before
        return False

    def _passable(self, room: Room) -> bool:
        """Whether every door of a room can be reached from every other."""
        cells = self._outer(room.x, room.z)
        free = cv2.distanceTransform((self.tops[cells] < 0.02).astype(np.uint8), cv2.DIST_L2, 5) * CELL > 0.4
        count, parts = cv2.connectedComponents(free.astype(np.uint8))
        if count <= 2:
            return count == 2
        if not self.reserved[cells].any():
            sizes = np.bincount(parts.ravel())[1:]
            return bool(sizes.max() > 0.8 * sizes.sum())
        doors, at_doors = cv2.connectedComponents(self.reserved[cells].astype(np.uint8))
        met = [set(parts[at_doors == k].tolist()) - {0} for k in range(1, doors)]
        return bool(set.intersection(*met))

    def free(self) -> np.ndarray:
        """Cells (M, N) on which one can walk: where nothing reaches higher than 2 cm."""
        return self.tops <= 0.02
