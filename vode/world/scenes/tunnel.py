"""Road tunnels, arched or square, and underpasses that are entered from the open."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from vode.world.materials import Material, Pattern
from vode.world.mesh import Mesh, box, place, quad
from vode.world.paths import Relief
from vode.world.scene import Mover, Scene
from vode.world.scenes import traffic
from vode.world.scenes.base import Site, Street, Wanted, spaced
from vode.world.scenes.distant import DECIDUOUS_WOODS, skyline
from vode.world.scenes.ground import Land, asphalt, fields, grass, lay, strip
from vode.world.scenes.light import daylight, interior

WALK = 0.8
"""width of the walkways along the walls in metres"""
SHOULDER = 14.0
"""how far the hill above goes on level beside the tunnel"""


@dataclass(frozen=True)
class Tube:
    """The cross-section of a tunnel."""

    outline: np.ndarray
    """(N, 2) lateral and height from the left foot to the right one"""
    top: float
    """height of the ground above"""

    @property
    def half(self) -> float:
        """From the middle to the wall."""
        return float(self.outline[-1, 0])

    @property
    def height(self) -> float:
        """Of the ceiling."""
        return float(self.outline[:, 1].max())


def build(rng: np.random.Generator, wanted: Wanted) -> Scene:
    """A drive through a tunnel, or in and out of several."""
    site = Site(rng, Relief.random(rng, rng.uniform(0.0, 0.02)))
    lane, hand = rng.uniform(3.2, 3.7), 1.0 if rng.random() < 0.8 else -1.0
    radius = 90.0 if wanted.closed else float(rng.choice([150.0, 300.0]))
    route = traffic.find_route(rng, wanted, (8.0, 25.0), radius=radius, lateral=hand * lane / 2, relief=site.relief)
    kerb = lane + rng.uniform(0.2, 0.8)
    main = site.add_street(
        Street(
            route.road,
            route.span(260.0),
            lane=lane,
            kerb=kerb,
            clear=kerb,
            banks=((kerb + 3.0, -0.05), (kerb + 55.0, -0.05)),
        )
    )
    kind = str(rng.choice(["long", "portals", "underpasses"], p=[0.4, 0.35, 0.25]))
    if route.road.closed and kind == "long":
        kind = "portals"
    tube = _tube(rng, kerb, kind)
    covered = _covered(rng, main, route, kind)
    lay(site, main, asphalt(rng, lane=lane, half=kerb - 0.1), grass(rng))
    lamps: list[tuple[float, float, float]] = []
    looks = _looks(site)
    for span in covered:
        _lining(site, main, tube, span, looks)
        lamps += _lamps(site, main, tube, span)
        if kind != "long":
            _cover(site, main, tube, span, looks[2])
    if kind == "long":
        light = interior(rng, tuple(lamps), ambient=rng.uniform(0.15, 0.4))
    else:
        _outside(site, main, covered)
        light = replace(daylight(rng), lamps=tuple(lamps), lamp_strength=float(rng.uniform(0.4, 0.9)))
    movers = _traffic(site, route, lane, hand) if wanted.moving else []
    return Scene(site.mesh(), site.palette, route.camera(rng), light, movers)


def _tube(rng: np.random.Generator, kerb: float, kind: str) -> Tube:
    half, height = kerb + WALK, rng.uniform(4.6, 6.2)
    if kind != "underpasses" and rng.random() < 0.55:
        angle = np.linspace(math.pi, 0, 13)
        outline = np.stack(
            [half * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** 0.6, height * np.sin(angle) ** 0.8], 1
        )
    else:
        outline = np.array([[-half, 0], [-half, 2.8], [-half, height], [half, height], [half, 2.8], [half, 0]])
    return Tube(outline, height + rng.uniform(1.2, 3.0) + 4.0 * (kind == "portals"))


def _covered(rng: np.random.Generator, main: Street, route: traffic.Route, kind: str) -> list[tuple[float, float]]:
    """Stretches of the road that are under ground."""
    if kind == "long":
        return [(main.span[0], main.span[1])]
    gaps, lengths = ((70, 160), (90, 350)) if kind == "portals" else ((60, 140), (12, 45))
    spans, start = [], route.start + rng.uniform(10, 60)
    while start + lengths[0] < main.span[1] - 20:
        end = min(start + rng.uniform(*lengths), main.span[1] - 20)
        spans.append((float(start), float(end)))
        start = end + rng.uniform(*gaps)
    return spans


def _looks(site: Site) -> tuple[int, int, int]:
    """Materials of the lower walls, of the rest, and of what is seen from outside."""
    rng = site.rng
    light = rng.uniform(0.45, 0.85)
    tint = tuple(float(c) for c in light * rng.uniform(0.85, 1.0, 3))
    joint = (0.6 * tint[0], 0.6 * tint[1], 0.6 * tint[2])
    size = float(rng.choice([0.3, 0.6, 1.2]))
    pattern = Pattern.TILES if rng.random() < 0.75 else Pattern.PLAIN
    tiles = site.palette.add(Material((tint[0], tint[1], tint[2]), pattern, joint, (size, size), gloss=0.15))
    grey = rng.uniform(0.2, 0.55)
    rough = site.palette.add(Material((grey, grey, grey * 0.97), noise=0.25))
    stone = Material((0.5, 0.48, 0.44), Pattern.BRICKS, (0.35, 0.33, 0.3), (0.6, 0.3), noise=0.25)
    outer = site.palette.add(stone if rng.random() < 0.5 else Material((0.55, 0.55, 0.53), noise=0.22))
    return tiles, rough, outer


def _arcs(span: tuple[float, float]) -> np.ndarray:
    """Arc lengths from end to end, at most 4 m apart."""
    return np.linspace(*span, max(math.ceil((span[1] - span[0]) / 4.0), 1) + 1)


def _lining(site: Site, main: Street, tube: Tube, span: tuple[float, float], looks: tuple[int, int, int]) -> None:
    """Walls, ceiling and walkways along a stretch, with doors and signs on the walls."""
    arcs = _arcs(span)
    girth = 0.0
    for (a, low), (b, high) in zip(tube.outline[:-1], tube.outline[1:], strict=True):
        step = math.hypot(b - a, high - low)
        material = looks[0] if max(low, high) < 3.2 else looks[1]
        mesh = strip(main, arcs, (a, b), (low, high), material, u=(girth, girth + step))
        site.parts.append(mesh._replace(uv=mesh.uv[:, ::-1].copy()))
        girth += step
    grey = site.palette.plain((0.5, 0.5, 0.48))
    for side in (-1.0, 1.0):
        inner = side * (tube.half - WALK + 0.05)
        site.parts.append(strip(main, arcs, (inner, inner), (-0.02, 0.2), grey))
        site.parts.append(strip(main, arcs, (inner, side * (tube.half + 0.02)), (0.2, 0.2), grey))
        places = spaced(site.rng, span, (18.0, 60.0))
        meshes = [_niche(site) for _ in places]
        inset = np.interp(1.2, tube.outline[-4:, 1][::-1], tube.outline[-4:, 0][::-1]) - 0.04
        site.row(main, meshes, places, side * float(inset), margin=-100.0)


def _niche(site: Site) -> Mesh:
    """A door, a box with a telephone, or a sign on the wall."""
    rng = site.rng
    colour = ((0.1, 0.45, 0.2), (0.7, 0.12, 0.1), (0.8, 0.5, 0.1), (0.35, 0.37, 0.4))[int(rng.integers(4))]
    kind = rng.random()
    glow = site.palette.add(Material(colour, Pattern.PLAIN, emission=0.5 if kind < 0.4 else 0.0))
    if kind < 0.4:
        return box((0.05, 0.2, 0.35), glow, bottom=1.6)
    return box((0.06, 1.05, 0.5), glow, bottom=0.2) if kind < 0.7 else box((0.08, 0.4, 0.25), glow, bottom=0.9)


def _lamps(site: Site, main: Street, tube: Tube, span: tuple[float, float]) -> list[tuple[float, float, float]]:
    """Lamps below the ceiling, in one row or two; the places of those that light up what is near."""
    rng = site.rng
    gap, long = rng.uniform(6, 14), rng.uniform(0.3, 0.9)
    warm = (1.0, 0.75, 0.45) if rng.random() < 0.4 else (1.0, 0.98, 0.92)
    lamp = box((0.15, 0.06, long), site.palette.add(Material(warm, emission=1.5)))
    arcs = np.arange(span[0] + gap / 2, span[1], gap)
    laterals = (0.0,) if rng.random() < 0.5 else (-0.45 * tube.half, 0.45 * tube.half)
    upper = tube.outline[tube.outline[:, 1] > 0.4 * tube.height]
    for lateral in laterals:
        height = float(np.interp(lateral, upper[:, 0], upper[:, 1])) - 0.15
        position, heading, _ = main.road.place(arcs, lateral)
        for (x, y, z), yaw in zip(position, heading, strict=True):
            site.parts.append(place(lamp, (float(x), float(y) - height, float(z)), yaw=float(yaw)))
    near = main.road.place(arcs[:: max(math.ceil(10 / gap), 1)], 0.0)[0] - [0.0, tube.height - 1.0, 0.0]
    return [(float(x), float(y), float(z)) for x, y, z in near]


def _cover(site: Site, main: Street, tube: Tube, span: tuple[float, float], material: int) -> None:
    """The hill over a stretch, with a portal at each end and walls that lead to it."""
    rng, arcs = site.rng, _arcs(span)
    green, wide = site.palette.add(grass(rng)), tube.half + SHOULDER
    foot = wide + 2.2 * tube.top
    site.parts.append(strip(main, arcs, (-wide, wide), (tube.top, tube.top), green))
    for side in (-1.0, 1.0):
        site.parts.append(strip(main, arcs, (side * wide, side * foot), (tube.top, -0.3), green))
        near, far = side * (tube.half + 0.3), side * (tube.half + 0.3 + 2.2 * tube.top)
        for lead in (span[0] + np.linspace(-30.0, 0.0, 9), span[1] + np.linspace(30.0, 0.0, 9)):
            heights = np.linspace(0.3, tube.top, 9)
            low = np.full(9, -0.3)
            site.parts.append(strip(main, lead, (near, near), (low, heights), material, u=(0.0, 4.0)))
            site.parts.append(strip(main, lead, (near, far), (heights, low), green))
    for end in span:
        _portal(site, main, tube, end, (material, foot))
    ends = np.array([span[0] + 0.4, span[1] - 0.4])
    for k, arc in enumerate(ends):
        position, heading, _ = main.road.place(arc, 0.0)
        rail = site.kit.one("guard_rail", length=float(round(2 * tube.half + 6)))
        spot = position[None] - [0.0, tube.top, 0.0]
        site.put([rail], spot, np.array([float(heading) + math.pi / 2 + math.pi * k]), margin=-100.0)
    crown = spaced(rng, (span[0] + 6, span[1] - 6), (5.0, 14.0))
    laterals = rng.uniform(-wide, wide, len(crown))
    position, heading, _ = main.road.place(crown, laterals)
    site.put(
        site.kit.mixed({"bush": 0.5, "far_tree": 0.5}, len(crown)),
        position - [0.0, tube.top, 0.0],
        heading,
        margin=-100.0,
    )


def _portal(site: Site, main: Street, tube: Tube, arc: float, look: tuple[int, float]) -> None:
    """The wall around an opening, up to a little above the ground over it, out to the foot of the hill."""
    material, foot = look
    top = tube.top + 0.5

    def corners(points: list[tuple[float, float]]) -> np.ndarray:
        lateral, height = np.array(points).T
        position, _, _ = main.road.place(np.full(len(points), arc), lateral)
        return position - np.multiply.outer(height, [0.0, 1.0, 0.0])

    for (a, low), (b, high) in zip(tube.outline[:-1], tube.outline[1:], strict=True):
        if b - a > 1e-6:
            site.parts.append(quad(corners([(a, low), (b, high), (b, top), (a, top)]), material))
    wide = tube.half + SHOULDER
    for side in (-1.0, 1.0):
        points = [(side * tube.half, -0.3), (side * wide, -0.3), (side * wide, top), (side * tube.half, top)]
        site.parts.append(quad(corners(points), material))
        points = [(side * wide, -0.3), (side * foot, -0.3), (side * wide, top), (side * wide, top - 0.01)]
        site.parts.append(quad(corners(points), material))


def _outside(site: Site, main: Street, covered: list[tuple[float, float]]) -> None:
    """Trees and signs along the open road, and the land around."""
    rng = site.rng
    arcs = spaced(rng, main.span, (4.0, 16.0))
    opened = (
        np.all([(arcs < a - 34) | (arcs > b + 34) for a, b in covered], axis=0) if covered else np.ones(len(arcs), bool)
    )
    arcs = arcs[opened]
    laterals = rng.choice([-1, 1], len(arcs)) * (main.kerb + rng.uniform(3, 25, len(arcs)))
    site.row(
        main, site.kit.mixed({"tree": 0.5, "bush": 0.5}, len(arcs)), arcs, laterals, turn=rng.uniform(-3, 3, len(arcs))
    )
    places = arcs[::5]
    site.row(
        main, site.kit.mixed({"street_sign": 0.5, "lamp_post": 0.5}, len(places)), places, main.kerb + 1.2, turn=math.pi
    )
    land = Land(site, hills=float(rng.choice([15.0, 50.0, 90.0])))
    land.build(fields(site))
    land.scatter(
        site.kit.mixed({"far_tree": 0.7, "far_conifer": 0.2, "far_building": 0.1}, 80), land.points(160, (5.0, 250.0))
    )
    skyline(land, land.ring(), (5.0, 20.0), site.palette.add(DECIDUOUS_WOODS))


def _traffic(site: Site, route: traffic.Route, lane: float, hand: float) -> list[Mover]:
    rng = site.rng

    def vehicle() -> Mesh:
        return site.kit.mixed({"car": 0.8, "van": 0.1, "lorry": 0.05, "articulated": 0.05}, 1)[0]

    gaps = (40.0, float(rng.uniform(70, 200)))
    if rng.random() < 0.5:  # one way: the other lane overtakes or is overtaken
        speed = route.distance / route.wanted.seconds + rng.choice([-1, 1]) * rng.uniform(2, 6)
        movers = traffic.alongside(site, route, -hand * lane / 2, vehicle, speed=float(max(speed, 5.0)), gaps=gaps)
    else:
        movers = traffic.oncoming(site, route, -hand * lane / 2, vehicle, gaps=gaps)
    if rng.random() < 0.6:
        movers.append(traffic.ahead(route, route.lateral, vehicle(), gap=8.0, seconds=float(rng.uniform(0.9, 2.5))))
    return movers
