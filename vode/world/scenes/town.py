"""Streets of a town: houses wall to wall, parked cars, trees in the pavement, people, junctions."""

from __future__ import annotations

import math

import numpy as np

from vode.world.materials import Material
from vode.world.mesh import Mesh
from vode.world.paths import Relief
from vode.world.scene import Mover, Scene
from vode.world.scenes import rows, traffic
from vode.world.scenes.base import Site, Street, Wanted, spaced
from vode.world.scenes.distant import skyline
from vode.world.scenes.ground import Land, asphalt, grass, lay, paving, plain
from vode.world.scenes.light import daylight


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A drive through a town, or around a block of it."""
    site = Site(rng, Relief.random(rng, rng.uniform(0.0, 0.03)))
    lane, hand = rng.uniform(3.0, 3.5), 1.0 if rng.random() < 0.8 else -1.0
    parking = 2.1 if rng.random() < 0.75 else 0.4
    route = traffic.find_route(
        rng,
        wanted,
        (4.0, 14.0),
        radius=14.0,
        lateral=hand * lane / 2,
        corners=int(rng.integers(0, 4)),
        relief=site.relief,
    )
    width, pavement = lane + parking, rng.uniform(2.0, 4.5)
    main = site.add_street(
        Street(
            route.road,
            route.span(150.0),
            lane=lane,
            kerb=width,
            clear=lane - 0.05,
            pavement=pavement,
            banks=((width + pavement + 16.0, -0.06),),
        )
    )
    crossings = spaced(rng, main.span, (60, 120))
    side_streets = rows.branches(site, main, crossings, length=80.0, width=rng.uniform(7.0, 9.5), pavement=2.0)
    furnish(site, main, side_streets, crossings)
    surface, footway, beside = asphalt(rng, lane=lane, half=width), paving(rng), yard(rng)
    lay(site, main, surface, beside, footway=footway)
    for street in side_streets:
        lay(site, street, asphalt(rng, lane=street.lane, half=street.kerb, lines=False), beside, footway=footway)
    land = Land(site, hills=rng.uniform(0, 25))
    land.build(plain(site, beside))
    distance(site, land)
    movers = _traffic(site, route, main, hand) if wanted.moving else []
    lamps = _lamps(main)
    return Scene(site.mesh(), site.palette, route.camera(rng), daylight(rng, lamps), movers)


def furnish(site: Site, main: Street, side_streets: list[Street], crossings: np.ndarray) -> None:
    """Houses, parked cars and all that stands on pavements along a street."""
    rng = site.rng
    low = rng.uniform(6, 12)
    houses, setback = rows.town_houses(site, (low, low + rng.uniform(4, 14))), (0.0, float(rng.choice([0.3, 2.0, 5.0])))
    rows.fronts(site, main, houses, setback=setback)
    full = rng.uniform(0.25, 0.9)
    if main.kerb - main.lane > 1.5:
        rows.parked(site, main, full)
    lateral = main.kerb + 0.55
    rows.along(site, main, "lamp_post", lateral, (24, 38))
    if rng.random() < 0.65:
        rows.along(site, main, "tree", lateral + 0.5, (7, 20))
    rows.along(site, main, "street_sign", lateral, (18, 55))
    small = {
        "bin": 0.2,
        "bollard": 0.2,
        "pedestrian": 0.3,
        "bicycle": 0.1,
        "hydrant": 0.05,
        "post_box": 0.05,
        "flower_bed": 0.1,
    }
    rows.scattered(site, main, small, (main.kerb + 0.4, main.edge - 0.2), (5, 18))
    rows.along(site, main, "bench", main.edge - 0.6, (40, 120))
    rows.along(site, main, "bus_stop", main.kerb + 1.5, (120, 260))
    if rng.random() < 0.3:
        rows.along(site, main, "billboard", main.edge + 0.4, (90, 200))
    if rng.random() < 0.6:
        for arc in crossings:
            for turn, side in ((math.pi, 1.0), (0.0, -1.0)):
                place = np.array([arc - side * (main.kerb + 1.5)])
                site.row(main, site.kit.some("traffic_light", 1), place, side * lateral, turn=turn)
    for street in side_streets:
        rows.fronts(site, street, houses, setback=setback)
        rows.parked(site, street, full)
        rows.along(site, street, "lamp_post", street.kerb + 0.5, (30, 40))
        if rng.random() < 0.4:
            rows.along(site, street, "far_tree", street.kerb + 0.9, (10, 22))


def yard(rng: np.random.Generator) -> Material:
    """What lies behind pavements: paving, gravel or lawn."""
    kind = rng.random()
    if kind < 0.4:
        return paving(rng)
    return grass(rng) if kind < 0.65 else Material((0.45, 0.43, 0.4), noise=0.5)


def distance(site: Site, land: Land) -> None:
    """Roofs and trees beyond the streets."""
    rng = site.rng
    land.scatter(site.kit.some("far_building", 110), land.points(110, (8.0, 260.0)))
    land.scatter(site.kit.some("far_tree", 40), land.points(40, (2.0, 120.0)))
    grey = rng.uniform(0.35, 0.55)
    skyline(land, land.ring(), (6.0, 22.0), site.palette.plain((grey, grey, grey * 1.05)))


def _traffic(site: Site, route: traffic.Route, main: Street, hand: float) -> list[Mover]:
    rng, lane = site.rng, hand * main.lane / 2

    def vehicle() -> Mesh:
        return site.kit.mixed(rows.DRIVING, 1)[0]

    movers = traffic.oncoming(site, route, -lane, vehicle, gaps=(25, float(rng.uniform(40, 120))))
    if rng.random() < 0.5:
        movers.append(traffic.ahead(route, lane, vehicle(), gap=6.5, seconds=float(rng.uniform(0.9, 2.2))))
    movers += traffic.crossing(site, route, main, int(rng.integers(0, 5)), list(movers))
    movers += traffic.strollers(site, route, main, int(rng.integers(3, 12)))
    return movers


def _lamps(main: Street) -> tuple[tuple[float, float, float], ...]:
    arcs = np.arange(main.span[0] + 10.0, main.span[1], 30.0)
    sides = np.where(np.arange(len(arcs)) % 2, 1.0, -1.0)
    position, _, _ = main.road.place(arcs, sides * main.kerb)
    return tuple((float(x), float(y) - 6.5, float(z)) for x, y, z in position)
