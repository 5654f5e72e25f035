"""Car parks: rows of parked cars in the open beside a shop, or between the pillars of a storey."""

from __future__ import annotations

import math

import numpy as np

from vode.world.materials import Material, Pattern
from vode.world.mesh import Mesh, box, cylinder, join, place, quad
from vode.world.paths import Road, pace
from vode.world.scene import Mover, Scene
from vode.world.scenes import rows
from vode.world.scenes.base import Site, Street, Wanted
from vode.world.scenes.distant import DECIDUOUS_WOODS, skyline
from vode.world.scenes.ground import Land, grass, paving, plain
from vode.world.scenes.light import interior, outdoors
from vode.world.scenes.traffic import Route, crossing

BAY = 2.5
"""width of a bay in metres"""
DEEP = 5.0
"""its depth"""
PARKED = {"car": 0.9, "van": 0.1}


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A slow drive up and down the aisles of a car park."""
    site = Site(rng)
    aisle = rng.uniform(5.6, 7.0)
    pitch = aisle + 2 * DEEP
    route, aisles, length = _route(rng, wanted, pitch)
    main = site.add_street(
        Street(
            route.road,
            (0.0, route.road.length),
            lane=aisle / 2,
            kerb=aisle / 2,
            clear=1.9,
            banks=((aisle / 2 + 25.0, -0.05),),
        )
    )
    middles = (np.arange(aisles + 1) - 0.5) * pitch  # of the double rows of bays, between aisles and outside them
    _bays(site, middles, length, rng.uniform(0.35, 0.95))
    covered = rng.random() < 0.4
    area = (-pitch, -20.0, aisles * pitch, length + 20.0)
    if covered:
        lamps = _storey(site, wanted, middles, area)
        light = interior(rng, lamps, ambient=rng.uniform(0.25, 0.45), strength=(0.15, 0.4))
    else:
        _open_air(site, middles, length, area)
        light = outdoors(rng)
    if not covered or rng.random() < 0.6:
        _surroundings(site, area)
    movers: list[Mover] = crossing(site, route, main, int(rng.integers(0, 5))) if wanted.moving else []
    return Scene(site.mesh(), site.palette, route.camera(rng), light, movers)


def _route(rng: np.random.Generator, wanted: Wanted, pitch: float) -> tuple[Route, int, float]:
    """Up one aisle and down the next; with the number of aisles and their length."""
    low = rng.uniform(1.0, 3.0)
    speed = (low, low + 2.0) if wanted.speed is None else wanted.speed
    length = rng.uniform(60.0, 95.0)
    aisles = math.ceil(max(wanted.seconds * speed[1] + 30.0, 200.0) / (length + pitch))
    if wanted.closed:
        aisles = int(rng.choice([4, 6]))
        length = (590.0 - 2 * (aisles - 1) * pitch) / aisles
    ends = np.array([[(i * pitch, 0.0), (i * pitch, length)][:: 1 if i % 2 == 0 else -1] for i in range(aisles)])
    corners = ends.reshape(-1, 2)
    if wanted.closed:
        corners[[0, -1], 1] = -12.0  # the lane back to the first aisle
    road = Road.through(corners, radius=rng.uniform(5.5, 7.0), closed=wanted.closed)
    travelled = pace(rng, speed, wanted.seconds, distance=road.length * 1.02 if wanted.closed else None)
    lateral = rng.uniform(-0.8, 0.8)
    start = 0.0 if wanted.closed else rng.uniform(2.0, 12.0)
    return Route(road, travelled, travelled(wanted.seconds), start, lateral, wanted), aisles, length


def _bays(site: Site, middles: np.ndarray, length: float, full: float) -> None:
    """Double rows of marked bays along the aisles, ``full`` of them with cars."""
    rng = site.rng
    grey = rng.uniform(0.22, 0.42)
    colour = (grey, grey, grey * rng.uniform(0.95, 1.05))
    marked = site.palette.add(Material(colour, Pattern.PARKING, (0.85, 0.85, 0.8), (BAY, DEEP), noise=0.22))
    bare = site.palette.add(Material(colour, noise=0.22))
    count = int((length - 19.0) / BAY)
    first = (length - count * BAY) / 2
    low, high = middles[0] - 25.0, middles[-1] + 25.0
    site.parts.append(_level((low, -45.0, high, length + 45.0), 0.0, bare))
    for middle in middles:
        site.parts.append(_level((middle - DEEP, first, middle + DEEP, first + count * BAY), 0.008, marked))
        for side in rows.SIDES:
            taken = np.flatnonzero(rng.uniform(0, 1, count) < full)
            along = first + (taken + 0.5) * BAY + rng.normal(0, 0.08, len(taken))
            across = middle + side * (DEEP / 2 + rng.normal(0.1, 0.15, len(taken)))
            positions = np.stack([across, 0 * across, along], 1)
            yaws = rng.choice([-1.0, 1.0], len(taken)) * math.pi / 2 + rng.normal(0, 0.03, len(taken))
            site.put(site.kit.mixed(PARKED, len(taken)), positions, yaws, margin=0.05)


def _level(area: tuple[float, float, float, float], height: float, material: int) -> Mesh:
    """A flat rectangle (x, z, x, z) at a height; u is along z, v across."""
    x0, z0, x1, z1 = area
    corners = np.array([[x0, -height, z0], [x1, -height, z0], [x1, -height, z1], [x0, -height, z1]])
    uv = np.array([[0, 0], [0, x1 - x0], [z1 - z0, x1 - x0], [z1 - z0, 0.0]])
    return quad(corners, material, uv=uv)


def _at(site: Site, names: dict[str, float] | str, x: np.ndarray, z: np.ndarray) -> None:
    """Things at places of the car park."""
    x, z = (np.ravel(a) for a in np.broadcast_arrays(x, z))
    fractions = {names: 1.0} if isinstance(names, str) else names
    site.put(site.kit.mixed(fractions, len(x)), np.stack([x, 0 * x, z], 1), np.zeros(len(x)), margin=0.2)


def _open_air(site: Site, middles: np.ndarray, length: float, area: tuple[float, float, float, float]) -> None:
    """Lamps and trees between the rows, trolleys, a shop, and what encloses it all."""
    rng = site.rng
    _at(site, "lamp_post", middles[:, None], np.arange(12.0, length, rng.uniform(20, 32))[None])
    ends = np.array([3.5, length - 3.5])
    if rng.random() < 0.6:
        _at(site, {"tree": 0.6, "bush": 0.4}, middles[:, None], ends[None])
    _at(site, {"street_sign": 0.5, "bollard": 0.5}, middles[:, None] + 2.0, ends[None])
    people = int(rng.integers(3, 14))
    _at(site, {"pedestrian": 0.7, "bin": 0.3}, rng.uniform(area[0], area[2], people), rng.uniform(0, length, people))
    trolleys = int(rng.integers(0, 10))
    shelter = [_trolley(site)] * trolleys
    line = np.stack(
        [np.full(trolleys, middles[1] - 3.0), np.zeros(trolleys), length - 7.0 - 0.35 * np.arange(trolleys)], 1
    )
    site.put(shelter, line, np.zeros(trolleys))
    width = area[2] - area[0]
    places = np.array([[area[0] + width * fraction, 0.0, area[3] + 18.0] for fraction in (0.2, 0.55, 0.9)])
    site.put(site.kit.some("warehouse", 3), places, np.full(3, math.pi), solid=True)
    for kind, x, yaw in ((_edge(rng), area[0] - 3.0, 0.0), (_edge(rng), area[2] + 3.0, math.pi)):
        z = np.arange(area[1] + 2.0, area[3], 4.0)
        piece = site.kit.one(kind, length=4.0)
        site.put([piece] * len(z), np.stack([np.full(len(z), x), 0 * z, z], 1), np.full(len(z), yaw))


def _edge(rng: np.random.Generator) -> str:
    return str(rng.choice(["hedge", "fence", "wall", "guard_rail"]))


def _trolley(site: Site) -> Mesh:
    """A shopping trolley, nose ahead."""
    wire = site.palette.add(Material((0.6, 0.6, 0.62), Pattern.TILES, (0.15, 0.15, 0.15), (0.05, 0.05), gloss=0.2))
    dark = site.palette.plain((0.2, 0.2, 0.22))
    posts = [place(cylinder(0.02, 0.6, dark, sides=4), (x, 0.0, z)) for x in (-0.22, 0.22) for z in (-0.35, 0.35)]
    handle = place(box((0.27, 0.02, 0.02), site.palette.plain((0.7, 0.1, 0.1)), bottom=1.0), (0.0, 0.0, -0.45))
    return join([box((0.27, 0.22, 0.42), wire, bottom=0.55), handle, *posts])


def _storey(
    site: Site, wanted: Wanted, middles: np.ndarray, area: tuple[float, float, float, float]
) -> tuple[tuple[float, float, float], ...]:
    """Ceiling with beams and lamps, pillars, and parapets or walls around; the places of some lamps."""
    rng = site.rng
    ceiling = max(rng.uniform(2.5, 3.1), wanted.height + 0.8)
    low = rng.uniform(0.5, 0.75)
    concrete = site.palette.add(Material((low, low, low * 0.97), noise=0.22))
    x0, z0, x1, z1 = area
    site.parts.append(_level(area, ceiling, concrete))
    colour = tuple(float(c) for c in rng.uniform(0.1, 0.8, 3))
    band = site.palette.plain((colour[0], colour[1], colour[2]))
    shape = rng.uniform(0.2, 0.3)
    pillar = join(
        [
            box((shape, ceiling / 2, shape), concrete, hidden="top underside"),
            box((shape + 0.005, 0.5, shape + 0.005), band, bottom=float(rng.choice([0.3, 1.0]))),
        ]
    )
    z = np.arange(z0 + 6.0, z1, rng.choice([5.0, 7.5]))
    x = (middles[:, None] + [-DEEP + 0.7, DEEP - 0.7] if rng.random() < 0.5 else middles[:, None]).ravel()
    grid = np.stack([a.ravel() for a in np.meshgrid(x, [0.0], z, indexing="ij")], 1)
    site.put([pillar] * len(grid), grid, np.zeros(len(grid)), margin=0.2)
    for at in z:
        beam = box(((x1 - x0) / 2, 0.15, 0.2), concrete, bottom=ceiling - 0.3)
        site.parts.append(place(beam, ((x0 + x1) / 2, 0.0, float(at))))
    high = ceiling / 2 if rng.random() < 0.4 else 0.5
    for half, centre in (
        (((x1 - x0) / 2, high, 0.12), ((x0 + x1) / 2, 0.0, z0)),
        (((x1 - x0) / 2, high, 0.12), ((x0 + x1) / 2, 0.0, z1)),
        ((0.12, high, (z1 - z0) / 2), (x0, 0.0, (z0 + z1) / 2)),
        ((0.12, high, (z1 - z0) / 2), (x1, 0.0, (z0 + z1) / 2)),
    ):
        site.parts.append(place(box(half, concrete), centre))
    bright = site.palette.add(Material((0.95, 0.95, 0.9), emission=1.0))
    tube = box((0.08, 0.05, 0.7), bright, bottom=ceiling - 0.12)
    lamps = [(float(a), float(b)) for a in (middles[1:] + middles[:-1]) / 2 for b in z[:-1] + 2.5]
    site.parts.extend(place(tube, (a, 0.0, b)) for a, b in lamps)
    return tuple((a, 0.7 - ceiling, b) for a, b in lamps[::2])


def _surroundings(site: Site, area: tuple[float, float, float, float]) -> None:
    """Buildings and trees around."""
    rng = site.rng
    land = Land(site, hills=rng.uniform(0, 15), view=300.0)
    land.build(plain(site, grass(rng) if rng.random() < 0.6 else paving(rng)))
    points = land.points(160, (6.0, 240.0))
    outside = (
        (points[:, 0] < area[0] - 18)
        | (points[:, 0] > area[2] + 18)
        | (points[:, 1] > area[3] + 40)
        | (points[:, 1] < -50)
    )
    kinds = {"far_building": 0.4, "far_tree": 0.5, "far_conifer": 0.1}
    land.scatter(site.kit.mixed(kinds, 110), points[outside])
    skyline(land, land.ring(), (6.0, 20.0), site.palette.add(DECIDUOUS_WOODS))
