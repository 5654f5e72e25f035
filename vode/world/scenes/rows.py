"""Rows of things along streets: fronts of buildings, parked cars, trees, lamp posts, side streets."""

from __future__ import annotations

import math

import numpy as np

from vode.world.mesh import Mesh
from vode.world.paths import Road
from vode.world.scenes.base import Site, Street, spaced
from vode.world.scenes.kit import maker

PARKED = {"car": 0.84, "van": 0.1, "motorbike": 0.03, "truck": 0.03}
"""Fractions of what is parked along streets"""
DRIVING = {"car": 0.76, "van": 0.1, "truck": 0.05, "bus": 0.04, "motorbike": 0.05}
"""Fractions of what drives in towns"""

ACROSS = ("bus_stop", "bench", "kiosk")
"""Things that face the road; others face along it"""
SIDES = (-1.0, 1.0)


def town_houses(site: Site, heights: tuple[float, float]) -> list[Mesh]:
    """18 buildings of a town within ``heights``, their fronts along z."""
    rng, count = site.rng, 18
    usual = rng.uniform(*heights)
    tall = np.clip(usual * rng.uniform(0.7, 1.35, count), *heights)
    return [
        maker("block")(rng, site.palette, length=float(length), depth=float(depth), height=float(height))
        for length, depth, height in zip(rng.uniform(8, 24, count), rng.uniform(9, 13, count), tall, strict=True)
    ]


def fronts(site: Site, street: Street, houses: list[Mesh], *, setback: tuple[float, float]) -> None:
    """Buildings wall to wall on both sides, ``setback`` metres behind the pavement, with a gap here and there."""
    rng = site.rng
    sizes = [np.ptp(house.vertices[house.vertices[:, 1] > -2.0], axis=0) for house in houses]
    for side in SIDES:
        arc, meshes, arcs, laterals = street.span[0] + rng.uniform(0, 8), [], [], []
        behind = rng.uniform(*setback)
        while arc < street.span[1]:
            chosen = int(rng.integers(len(houses)))
            depth, _, length = sizes[chosen]
            meshes.append(houses[chosen])
            arcs.append(arc + length / 2)
            laterals.append(side * (street.edge + behind + depth / 2))
            arc += length + (0.0 if rng.random() < 0.75 else rng.choice([1.5, 4.0, rng.uniform(8, 22)]))
            if rng.random() < 0.25:
                behind = rng.uniform(*setback)
        turn = math.pi * rng.integers(0, 2, len(arcs))
        site.row(street, meshes, np.array(arcs), np.array(laterals), turn=turn, margin=1.8, solid=True)


def parked(site: Site, street: Street, fraction: float, *, lateral: float | None = None) -> None:
    """Parked cars along both kerbs on about a ``fraction`` of the places; by default inside the kerb."""
    rng = site.rng
    lateral = street.kerb - 1.05 if lateral is None else lateral
    for side in SIDES:
        arcs = spaced(rng, street.span, (5.3, 6.6))
        busy = np.sin(2 * math.pi * (arcs / rng.uniform(60, 160) + rng.uniform())) * 0.25 + fraction
        arcs = arcs[rng.uniform(0, 1, len(arcs)) < busy]
        turn = rng.normal(0, 0.03, len(arcs)) + (0.0 if side > 0 else math.pi)
        turn += math.pi * (rng.uniform(0, 1, len(arcs)) < 0.12)
        meshes = site.kit.mixed(PARKED, len(arcs))
        site.row(street, meshes, arcs, side * (lateral + rng.normal(0, 0.06, len(arcs))), turn=turn, margin=0.05)


def along(site: Site, street: Street, name: str, lateral: float, gaps: tuple[float, float], **sizes: float) -> None:
    """Things of one kind on both sides, ``lateral`` metres from the middle and turned towards who drives there."""
    rng = site.rng
    for side in SIDES:
        arcs = spaced(rng, street.span, gaps)
        turn = (math.pi if side > 0 else 0.0) + rng.normal(0, 0.06, len(arcs))
        meshes = site.kit.some(name, len(arcs), **sizes)
        site.row(street, meshes, arcs, side * lateral, turn="facing" if name in ACROSS else turn, margin=0.2)


def scattered(
    site: Site, street: Street, fractions: dict[str, float], band: tuple[float, float], gaps: tuple[float, float]
) -> None:
    """Things of several kinds on both sides, anywhere between two laterals, at random yaws."""
    rng = site.rng
    for side in SIDES:
        arcs = spaced(rng, street.span, gaps)
        meshes = site.kit.mixed(fractions, len(arcs))
        laterals = side * rng.uniform(*band, len(arcs))
        site.row(street, meshes, arcs, laterals, turn=rng.uniform(-math.pi, math.pi, len(arcs)), margin=0.3)


def line(
    site: Site, street: Street, name: str, side: float, lateral: float, *, span: tuple[float, float], **sizes: float
) -> None:
    """Pieces of a fence, wall, hedge or rail, end to end along one side of a street."""
    length = sizes["length"]
    arcs = np.arange(span[0] + length / 2, span[1] - length / 2 + 1e-6, length)
    if len(arcs):
        ends, _, _ = street.road.place(np.stack([arcs - length / 2, arcs + length / 2]), side * lateral)
        chord = ends[1] - ends[0]
        _, heading, _ = street.road.place(arcs, side * lateral)
        turn = np.arctan2(chord[:, 0], chord[:, 2]) - heading + (0.0 if side < 0 else math.pi)
        site.row(street, [site.kit.one(name, **sizes)] * len(arcs), arcs, side * lateral, turn=turn, margin=0.15)


def branches(
    site: Site, main: Street, arcs: np.ndarray, *, length: float, width: float, pavement: float
) -> list[Street]:
    """Straight side streets at places along a street, to either side or both, which end where they meet it again."""
    rng = site.rng
    made: list[Street] = []
    for arc in arcs:
        position, heading, _ = main.road.place(arc, 0.0)
        sides = SIDES if rng.random() < 0.35 else (float(rng.choice([-1.0, 1.0])),)
        skew = rng.normal(0, 0.12)
        for side in sides:
            yaw = float(heading) + side * math.pi / 2 + skew
            direction = np.array([math.sin(yaw), math.cos(yaw)])
            steps = np.arange(0.0, length, 1.0)[:, None]
            away = site.beyond(position[[0, 2]] + steps * direction, "kerb")
            met = np.flatnonzero(away[25:] < 1.0) + 25
            reach = float(met[0]) if len(met) else length
            if len(met) and reach < 45:
                continue
            corners = position[[0, 2]] + np.array([[0.0], [reach]]) * direction
            road = Road.through(corners, radius=5.0, relief=site.relief)
            street = Street(
                road,
                (0.0, road.length),
                lane=width / 2 - 2.0,
                kerb=width / 2,
                clear=width / 2 - 2.1,
                pavement=pavement,
                banks=((width / 2 + pavement + 14.0, -0.08),),
                sunk=0.012 * (len(made) + 1),
            )
            made.append(site.add_street(street))
    return made
