"""Traffic jams on highways and avenues: lorries, buses and cars bumper to bumper, in the next lane and ahead."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vode.world.mesh import Mesh
from vode.world.paths import Relief
from vode.world.scene import Mover, Scene
from vode.world.scenes import highway, rows, town, traffic
from vode.world.scenes.base import Site, Street, Wanted, spaced
from vode.world.scenes.ground import Land, asphalt, lay, paving, plain
from vode.world.scenes.highway import Lanes
from vode.world.scenes.light import daylight, glare

HEAVY = {"articulated": 0.5, "lorry": 0.22, "bus": 0.06, "truck": 0.04, "van": 0.1, "car": 0.08}
MIXED = {"car": 0.55, "van": 0.16, "lorry": 0.12, "articulated": 0.1, "bus": 0.05, "truck": 0.02}
LIGHT = {"car": 0.86, "van": 0.1, "lorry": 0.02, "motorbike": 0.02}
SPEEDS = (0.0, 14.0)
"""slowest and fastest of the camera, metres a second"""


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A highway or an avenue that is full."""
    if not wanted.closed and rng.random() < 0.5:  # a slow lap of a highway takes too long
        return highway.drive(rng, wanted, SPEEDS, _queues, shoulders=(0.1, 2.5))
    return _avenue(rng, wanted)


def _avenue(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A street of a town with several lanes, between houses, trees or barriers."""
    site = Site(rng, Relief.random(rng, rng.uniform(0.0, 0.025)))
    width, count = rng.uniform(2.9, 3.5), int(rng.integers(1, 4))
    lanes = Lanes(0.0, width, count, int(rng.integers(count)), 1.0 if rng.random() < 0.8 else -1.0)
    route = traffic.find_route(
        rng,
        wanted,
        SPEEDS,
        radius=60.0 if wanted.closed else 120.0,
        lateral=lanes.lateral(lanes.mine),
        relief=site.relief,
    )
    houses = rng.random() < 0.6
    kerb, pavement = count * width + rng.uniform(0.1, 0.5), rng.uniform(1.5, 4.5) if houses else 0.0
    banks = ((kerb + pavement + 16.0, -0.06),)
    main = site.add_street(
        Street(route.road, route.span(180.0), lane=width, kerb=kerb, clear=kerb, pavement=pavement, banks=banks)
    )
    beside = town.yard(rng)
    lay(site, main, asphalt(rng, lane=width, half=kerb), beside, footway=paving(rng))
    if houses:
        town.furnish(site, main, [], np.array([]))
    else:
        for side in rows.SIDES:
            highway.roadside(site, main, side, str(rng.choice(["green", "walled"])))
    if not wanted.closed and rng.random() < 0.5:  # a slow lap of a highway takes too long
        size = float(np.ceil(2 * main.edge + 6))
        arcs = spaced(rng, (main.span[0] + 60, main.span[1]), (60, 200))
        site.row(main, [site.kit.one("bridge", span=size)] * len(arcs), arcs, 0.0, margin=-1000.0)
    land = Land(site, hills=rng.uniform(0, 25))
    land.build(plain(site, beside))
    town.distance(site, land)
    movers = _queues(site, main, route, lanes) if wanted.moving else []
    light = glare(rng) if rng.random() < 0.35 else daylight(rng)
    return Scene(site.mesh(), site.palette, route.camera(rng), light, movers)


def _queues(site: Site, main: Street, route: traffic.Route, lanes: Lanes) -> list[Mover]:
    """A queue in every lane, of which some stand and some creep, and oncoming traffic that may stand too."""
    rng, seconds = site.rng, route.wanted.seconds
    movers: list[Mover] = []
    around = (route.start - 25.0, route.start + route.distance + 110.0)
    one_way = lanes.inner == 0.0 and rng.random() < 0.4
    for number in range(lanes.count):
        for side in (1.0, -1.0):
            lateral = side * lanes.lateral(number)
            vehicle = _vehicles(site, HEAVY if abs(lateral - route.lateral) < 1.3 * lanes.width else MIXED)
            if side > 0 and number == lanes.mine:
                if rng.random() < 0.85:
                    space = float(rng.uniform(3.5, 14.0))
                    movers += traffic.queue(site, route, lateral, vehicle, travelled=route.travelled, space=space)
            elif side > 0 or one_way:
                draw = rng.random()
                if draw < 0.35:
                    traffic.standing(site, main, lateral, vehicle, around, back=False)
                elif draw < 0.93:
                    pace = traffic.delayed(route, float(rng.uniform(-3, 3)), float(rng.uniform(0.5, 1.5)))
                    movers += traffic.queue(site, route, lateral, vehicle, travelled=pace)
                    rest = around[0] + pace(seconds) + 110.0, around[1] + 60.0
                    traffic.standing(site, main, lateral, vehicle, rest, back=False)
            elif rng.random() < 0.4:
                traffic.standing(site, main, lateral, vehicle, around, back=True)
            elif rng.random() < 0.6:
                movers += traffic.oncoming(site, route, lateral, vehicle, gaps=(24.0, float(rng.uniform(30, 120))))
    return movers


def _vehicles(site: Site, fractions: dict[str, float]) -> Callable[[], Mesh]:
    """What makes the vehicles of a lane, which has more cars than lorries or the other way around."""
    chosen = fractions if site.rng.random() < 0.7 else LIGHT if site.rng.random() < 0.5 else MIXED

    def vehicle() -> Mesh:
        return site.kit.mixed(chosen, 1)[0]

    return vehicle
