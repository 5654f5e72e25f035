"""Rooms of flats, offices and schools, walked through or swept over with a camera in the hand."""

from __future__ import annotations

import numpy as np

from vode.world.indoor.carried import draw_carrying, passers_by, round_trip, sweep
from vode.world.indoor.floor_plan import CELL, FloorPlan, Room, Surfaces, connect, shell
from vode.world.indoor.free_space import FreeSpace
from vode.world.indoor.furnishing import Furnishing
from vode.world.indoor.interior import (
    add_windows,
    beams,
    dress_windows,
    finishes,
    frame_door,
    interior_light,
    light_ceiling,
    outdoors,
)
from vode.world.indoor.kinds import HOME, WORK
from vode.world.materials import Palette
from vode.world.mesh import join, place
from vode.world.objects import people
from vode.world.objects.indoor import fittings
from vode.world.scene import Motion, Scene
from vode.world.scenes.base import Wanted
from vode.world.walk import walk

LAYOUTS = ((1, 1), (1, 1), (2, 1), (1, 2), (2, 2), (3, 1))
"""columns and rows of rooms"""
WET = ("kitchen", "bathroom", "washroom")


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """One to four furnished rooms, and a camera that is carried through them."""
    palette = Palette()
    ring = wanted.closed and wanted.seconds >= 40
    layout = (2, 2) if ring else LAYOUTS[rng.integers(len(LAYOUTS))]
    home = rng.random() < 0.6
    rooms = _rooms(rng, layout, home)
    daylight = bool(rng.random() < 0.65)
    surfaces = [finishes(rng, palette, wet=room.kind in WET, plain=not home) for room in rooms]
    f = Furnishing(rng, palette, FloorPlan(rooms))
    for room, look in zip(rooms, surfaces, strict=True):
        f.parts.append(shell(room, look))
        dress_windows(f, room, look.lining)
        _doors(f, room, look)
        (HOME if home else WORK)[room.kind](f, room)
        light_ceiling(f, room)
        if home and room.height > 2.5 and rng.random() < 0.12:
            beams(f, room)
        if rng.random() < 0.15:
            f.against(room, people.pedestrian(rng, palette))
    static = join([f.mesh(), outdoors(rng, palette, rooms, daylight)])
    space = FreeSpace(f.plan.free(), f.plan.origin, CELL)
    camera = _camera(f, space, wanted, ring)
    movers = passers_by(f, space, camera, wanted.seconds) if wanted.moving else []
    return Scene(static, palette, camera, interior_light(rng, f.lamps, daylight), movers)


def _rooms(rng: np.random.Generator, layout: tuple[int, int], home: bool) -> list[Room]:
    """A lattice of rooms with doors between neighbours and windows to the outside."""
    columns, rows = layout
    wall, height = rng.uniform(0.1, 0.25), rng.uniform(2.35, 3.2)
    spread = (2.8, 5.2) if columns * rows > 1 else (3.0, 7.0)
    across = [np.cumsum([0.0, *rng.uniform(*spread, count)]) for count in (columns, rows)]
    kinds = rng.permutation(list(HOME if home else WORK))
    if rng.random() < 0.25:
        kinds = np.concatenate([["kitchen"], kinds[kinds != "kitchen"]])
    rooms = [
        Room(
            str(kinds[i * rows + j]),
            (float(across[0][i] + i * wall), float(across[0][i + 1] + i * wall)),
            (float(across[1][j] + j * wall), float(across[1][j + 1] + j * wall)),
            float(height),
        )
        for i in range(columns)
        for j in range(rows)
    ]
    for i in range(columns):
        for j in range(rows):
            here = rooms[i * rows + j]
            if i + 1 < columns:
                _door_between(rng, here, rooms[(i + 1) * rows + j], 1)
            if j + 1 < rows:
                _door_between(rng, here, rooms[i * rows + j + 1], 2)
            outer = [side for side, out in enumerate((j == 0, i == columns - 1, j == rows - 1, i == 0)) if out]
            for side in outer:
                if rng.random() < 0.6:
                    add_windows(rng, here, side, glazed=rng.random() < 0.08)
    return rooms


def _door_between(rng: np.random.Generator, first: Room, second: Room, side: int) -> None:
    low, high = first.span(side)
    width = rng.uniform(0.85, 1.0) if rng.random() < 0.75 else rng.uniform(1.2, 1.8)
    start = rng.uniform(low + 0.3, high - 0.3 - width)
    connect(first, second, side, (start, start + width), min(first.height - 0.2, rng.uniform(2.0, 2.2)))


def _doors(f: Furnishing, room: Room, look: Surfaces) -> None:
    """Frames of the doors of a room, and leaves that stand open at its walls."""
    for hole in room.openings:
        if hole.window or hole.depth == 0:
            continue
        frame_door(f, room, hole, look.lining)
        width = hole.high - hole.low
        if width < 1.1 and f.rng.random() < 0.6:
            leaf = place(fittings.door_leaf(f.rng, f.palette, width - 0.05, hole.top - 0.03), (0.02, 0, 0.05))
            inner = room.point(hole.side, hole.high + 0.02 if hole.side in (0, 3) else hole.low - 0.02, 0.02)
            swing = f.rng.uniform(0.03, 0.15)
            spot = (*inner, {0: 0.0, 1: -np.pi / 2, 2: np.pi, 3: np.pi / 2}[hole.side] - swing)
            if _beside(room, hole.side, inner, width):
                f.stand(room, leaf, spot)
    if f.rng.random() < 0.4:
        f.hang(room, f.make(fittings.door), 0.0)


def _beside(room: Room, side: int, inner: tuple[float, float], width: float) -> bool:
    """Whether the wall beside a door has room for its open leaf."""
    low, high = room.span(side)
    along = inner[0] if side in (0, 2) else inner[1]
    return low + 0.1 < along - width and along + width < high - 0.1


def _camera(f: Furnishing, space: FreeSpace, wanted: Wanted, ring: bool) -> Motion:
    """A walk through the rooms, or a sweep around a table."""
    carrying = draw_carrying(f.rng, wanted.speed)
    if ring:
        return walk(
            f.rng, round_trip(f, space, (0, 1, 3, 2), wanted.seconds, carrying), wanted.seconds, carrying, closed=True
        )
    if wanted.closed or (f.targets and f.rng.random() < 0.6):
        return sweep(f, space, wanted.seconds, carrying, closed=wanted.closed)
    return walk(f.rng, space.stroll(f.rng, 1.1 * carrying.mean_speed * wanted.seconds), wanted.seconds, carrying)
