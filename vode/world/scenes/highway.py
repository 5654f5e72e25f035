"""Highways: lanes, a median with rails, gantries, bridges, noise barriers, trucks; or nothing but land."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vode.world.mesh import Mesh
from vode.world.paths import Relief
from vode.world.scene import Mover, Scene
from vode.world.scenes import rows, traffic
from vode.world.scenes.base import Site, Street, Wanted, spaced
from vode.world.scenes.distant import CONIFEROUS_WOODS, skyline
from vode.world.scenes.ground import Land, asphalt, fields, grass, plain, strip
from vode.world.scenes.light import outdoors

DRIVING = {"car": 0.78, "van": 0.12, "lorry": 0.05, "articulated": 0.05}
SLOW = {"articulated": 0.35, "lorry": 0.15, "truck": 0.1, "van": 0.15, "car": 0.2, "bus": 0.05}
PIECE = 8.0
"""length of a piece of rail or barrier in metres"""


@dataclass(frozen=True)
class Lanes:
    """The lanes of one direction; those of the other are mirrored."""

    inner: float
    """metres from the middle of the road to where they begin"""
    width: float
    count: int
    mine: int
    """number of the camera's, from the inside"""
    hand: float
    """1 where one drives on the right, -1 on the left"""

    def lateral(self, number: int) -> float:
        """Metres of the middle of a lane to the right of the road's middle."""
        return self.hand * (self.inner + (number + 0.5) * self.width)


Traffic = Callable[[Site, Street, traffic.Route, Lanes], list[Mover]]


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A drive along a highway, in any of its lanes."""
    return drive(rng, wanted, (20.0, 35.0), _traffic)


def drive(
    rng: np.random.Generator,
    wanted: Wanted,
    speed: tuple[float, float],
    traffic_of: Traffic,
    *,
    shoulders: tuple[float, float] = (1.0, 3.2),
) -> Scene:
    """A highway with any traffic, the camera in any of its lanes at a speed within ``speed``."""
    site = Site(rng, Relief.random(rng, rng.uniform(0.0, 0.025)))
    count, width = int(rng.integers(2, 5)), rng.uniform(3.5, 3.75)
    median, shoulder = rng.uniform(1.5, 5.0), rng.uniform(*shoulders)
    hand = 1.0 if rng.random() < 0.8 else -1.0
    lanes = Lanes(median / 2 + 0.8, width, count, int(rng.integers(count)), hand)
    lateral = lanes.lateral(lanes.mine)
    route = traffic.find_route(rng, wanted, speed, radius=320.0, lateral=lateral, relief=site.relief)
    edge = lanes.inner + count * width + shoulder
    style = str(rng.choice(["open", "green", "walled"], p=[0.4, 0.4, 0.2]))
    main = site.add_street(
        Street(route.road, route.span(400.0), lane=width, kerb=edge, clear=edge, banks=_banks(rng, edge, style))
    )
    _surface(site, main, (median, lanes.inner, count))
    _median(site, main, median)
    for side in rows.SIDES:
        roadside(site, main, side, style)
    overhead(site, main, style)
    land = Land(site, hills=float(rng.choice([4.0, 25.0, 70.0])), view=600.0 if style == "open" else 450.0)
    land.build(fields(site) if style != "walled" else plain(site, grass(rng)))
    _distance(site, land, style)
    movers = traffic_of(site, main, route, lanes) if wanted.moving else []
    return Scene(site.mesh(), site.palette, route.camera(rng), outdoors(rng), movers)


def _banks(rng: np.random.Generator, edge: float, style: str) -> tuple[tuple[float, float], ...]:
    """Level ground, a dam or a cutting."""
    kind = "level" if style == "walled" else str(rng.choice(["level", "dam", "cutting"], p=[0.4, 0.4, 0.2]))
    if style == "open" and kind == "cutting":
        kind = "level"
    height = {"level": -0.3, "dam": -rng.uniform(1.0, 4.0), "cutting": rng.uniform(2.0, 6.0)}[kind]
    foot = edge + 2.0 + 2.0 * abs(height)
    return (edge + 2.0, -0.05), (foot, height), (foot + 30.0, height)


def _surface(site: Site, main: Street, shape: tuple[float, float, int]) -> None:
    """Both carriageways, the median and the banks."""
    rng, (median, inner, lanes) = site.rng, shape
    arcs = np.arange(main.span[0], main.span[1] + 4.0, 4.0)
    if main.road.closed:
        arcs = np.linspace(*main.span, len(arcs))
    surface = site.palette.add(asphalt(rng, lane=main.lane, half=1000.0))  # its dashes begin where u = 0
    white = site.palette.plain((0.85, 0.85, 0.82))
    green = site.palette.add(grass(rng))
    between = green if median > 3 else site.palette.plain((0.4, 0.4, 0.38))
    site.parts.append(strip(main, arcs, (-median / 2 - 0.05, median / 2 + 0.05), (-0.02, -0.02), between))
    for side in rows.SIDES:
        sides = (side * median / 2, side * main.kerb)
        u = (sides[0] - side * inner, sides[1] - side * inner)
        site.parts.append(strip(main, arcs, sides, (0.0, 0.0), surface, u=u))
        for edge in (inner, inner + lanes * main.lane):
            site.parts.append(strip(main, arcs, (side * (edge - 0.09), side * (edge + 0.09)), (0.006, 0.006), white))
        low, reached = -0.02, main.kerb - 0.02
        for lateral, height in main.banks:
            site.parts.append(strip(main, arcs, (side * reached, side * lateral), (low, height), green))
            reached, low = lateral, height


def _median(site: Site, main: Street, median: float) -> None:
    """A concrete wall, or rails on both sides of grass with bushes."""
    rng = site.rng
    arcs = np.linspace(*main.span, int((main.span[1] - main.span[0]) / 5.0) + 2)
    if median < 3.0:
        grey = site.palette.plain((0.6, 0.6, 0.58), noise=0.3)
        height = rng.uniform(0.8, 1.1)
        for side in rows.SIDES:
            site.parts.append(strip(main, arcs, (side * 0.3, side * 0.12), (-0.05, height), grey))
        site.parts.append(strip(main, arcs, (-0.12, 0.12), (height, height), grey))
        return
    for side in rows.SIDES:
        _pieces(site, main, "guard_rail", side * (median / 2 - 0.4), main.span)
    if rng.random() < 0.4:
        places = spaced(rng, main.span, (3.0, 9.0))
        site.row(main, site.kit.some("bush", len(places)), places, 0.0, margin=-1000.0)


def _pieces(site: Site, main: Street, name: str, lateral: float, span: tuple[float, float]) -> None:
    """Rails or barriers end to end, wherever they are."""
    arcs = np.arange(span[0] + PIECE / 2, span[1] - PIECE / 2, PIECE)
    turn = 0.0 if lateral < -main.kerb or 0 < lateral < main.kerb else math.pi  # towards those who drive
    site.row(main, [site.kit.one(name, length=PIECE)] * len(arcs), arcs, lateral, turn=turn, margin=-1000.0)


def roadside(site: Site, main: Street, side: float, style: str) -> None:
    """Rails, barriers, trees and posts along one side."""
    rng = site.rng
    kinds = {
        "open": ("nothing", "nothing", "rail"),
        "green": ("nothing", "rail", "trees", "bushes", "rail"),
        "walled": ("barrier", "barrier", "rail"),
    }[style]
    start = main.span[0]
    while start < main.span[1]:
        end = min(start + rng.uniform(120, 400), main.span[1])
        kind = str(rng.choice(kinds))
        if kind == "rail":
            _pieces(site, main, "guard_rail", side * (main.kerb + 0.6), (start, end))
        elif kind == "barrier":
            _pieces(site, main, "noise_barrier", side * (main.kerb + 1.5), (start, end))
        elif kind in ("trees", "bushes"):
            arcs = spaced(rng, (start, end), (4.0, 14.0))
            fractions = {"tree": 0.6, "bush": 0.4} if kind == "trees" else {"bush": 1.0}
            laterals = side * (main.kerb + rng.uniform(5, 16, len(arcs)))
            site.row(main, site.kit.mixed(fractions, len(arcs)), arcs, laterals, turn=rng.uniform(-3, 3, len(arcs)))
        start = end
    posts = np.arange(main.span[0], main.span[1], 50.0)
    site.row(
        main,
        site.kit.some("delineator", len(posts)),
        posts,
        side * (main.kerb + 0.4),
        turn=math.pi if side > 0 else 0.0,
    )


def overhead(site: Site, main: Street, style: str) -> None:
    """Signs, gantries and bridges."""
    rng = site.rng
    rows.along(site, main, "street_sign", main.kerb + 1.6, (150, 500))
    if style == "walled" or rng.random() < 0.3:
        rows.along(site, main, "lamp_post", main.kerb + 1.0, (40, 50))
    span = 2 * (main.kerb + 2.5)
    for name, gaps in (("gantry", (180, 600)), ("bridge", (300, 1200))):
        if style == "open" and rng.random() < 0.6:
            continue
        arcs = spaced(rng, (main.span[0] + 60, main.span[1]), gaps)
        size = math.ceil(span + (6 if name == "bridge" else 0))
        site.row(main, [site.kit.one(name, span=float(size))] * len(arcs), arcs, 0.0, turn=math.pi, margin=-1000.0)


def _distance(site: Site, land: Land, style: str) -> None:
    rng = site.rng
    dark = site.palette.add(CONIFEROUS_WOODS)
    near = 200.0 if style == "open" else 15.0
    for point in land.points(14, (near, 420.0)):
        yaw, length = rng.uniform(0, math.pi), rng.uniform(80, 350)
        line = point + length * np.linspace(-0.5, 0.5, 10)[:, None] * np.array([math.sin(yaw), math.cos(yaw)])
        if (site.beyond(line) > min(near, 60.0)).all():
            skyline(land, line, (7.0, 18.0), dark)
    kinds = {"far_tree": 0.9, "barn": 0.1} if style != "walled" else {"far_tree": 0.5, "house": 0.35, "warehouse": 0.15}
    count = {"open": 12, "green": 60, "walled": 70}[style]
    land.scatter(site.kit.mixed(kinds, count), land.points(2 * count, (near / 2, 300.0)))
    if rng.random() < 0.75:
        skyline(land, land.ring(), (5.0, 18.0), dark)


def _traffic(site: Site, main: Street, route: traffic.Route, lanes: Lanes) -> list[Mover]:
    rng, mine = site.rng, lanes.mine
    usual = route.distance / route.wanted.seconds
    busy = rng.uniform(0.5, 1.6)
    movers: list[Mover] = []
    for number in range(lanes.count):
        slow = number == lanes.count - 1

        def vehicle(slow: bool = slow) -> Mesh:
            return site.kit.mixed(SLOW if slow else DRIVING, 1)[0]

        lateral, gaps = lanes.lateral(number), (35 / busy, 130 / busy)
        if number != mine:
            speed = 23.0 if slow else usual + 3.0 * (mine - number) + rng.uniform(-1, 2)
            movers += traffic.alongside(site, route, lateral, vehicle, speed=float(max(speed, 15.0)), gaps=gaps)
        movers += traffic.oncoming(site, route, -lateral, vehicle, gaps=(2 * gaps[0], 2 * gaps[1]))
    if rng.random() < 0.6:
        front = site.kit.mixed(SLOW if mine == lanes.count - 1 else DRIVING, 1)[0]
        movers.append(traffic.ahead(route, route.lateral, front, gap=8.0, seconds=float(rng.uniform(0.8, 2.2))))
    return movers
