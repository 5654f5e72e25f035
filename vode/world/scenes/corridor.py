"""Corridors and halls of offices, schools, hospitals and warehouses, walked through with a camera in the hand."""

from __future__ import annotations

import numpy as np

from vode.world.indoor.carried import draw_carrying, passers_by, round_trip, sweep
from vode.world.indoor.decoration import LEVELS
from vode.world.indoor.floor_plan import CELL, FloorPlan, Room, Surfaces, connect, shell
from vode.world.indoor.free_space import FreeSpace
from vode.world.indoor.furnishing import Furnishing
from vode.world.indoor.interior import (
    add_windows,
    dress_windows,
    finishes,
    frame_door,
    interior_light,
    light_ceiling,
    outdoors,
)
from vode.world.indoor.kinds import WORK
from vode.world.materials import Material, Palette
from vode.world.mesh import Mesh, join, place
from vode.world.objects import people
from vode.world.objects.indoor import clutter, fittings, floor_things, furniture, printed, storage
from vode.world.objects.indoor.parts import blocks, extent
from vode.world.objects.shapes import Maker
from vode.world.scene import Motion, Scene
from vode.world.scenes.base import Wanted
from vode.world.walk import walk

BESIDE_WALLS: tuple[Maker, ...] = (
    furniture.chair,
    furniture.armchair,
    storage.cupboard,
    storage.cupboard,
    storage.low_shelf,
    floor_things.plant,
    floor_things.waste_bin,
    floor_things.crates,
    fittings.radiator,
    storage.sideboard,
)
ON_WALLS: tuple[Maker, ...] = (
    fittings.notice_board,
    fittings.picture,
    fittings.picture,
    fittings.fire_extinguisher,
    fittings.switch,
    storage.wall_shelf,
    fittings.whiteboard,
    printed.notices,
    printed.notices,
    printed.door_sign,
    printed.door_sign,
    printed.wall_lamp,
    printed.clock,
    printed.handrail,
)


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A corridor with rooms beside it, a ring of corridors, or a hall, and a camera that is carried along."""
    palette = Palette()
    ring = wanted.closed and wanted.seconds >= 30
    draw = 0.0 if ring else rng.random()
    rooms = _ring(rng, wanted) if draw < 0.3 else _straight(rng) if draw < 0.75 else _hall(rng)
    daylight = bool(rng.random() < 0.5)
    looks = {"corridor": finishes(rng, palette, plain=True), "hall": finishes(rng, palette, plain=True)}
    f = Furnishing(rng, palette, FloorPlan(rooms))
    door = fittings.door(rng, palette)
    for room in rooms:
        look = looks.get(room.kind) or finishes(rng, palette, wet=room.kind == "washroom", plain=True)
        f.parts.append(shell(room, look))
        dress_windows(f, room, look.lining, curtains=False)
        _frames(f, room, look)
        if room.kind == "corridor":
            _furnish_corridor(f, room, door)
        elif room.kind == "hall":
            _furnish_hall(f, room)
        else:
            WORK[room.kind](f, room)
        light_ceiling(f, room, float(rng.uniform(2.2, 4.5)) if room.kind != "hall" else 4.5)
        if rng.random() < 0.15:
            f.against(room, people.pedestrian(rng, palette))
    static = join([f.mesh(), outdoors(rng, palette, rooms, daylight)])
    space = FreeSpace(f.plan.free(), f.plan.origin, CELL)
    camera = _camera(f, space, wanted, ring)
    movers = passers_by(f, space, camera, wanted.seconds) if wanted.moving else []
    return Scene(static, palette, camera, interior_light(rng, f.lamps, daylight), movers)


def _straight(rng: np.random.Generator) -> list[Room]:
    """A corridor along z with a branch or a bend, and a few rooms beside it."""
    width, length, height = rng.uniform(1.5, 3.2), rng.uniform(14, 36), rng.uniform(2.4, 3.3)
    main = Room("corridor", (0.0, width), (0.0, length), height)
    rooms = [main]
    kinds = list(WORK)
    for side, turn in ((1, 1.0), (3, -1.0)):
        z = rng.uniform(0.5, 3.0)
        edge = width if side == 1 else 0.0
        while z < length - 4.5:
            deep, wide = rng.uniform(3.5, 6.0), rng.uniform(3.2, 6.0)
            draw = rng.random()
            if draw < 0.25:
                broad, reach = rng.uniform(1.5, 2.6), rng.uniform(5, 12)
                x = sorted((edge, edge + turn * reach))
                rooms.append(Room("corridor", (x[0], x[1]), (z, z + broad), height))
                connect(main, rooms[-1], side, (z, z + broad), height)
                z += broad
            elif draw < 0.6 and z + wide < length:
                x = sorted((edge + turn * 0.15, edge + turn * (0.15 + deep)))
                rooms.append(Room(str(rng.choice(kinds)), (x[0], x[1]), (z, z + wide), height))
                start = rng.uniform(z + 0.3, z + wide - 1.5)
                connect(main, rooms[-1], side, (start, start + rng.uniform(0.9, 1.1)), 2.1)
                if rng.random() < 0.7:
                    add_windows(rng, rooms[-1], side)
                z += wide
            z += rng.uniform(0.6, 6.0)
    for side in (0, 2):
        if rng.random() < 0.5:
            add_windows(rng, main, side, glazed=rng.random() < 0.5)
    free = [side for side in (1, 3) if not any(hole.side == side for hole in main.openings)]
    if free:
        add_windows(rng, main, free[0], glazed=True)
    return rooms


def _ring(rng: np.random.Generator, wanted: Wanted) -> list[Room]:
    """Four corridors around a core, in the order in which one walks through them."""
    width, height = rng.uniform(1.5, 2.6), rng.uniform(2.4, 3.2)
    around = float(np.clip(0.45 * wanted.seconds, 18, 90)) if wanted.closed else rng.uniform(24, 60)
    fraction = rng.uniform(0.35, 0.65)
    a, b = max(around / 2 * fraction, 2 * width + 1.5), max(around / 2 * (1 - fraction), 2 * width + 1.5)
    west, east = (Room("corridor", (x, x + width), (0.0, b), height) for x in (0.0, a - width))
    south, north = (Room("corridor", (width, a - width), (z, z + width), height) for z in (0.0, b - width))
    for along, first, second in ((0.0, west, east), (b - width, west, east)):
        across = south if along == 0.0 else north
        connect(first, across, 1, (along, along + width), height)
        connect(second, across, 3, (along, along + width), height)
    for room, side in ((west, 3), (south, 0), (east, 1), (north, 2)):
        if rng.random() < 0.45:
            add_windows(rng, room, side, glazed=rng.random() < 0.5)
    return [west, north, east, south]


def _hall(rng: np.random.Generator) -> list[Room]:
    """A large hall of a store, a school or an entrance."""
    hall = Room("hall", (0.0, rng.uniform(8, 18)), (0.0, rng.uniform(10, 26)), rng.uniform(3.0, 6.5))
    for side in range(4):
        if rng.random() < 0.4:
            add_windows(rng, hall, side, glazed=rng.random() < 0.4)
    return [hall]


def _frames(f: Furnishing, room: Room, look: Surfaces) -> None:
    """Frames of doors, and here and there a portal across a corridor."""
    for hole in room.openings:
        if hole.window or hole.depth < 0.05:
            continue
        frame_door(f, room, hole, look.lining)
    width, length = (hi - lo for lo, hi in sorted((room.x, room.z), key=lambda s: s[1] - s[0]))
    if room.kind == "corridor" and length > 9 and width > 1.4 and f.rng.random() < 0.5:
        middle, upright = f.rng.uniform(0.4, 0.6), room.height - 2.15
        along_x = room.x[1] - room.x[0] > width
        portal = blocks(
            [(look.lining, x, 0, 0, 0.12, room.height, 0.12) for x in (-width / 2 + 0.06, width / 2 - 0.06)]
            + [(look.lining, 0, 2.15, 0, width, upright, 0.08)]
        )
        x, z = (
            (1 - t) * s[0] + t * s[1]
            for s, t in ((room.x, middle if along_x else 0.5), (room.z, 0.5 if along_x else middle))
        )
        spot = x, z, np.pi / 2 if along_x else 0.0
        ends = [f.before(spot, 0.0, end * (width / 2 - 0.06))[:2] for end in (-1, 1)]
        if all(f.plan.stand(room, (a - 0.06, a + 0.06), (b - 0.06, b + 0.06), room.height) for a, b in ends):
            f.put(portal, spot)


def _furnish_corridor(f: Furnishing, room: Room, door: Mesh) -> None:
    """Doors in rows, and what hangs and stands along the walls."""
    rng, long_sides = f.rng, (1, 3) if room.z[1] - room.z[0] > room.x[1] - room.x[0] else (0, 2)
    length = max(room.z[1] - room.z[0], room.x[1] - room.x[0])
    width = min(room.z[1] - room.z[0], room.x[1] - room.x[0])
    for side in long_sides:
        for _ in range(int(length / rng.uniform(1.8, 4.5))):
            f.hang(room, door, 0.0, side, tries=4)
        for _ in range(int(length / rng.uniform(1.0, 3.0))):
            maker = ON_WALLS[rng.integers(len(ON_WALLS))]
            f.hang(room, f.make(maker), LEVELS.get(maker, float(rng.uniform(1.1, 1.5))), side, tries=3)
        for _ in range(int(length / rng.uniform(3.0, 9.0))):
            thing = f.make(BESIDE_WALLS[rng.integers(len(BESIDE_WALLS))])
            if extent(thing)[3] - extent(thing)[2] < width - 0.95:
                f.against(room, thing, side, tries=3)
    _ceiling_lines(f, room, long_sides[0] == 0, length)
    sign = f.palette.add(Material((0.1, 0.6, 0.25), noise=0.05, emission=0.5))
    for side in range(int(rng.integers(4)), 4, 2):
        f.hang(room, blocks([(sign, 0, 0, 0.02, 0.36, 0.16, 0.04)]), 2.12, side)


def _ceiling_lines(f: Furnishing, room: Room, along_x: bool, length: float) -> None:
    """Pipes or a cable tray under the ceiling of some corridors."""
    if f.rng.random() < 0.35:
        lines = place(f.make(fittings.pipes), scale=(length - 0.1, 1.0, 1.0))
        x, z = (s[0] + 0.5 * (s[1] - s[0]) for s in (room.x, room.z))
        x, z = (x, room.z[0] + 0.15) if along_x else (room.x[0] + 0.15, z)
        f.put(lines, (x, z, 0.0 if along_x else np.pi / 2), room.height - 0.35)


def _furnish_hall(f: Furnishing, room: Room) -> None:
    """Rows of racks or shelves with aisles, or pillars, counters and seats."""
    rng = f.rng
    style = rng.random()
    if style < 0.6:
        maker: Maker = storage.rack if style < 0.4 else storage.shelf
        stock = [f.make(maker) for _ in range(5)]
        tall = min(1.6, (room.height - 0.5) / 2.4)
        stock = [place(mesh, scale=(1.0, tall, 1.0)) for mesh in stock]
        depth, wide = max(extent(m)[3] for m in stock), max(extent(m)[1] - extent(m)[0] for m in stock)
        for x in np.arange(room.x[0] + 1.6, room.x[1] - 1.4, 2 * depth + rng.uniform(1.6, 2.6)):
            for z in np.arange(room.z[0] + 1.6, room.z[1] - 1.4 - wide / 2, wide + 0.02):
                if len(f.parts) < 70:
                    f.stand(room, stock[rng.integers(5)], (float(x), float(z), np.pi / 2))
    else:
        column = place(f.make(fittings.pillar), scale=(1.0, room.height / 3.0, 1.0))
        for x in np.linspace(*room.x, 4)[1:-1]:
            for z in np.linspace(*room.z, 5)[1:-1]:
                f.stand(room, column, (float(x), float(z), 0.0))
        WORK["lobby" if style < 0.8 else "classroom"](f, room)
    for _ in range(10):
        f.hang(room, f.make(ON_WALLS[rng.integers(len(ON_WALLS))]), float(rng.uniform(1.0, 1.5)))
        f.against(room, f.make(BESIDE_WALLS[rng.integers(len(BESIDE_WALLS))]))
    f.against(room, f.make(fittings.stairs))
    f.in_the_middle(room, f.laden(f.make(furniture.table), clutter.ON_DESKS, 12))


def _camera(f: Furnishing, space: FreeSpace, wanted: Wanted, ring: bool) -> Motion:
    carrying = draw_carrying(f.rng, wanted.speed, brisk=1.6, astray=0.4)
    if ring:
        return walk(
            f.rng, round_trip(f, space, (0, 1, 2, 3), wanted.seconds, carrying), wanted.seconds, carrying, closed=True
        )
    if wanted.closed:
        return sweep(f, space, wanted.seconds, carrying, closed=wanted.closed)
    return walk(f.rng, space.stroll(f.rng, 1.1 * carrying.mean_speed * wanted.seconds), wanted.seconds, carrying)
