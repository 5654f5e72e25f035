"""What hangs on the walls and stands beside them in most rooms."""

from __future__ import annotations

import numpy as np

from vode.world.indoor.floor_plan import INWARD, Room
from vode.world.indoor.furnishing import Furnishing, Spot
from vode.world.mesh import join, place
from vode.world.objects.indoor import clutter, devices, fittings, printed, storage
from vode.world.objects.indoor.parts import extent
from vode.world.objects.shapes import Maker

LEVELS: dict[Maker, float] = {
    fittings.switch: 1.1,
    fittings.fire_extinguisher: 0.4,
    fittings.whiteboard: 0.85,
    fittings.curtain: 0.1,
    fittings.door: 0.0,
    printed.door_sign: 1.5,
    printed.clock: 1.9,
    printed.wall_lamp: 1.75,
    printed.handrail: 0.85,
}
"""height of the underside of what hangs on walls, where it is not that of pictures"""


def on_walls(f: Furnishing, room: Room, makers: tuple[Maker, ...]) -> None:
    """Fittings on the walls, at the height where each belongs, notices, and a laden shelf or two."""
    for maker in makers:
        if maker is fittings.radiator:
            f.against(room, f.make(maker), tries=4)
        else:
            f.hang(room, f.make(maker), LEVELS.get(maker, float(f.rng.uniform(1.0, 1.5))))
    for _ in range(f.rng.integers(0, 3)):
        f.hang(room, f.make(printed.notices), float(f.rng.uniform(1.1, 1.5)))
    for _ in range(f.rng.integers(0, 4)):
        f.hang(
            room,
            f.laden(f.make(storage.wall_shelf), clutter.ON_SHELVES + printed.ON_WORKTOPS, 14),
            float(f.rng.uniform(1.2, 1.7)),
        )


def on_floor(f: Furnishing, room: Room, makers: tuple[Maker, ...], count: int) -> None:
    """Things beside the walls."""
    for _ in range(int(f.rng.integers(count // 2, count + 3))):
        f.against(room, f.make(makers[f.rng.integers(len(makers))]), tries=4)


def television(f: Furnishing, room: Room, seat: Spot) -> None:
    """A television on its cupboard at the wall across from a seat."""
    opposite = int(np.argmin([np.cos(yaw - seat[2]) for yaw in INWARD]))
    board, screen = f.make(storage.sideboard), f.make(devices.television)
    top = extent(board)[4]
    things = f.laden(board, clutter.ON_SHELVES, 3)
    f.against(room, join([things, place(screen, (0, -top, -0.05))]), opposite)
