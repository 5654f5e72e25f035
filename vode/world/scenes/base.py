"""What all scenes have in common: what is asked of them, streets, and the site on which things are placed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from vode.world.materials import Palette
from vode.world.mesh import Mesh, join, place
from vode.world.paths import Relief, Road
from vode.world.scenes.kit import Kit

KERB = 0.12
"""height of a pavement above the road in metres"""


@dataclass(frozen=True)
class Wanted:
    """What is asked of a scene."""

    seconds: float = 20.0
    """how long the camera moves"""
    speed: tuple[float, float] | None = None
    """slowest and fastest speed of the camera in metres a second; None = as is usual in such a place"""
    height: float = 1.65
    """metres of the camera above the ground"""
    moving: bool = True
    """whether anything but the camera moves"""
    closed: bool = False
    """whether the route is a loop of 500 m or more, which the camera drives around once if there is time"""


@dataclass(frozen=True)
class Street:
    """A road with its cross-section, the same on both sides."""

    road: Road
    span: tuple[float, float]
    """metres along the road between which it is built"""
    lane: float = 3.3
    """width of a lane in metres"""
    kerb: float = 4.5
    """from the middle to the edge of the carriageway"""
    clear: float = 4.5
    """from the middle to where things may stand"""
    pavement: float = 0.0
    """width of the pavement; 0 = none"""
    banks: tuple[tuple[float, float], ...] = ((20.0, -0.05),)
    """the ground beyond the edge: metres from the middle and of height, from the inside to the outside"""
    sunk: float = 0.0
    """metres that its surface lies lower, where streets cross"""

    @property
    def edge(self) -> float:
        """From the middle to the outer side of the pavement, or to the kerb without one."""
        return self.kerb + self.pavement

    @property
    def reach(self) -> float:
        """From the middle to where its banks end."""
        return self.banks[-1][0]

    def rise(self, lateral: np.ndarray) -> np.ndarray:
        """Height of what lies ``lateral`` metres off the middle above the road."""
        away = np.abs(lateral)
        laterals, heights = zip((self.edge, -0.05), *self.banks, strict=True)
        on_pavement = (away > self.kerb) & (away <= self.edge)
        return np.where(on_pavement, KERB, np.where(away <= self.kerb, 0.0, np.interp(away, laterals, heights)))


class Site:
    """Collects the streets of a scene and what stands beside them, and keeps the streets free."""

    def __init__(self, rng: np.random.Generator, relief: Relief = Relief()) -> None:
        self.rng, self.relief = rng, relief
        self.palette = Palette()
        self.kit = Kit(rng, self.palette)
        self.parts: list[Mesh] = []
        self.streets: list[Street] = []
        self._trees: list[cKDTree] = []
        self._taken: list[np.ndarray] = []

    def add_street(self, street: Street) -> Street:
        """Another street; what is placed from now on keeps off it."""
        self.streets.append(street)
        arcs = np.arange(street.span[0], street.span[1], 1.0)
        position, _, _ = street.road.place(arcs, 0.0)
        self._trees.append(cKDTree(position[:, [0, 2]]))
        return street

    def beyond(self, points: np.ndarray, part: str = "reach", *, but: Street | None = None) -> np.ndarray:
        """Metres from points (..., 2) to the nearest street's "kerb", "clear" or "reach"; negative inside."""
        nearest = np.full(points.shape[:-1], np.inf)
        for street, tree in zip(self.streets, self._trees, strict=True):
            if street is not but:
                nearest = np.minimum(nearest, tree.query(points)[0] - getattr(street, part))
        return nearest

    def row(
        self,
        street: Street,
        meshes: Sequence[Mesh],
        arcs: np.ndarray,
        laterals: np.ndarray | float,
        *,
        turn: np.ndarray | float | str = 0.0,
        margin: float = 0.3,
        solid: bool = False,
    ) -> None:
        """Place meshes along a street, where they neither reach into a street nor into solid things.

        ``turn`` is their yaw from the road's heading, or "facing" the road; ``margin`` metres stay free beside streets;
        what is ``solid`` keeps later things out.
        """
        laterals = np.broadcast_to(np.asarray(laterals, float), np.shape(arcs))
        position, heading, _ = street.road.place(arcs, laterals)
        position = position - street.rise(laterals)[..., None] * [0.0, 1.0, 0.0]
        yaws = heading + (-math.pi / 2 * np.sign(laterals) if isinstance(turn, str) else turn)
        self.put(meshes, position, yaws, margin=margin, solid=solid)

    def put(
        self,
        meshes: Sequence[Mesh],
        positions: np.ndarray,
        yaws: np.ndarray,
        *,
        margin: float = 0.3,
        solid: bool = False,
        stretch: float = 0.0,
    ) -> None:
        """Place meshes at positions (N, 3), as ``row`` does; ``stretch`` varies their size by that fraction."""
        if not len(meshes):
            return
        boxes = np.array([_extent(mesh) for mesh in meshes])
        outline = boxes[:, None, :2] + _OUTLINE * boxes[:, None, 2:]
        cos, sin = np.cos(yaws)[:, None], np.sin(yaws)[:, None]
        x = positions[:, :1] + outline[..., 0] * cos + outline[..., 1] * sin
        z = positions[:, 2:] - outline[..., 0] * sin + outline[..., 1] * cos
        points = np.stack([x, z], -1)
        free = (self.beyond(points, "clear") > margin).all(1) & ~self._is_taken(points)
        scales = 1 + stretch * self.rng.uniform(-1, 1, len(meshes))
        for k in np.flatnonzero(free).tolist():
            scale = float(scales[k])
            spot = (float(positions[k, 0]), float(positions[k, 1]), float(positions[k, 2]))
            self.parts.append(place(meshes[k], spot, yaw=float(yaws[k]), scale=(scale, scale, scale)))
        if solid:
            centre = points[:, 0]
            turned = np.stack([np.cos(yaws), np.sin(yaws)], 1)
            self._taken.append(np.concatenate([centre, turned, boxes[:, 2:]], 1)[free])

    def _is_taken(self, points: np.ndarray) -> np.ndarray:
        """Which outlines (N, K, 2) reach into something solid: (N,) bool."""
        if not self._taken:
            return np.zeros(len(points), bool)
        solids = np.concatenate(self._taken)
        away = points[:, :, None] - solids[:, :2]
        across = away[..., 0] * solids[:, 2] - away[..., 1] * solids[:, 3]
        along = away[..., 0] * solids[:, 3] + away[..., 1] * solids[:, 2]
        return ((np.abs(across) < solids[:, 4]) & (np.abs(along) < solids[:, 5])).any((1, 2))

    def mesh(self) -> Mesh:
        """All that was placed, as one mesh."""
        return join(self.parts)


_OUTLINE = np.array([[0, 0], [-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]], float)


def _extent(mesh: Mesh) -> tuple[float, float, float, float]:
    """Middle (x, z) and half sizes (x, z) of the box around what a mesh has below 2.5 m."""
    low = mesh.vertices[mesh.vertices[:, 1] > -2.5]
    low = mesh.vertices if len(low) < 3 else low
    (x0, _, z0), (x1, _, z1) = low.min(0), low.max(0)
    return (x0 + x1) / 2, (z0 + z1) / 2, (x1 - x0) / 2, (z1 - z0) / 2


def spaced(rng: np.random.Generator, span: tuple[float, float], gaps: tuple[float, float]) -> np.ndarray:
    """Arc lengths (N,) along a street, each a random number of metres within ``gaps`` after the one before."""
    count = int((span[1] - span[0]) / max(gaps[0], 0.1)) + 1
    places = span[0] + np.cumsum(rng.uniform(*gaps, count)) - rng.uniform(0, gaps[0])
    return places[places < span[1]]
