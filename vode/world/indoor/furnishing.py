"""Puts furniture into rooms: against walls, in the middle, on walls and on tables, without things in each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vode.world.indoor.floor_plan import CELL, INWARD, SIDES, FloorPlan, Room
from vode.world.materials import Palette
from vode.world.mesh import Mesh, join, place
from vode.world.objects.indoor import clutter
from vode.world.objects.indoor.parts import extent
from vode.world.objects.shapes import Maker

Spot = tuple[float, float, float]
"""x, z and yaw"""


class Furnishing:
    """Collects what stands in the rooms of a floor plan."""

    def __init__(self, rng: np.random.Generator, palette: Palette, plan: FloorPlan) -> None:
        self.rng, self.palette, self.plan = rng, palette, plan
        self.parts: list[Mesh] = []
        self.lamps: list[tuple[float, float, float]] = []
        """points that light comes from"""
        self.targets: list[tuple[float, float, float]] = []
        """points worth looking at: x, height and z of laden tables"""
        self._stock: dict[Maker, list[Mesh]] = {}
        self._hung: list[tuple[Room, int, float, float, float]] = []

    def make(self, maker: Maker) -> Mesh:
        """An object of a kind."""
        return maker(self.rng, self.palette)

    def put(self, mesh: Mesh, spot: Spot, height: float = 0.0) -> None:
        """Place something without checking that there is room."""
        self.parts.append(place(mesh, (spot[0], -height, spot[1]), yaw=spot[2]))

    def stocked(self, maker: Maker) -> Mesh:
        """One of at most three objects of a kind, each of which is used many times."""
        stock = self._stock.setdefault(maker, [])
        if (len(stock) < 3 and self.rng.random() < 0.6) or not stock:
            stock.append(self.make(maker))
        return stock[int(self.rng.integers(len(stock)))]

    def scattered(self, size: tuple[float, float], makers: Sequence[Maker], count: int) -> Mesh:
        """Small things on a rectangle of width and depth about the origin."""
        chosen = (self.stocked(makers[int(self.rng.integers(len(makers)))]) for _ in range(count))
        return clutter.scatter(self.rng, size, chosen)

    def laden(self, mesh: Mesh, makers: Sequence[Maker], count: int) -> Mesh:
        """Furniture with things on its top."""
        x0, x1, z0, z1, top = extent(mesh)
        things = self.scattered((x1 - x0, z1 - z0), makers, count)
        things = place(things, ((x0 + x1) / 2, -top, (z0 + z1) / 2))
        return join([mesh, things])

    def stand(self, room: Room, mesh: Mesh, spot: Spot, *, tuck: float = 0.0) -> bool:
        """Place something on the floor, at most ``tuck`` metres beneath other things; whether there was room."""
        x0, x1, z0, z1, top = extent(place(mesh, (spot[0], 0, spot[1]), yaw=spot[2]))
        if not self.plan.stand(room, (x0, x1), (z0, z1), top, tuck=tuck):
            return False
        self.put(mesh, spot)
        return True

    def against(self, room: Room, mesh: Mesh, side: int | None = None, tries: int = 8) -> Spot | None:
        """Place something with its back at a wall, and return its spot; None if no place is found."""
        x0, x1, z0, _, top = extent(mesh)
        for _ in range(tries):
            wall = int(self.rng.integers(4)) if side is None else side
            first, last = room.span(wall)
            first, last = first - x0 + 0.03, last - x1 - 0.03
            if first > last:
                continue
            corner = self.rng.random()
            along = first if corner < 0.2 else last if corner > 0.8 else self.rng.uniform(first, last)
            taken = [(o.low, o.high) for o in room.openings if o.side == wall and o.window and o.bottom < top]
            taken += [(a, b) for other, k, a, b, low in self._hung if other is room and k == wall and low < top]
            if any(a < along + x1 and along + x0 < b for a, b in taken):
                continue
            x, z = room.point(wall, along, 0.03 - z0)
            if self.stand(room, mesh, (x, z, INWARD[wall])):
                return x, z, INWARD[wall]
        return None

    def before(self, spot: Spot, distance: float, across: float = 0.0, turn: float = np.pi) -> Spot:
        """The spot ``distance`` metres in front of another, turned to it."""
        x, z, yaw = spot
        sin, cos = np.sin(yaw), np.cos(yaw)
        return x + distance * sin + across * cos, z + distance * cos - across * sin, yaw + turn

    def in_the_middle(self, room: Room, mesh: Mesh) -> Spot | None:
        """Place something away from the walls, parallel to one, and return its spot; None if no place is found."""
        x0, x1, z0, z1, _ = extent(mesh)
        reach = max(x1 - x0, z1 - z0) / 2
        for _ in range(8):
            x, z = (self.rng.uniform(s[0] + 0.3 * (s[1] - s[0]), s[1] - 0.3 * (s[1] - s[0])) for s in (room.x, room.z))
            spot = x, z, float(self.rng.choice(INWARD))
            if room.distance_within(x, z) > reach and self.stand(room, mesh, spot):
                return spot
        return None

    def around(self, room: Room, spot: Spot, size: tuple[float, float], maker: Maker, count: int) -> None:
        """Chairs around a table of width and depth, pushed in or drawn back, all of one make."""
        seat = self.make(maker)
        width, depth = size
        places = [(0.0, x) for x in (-0.25, 0.25)] if width > 1.3 else [(0.0, 0.0)]
        sides = [(k * np.pi, depth / 2, across * width) for k in (0, 1) for _, across in places]
        sides += [(k * np.pi / 2, width / 2, 0.0) for k in (1, 3)]
        for index in self.rng.permutation(len(sides))[:count]:
            turn, reach, across = sides[index]
            facing = spot[0], spot[1], spot[2] + turn
            x, z, yaw = self.before(facing, reach + self.rng.uniform(0.25, 0.5), across)
            self.stand(room, seat, (x, z, yaw + self.rng.normal(0, 0.2)), tuck=0.1)

    def hang(self, room: Room, mesh: Mesh, bottom: float, side: int | None = None, tries: int = 6) -> None:
        """Hang something on a wall, its underside at a height, where no door or window is and nothing tall stands."""
        x0, x1, _, depth, top = extent(mesh)
        for _ in range(tries):
            wall = int(self.rng.integers(4)) if side is None else side
            low, high = room.span(wall)
            if high - low < x1 - x0 + 0.1 or bottom + top > room.height - 0.05:
                continue
            along = self.rng.uniform(low - x0 + 0.05, high - x1 - 0.05)
            taken = [(o.low, o.high) for o in room.openings if o.side == wall]
            taken += [(a, b) for other, k, a, b, _ in self._hung if other is room and k == wall]
            probe = [self._top(*room.point(wall, along + a, 0.25)) for a in (x0, 0.0, x1)]
            if max(probe) <= bottom and all(b + 0.05 < along + x0 or along + x1 < a - 0.05 for a, b in taken):
                deep = bottom < 2.0 and depth > 0.1
                if not deep or self._block(room, wall, (along + x0, along + x1), depth, bottom + top):
                    self._hung.append((room, wall, along + x0, along + x1, bottom))
                    self.put(mesh, (*room.point(wall, along), INWARD[wall]), bottom)
                    return

    def _top(self, x: float, z: float) -> float:
        return float(self.plan.tops[self._cell(x, z)])

    def _cell(self, x: float, z: float) -> tuple[int, int]:
        i, j = ((np.array([x, z]) - self.plan.origin) / CELL).astype(int)
        return int(i), int(j)

    def _block(self, room: Room, wall: int, span: tuple[float, float], depth: float, top: float) -> bool:
        corners = [room.point(wall, span[0]), room.point(wall, span[1], depth)]
        x, z = (tuple(sorted(pair)) for pair in zip(*corners, strict=True))
        return self.plan.stand(room, (x[0], x[1]), (z[0], z[1]), top)

    def mesh(self) -> Mesh:
        """All that was placed, as one mesh."""
        return join(self.parts)


def sides_by_length(room: Room) -> list[int]:
    """Walls of a room, those with the longest stretch free of doors and windows first."""
    return sorted(SIDES, key=lambda side: -_stretch(room, side))


def _stretch(room: Room, side: int) -> float:
    low, high = room.span(side)
    taken = sorted((o.low, o.high) for o in room.openings if o.side == side)
    edges = [low, *(edge for pair in taken for edge in pair), high]
    return max(b - a for a, b in zip(edges[::2], edges[1::2], strict=True))
