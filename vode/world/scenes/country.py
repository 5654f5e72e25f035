"""Country roads: fields, rows of trees, woods, hills, a barn here and there."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from vode.world.mesh import Mesh
from vode.world.objects.street import wires
from vode.world.paths import Relief
from vode.world.scene import Mover, Scene
from vode.world.scenes import rows, traffic
from vode.world.scenes.base import Site, Street, Wanted
from vode.world.scenes.distant import CONIFEROUS_WOODS, DECIDUOUS_WOODS, skyline
from vode.world.scenes.ground import Land, asphalt, fields, grass, lay
from vode.world.scenes.light import outdoors

BESIDE = ("open", "open", "avenue", "wood", "hedge", "fence", "bushes")


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A drive through the country."""
    site = Site(rng, Relief.random(rng, rng.uniform(0.01, 0.06)))
    lane, hand = rng.uniform(2.6, 3.4), 1.0 if rng.random() < 0.8 else -1.0
    radius = 45.0 if wanted.closed else float(rng.choice([45.0, 80.0, 150.0]))
    route = traffic.find_route(rng, wanted, (8.0, 25.0), radius=radius, lateral=hand * lane / 2, relief=site.relief)
    kerb = lane + rng.uniform(0.1, 0.6)
    main = site.add_street(
        Street(route.road, route.span(260.0), lane=lane, kerb=kerb, clear=kerb + 0.5, banks=_banks(site, route, kerb))
    )
    for side in rows.SIDES:
        start = main.span[0]
        while start < main.span[1]:
            end = min(start + rng.uniform(40, 220), main.span[1])
            _beside(site, main, side, (start, end))
            start = end
    if rng.random() < 0.45:
        _wires(site, main, float(rng.choice([-1.0, 1.0])) * (kerb + rng.uniform(2.0, 6.0)))
    if rng.random() < 0.5:
        rows.along(site, main, "delineator", kerb + 0.8, (45, 55))
    rows.along(site, main, "street_sign", kerb + 1.4, (90, 300))
    lay(site, main, asphalt(rng, lane=lane, half=kerb - 0.1, lines=rng.random() < 0.8), grass(rng))
    land = Land(site, hills=float(rng.choice([6.0, 20.0, 45.0, 80.0])))
    land.build(fields(site))
    _distance(site, land)
    movers = _traffic(site, route, main, hand) if wanted.moving else []
    return Scene(site.mesh(), site.palette, route.camera(rng), outdoors(rng), movers)


def _banks(site: Site, route: traffic.Route, kerb: float) -> tuple[tuple[float, float], ...]:
    """A verge, then a ditch, or a slope up or down; level where the route may cross itself."""
    kind = "level" if route.road.closed else str(site.rng.choice(["level", "ditch", "up", "down"]))
    verge, wide = kerb + site.rng.uniform(1.0, 2.5), kerb + 30.0
    if kind == "ditch":
        return (verge, -0.05), (verge + 0.8, -0.6), (verge + 1.6, -0.05), (wide, 0.0)
    if kind == "level":
        return (verge, -0.03), (wide, -0.05)
    height = site.rng.uniform(0.6, 2.5) * (1 if kind == "up" else -1)
    return (verge, -0.03), (verge + 1.5 * abs(height) + 1.0, height), (wide, height)


def _wires(site: Site, main: Street, lateral: float) -> None:
    """Poles along one side, with wires from each to the next."""
    arcs = np.arange(main.span[0], main.span[1], site.rng.uniform(38, 55))
    pole = site.kit.one("utility_pole")
    site.row(main, [pole] * len(arcs), arcs, lateral)
    top, _, _ = main.road.place(arcs, lateral)
    top[:, 1] += float(pole.vertices[:, 1].min()) - main.rise(np.array(lateral)) + 0.35
    site.parts.extend(wires(a, b, site.palette, sag=0.6) for a, b in pairwise(top))


def _beside(site: Site, main: Street, side: float, span: tuple[float, float]) -> None:
    """What stands along one side for a while."""
    rng, kit = site.rng, site.kit
    kind = str(rng.choice(BESIDE))
    verge = main.kerb + rng.uniform(1.5, 3.5)
    trees = {"tree": 0.8, "conifer": 0.2} if rng.random() < 0.75 else {"tree": 0.1, "conifer": 0.9}
    distant = {f"far_{name}": fraction for name, fraction in trees.items()}
    if kind == "avenue":
        arcs = np.arange(span[0], span[1], rng.uniform(8, 16))
        site.row(main, kit.some("tree", len(arcs)), arcs, side * verge, turn=rng.uniform(-3, 3, len(arcs)))
    elif kind == "wood":
        for lateral, gap, fractions in (
            (verge + 2.0, 9.0, trees),
            (verge + 6.0, 4.0, distant),
            (verge + 11.0, 4.0, distant),
        ):
            arcs = np.arange(span[0], span[1], gap) + rng.uniform(-1, 1, len(np.arange(span[0], span[1], gap)))
            laterals = side * (lateral + rng.uniform(-1.5, 1.5, len(arcs)))
            site.row(main, kit.mixed(fractions, len(arcs)), arcs, laterals, turn=rng.uniform(-3, 3, len(arcs)))
        arcs = np.arange(span[0], span[1], 9.0)
        laterals = side * (verge + rng.uniform(0.5, 6.0, len(arcs)))
        site.row(main, kit.some("bush", len(arcs)), arcs, laterals, turn=rng.uniform(-3, 3, len(arcs)))
    elif kind in ("hedge", "fence"):
        rows.line(site, main, kind, side, verge + 0.5, span=span, length=4.0)
        arcs = np.arange(span[0], span[1], 1.0)[rng.uniform(0, 1, len(np.arange(span[0], span[1], 1.0))) < 0.02]
        site.row(main, kit.mixed(trees, len(arcs)), arcs, side * (verge + 3.0))
    elif kind == "bushes":
        arcs = span[0] + np.sort(rng.uniform(0, span[1] - span[0], int((span[1] - span[0]) / 6)))
        laterals = side * (verge + rng.uniform(0, 8, len(arcs)))
        site.row(main, kit.mixed({"bush": 0.75, "tree": 0.25}, len(arcs)), arcs, laterals)


def _distance(site: Site, land: Land) -> None:
    """Woods, single trees, farms and the horizon."""
    rng, kit = site.rng, site.kit
    leaves = site.palette.add(DECIDUOUS_WOODS)
    dark = site.palette.add(CONIFEROUS_WOODS)
    for point in land.points(16, (60.0, 330.0)):
        yaw, length, bend = rng.uniform(0, math.pi), rng.uniform(60, 260), rng.uniform(-0.6, 0.6)
        along = np.linspace(-0.5, 0.5, 12)
        angle = yaw + bend * along
        line = point + length * along[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
        if (site.beyond(line) > 25.0).all():
            skyline(land, line, (6.0, rng.uniform(11, 20)), leaves if rng.random() < 0.6 else dark)
    land.scatter(kit.mixed({"far_tree": 0.85, "far_conifer": 0.15}, 90), land.points(150, (8.0, 300.0)))
    farms = land.points(int(rng.integers(0, 6)), (12.0, 200.0))
    land.scatter(kit.mixed({"barn": 0.65, "house": 0.3, "church": 0.05}, len(farms)), farms, solid=True)
    if rng.random() < 0.8:
        skyline(land, land.ring(), (5.0, 22.0), dark)


def _traffic(site: Site, route: traffic.Route, main: Street, hand: float) -> list[Mover]:
    rng, lane = site.rng, hand * main.lane / 2

    def vehicle() -> Mesh:
        return site.kit.mixed({"car": 0.75, "van": 0.1, "lorry": 0.06, "articulated": 0.04, "motorbike": 0.05}, 1)[0]

    movers = traffic.oncoming(site, route, -lane, vehicle, gaps=(60, float(rng.uniform(120, 400))))
    if rng.random() < 0.35:
        movers.append(traffic.ahead(route, lane, vehicle(), gap=8.0, seconds=float(rng.uniform(1.2, 3.0))))
    return movers
