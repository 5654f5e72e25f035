"""Finishes, windows and light of rooms, and what is seen outside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vode.world.indoor.floor_plan import INWARD, Opening, Room, Surfaces
from vode.world.indoor.furnishing import Furnishing
from vode.world.materials import Colour, Material, Palette, Pattern
from vode.world.mesh import Mesh, ellipsoid, join, place
from vode.world.objects.indoor import fittings
from vode.world.objects.indoor.parts import WHITE, WOODS, Block, bar, blocks, fabric, vary
from vode.world.objects.plants import leafy
from vode.world.objects.shapes import darker
from vode.world.scene import Light

PAINTS: tuple[Colour, ...] = (
    WHITE,
    WHITE,
    (0.82, 0.80, 0.74),
    (0.78, 0.72, 0.58),
    (0.62, 0.70, 0.72),
    (0.66, 0.72, 0.60),
    (0.75, 0.60, 0.52),
    (0.45, 0.52, 0.58),
    (0.60, 0.60, 0.60),
    (0.36, 0.42, 0.38),
)


def finishes(rng: np.random.Generator, palette: Palette, *, wet: bool = False, plain: bool = False) -> Surfaces:
    """Floor, walls and ceiling of a room; ``wet`` rooms are tiled, ``plain`` ones those of offices and schools."""
    lining = palette.plain(vary(rng, (WHITE, WHITE, *WOODS), 0.03), noise=0.05)
    wall = _wall(rng, palette, plain)
    dado, level = None, round(float(rng.uniform(0.9, 1.5)), 2)
    if wet and rng.random() < 0.7:
        dado, level = _tiles(rng, palette, (0.1, 0.15, 0.2, 0.3)), round(float(rng.uniform(1.2, 2.4)), 2)
    elif plain and rng.random() < 0.3:
        dado = palette.plain(vary(rng, PAINTS), noise=0.06)
    return Surfaces(_floor(rng, palette, wet, plain), wall, _ceiling(rng, palette, plain), lining, dado, level)


def _wall(rng: np.random.Generator, palette: Palette, plain: bool) -> int:
    colour, kind = vary(rng, PAINTS, 0.02), rng.random()
    if plain or kind < 0.72:
        return palette.plain(colour, noise=round(float(rng.uniform(0.03, 0.1)), 2))
    if kind < 0.82:
        pitch = round(float(rng.choice([0.03, 0.06, 0.12])), 2)
        return palette.add(Material(colour, Pattern.STRIPES, darker(colour, 0.85), (pitch, 50.0), noise=0.05))
    if kind < 0.92:
        pitch = float(rng.choice([0.1, 0.2]))
        return palette.add(
            Material(colour, Pattern.SPOTS, darker(colour, rng.choice([0.8, 1.12])), (pitch, pitch), noise=0.05)
        )
    brick = vary(rng, (WHITE, (0.55, 0.32, 0.24)))
    return palette.add(Material(brick, Pattern.BRICKS, darker(brick, 0.8), (0.22, 0.07), noise=0.2))


def _tiles(rng: np.random.Generator, palette: Palette, sizes: tuple[float, ...]) -> int:
    size = float(rng.choice(sizes))
    colour = vary(rng, (WHITE, (0.75, 0.68, 0.58), (0.55, 0.65, 0.7), (0.35, 0.36, 0.38), (0.6, 0.45, 0.36)))
    return palette.add(Material(colour, Pattern.TILES, darker(colour, 0.7), (size, size), noise=0.08, gloss=0.06))


def _floor(rng: np.random.Generator, palette: Palette, wet: bool, plain: bool) -> int:
    kind = rng.random()
    if wet or kind < 0.15:
        return _tiles(rng, palette, (0.2, 0.3, 0.45, 0.6))
    if kind < (0.3 if plain else 0.7):
        colour = vary(rng, WOODS, 0.03)
        pitch = float(rng.choice([0.07, 0.12, 0.2]))
        return palette.add(Material(colour, Pattern.PLANKS, darker(colour), (pitch, 1.0), noise=0.15, gloss=0.04))
    if kind < 0.85:
        return palette.plain(
            vary(rng, ((0.4, 0.4, 0.42), (0.3, 0.34, 0.42), (0.55, 0.48, 0.4), (0.42, 0.3, 0.28))), noise=0.25
        )
    speckle = vary(rng, ((0.55, 0.54, 0.5), (0.4, 0.45, 0.42), (0.65, 0.6, 0.52)))
    pitch = float(rng.choice([0.02, 0.05, 0.3]))
    return palette.add(Material(speckle, Pattern.SPOTS, darker(speckle, 0.85), (pitch, pitch), noise=0.12, gloss=0.08))


def _ceiling(rng: np.random.Generator, palette: Palette, plain: bool) -> int:
    if rng.random() < (0.6 if plain else 0.06):
        return palette.add(Material(vary(rng, (WHITE,), 0.01), Pattern.TILES, (0.6, 0.6, 0.6), (0.6, 0.6), noise=0.08))
    if not plain and rng.random() < 0.12:
        colour = vary(rng, (*WOODS, WHITE))
        return palette.add(Material(colour, Pattern.PLANKS, darker(colour), (0.1, 1.0), noise=0.12))
    return palette.plain(vary(rng, (WHITE, WHITE, (0.8, 0.78, 0.72)), 0.02), noise=0.05)


def add_windows(rng: np.random.Generator, room: Room, side: int, *, glazed: bool = False) -> None:
    """Cut one to three windows, or with ``glazed`` a front of glass, into an outer wall."""
    low, high = room.span(side)
    top = min(room.height - 0.15, rng.uniform(2.0, 2.5))
    if glazed:
        room.openings.append(Opening(side, low + 0.2, high - 0.2, 0.12, top, 0.15))
        return
    count = int(rng.integers(1, max(2, min(4, int((high - low) / 1.8)) + 1)))
    step, bottom = (high - low) / count, rng.uniform(0.75, 1.0)
    half = min(rng.uniform(0.45, 1.1), step / 2 - 0.25)
    if half > 0.25:
        for k in range(count):
            middle = low + (k + 0.5) * step
            room.openings.append(Opening(side, middle - half, middle + half, bottom, top, 0.22))


def dress_windows(f: Furnishing, room: Room, lining: int, *, curtains: bool = True) -> None:
    """Frames, sills, curtains, blinds, and radiators under the windows of a room."""
    cloth, style = fabric(f.rng, f.palette), f.rng.random()
    heated, draped = f.rng.random() < 0.6, curtains and style < 0.45
    for hole in [o for o in room.openings if o.window]:
        middle, width, height = (hole.low + hole.high) / 2, hole.high - hole.low, hole.top - hole.bottom
        x, z = room.point(hole.side, middle, -0.6 * hole.depth)
        frame = fittings.window_frame(lining, width, height, max(1, round(width / 0.8)))
        f.put(frame, (x, z, INWARD[hole.side]), hole.bottom)
        inside = (*room.point(hole.side, middle), INWARD[hole.side])
        low = hole.bottom > 0.7
        sill = 0.02 if draped else 0.16
        f.put(blocks([(lining, 0, 0, sill / 2 - 0.05, width, 0.03, sill)]), inside, hole.bottom - 0.03)
        if draped:
            bottom = hole.bottom - 0.12 if heated and low else 0.04
            for end in (-1, 1):
                wing = fittings.folds(cloth, f.rng.uniform(0.25, 0.5) * width, hole.top + 0.05 - bottom, 0.11)
                f.put(wing, f.before(inside, 0.0, end * 0.5 * width, 0.0), bottom)
            f.put(bar((-0.8 * width, 0, 0.06), (0.8 * width, 0, 0.06), 0.012, lining), inside, hole.top + 0.06)
        elif style < 0.65:
            drop = f.rng.uniform(0.15, 0.8) * height
            # tilted so far that they hide what is behind
            slats: list[Block] = [(lining, 0, y, 0.03, width, 0.062, 0.015) for y in np.arange(0, drop, 0.07)]
            f.put(blocks(slats), inside, hole.top - drop)
        if heated and low:
            f.stand(room, fittings.radiator(f.rng, f.palette), inside)


def frame_door(f: Furnishing, room: Room, hole: Opening, lining: int) -> None:
    """The frame of a doorway, in the middle of its wall."""
    x, z = room.point(hole.side, (hole.low + hole.high) / 2, -hole.depth / 2)
    frame = fittings.door_frame(lining, hole.high - hole.low, hole.top, hole.depth)
    f.put(frame, (x, z, 0.0 if hole.side in (0, 2) else np.pi / 2))


def light_ceiling(f: Furnishing, room: Room, spacing: float = 2.6) -> None:
    """A lattice of equal lights under the ceiling of a room."""
    light = f.make(fittings.ceiling_light)
    height = room.height - float(-light.vertices[:, 1].min())
    counts = [max(1, round((s[1] - s[0]) / spacing)) for s in (room.x, room.z)]
    turn = float(f.rng.choice([0.0, np.pi / 2]))
    for x in np.linspace(*room.x, 2 * counts[0] + 1)[1::2]:
        for z in np.linspace(*room.z, 2 * counts[1] + 1)[1::2]:
            f.put(light, (float(x), float(z), turn), height)
            f.lamps.append((float(x), -(height - 0.15), float(z)))


def beams(f: Furnishing, room: Room) -> None:
    """Wooden beams under the ceiling, across the room."""
    beam = f.make(fittings.beam)
    lying = place(beam, scale=(room.x[1] - room.x[0], 1.0, 1.0))
    height = room.height - float(-beam.vertices[:, 1].min())
    for z in np.arange(room.z[0] + 0.35, room.z[1] - 0.2, f.rng.uniform(0.6, 1.2)):
        f.put(lying, (sum(room.x) / 2, float(z), 0.0), height)


def interior_light(rng: np.random.Generator, lamps: list[tuple[float, float, float]], daylight: bool) -> Light:
    """Light of rooms: from dim to bright, from warm to cold, of lamps and through windows."""
    warm = np.array([1.0, 0.9, 0.75]) if rng.random() < 0.5 else np.array([0.93, 0.98, 1.0])
    ambient = rng.uniform(*((0.35, 0.8) if daylight else (0.15, 0.55))) * (warm + rng.uniform(-0.04, 0.04, 3))
    sun = (0.0, 0.0, 0.0)
    azimuth, elevation = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.9)
    if daylight and rng.random() < 0.5:
        strength = rng.uniform(0.5, 1.1)
        sun = (strength, 0.95 * strength, 0.82 * strength)
    sky = rng.uniform(0.75, 1.0) if daylight else rng.uniform(0.03, 0.2)
    red, green, blue = (float(c) for c in ambient)
    return Light(
        sun=(
            float(np.sin(azimuth) * np.cos(elevation)),
            -float(np.sin(elevation)),
            float(np.cos(azimuth) * np.cos(elevation)),
        ),
        sun_colour=sun,
        ambient=(red, green, blue),
        sky_low=(sky, sky, sky),
        sky_high=(0.75 * sky, 0.88 * sky, sky),
        haze=1e5,
        lamps=tuple(lamps),
        lamp_strength=float(rng.uniform(0.08, 0.45)) if not daylight or rng.random() < 0.6 else 0.0,
    )


def outdoors(rng: np.random.Generator, palette: Palette, rooms: list[Room], daylight: bool) -> Mesh:
    """What one sees through windows: ground, houses and trees, overexposed by day."""
    glow = round(float(rng.uniform(0.15, 0.45)), 2) if daylight else 0.0
    low = float(rng.choice([0.2, 0.3, 3.2, 7.0]))
    x = min(r.x[0] for r in rooms), max(r.x[1] for r in rooms)
    z = min(r.z[0] for r in rooms), max(r.z[1] for r in rooms)
    grass = Material(vary(rng, ((0.3, 0.42, 0.2), (0.45, 0.45, 0.45))), noise=0.4, emission=glow)
    parts = [blocks([(palette.add(grass), sum(x) / 2, -low - 1, sum(z) / 2, 160, 1, 160)])]
    walls = [
        palette.add(
            Material(vary(rng, PAINTS), Pattern.WINDOWS, (0.2, 0.22, 0.25), (2.5, 3.0), noise=0.2, emission=glow)
        )
        for _ in range(4)
    ]
    leaf = palette.add(replace(leafy(vary(rng, ((0.2, 0.35, 0.12),)), 0.5), emission=glow))
    trunk = palette.add(Material((0.3, 0.22, 0.16), noise=0.3, emission=glow))
    reach = 0.5 * float(np.hypot(x[1] - x[0], z[1] - z[0]))
    for angle in np.arange(14) * 2 * np.pi / 14 + rng.uniform(0, 0.3, 14):
        away = reach + rng.uniform(4, 40)
        spot = sum(x) / 2 + away * np.sin(angle), low, sum(z) / 2 + away * np.cos(angle)
        if away > reach + 14 and rng.random() < 0.7:
            size = rng.uniform(8, 14), rng.uniform(5, 14), rng.uniform(6, 10)
            parts.append(place(blocks([(walls[rng.integers(4)], 0, 0, 0, *size)]), spot, yaw=angle))
        else:
            crown = rng.uniform(1.2, 2.6)
            tree = join(
                [blocks([(trunk, 0, 0, 0, 0.25, 2.5, 0.25)]), ellipsoid((crown, 1.2 * crown, crown), leaf, bottom=1.8)]
            )
            parts.append(place(tree, spot))
    return join(parts)
