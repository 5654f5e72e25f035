"""Ground of outdoor scenes: roads and pavements, what lies beside them, the land around, and what ends the view."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from vode.world.materials import Material, Pattern
from vode.world.mesh import Mesh, grid_surface, ribbon
from vode.world.scenes.base import KERB, Site, Street

UP = np.array([0.0, -1.0, 0.0])
CELL = 16.0
"""metres between points of the land"""


def strip(
    street: Street,
    arcs: np.ndarray,
    sides: tuple[float, float],
    heights: tuple[float | np.ndarray, float | np.ndarray],
    material: int,
    *,
    u: tuple[float, float] | None = None,
) -> Mesh:
    """A strip along a street between two laterals at heights above it, level or upright; v is along, u across.

    Heights may differ along it, (N,). By default u is the lateral, or the height of an upright one, whose uv are
    turned.
    """
    edges = []
    for lateral, height in zip(sides, heights, strict=True):
        position, _, _ = street.road.place(arcs, lateral)
        edges.append(position - np.multiply.outer(height - street.sunk + 0 * arcs, [0.0, 1.0, 0.0]))
    upright = abs(sides[1] - sides[0]) < 1e-6
    if u is None:
        u = (0.0, float(np.max(heights[1])) - float(np.min(heights[0]))) if upright else sides
    mesh = ribbon(edges[0], edges[1], arcs, u, material)
    return mesh._replace(uv=mesh.uv[:, ::-1].copy()) if upright else mesh


def asphalt(rng: np.random.Generator, *, lane: float, half: float, lines: bool = True) -> Material:
    """The surface of a road."""
    grey = rng.uniform(0.2, 0.4)
    colour = (grey, grey * rng.uniform(0.98, 1.02), grey * rng.uniform(0.95, 1.05))
    if not lines:
        return Material(colour, noise=0.2)
    paint = (0.85, 0.85, 0.82) if rng.random() < 0.85 else (0.8, 0.62, 0.2)
    return Material(colour, Pattern.ROAD, paint, (lane, half), noise=0.2)


def grass(rng: np.random.Generator) -> Material:
    """Lawn, meadow or dry grass."""
    green, dry = np.array([0.2, 0.32, 0.1]), np.array([0.48, 0.43, 0.24])
    red, leaf, blue = (green + (dry - green) * rng.uniform(0, 1) ** 2) * rng.uniform(0.8, 1.2)
    return Material((float(red), float(leaf), float(blue)), noise=0.4)


def paving(rng: np.random.Generator) -> Material:
    """The surface of a pavement."""
    grey = rng.uniform(0.4, 0.62)
    colour = (grey, grey * rng.uniform(0.95, 1.0), grey * rng.uniform(0.88, 1.0))
    if rng.random() < 0.3:
        return Material(colour, noise=0.2)
    joints = tuple(0.75 * c for c in colour)
    pattern = Pattern.TILES if rng.random() < 0.7 else Pattern.BRICKS
    size = rng.uniform(0.3, 0.6) if pattern is Pattern.TILES else 0.2
    return Material(colour, pattern, (joints[0], joints[1], joints[2]), (size, size if size > 0.25 else 0.1))


def lay(site: Site, street: Street, surface: Material, beside: Material, *, footway: Material | None = None) -> None:
    """Build a street: its carriageway, pavements with kerbs, and banks of the material ``beside``."""
    step = 2.0 if street.pavement else 4.0
    arcs = np.linspace(*street.span, max(math.ceil((street.span[1] - street.span[0]) / step), 1) + 1)
    add, rows = site.parts.append, site.palette.add
    add(strip(street, arcs, (-street.kerb, street.kerb), (0.0, 0.0), rows(surface)))
    if street.road.closed and street is site.streets[0]:  # where it crosses itself, one branch lies on top
        fall = 0.005 * (1 - np.cos(2 * math.pi * arcs / street.road.length)).repeat(2).astype(np.float32)
        site.parts[-1].vertices[:, 1] += fall
    for side in (-1.0, 1.0):
        if street.pavement:
            _pavement(site, street, arcs, side, rows(footway or paving(site.rng)))
        inner, low = street.edge - 0.02, -0.05
        for lateral, height in street.banks:
            add(strip(street, arcs, (side * inner, side * lateral), (low, height), rows(beside)))
            inner, low = lateral, height


def _pavement(site: Site, street: Street, arcs: np.ndarray, side: float, material: int) -> None:
    """Pavement and kerb on one side, with gaps where streets branch off."""
    stone = site.palette.plain((0.55, 0.55, 0.53))
    surface = (side * street.kerb, side * street.edge)
    meshes = [
        strip(street, arcs, surface, (KERB, KERB), material),
        strip(street, arcs, (surface[0], surface[0]), (-0.02, KERB), stone),
        strip(street, arcs, (surface[1], surface[1]), (-0.3, KERB), stone),
    ]
    middle, _, _ = street.road.place((arcs[1:] + arcs[:-1]) / 2, (surface[0] + surface[1]) / 2)
    points = middle[:, [0, 2]]
    free = (site.beyond(points, "kerb", but=street) > 0.5) & (
        site.beyond(points, "kerb") > min(0.3 * street.pavement, 0.8)
    )
    keep = np.repeat(free, 2)  # a ribbon has two faces for each piece of its length
    for mesh in meshes:
        site.parts.append(mesh._replace(faces=mesh.faces[keep], material=mesh.material[keep]))


Field = Callable[[np.ndarray], np.ndarray]
"""Points (N, 2) of the map -> rows of materials (N,)"""


def plain(site: Site, material: Material) -> Field:
    """The same material everywhere."""
    row = site.palette.add(material)
    return lambda points: np.full(len(points), row)


def fields(site: Site) -> Field:
    """A patchwork of meadows, crops and bare soil."""
    rng = site.rng
    soil = tuple(rng.uniform(0.8, 1.2) * np.array([0.34, 0.26, 0.18]))
    crop, wheat = (
        rng.uniform(0.8, 1.2) * np.array([0.25, 0.4, 0.14]),
        rng.uniform(0.8, 1.1) * np.array([0.66, 0.56, 0.32]),
    )
    materials = [
        grass(rng),
        grass(rng),
        Material((soil[0], soil[1], soil[2]), noise=0.4),
        Material((wheat[0], wheat[1], wheat[2]), noise=0.35),
        Material((crop[0], crop[1], crop[2]), Pattern.STRIPES, (soil[0], soil[1], soil[2]), (0.8, 0.8), noise=0.35),
    ]
    rows = np.array([site.palette.add(m) for m in materials])
    chosen = rows[rng.integers(len(rows), size=(64,))]
    turn, size, shift = rng.uniform(0, math.pi), rng.uniform((60, 90), (130, 200)), rng.uniform(0, 200, 2)

    def material(points: np.ndarray) -> np.ndarray:
        a = (points[:, 0] * math.cos(turn) + points[:, 1] * math.sin(turn) + shift[0]) // size[0]
        b = (points[:, 1] * math.cos(turn) - points[:, 0] * math.sin(turn) + shift[1] + 31 * (a % 3)) // size[1]
        return chosen[(a * 7 + b * 13).astype(int) % 64]

    return material


class Land:
    """The land around all streets of a site: hills that begin where the streets' banks end."""

    def __init__(self, site: Site, *, hills: float, view: float = 400.0) -> None:
        """``hills`` are metres of height that the land may reach at a distance, and ``view`` metres how far it goes."""
        self.site, self.view = site, view
        main = site.streets[0]
        self.middle = main.road.place(np.arange(*main.span, 10.0), 0.0)[0][:, [0, 2]]
        self.edge = main.banks[-1][1]
        rng = site.rng
        angle, wave = rng.uniform(0, 2 * math.pi, 5), 2 * math.pi / rng.uniform(130, 500, 5)
        self._waves = np.stack([wave * np.cos(angle), wave * np.sin(angle), rng.uniform(0, 2 * math.pi, 5)], 1)
        self.hills = hills

    def height(self, points: np.ndarray) -> np.ndarray:
        """Metres upwards of the land at points (N, 2); it passes a little below streets and their banks."""
        away = self.site.beyond(points)
        waves = np.sin(points @ self._waves[:, :2].T + self._waves[:, 2]).mean(-1)
        ramp = np.clip((away - CELL) / 150, 0, 1)
        ramp = ramp * ramp * (3 - 2 * ramp) * (0.5 + 0.5 * np.clip(away / self.view, 0, 1))
        beyond = self.edge - 0.05 + ramp * self.hills * (0.35 + 1.3 * waves)
        low = min(self.edge, 0.0) - 0.35
        return self.site.relief.height(points[:, 0], points[:, 1]) + np.where(away < 1.3 * CELL, low, beyond)

    def build(self, material: Field) -> None:
        """Add the land to the site."""
        low, high = self.middle.min(0) - self.view, self.middle.max(0) + self.view
        x, z = (np.arange(a, b + CELL, CELL) for a, b in zip(low, high, strict=True))
        points = np.stack(np.meshgrid(x, z, indexing="ij"), -1)
        flat = points.reshape(-1, 2)
        lattice = np.stack([flat[:, 0], -self.height(flat), flat[:, 1]], 1).reshape(len(x), len(z), 3)
        mesh = grid_surface(lattice, points, 0, UP)
        middles = mesh.vertices[mesh.faces].mean(1)[:, [0, 2]]
        self.site.parts.append(mesh._replace(material=material(middles).astype(np.int32)))

    def points(self, count: int, away: tuple[float, float]) -> np.ndarray:
        """Random points (N, 2), at most ``count``, so many metres from all streets' banks."""
        rng = self.site.rng
        near = self.middle[rng.integers(len(self.middle), size=count)]
        angle, radius = rng.uniform(0, 2 * math.pi, count), rng.uniform(away[0], away[1] + 25, count)
        points = near + radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
        distance = self.site.beyond(points)
        return points[(distance > away[0]) & (distance < away[1])]

    def scatter(self, meshes: list[Mesh], points: np.ndarray, *, solid: bool = False) -> None:
        """Put meshes at points (N, 2) of the land, turned at random and 0.3 m deep in it."""
        count = min(len(meshes), len(points))
        positions = np.insert(points[:count], 1, 0.3 - self.height(points[:count]), axis=1)
        yaws = self.site.rng.uniform(-math.pi, math.pi, count)
        self.site.put(meshes[:count], positions, yaws, stretch=0.2, solid=solid)

    def ring(self) -> np.ndarray:
        """Points (N, 2) around the whole site, a little nearer than where the land ends."""
        centre = (self.middle.min(0) + self.middle.max(0)) / 2
        half = (self.middle.max(0) - self.middle.min(0)) / 2 + 0.9 * self.view
        angle = np.linspace(0, 2 * math.pi, 121)
        return centre + half * np.stack([np.sin(angle), np.cos(angle)], 1)
