"""What stands in the rooms of flats."""

from __future__ import annotations

from vode.world.indoor.decoration import on_floor, on_walls, television
from vode.world.indoor.floor_plan import Room
from vode.world.indoor.furnishing import Furnishing, sides_by_length
from vode.world.indoor.work import workplace
from vode.world.mesh import join, place
from vode.world.objects.indoor import clutter, devices, fittings, floor_things, furniture, kitchen, printed, storage
from vode.world.objects.indoor.parts import extent


def living_room(f: Furnishing, room: Room) -> None:
    """Sofas, a low table, a television, bookcases."""
    seat = f.make(furniture.sofa)
    spot = f.against(room, seat, sides_by_length(room)[0]) or f.against(room, seat)
    if spot:
        low = f.laden(f.make(furniture.coffee_table), clutter.ON_TABLES, int(f.rng.integers(3, 12)))
        before = f.before(spot, f.rng.uniform(1.05, 1.25))
        f.put(f.make(floor_things.rug), before)
        if f.stand(room, low, before):
            f.targets.append((before[0], 0.5, before[1]))
        television(f, room, spot)
        f.stand(
            room, f.make(furniture.armchair), f.before(spot, 1.3, f.rng.choice([-1.4, 1.4]), f.rng.uniform(2.0, 4.3))
        )
    for _ in range(f.rng.integers(1, 4)):
        f.against(room, f.make(storage.shelf))
    f.against(room, f.laden(f.make(storage.low_shelf), clutter.ON_SHELVES, 14))
    f.against(room, f.make(furniture.lamp))
    f.against(room, f.make(furniture.armchair))
    if min(room.x[1] - room.x[0], room.z[1] - room.z[0]) > 4.5:
        dining_table(f, room)
    on_walls(f, room, (fittings.picture, fittings.picture, fittings.switch))
    on_floor(f, room, (floor_things.plant, floor_things.basket, clutter.toy, floor_things.bag), 4)


def dining_table(f: Furnishing, room: Room) -> None:
    """A table with chairs around and things on it."""
    table = f.make(furniture.table)
    x0, x1, z0, z1, top = extent(table)
    laden = f.laden(
        table, clutter.ON_TABLES + clutter.IN_KITCHENS + 2 * printed.ON_WORKTOPS, int(f.rng.integers(5, 24))
    )
    spot = f.in_the_middle(room, laden) or f.against(room, laden)
    if spot:
        f.targets.append((spot[0], top + 0.1, spot[1]))
        f.around(room, spot, (x1 - x0, z1 - z0), furniture.chair, int(f.rng.integers(2, 7)))
        if f.rng.random() < 0.5:
            lamp = f.make(fittings.pendant)
            if room.height - extent(lamp)[4] > 1.5:
                f.put(lamp, spot, room.height - extent(lamp)[4])
                f.lamps.append((spot[0], -(room.height - 0.95), spot[1]))


def dining_room(f: Furnishing, room: Room) -> None:
    """A table with chairs, sideboards and plants."""
    dining_table(f, room)
    f.against(room, f.laden(f.make(storage.sideboard), clutter.ON_TABLES, 14))
    f.against(room, f.make(storage.cupboard))
    f.against(room, f.make(storage.shelf))
    on_walls(f, room, (fittings.picture, fittings.picture, fittings.picture, fittings.switch))
    on_floor(f, room, (floor_things.plant, floor_things.plant, floor_things.bag), 3)


def kitchen_room(f: Furnishing, room: Room) -> None:
    """Units along one or two walls, laden worktops, a table with chairs."""
    count = 2 if f.rng.random() < 0.6 else 1
    for side in sides_by_length(room)[:count]:
        low, high = room.span(side)
        for length in (high - low - 0.1, 3.0, 2.4, 1.8):
            if length < min(4.2, high - low) and _units(f, room, side, length):
                break
    dining_table(f, room)
    if f.rng.random() < 0.4:
        television(f, room, (0.0, 0.0, float(f.rng.uniform(0, 6))))
    f.against(room, f.laden(f.make(storage.sideboard), clutter.IN_KITCHENS + printed.ON_WORKTOPS, 16))
    f.against(room, f.make(kitchen.refrigerator))
    f.against(room, f.make(storage.shelf))
    on_walls(f, room, (printed.clock, fittings.switch, fittings.notice_board, fittings.radiator))
    on_floor(
        f,
        room,
        (floor_things.waste_bin, floor_things.crates, furniture.stool, floor_things.basket, floor_things.bag),
        4,
    )


def _units(f: Furnishing, room: Room, side: int, length: float) -> bool:
    run = kitchen.kitchen_run(f.rng, f.palette, length)
    things = f.scattered(
        (length - 0.7, 0.5), clutter.IN_KITCHENS + 2 * printed.ON_WORKTOPS, int(f.rng.integers(14, 34))
    )
    spot = f.against(room, join([run, place(things, (0, -kitchen.WORKTOP, 0.02))]), side)
    if spot:
        f.targets.append((spot[0], 1.0, spot[1]))
    return spot is not None


def bedroom(f: Furnishing, room: Room) -> None:
    """A bed with nightstands, wardrobes, a chest and perhaps a desk."""
    bed = f.make(furniture.bed)
    spot = f.against(room, bed, tries=16)
    if spot:
        aside = extent(bed)[1] + 0.3
        stand = f.laden(f.make(storage.nightstand), (clutter.cup, clutter.books, devices.desk_lamp, clutter.bottle), 3)
        for side in (-aside, aside):
            f.stand(room, stand, f.before(spot, -0.8, side, 0.0))
        f.put(f.make(floor_things.rug), f.before(spot, 1.2, 0.3, 0.0))
        f.targets.append((spot[0], 0.5, spot[1]))
    for _ in range(f.rng.integers(1, 3)):
        f.against(room, f.make(storage.cupboard))
    f.against(room, f.laden(f.make(storage.chest), clutter.ON_SHELVES, 12))
    if f.rng.random() < 0.6:
        workplace(f, room)
    f.against(room, f.make(storage.shelf))
    on_walls(f, room, (fittings.picture, fittings.picture, fittings.switch, fittings.radiator))
    on_floor(f, room, (*clutter.ON_FLOORS, furniture.chair), 6)


def bathroom(f: Furnishing, room: Room) -> None:
    """Bath, toilet, basin and mirror."""
    f.against(room, f.make(kitchen.bath), sides_by_length(room)[0])
    spot = f.against(room, f.make(kitchen.washbasin), tries=16)
    if spot:
        x, z, yaw = f.before(spot, -0.22, 0.0, 0.0)
        f.put(f.make(kitchen.mirror), (x, z, yaw), 1.2)
        f.targets.append((x, 1.1, z))
    f.against(room, f.make(kitchen.toilet), tries=16)
    f.against(room, f.laden(f.make(storage.sideboard), clutter.IN_BATHS, 9))
    f.against(room, f.make(storage.cupboard))
    on_walls(f, room, (fittings.radiator, fittings.picture, fittings.curtain, fittings.switch))
    on_floor(f, room, (floor_things.basket, floor_things.waste_bin, furniture.stool, floor_things.plant), 3)


def hall(f: Furnishing, room: Room) -> None:
    """An entrance: chests, a mirror, coats, perhaps stairs."""
    if f.rng.random() < 0.5:
        f.against(room, f.make(fittings.stairs), sides_by_length(room)[0])
    f.against(room, f.laden(f.make(storage.chest), clutter.ON_SHELVES, 12))
    f.against(room, f.make(storage.sideboard))
    f.against(room, f.make(furniture.chair))
    for _ in range(3):
        f.hang(room, f.make(fittings.curtain), 0.3)
    on_walls(f, room, (kitchen.mirror, fittings.picture, fittings.picture, fittings.switch))
    on_floor(
        f,
        room,
        (floor_things.shoes, floor_things.shoes, floor_things.plant, floor_things.bag, floor_things.suitcase),
        6,
    )
