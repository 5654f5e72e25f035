"""Roads of detached houses with front gardens, driveways and trees."""

from __future__ import annotations

import math

import numpy as np

from vode.world.mesh import Mesh
from vode.world.paths import Relief
from vode.world.scene import Mover, Scene
from vode.world.scenes import rows, traffic
from vode.world.scenes.base import Site, Street, Wanted, spaced
from vode.world.scenes.distant import DECIDUOUS_WOODS, skyline
from vode.world.scenes.ground import Land, asphalt, grass, lay, paving, plain, strip
from vode.world.scenes.light import outdoors

PARKED = {"car": 0.88, "van": 0.12}
GARDEN = {"tree": 0.3, "bush": 0.55, "conifer": 0.15}


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A drive past houses and gardens."""
    site = Site(rng, Relief.random(rng, rng.uniform(0.0, 0.04)))
    lane, hand = rng.uniform(2.5, 3.1), 1.0 if rng.random() < 0.8 else -1.0
    route = traffic.find_route(
        rng,
        wanted,
        (3.0, 12.0),
        radius=13.0,
        lateral=hand * lane / 2,
        corners=int(rng.integers(0, 4)),
        relief=site.relief,
    )
    kerb, pavement = lane + float(rng.choice([0.0, 0.3, 2.0])), float(rng.choice([0.0, 1.6, 2.2]))
    edge = kerb + pavement
    banks = ((edge + 22.0, -0.05),)
    main = site.add_street(
        Street(route.road, route.span(130.0), lane=lane, kerb=kerb, clear=lane - 0.05, pavement=pavement, banks=banks)
    )
    side_streets = rows.branches(
        site, main, spaced(rng, main.span, (70, 150)), length=80.0, width=6.5, pavement=max(pavement, 0.01)
    )
    depth = rng.uniform(3.5, 9.0)
    for street in (main, *side_streets):
        _gardens(site, street, depth)
    _kerbside(site, main)
    lawn, footway = grass(rng), paving(rng)
    lay(site, main, asphalt(rng, lane=lane, half=kerb, lines=rng.random() < 0.4), lawn, footway=footway)
    for street in side_streets:
        lay(site, street, asphalt(rng, lane=lane, half=street.kerb, lines=False), lawn, footway=footway)
    land = Land(site, hills=rng.uniform(0, 40))
    land.build(plain(site, lawn))
    land.scatter(site.kit.some("house", 35), land.points(70, (8.0, 150.0)), solid=True)
    land.scatter(site.kit.mixed({"far_tree": 0.75, "far_conifer": 0.25}, 130), land.points(260, (2.0, 180.0)))
    leaves = site.palette.add(DECIDUOUS_WOODS)
    skyline(land, land.ring(), (8.0, 24.0), leaves)
    movers = _traffic(site, route, main, hand) if wanted.moving else []
    return Scene(site.mesh(), site.palette, route.camera(rng), outdoors(rng), movers)


def _gardens(site: Site, street: Street, depth: float) -> None:
    """Plots on both sides: a house, a driveway, something along the pavement and plants."""
    rng, kit = site.rng, site.kit
    kinds, fractions = ("hedge", "fence", "wall", "none"), rng.dirichlet((1.5, 1.0, 1.0, 1.0))
    drive = site.palette.add(paving(rng))
    for side in rows.SIDES:
        widths = rng.uniform(13, 25, int((street.span[1] - street.span[0]) / 13) + 1)
        starts = street.span[0] + np.concatenate([[0.0], np.cumsum(widths)[:-1]])
        widths, starts = widths[starts + widths < street.span[1]], starts[starts + widths < street.span[1]]
        count = len(starts)
        if not count:
            continue
        houses: list[Mesh] = kit.some("house", count)
        deep = np.array([np.ptp(mesh.vertices[:, 2]) for mesh in houses])
        front = street.edge + depth * rng.uniform(0.8, 1.5, count)
        middles = starts + widths * rng.uniform(0.52, 0.6, count)
        turn = "facing" if rng.random() < 0.7 else -math.pi / 2 * side + rng.normal(0, 0.2, count)
        site.row(street, houses, middles, side * (front + deep / 2), turn=turn, margin=2.0, solid=True)
        for start, width, reach in zip(starts, widths, front, strict=True):
            kind = str(rng.choice(kinds, p=fractions))
            if kind != "none":
                rows.line(site, street, kind, side, street.edge + 0.35, span=(start + 4.0, start + width), length=3.0)
            if rng.random() < 0.5:  # towards the neighbour
                count = int(reach + 6 - street.edge) // 3
                laterals = side * (street.edge + 2.0 + 3.0 * np.arange(count))
                piece = kit.one("fence" if kind == "none" else kind, length=3.0)
                site.row(street, [piece] * count, np.full(count, start + 0.2), laterals, turn=math.pi / 2, margin=0.5)
            ramp = (side * (street.kerb - 0.05), side * (reach + 3.0))
            if rng.random() < 0.85:
                lengths = np.array([start + 0.7, start + 3.4])
                middle = street.road.place(start + 2.0, np.linspace(side * (street.edge + 1.0), ramp[1], 5))[0][
                    :, [0, 2]
                ]
                if (site.beyond(middle, "kerb") > 0.9).all():
                    height = 0.135 if street.pavement > 1 else 0.02
                    site.parts.append(strip(street, lengths, ramp, (height, 0.03), drive))
        parked = rng.uniform(0, 1, len(starts)) < 0.5
        laterals = side * (street.edge + rng.uniform(3.0, 3.6, len(starts)))
        turn = rng.choice([0.0, math.pi], len(starts)) + math.pi / 2
        places = np.flatnonzero(parked & (front - street.edge > 3.5))
        site.row(
            street,
            kit.mixed(PARKED, len(places)),
            starts[places] + 2.0,
            laterals[places],
            turn=turn[places],
            margin=0.4,
        )
    rows.scattered(site, street, GARDEN, (street.edge + 1.2, street.edge + depth * 1.1), (4.0, 15.0))


def _kerbside(site: Site, main: Street) -> None:
    rng = site.rng
    lateral = main.kerb + 0.4
    rows.along(site, main, "lamp_post", lateral, (30, 50))
    if rng.random() < 0.4:
        rows.along(site, main, "utility_pole", main.edge + 0.3, (35, 55))
    if rng.random() < 0.5:
        rows.along(site, main, "tree", main.kerb + (0.9 if main.pavement else 1.4), (9, 24))
    rows.along(site, main, "street_sign", lateral, (60, 160))
    rows.scattered(site, main, {"bin": 0.85, "pedestrian": 0.15}, (main.kerb + 0.4, main.edge + 0.7), (14, 40))
    if main.kerb - main.lane > 1.5:
        rows.parked(site, main, rng.uniform(0.1, 0.55))
    elif main.pavement > 1 and rng.random() < 0.5:  # with two wheels on the pavement
        rows.parked(site, main, rng.uniform(0.1, 0.35), lateral=main.kerb + 0.75)


def _traffic(site: Site, route: traffic.Route, main: Street, hand: float) -> list[Mover]:
    rng, lane = site.rng, hand * main.lane / 2

    def vehicle() -> Mesh:
        return site.kit.mixed({"car": 0.85, "van": 0.1, "cyclist": 0.05}, 1)[0]

    movers = traffic.oncoming(site, route, -lane, vehicle, gaps=(50, float(rng.uniform(80, 250))))
    if rng.random() < 0.3:
        movers.append(traffic.ahead(route, lane, vehicle(), gap=6.5, seconds=float(rng.uniform(1.0, 2.5))))
    movers += traffic.crossing(site, route, main, int(rng.integers(0, 3)), list(movers))
    return movers + (traffic.strollers(site, route, main, int(rng.integers(1, 6))) if main.pavement else [])
