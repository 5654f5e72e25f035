"""Ray casting of the built-in world: ground, sky, boxes and poles, with world-fixed noise as texture.

Map frame: x right, y down, z forward, the ground at y = 0. A pixel's ray has camera z = 1, so the ray
parameter of a hit is its depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import pixel_grid, project, rays, transform
from vode.geometry.resize import image_size

GROUND, SKY = 0, 1
FACES = 6
MAX_DEPTH = 600.0
MAX_VIEW = 160.0
SUN = (0.5, -0.75, -0.43)
# (wavelength across, wavelength along, amplitude): the ground keeps detail longest across the line of sight
GROUND_OCTAVES = tuple(
    (across, across * stretch, amplitude)
    for across in (0.15, 0.4, 1.1, 3.0)
    for stretch, amplitude in ((1.0, 0.60), (4.0, 0.60), (16.0, 0.20))
)
SOLID_OCTAVES = tuple((wave, wave, 0.60) for wave in (0.08, 0.16, 0.32, 0.64, 1.28, 2.56))


@dataclass(frozen=True)
class Solid:
    """A box, or an upright pole of radius ``half[0]``, standing or driving along the road."""

    arc: float
    """arc length along the road at time 0, metres"""
    lateral: float
    """metres to the right of the road's middle"""
    half: tuple[float, float, float]
    """half width (across), half height, half length (along), metres"""
    bottom: float = 0.0
    """height of its underside above the ground, metres"""
    speed: float = 0.0
    """metres a second along the road, negative = oncoming"""
    colour: tuple[float, float, float] = (0.5, 0.5, 0.5)
    pole: bool = False
    windows: float = 0.0
    """distance between windows in metres, 0 = none"""


class Placed(NamedTuple):
    """Solids at one moment."""

    solids: list[Solid]
    places: Tensor
    """x, z and yaw of each (N, 3), on the host"""


class Hits(NamedTuple):
    """What each pixel sees, each (H, W)."""

    depth: Tensor
    """camera z in metres; MAX_DEPTH for the sky"""
    surface: Tensor
    """GROUND, SKY or 2 + solid * FACES + face"""
    u: Tensor
    v: Tensor
    """coordinates on the surface, metres"""


def camera_rays(T_map_cam: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> Tensor:
    """Directions in the map frame, with camera z = 1, of every pixel: (3, H, W)."""
    grid = pixel_grid(*size, device=intrinsics.device)
    directions = rays(grid.flatten(1).T, intrinsics) @ T_map_cam[:3, :3].T
    return directions.T.reshape(3, *size)


def cast(placed: Placed, T_map_cam: Tensor, intrinsics: Tensor, directions: Tensor) -> Hits:
    """Nearest hit of every ray; each solid is tried only in the rectangle of pixels that it may cover."""
    origin = T_map_cam[:3, 3]
    down = directions[1]
    depth = torch.where(down > 1e-6, -origin[1] / down.clamp(min=1e-6), MAX_DEPTH).clamp(max=MAX_DEPTH)
    surface = torch.where(depth < MAX_DEPTH, GROUND, SKY)
    hits = Hits(depth, surface, torch.zeros_like(depth), torch.zeros_like(depth))
    rectangles = _rectangles(placed, T_map_cam, intrinsics, image_size(depth))
    for number, (top, bottom, left, right) in enumerate(rectangles):
        if top < bottom and left < right:
            window = (slice(top, bottom), slice(left, right))
            _hit_solid(
                Hits(*(layer[window] for layer in hits)),
                placed.solids[number],
                placed.places[number].tolist(),
                origin,
                directions[:, window[0], window[1]],
                2 + number * FACES,
            )
    return hits


def _rectangles(
    placed: Placed, T_map_cam: Tensor, intrinsics: Tensor, size: tuple[int, int]
) -> list[tuple[int, int, int, int]]:
    """Rows and columns (top, bottom, left, right) that each solid may cover."""
    if not placed.solids:
        return []
    half = torch.tensor([s.half for s in placed.solids])
    bottom = torch.tensor([s.bottom for s in placed.solids])
    x, z, yaw = placed.places.T
    signs = torch.tensor([[i, j, k] for i in (-1.0, 1.0) for j in (0.0, 1.0) for k in (-1.0, 1.0)])
    local = signs[None] * half[:, None]
    cos, sin = yaw.cos()[:, None], yaw.sin()[:, None]
    corners = torch.stack(
        [
            x[:, None] + local[..., 0] * cos + local[..., 2] * sin,
            -bottom[:, None] - 2 * local[..., 1],
            z[:, None] - local[..., 0] * sin + local[..., 2] * cos,
        ],
        dim=-1,
    )
    T_cam_map = torch.linalg.inv(T_map_cam.cpu())
    pixels, depth = project(transform(T_cam_map, corners), intrinsics.cpu(), min_depth=0.1)
    ahead = (depth > 0.1).any(1) & (depth < MAX_VIEW).any(1)
    cut = (depth <= 0.1).any(1)
    first = (pixels.amin(1).floor()).clamp(min=0)
    last = (pixels.amax(1).ceil() + 1).minimum(torch.tensor([float(size[1]), float(size[0])])).clamp(min=0)
    # a solid that crosses the camera plane has no bounding rectangle: try every pixel
    first[cut] = 0.0
    last[cut] = torch.tensor([float(size[1]), float(size[0])])
    last[~ahead] = 0.0
    corners = torch.cat([first, last], 1)[:, [1, 3, 0, 2]]
    return [tuple(row) for row in corners.long().tolist()]


def _hit_solid(hits: Hits, solid: Solid, place: list[float], origin: Tensor, directions: Tensor, base: int) -> None:
    """Write the solid where it is nearer than what ``hits`` (views of a rectangle) hold."""
    x, z, yaw = place
    cos, sin = math.cos(yaw), math.sin(yaw)
    dx = directions[0] * cos - directions[2] * sin
    dz = directions[0] * sin + directions[2] * cos
    ox = (origin[0] - x) * cos - (origin[2] - z) * sin
    oz = (origin[0] - x) * sin + (origin[2] - z) * cos
    oy = origin[1] + solid.bottom + solid.half[1]
    direction = torch.stack([dx, directions[1], dz])
    start = torch.stack([ox, oy, oz]).view(3, 1, 1)
    near, face, far = (_pole if solid.pole else _box)(start, direction, solid.half)
    nearer = (near < far) & (near > 0.05) & (near < hits.depth)
    point = start + near * direction
    axis = face // 2
    u = torch.where(axis == 0, point[2], point[0])
    v = torch.where(axis == 1, point[2], point[1])
    if solid.pole:
        u = torch.atan2(point[0], -point[2]) * solid.half[0]
    for layer, value in zip(hits, (near, base + face, u, v), strict=True):
        layer.copy_(torch.where(nearer, value, layer))


def _box(start: Tensor, direction: Tensor, half: tuple[float, float, float]) -> tuple[Tensor, Tensor, Tensor]:
    """Entry, face of entry (2 axis + side) and exit of rays through a box at the origin."""
    size = torch.tensor(half, device=start.device).view(3, 1, 1)
    step = torch.where(direction.abs() < 1e-9, torch.full_like(direction, 1e-9), direction)
    one, two = (-size - start) / step, (size - start) / step
    x, y, z = torch.minimum(one, two)
    # several times faster than a maximum with indices over the short first dimension
    near = torch.maximum(torch.maximum(x, y), z)
    axis = torch.where(near == x, 0, torch.where(near == y, 1, 2))
    far = torch.maximum(one, two).amin(dim=0)
    side = (direction.gather(0, axis[None])[0] < 0).long()
    return near, 2 * axis + side, far


def _pole(start: Tensor, direction: Tensor, half: tuple[float, float, float]) -> tuple[Tensor, Tensor, Tensor]:
    """Entry, face and exit of rays through an upright cylinder at the origin; its caps are open."""
    a = (direction[0].square() + direction[2].square()).clamp(min=1e-9)
    b = start[0] * direction[0] + start[2] * direction[2]
    c = start[0].square() + start[2].square() - half[0] ** 2
    root = b.square() - a * c
    near = (-b - root.clamp(min=0).sqrt()) / a
    height = start[1] + near * direction[1]
    far = torch.where((root > 0) & (height.abs() < half[1]), MAX_DEPTH, -1.0)
    return near, torch.zeros_like(near, dtype=torch.long), far


class Noise:
    """Smooth random colours over the plane, repeated every ``SIZE`` cells."""

    SIZE = 256

    def __init__(self, seed: int, device: torch.device | str | None = None) -> None:
        generator = torch.Generator().manual_seed(seed)
        # mostly grey variation with a little colour, as real surfaces have
        grey = torch.rand(1, self.SIZE, self.SIZE, generator=generator)
        colour = torch.rand(3, self.SIZE, self.SIZE, generator=generator)
        cells = 0.75 * grey + 0.25 * colour - 0.5
        self.cells = F.pad(cells[None], (0, 1, 0, 1), mode="circular").to(device)

    def __call__(
        self, u: Tensor, v: Tensor, foot_u: Tensor, foot_v: Tensor, octaves: tuple[tuple[float, float, float], ...]
    ) -> Tensor:
        """Sum of octaves at points (N,) in metres, each faded out from three pixels to one and a half: (3, N).

        ``foot_u`` and ``foot_v`` (N,) are the size of a pixel on the surface in metres.
        """
        wave_u, wave_v, amplitude = torch.tensor(octaves, device=u.device).T.unsqueeze(-1)
        shift = torch.arange(len(octaves), device=u.device).unsqueeze(-1) * 37.3
        cell = torch.stack([u / wave_u + shift, v / wave_v + 1.7 * shift], dim=-1) % self.SIZE
        values = F.grid_sample(self.cells, cell[None] * (2 / self.SIZE) - 1, "bilinear", "border", align_corners=True)[
            0
        ]
        fade = (torch.minimum(wave_u / foot_u, wave_v / foot_v) / 1.5 - 1).clamp(0, 1)
        return (values * (fade * amplitude)).sum(1)


def shade(
    hits: Hits,
    placed: Placed,
    noise: Noise,
    directions: Tensor,
    focal: float,
    ground: Tensor,
    foot_ground: Tensor,
) -> Tensor:
    """Colour of every pixel, (3, H, W) in 0..1.

    ``ground`` (3, H, W) is the road's own colour and (u, v) of ``hits`` its coordinates where the ground
    is seen; ``foot_ground`` (2, H, W) the size of a pixel there, across and along the road, metres.
    """
    shape = hits.depth.shape
    image = torch.empty(3, shape[0] * shape[1], device=hits.depth.device)
    surface, u, v, depth = (x.flatten() for x in (hits.surface, hits.u, hits.v, hits.depth))
    rays_flat = directions.flatten(1)
    sky, floor, solid = surface == SKY, surface == GROUND, surface > SKY
    image[:, sky] = _sky(rays_flat[:, sky], noise, focal)
    foot = foot_ground.flatten(1)[:, floor]
    image[:, floor] = ground.flatten(1)[:, floor] * (1 + noise(u[floor], v[floor], foot[0], foot[1], GROUND_OCTAVES))
    if placed.solids:
        image[:, solid] = _solids(
            surface[solid] - 2, u[solid], v[solid], depth[solid], rays_flat[:, solid], placed, noise, focal
        )
    haze = (-depth / 500.0).exp()
    haze = torch.where(sky, 1.0, haze)
    sky_colour = torch.tensor([0.78, 0.83, 0.90], device=image.device)[:, None]
    return (image * haze + sky_colour * (1 - haze)).clamp(0, 1).view(3, *shape)


def _sky(directions: Tensor, noise: Noise, focal: float) -> Tensor:
    azimuth = torch.atan2(directions[0], directions[2])
    elevation = torch.atan2(-directions[1], directions[0].hypot(directions[2]))
    foot = torch.full_like(azimuth, 1 / focal)
    clouds = noise(azimuth, elevation, foot, foot, tuple((w, w / 2, 0.40) for w in (0.06, 0.12, 0.25, 0.5)))
    blue = torch.tensor([[0.40], [0.58], [0.86]], device=directions.device)
    white = torch.tensor([[0.82], [0.87], [0.93]], device=directions.device)
    mix = (elevation / 0.5).clamp(0, 1)
    return white + (blue - white) * mix + clouds * (0.3 + mix)


def _solids(
    index: Tensor, u: Tensor, v: Tensor, depth: Tensor, directions: Tensor, placed: Placed, noise: Noise, focal: float
) -> Tensor:
    device = index.device
    number, face = index // FACES, index % FACES
    yaw = placed.places[:, 2].to(device)
    cos, sin, zero = yaw.cos(), yaw.sin(), torch.zeros_like(yaw)
    axes = torch.stack(
        [
            torch.stack([cos, zero, -sin], -1),
            torch.tensor([0.0, 1.0, 0.0], device=device).expand(len(yaw), 3),
            torch.stack([sin, zero, cos], -1),
        ],
        dim=1,
    )
    pole = torch.tensor([s.pole for s in placed.solids], device=device)[number]
    normal = axes[number, face // 2] * (2.0 * (face % 2) - 1).unsqueeze(-1)
    normal = torch.where(
        pole.unsqueeze(-1), -F.normalize(directions.T * torch.tensor([1.0, 0, 1.0], device=device), dim=-1), normal
    )
    light = 0.72 + 0.28 * (normal @ torch.tensor(SUN, device=device))
    facing = (normal * F.normalize(directions.T, dim=-1)).sum(-1).abs().clamp(min=0.08)
    foot = depth / focal / facing
    offset = number * 17.77 + face * 5.31
    texture = noise(u + offset, v + 2.3 * offset, foot, foot, SOLID_OCTAVES)
    colour = torch.tensor([s.colour for s in placed.solids], device=device)[number].T
    pitch = torch.tensor([s.windows for s in placed.solids], device=device)[number]
    glass = _windows(u, v, foot, pitch) * (face // 2 != 1)
    return colour * light * (1 + texture) * (1 - 0.55 * glass)


def _windows(u: Tensor, v: Tensor, foot: Tensor, pitch: Tensor) -> Tensor:
    """Coverage 0..1 of a grid of windows ``pitch`` metres apart, smoothed to a pixel and faded with distance."""
    period = pitch.clamp(min=0.1)
    edge = foot.clamp(min=0.02)

    def inside_window(x: Tensor, half: float) -> Tensor:
        from_middle = ((x / period) % 1 - 0.5).abs() * period
        return ((half * period - from_middle) / edge + 0.5).clamp(0, 1)

    fade = (period / foot / 4 - 1).clamp(0, 1)
    return inside_window(u, 0.28) * inside_window(v, 0.3) * fade * (pitch > 0)
