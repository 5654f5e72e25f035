"""What stands in offices, schools, workshops and entrances."""

from __future__ import annotations

import numpy as np

from vode.world.indoor.decoration import on_floor, on_walls, television
from vode.world.indoor.floor_plan import INWARD, Room
from vode.world.indoor.furnishing import Furnishing, Spot
from vode.world.mesh import join, place
from vode.world.objects.indoor import clutter, devices, fittings, floor_things, furniture, storage
from vode.world.objects.indoor.parts import extent
from vode.world.objects.shapes import Maker


def workplace(f: Furnishing, room: Room, spot: Spot | None = None) -> bool:
    """A desk with monitors, keyboard and clutter, and its chair; at a wall unless ``spot`` says where."""
    desk = f.make(furniture.desk)
    x0, x1, z0, z1, top = extent(desk)
    parts = [desk]
    screens = int(f.rng.integers(0, 3)) if x1 > 0.65 else 1
    for k in range(screens):
        x = (k - (screens - 1) / 2) * 0.68 + f.rng.normal(0, 0.04)
        parts.append(place(f.make(devices.monitor), (x, -top, z0 + 0.2), yaw=f.rng.normal(0, 0.15)))
    if screens:
        parts.append(
            place(f.make(devices.keyboard), (f.rng.normal(-0.05, 0.05), -top, z1 - 0.2), yaw=f.rng.normal(0, 0.08))
        )
    for side in (-1, 1):
        things = f.scattered(((x1 - x0) * 0.38, z1 - z0), clutter.ON_DESKS, int(f.rng.integers(4, 14)))
        parts.append(place(things, (side * (x1 - 0.2 * (x1 - x0)), -top, 0)))
    full = join(parts)
    spot = f.against(room, full) if spot is None else (spot if f.stand(room, full, spot) else None)
    if spot is None:
        return False
    f.targets.append((spot[0], top + 0.12, spot[1]))
    seat: Maker = furniture.office_chair if f.rng.random() < 0.75 else furniture.chair
    f.stand(
        room,
        f.make(seat),
        f.before(spot, z1 + f.rng.uniform(0.3, 0.6), f.rng.normal(0, 0.1), np.pi + f.rng.normal(0, 0.5)),
        tuck=0.1,
    )
    return True


def office(f: Furnishing, room: Room) -> None:
    """Several workplaces, at walls or back to back, with cupboards and boards."""
    if f.rng.random() < 0.6:
        middle = 0.5 * (room.x[0] + room.x[1]), 0.5 * (room.z[0] + room.z[1])
        yaw = float(f.rng.choice(INWARD[:2]))
        for across in (-0.9, 0.9) if f.rng.random() < 0.6 else (0.0,):
            for turn in (0.0, np.pi):
                workplace(f, room, f.before((*middle, yaw + turn), 0.45, across, 0.0))
    for _ in range(f.rng.integers(1, 5)):
        workplace(f, room)
    for _ in range(f.rng.integers(1, 4)):
        f.against(room, f.make(storage.shelf if f.rng.random() < 0.6 else storage.cupboard))
    f.against(room, f.laden(f.make(storage.low_shelf), clutter.ON_DESKS, 8))
    on_walls(
        f, room, (fittings.whiteboard, fittings.picture, fittings.notice_board, fittings.switch, fittings.radiator)
    )
    on_floor(f, room, (floor_things.waste_bin, floor_things.plant, floor_things.bag, floor_things.crates), 5)


def meeting_room(f: Furnishing, room: Room) -> None:
    """A long table, chairs, a whiteboard and a screen."""
    size = f.rng.uniform(1.2, 1.8)
    table = place(furniture.table(f.rng, f.palette), scale=(size, 1.0, 1.2))
    x0, x1, z0, z1, top = extent(table)
    spot = f.in_the_middle(room, f.laden(table, clutter.ON_DESKS, int(f.rng.integers(2, 12))))
    if spot:
        f.targets.append((spot[0], top, spot[1]))
        seat: Maker = furniture.office_chair if f.rng.random() < 0.5 else furniture.chair
        f.around(room, spot, (x1 - x0, z1 - z0), seat, 6)
    f.hang(room, f.make(fittings.whiteboard), 0.9)
    television(f, room, (0, 0, float(f.rng.choice(INWARD))))
    on_walls(f, room, (fittings.picture, fittings.notice_board, fittings.switch, fittings.radiator))
    on_floor(f, room, (floor_things.waste_bin, floor_things.plant, floor_things.bag), 3)


def classroom(f: Furnishing, room: Room) -> None:
    """Rows of tables and chairs before a board."""
    side = int(f.rng.integers(4))
    f.hang(room, f.make(fittings.whiteboard), 0.85, side)
    table, seat = f.make(furniture.desk), f.make(furniture.chair)
    low, high = room.span(side)
    deep = room.z[1] - room.z[0] if side in (0, 2) else room.x[1] - room.x[0]
    reach = extent(table)[1]
    for off in np.arange(1.8, deep - 0.9, 1.5):
        for along in np.arange(low + 1.0 + reach, high - 0.6 - reach, 2 * reach + 0.75):
            spot = (*room.point(side, float(along), float(off)), INWARD[side])
            if f.stand(
                room,
                f.laden(
                    table, (clutter.books, clutter.papers, clutter.pens, clutter.bottle), int(f.rng.integers(0, 4))
                ),
                spot,
            ):
                f.stand(
                    room,
                    seat,
                    f.before(spot, extent(table)[3] + f.rng.uniform(0.25, 0.4), 0.0, np.pi + f.rng.normal(0, 0.2)),
                    tuck=0.1,
                )
                f.targets.append((spot[0], 0.8, spot[1]))
    for _ in range(2):
        f.against(room, f.laden(f.make(storage.low_shelf), clutter.ON_SHELVES, 14))
        f.against(room, f.make(storage.cupboard))
    on_walls(f, room, (fittings.notice_board, fittings.picture, fittings.picture, fittings.radiator))
    on_floor(f, room, (floor_things.bag, floor_things.bag, floor_things.waste_bin, floor_things.plant), 5)


def workshop(f: Furnishing, room: Room) -> None:
    """Racks and cupboards of a store, benches with tools, crates."""
    for _ in range(f.rng.integers(1, 4)):
        bench = f.laden(f.make(furniture.table if f.rng.random() < 0.5 else furniture.desk), clutter.IN_WORKSHOPS, 16)
        spot = f.against(room, bench)
        if spot:
            f.targets.append((spot[0], 0.9, spot[1]))
    for _ in range(f.rng.integers(3, 7)):
        f.against(room, f.make(storage.rack))
    f.in_the_middle(room, f.laden(f.make(furniture.table), clutter.IN_WORKSHOPS, 14))
    on_walls(f, room, (fittings.notice_board, fittings.fire_extinguisher, fittings.switch, fittings.radiator))
    on_floor(
        f,
        room,
        (
            floor_things.crates,
            floor_things.crates,
            floor_things.crates,
            furniture.stool,
            floor_things.waste_bin,
            floor_things.suitcase,
        ),
        8,
    )


def lobby(f: Furnishing, room: Room) -> None:
    """A reception: a counter, armchairs around low tables, plants, pillars."""
    f.in_the_middle(room, f.laden(f.make(storage.counter), clutter.ON_DESKS, 6))
    for _ in range(f.rng.integers(1, 4)):
        low = f.laden(f.make(furniture.coffee_table), clutter.ON_TABLES, 4)
        spot = f.in_the_middle(room, low)
        if spot:
            f.targets.append((spot[0], 0.5, spot[1]))
            f.around(room, spot, (1.6, 1.4), furniture.armchair, 3)
    for _ in range(3):
        f.in_the_middle(room, place(f.make(fittings.pillar), scale=(1.0, room.height / 3.0, 1.0)))
    on_walls(f, room, (fittings.picture, fittings.picture, fittings.notice_board, fittings.radiator, fittings.door))
    on_floor(f, room, (floor_things.plant, floor_things.plant, floor_things.waste_bin, floor_things.suitcase), 6)
