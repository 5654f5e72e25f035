"""The built-in world: rendered sequences of a ride along a curving road, with exact depth, flow and poses.

Everything about a sequence is a pure function of its seed and options, on any device.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from typing import TypeVar

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from vode.datasets.base import Capability, Sequence
from vode.geometry import warp
from vode.geometry.camera import pixel_grid, project, transform
from vode.geometry.pose import from_first
from vode.geometry.resize import as_float, resize_images
from vode.world import renderer
from vode.world.options import WorldOptions
from vode.world.renderer import SKY, Hits, Noise, Placed
from vode.world.scenes import ROAD_HALF, street

K = TypeVar("K")

CAMERA_HEIGHT = 1.65
RATE = 10.0
FOCAL_OF_WIDTH = 718.856 / 1241.0
STEP = 0.5
HELD_OUT_SEED, HELD_OUT_FRAMES = 10_000, 300
KEPT_BYTES = 2**25
"""of images that a sequence keeps: 20 of 256x832, and so a whole training set of 64 such sequences in 0.8 GB"""


class Road:
    """A road whose middle is a graph x(z), so that any ground point has its place along it."""

    def __init__(self, rng: np.random.Generator, length: float) -> None:
        arc = np.arange(-60.0, length + renderer.MAX_VIEW + 60.0, STEP)
        heading = np.zeros_like(arc)
        for wave, bend in zip(rng.uniform(120, 420, 3), rng.uniform(0.1, 0.35, 3), strict=True):
            heading += bend * np.sin(2 * math.pi * arc / wave + rng.uniform(0, 2 * math.pi))
        self.arc, self.heading = arc, np.clip(heading, -1.0, 1.0)
        self.x = np.cumsum(np.sin(self.heading)) * STEP
        self.z = np.cumsum(np.cos(self.heading)) * STEP
        grid = np.arange(self.z[0], self.z[-1], STEP)
        self.first = float(grid[0])
        columns = [np.interp(grid, self.z, values) for values in (self.x, self.arc, self.heading)]
        self.table = torch.tensor(np.stack(columns), dtype=torch.float32)

    def place(self, arc: np.ndarray, lateral: np.ndarray | float) -> np.ndarray:
        """Map x, z and heading (..., 3) of points ``lateral`` metres right of the middle at ``arc`` metres."""
        x, z, heading = (np.interp(arc, self.arc, v) for v in (self.x, self.z, self.heading))
        return np.stack([x + lateral * np.cos(heading), z - lateral * np.sin(heading), heading], axis=-1)

    def coordinates(self, x: Tensor, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Metres right of the middle, metres along, and heading in radians, of map points."""
        table = self.table.to(x.device)
        position = ((z - self.first) / STEP).clamp(0, table.shape[1] - 1.001)
        left = position.floor().long()
        middle, arc, heading = torch.lerp(table[:, left], table[:, left + 1], position - left)
        return (x - middle) * heading.cos(), arc + (x - middle) * heading.sin(), heading


class WorldSequence(Sequence):
    """Images, depth, flow and poses, rendered when asked; the images used last, of ``KEPT_BYTES``, are kept."""

    capabilities = frozenset({Capability.DEPTH, Capability.FLOW, Capability.POSES})

    def __init__(
        self, seed: int, options: WorldOptions = WorldOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        self.name, self.options = f"world{seed}", options
        self.size = height, width = options.size
        self.device = torch.device(device)
        rng = np.random.default_rng([7, seed])
        arcs = _arcs(rng, options)
        self.road = Road(rng, arcs[-1])
        self._T_map_cam = torch.tensor(_camera_path(rng, self.road, arcs))
        self.poses = from_first(self._T_map_cam)
        self._gain = 1 + options.exposure * _wobble(rng, len(arcs), 2, 6)
        self.solids = street(rng, arcs, options)
        self._arc = np.array([s.arc for s in self.solids])
        self._speed = np.array([s.speed for s in self.solids])
        self._lateral = np.array([s.lateral for s in self.solids])
        self.noise = Noise(seed, self.device)
        focal = FOCAL_OF_WIDTH * width
        self.intrinsics = torch.tensor(
            [[focal, 0, (width - 1) / 2], [0, focal, 0.49 * (height - 1)], [0, 0, 1]], dtype=torch.float32
        )
        self.timestamps = torch.arange(options.frames, dtype=torch.float64) / RATE
        self._images: OrderedDict[int, Tensor] = OrderedDict()
        self._most = max(KEPT_BYTES // (3 * height * width), 2)
        self._casts: OrderedDict[int, tuple[Hits, Placed, Tensor]] = OrderedDict()

    def __len__(self) -> int:
        return self.options.frames

    def frame(self, i: int) -> Tensor:
        """Image i, (3, H, W) float32 in 0..1, in the 256 levels that a file would hold."""
        return as_float(self._levels(i))

    def raw(self, i: int, size: tuple[int, int]) -> Tensor:
        return resize_images(self._levels(i)[None], size)[0]

    def _levels(self, i: int) -> Tensor:
        """Image i with 8 bits."""
        found = self._images.get(i)
        if found is None:
            found = (self._render(i) * 255).round().to(torch.uint8).cpu()
        _keep(self._images, i, found, self._most)
        return found

    def has_depth(self, i: int) -> bool:
        return True

    def has_flow(self, i: int) -> bool:
        return i + 1 < len(self)

    def depth(self, i: int) -> Tensor:
        """Camera z (1, H, W) in metres, 0 in the sky."""
        hits, _, _ = self._cast(i)
        return torch.where(hits.surface == SKY, 0.0, hits.depth).unsqueeze(0).cpu()

    def flow(self, i: int) -> tuple[Tensor, Tensor] | None:
        """Flow (2, H, W) in pixels from frame i to i + 1 and where it is seen there, (1, H, W) bool."""
        return self.flow_between(i, i + 1) if self.has_flow(i) else None

    def flow_between(self, i: int, j: int) -> tuple[Tensor, Tensor]:
        """Flow (2, H, W) in pixels from frame i to any frame j and where it is seen there, (1, H, W) bool."""
        there, placed_there, _ = self._cast(j)
        here, placed, directions = self._cast(i)
        origin = self._T_map_cam[i, :3, 3].float().to(self.device)
        points_map = (origin.view(3, 1, 1) + here.depth * directions).flatten(1).T
        number = torch.div(here.surface - 2, renderer.FACES, rounding_mode="floor").flatten()
        for k in np.flatnonzero(self._speed):
            moved = _move(points_map, placed.places[k], placed_there.places[k])
            points_map = torch.where((number == int(k)).unsqueeze(-1), moved, points_map)
        T_cam_map = torch.linalg.inv(self._T_map_cam[j]).float().to(self.device)
        # the sky is at infinity: it turns with the camera and does not come nearer
        sky_there = T_cam_map[:3, 3] + T_cam_map[:3, :3] @ origin
        points_there = transform(T_cam_map, points_map)
        points_there = torch.where((here.surface == SKY).view(-1, 1), points_there - sky_there, points_there)
        pixels, z = project(points_there, self.intrinsics.to(self.device))
        target = pixels.T.reshape(2, *self.size)
        valid = warp.inside(target[None], self.size)[0, 0] & (z > 0.1).view(self.size)
        seen = valid & _same_surface(here.surface, there.surface, target)
        flow = target - pixel_grid(*self.size, device=self.device)
        return flow.cpu(), seen.unsqueeze(0).cpu()

    def _cast(self, i: int) -> tuple[Hits, Placed, Tensor]:
        found = self._casts.get(i)
        if found is None:
            if not 0 <= i < len(self):
                raise IndexError(f"frame {i} of a sequence of {len(self)}")
            T_map_cam = self._T_map_cam[i].float().to(self.device)
            intrinsics = self.intrinsics.to(self.device)
            places = self.road.place(self._arc + self._speed * i / RATE, self._lateral)
            placed = Placed(self.solids, torch.tensor(places, dtype=torch.float32))
            directions = renderer.camera_rays(T_map_cam, intrinsics, self.size)
            found = renderer.cast(placed, T_map_cam, intrinsics, directions), placed, directions
        _keep(self._casts, i, found, 2)
        return found

    def _render(self, i: int) -> Tensor:
        hits, placed, directions = self._cast(i)
        origin = self._T_map_cam[i, :3, 3].float().to(self.device)
        focal = float(self.intrinsics[0, 0])
        lateral, along, heading = self.road.coordinates(
            origin[0] + hits.depth * directions[0], origin[2] + hits.depth * directions[2]
        )
        on_ground = hits.surface == renderer.GROUND
        hits = hits._replace(u=torch.where(on_ground, lateral, hits.u), v=torch.where(on_ground, along, hits.v))
        foot = _ground_footprint(hits.depth, directions, heading, -float(origin[1]), focal)
        image = renderer.shade(hits, placed, self.noise, directions, focal, _ground_colour(lateral, along, foot), foot)
        return (image * float(self._gain[i])).clamp(0, 1)


def _keep(kept: OrderedDict[int, K], i: int, value: K, most: int) -> None:
    """Keep ``value`` as that used last, and of all no more than ``most``. Other threads may do so at the same time."""
    kept.pop(i, None)
    kept[i] = value
    while len(kept) > most:
        kept.popitem(last=False)


def _wobble(rng: np.random.Generator, count: int, shortest: float, longest: float) -> np.ndarray:
    """A smooth random signal of ``count`` frames within about -1..1; periods in seconds."""
    time = np.arange(count) / RATE
    waves = [
        np.sin(2 * math.pi * time / rng.uniform(shortest, longest) + rng.uniform(0, 2 * math.pi)) for _ in range(3)
    ]
    return np.mean(waves, axis=0)


def _arcs(rng: np.random.Generator, options: WorldOptions) -> np.ndarray:
    """Arc length of the camera at each frame: a speed that changes smoothly within its bounds."""
    slow, fast = options.speed
    middle = rng.uniform(slow + 0.25 * (fast - slow), fast - 0.25 * (fast - slow))
    speed = middle + 0.25 * (fast - slow) * _wobble(rng, options.frames, 6, 20)
    return np.concatenate([[0.0], np.cumsum(speed[:-1])]) / RATE


def _camera_path(rng: np.random.Generator, road: Road, arcs: np.ndarray) -> np.ndarray:
    """Map-from-camera poses (N, 4, 4) in the right lane, with a little sway, pitch, roll and bounce."""
    count = len(arcs)
    place = road.place(arcs, 1.9 + 0.2 * _wobble(rng, count, 4, 12))
    yaw = place[:, 2] + 0.012 * _wobble(rng, count, 2, 6)
    pitch = 0.008 * _wobble(rng, count, 0.8, 3)
    roll = 0.008 * _wobble(rng, count, 1, 4)
    height = CAMERA_HEIGHT + 0.03 * _wobble(rng, count, 0.8, 3)
    T_map_cam = np.tile(np.eye(4), (count, 1, 1))
    T_map_cam[:, :3, :3] = Rotation.from_euler("YXZ", np.stack([yaw, pitch, roll], -1)).as_matrix()
    T_map_cam[:, :3, 3] = np.stack([place[:, 0], -height, place[:, 1]], -1)
    return T_map_cam


def _move(points: Tensor, place: Tensor, place_next: Tensor) -> Tensor:
    """Points (N, 3) of the map carried along with a solid from one place (x, z, yaw) to the next."""
    turn = place_next[2] - place[2]
    x, z = points[:, 0] - place[0], points[:, 2] - place[1]
    cos, sin = turn.cos(), turn.sin()
    return torch.stack([place_next[0] + x * cos + z * sin, points[:, 1], place_next[1] - x * sin + z * cos], dim=-1)


def _same_surface(surface_a: Tensor, surface_b: Tensor, target: Tensor) -> Tensor:
    """Whether one of the four pixels of b around each target (2, H, W) shows the surface seen in a."""
    height, width = surface_a.shape
    seen = torch.zeros_like(surface_a, dtype=torch.bool)
    for x in (target[0].floor(), target[0].ceil()):
        for y in (target[1].floor(), target[1].ceil()):
            column, row = x.clamp(0, width - 1).long(), y.clamp(0, height - 1).long()
            seen |= surface_b[row, column] == surface_a
    return seen


def _ground_footprint(depth: Tensor, directions: Tensor, heading: Tensor, height: float, focal: float) -> Tensor:
    """Size of a pixel on the ground across and along the road, (2, H, W) metres."""
    reach = directions[0].hypot(directions[2]) * depth
    across = depth / focal
    away = across * reach.clamp(min=height) / height
    angle = torch.atan2(directions[0], directions[2]) - heading
    cos, sin = angle.cos().abs(), angle.sin().abs()
    return torch.stack([across * cos + away * sin, away * cos + across * sin])


def _ground_colour(lateral: Tensor, along: Tensor, foot: Tensor) -> Tensor:
    """Asphalt with markings, pavement and grass: (3, H, W)."""

    def band(distance: Tensor, half: float, pixel: Tensor) -> Tensor:
        coverage = ((half - distance) / pixel.clamp(min=0.01) + 0.5).clamp(0, 1)
        return coverage * (2 * half / pixel).clamp(max=1)

    def colour(r: float, g: float, b: float) -> Tensor:
        return torch.tensor([r, g, b], device=lateral.device).view(3, 1, 1)

    side = lateral.abs()
    image = torch.lerp(colour(0.30, 0.38, 0.20), colour(0.52, 0.50, 0.47), band(side, 7.0, foot[0]))
    image = torch.lerp(image, colour(0.33, 0.33, 0.35), band(side, ROAD_HALF, foot[0]))
    dash = band(((along / 9) % 1 - 0.5).abs() * 9, 1.8, foot[1])
    marks = torch.maximum(band(side, 0.08, foot[0]) * dash, band((side - 3.85).abs(), 0.08, foot[0]))
    return torch.lerp(image, colour(0.85, 0.85, 0.82), marks)


def held_out_sequence(size: tuple[int, int]) -> WorldSequence:
    """The sequence that runs are scored on: over 200 m, of a seed that no recipe trains on."""
    return WorldSequence(HELD_OUT_SEED, WorldOptions(size=size, frames=HELD_OUT_FRAMES))
