"""What a camera sees of a scene: the nearest surface of every pixel, exactly, and where it is at other times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry.camera import pixel_grid, rays
from vode.world.caster import Caster, Hits, make_caster
from vode.world.kept import Kept
from vode.world.mesh import Mesh, join, transform
from vode.world.scene import Scene
from vode.world.texture import Places

STATIC = 0
"""number of the body that stands"""
MOMENTS = 10
"""moments whose moving bodies are kept"""
CLEAR = 0.999
"""fraction of the way to a point within which nothing may stand for it to be seen"""


class Surfaces(NamedTuple):
    """Triangles as tensors; gradients (F, 3) are those of u and v over space."""

    normals: Tensor
    uv: Tensor
    faces: Tensor
    material: Tensor
    gradient_u: Tensor
    gradient_v: Tensor
    body: Tensor
    """(F,): STATIC, or 1 + number of the mover"""


class Moment(NamedTuple):
    """The moving bodies at one time."""

    caster: Caster
    poses: Tensor
    """(K + 1, 4, 4) float64 map-from-body, the first that of what stands"""


class Seen(NamedTuple):
    """What the rays of pixels (N of them, row by row) see; M of them end on a surface, the others in the sky."""

    rays: Tensor
    """(N, 3) map, with camera z = 1"""
    solid: Tensor
    """bool (N,): which end on a surface"""
    depth: Tensor
    """(M,) camera z in metres"""
    body: Tensor
    """(M,) STATIC or 1 + number of the mover"""
    material: Tensor
    """(M,)"""
    point: Tensor
    """(M, 3) map, metres"""
    normal: Tensor
    """(M, 3) map, towards the viewer"""
    directions: Tensor
    """(M, 3): the rays that end on a surface"""
    places: Places
    """for textures"""
    focal: float
    time: float

    def spread(self, values: Tensor, sky: float | Tensor) -> Tensor:
        """Values (M, ...) of surfaces as those of all pixels (N, ...), and ``sky`` elsewhere."""
        spread = values.new_empty(len(self.solid), *values.shape[1:])
        spread[:] = sky
        spread[self.solid] = values
        return spread


class World:
    """A scene ready to be looked at."""

    def __init__(self, scene: Scene, device: torch.device | str = "cpu") -> None:
        self.scene, self.device = scene, torch.device(device)
        self._static = make_caster(scene.static.vertices, scene.static.faces, self.device)
        bodies = [scene.static, *(mover.mesh for mover in scene.movers)]
        numbers = np.repeat(np.arange(len(bodies)), [len(mesh.faces) for mesh in bodies])
        self._surfaces = _surfaces(join(bodies), numbers, self.device)
        self._moments = Kept(MOMENTS)

    def moment(self, time: float) -> Moment:
        """The moving bodies at a time."""
        return self._moments.get(time, lambda: self._make_moment(time))

    def _make_moment(self, time: float) -> Moment:
        matrices = [mover.motion(time) for mover in self.scene.movers]
        moved = join(transform(m.mesh, pose) for m, pose in zip(self.scene.movers, matrices, strict=True))
        poses = torch.tensor(np.stack([np.eye(4), *matrices]), dtype=torch.float64, device=self.device)
        return Moment(make_caster(moved.vertices, moved.faces, self.device), poses)

    def hits(self, time: float, origins: Tensor, directions: Tensor) -> Hits:
        """Nearest hits of rays (N, 3); faces count through what stands, then through the movers."""
        standing, moving = self._static.hits(origins, directions), self.moment(time).caster.hits(origins, directions)
        nearer = moving.distance < standing.distance
        return Hits(
            torch.where(nearer, moving.distance, standing.distance),
            torch.where(nearer, moving.face + len(self.scene.static.faces), standing.face),
            torch.where(nearer[:, None], moving.weights, standing.weights),
        )

    def blocked(self, time: float, origins: Tensor, directions: Tensor, reach: float) -> Tensor:
        """Whether anything is hit within ``reach`` lengths of the direction: bool (N,)."""
        standing = self._static.blocked(origins, directions, reach)
        return standing | self.moment(time).caster.blocked(origins, directions, reach)

    def look(self, time: float, T_map_cam: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> Seen:
        """What a pinhole camera at ``T_map_cam`` (4, 4) with ``intrinsics`` (3, 3) sees."""
        pose = T_map_cam.to(self.device, torch.float64)
        grid = pixel_grid(*size, device=self.device).flatten(1).T
        directions = (rays(grid.double(), intrinsics.to(self.device).double()) @ pose[:3, :3].T).float()
        origin = pose[:3, 3].float()
        found = self.hits(time, origin[None], directions)
        return self.surfaces(time, found, origin[None], directions, float(intrinsics[1, 1]))

    def surfaces(self, time: float, hits: Hits, origins: Tensor, rays: Tensor, focal: float) -> Seen:
        """What is at the ends of rays (N, 3) from ``origins`` (N or 1, 3)."""
        s, solid, every = self._surfaces, hits.distance.isfinite(), rays
        origins = origins.expand_as(rays)
        if not bool(solid.all()):
            kept = solid.nonzero()[:, 0]
            hits, origins, rays = Hits(*(x[kept] for x in hits)), origins[kept], rays[kept]
        corners, body = s.faces[hits.face], s.body[hits.face]
        point = origins + hits.distance[:, None] * rays
        moves = (body != STATIC).nonzero()[:, 0]
        pose = self.moment(time).poses.float()[body[moves]]
        turn, place = pose[:, :3, :3], pose[:, :3, 3]
        local_point, local_rays = point.clone(), rays.clone()
        local_point[moves] = torch.einsum("nji,nj->ni", turn, point[moves] - place)
        local_rays[moves] = torch.einsum("nji,nj->ni", turn, rays[moves])
        normal = F.normalize(torch.einsum("nk,nkc->nc", hits.weights, s.normals[corners]), dim=-1)
        normal = torch.where((normal * local_rays).sum(-1, keepdim=True) > 0, -normal, normal)
        uv = torch.einsum("nk,nkc->nc", hits.weights, s.uv[corners])
        minor, major = _ellipse(local_rays, normal, hits.distance / focal)
        gradients = s.gradient_u[hits.face], s.gradient_v[hits.face]
        extent = torch.stack([(g * minor).sum(-1).abs() + (g * major).sum(-1).abs() for g in gradients], -1)
        normal[moves] = torch.einsum("nij,nj->ni", turn, normal[moves])
        places = Places(local_point, uv, minor, major, extent)
        return Seen(every, solid, hits.distance, body, s.material[hits.face], point, normal, rays, places, focal, time)

    def carried(self, seen: Seen, time: float) -> Tensor:
        """Where the surfaces that are seen are at another time: (M, 3) float64, map."""
        here, there = self.moment(seen.time).poses, self.moment(time).poses
        point = seen.point.double()
        moves = seen.body > 0
        if bool(moves.any()):
            move = (there @ torch.linalg.inv(here))[seen.body[moves]]
            point[moves] = torch.einsum("nij,nj->ni", move[:, :3, :3], point[moves]) + move[:, :3, 3]
        return point

    def sees(self, time: float, eye: Tensor, points: Tensor) -> Tensor:
        """Whether nothing stands between ``eye`` (3,) and points (N, 3): bool (N,)."""
        return ~self.blocked(time, eye.float()[None], (points - eye).float(), CLEAR)


def _ellipse(directions: Tensor, normal: Tensor, foot: Tensor) -> tuple[Tensor, Tensor]:
    """Both axes (N, 3) of the ellipse that a pixel of ``foot`` (N,) metres across the ray is on a surface."""
    ray = F.normalize(directions, dim=-1)
    facing = (ray * normal).sum(-1, keepdim=True)
    along = F.normalize(ray - facing * normal, dim=-1)
    foot = foot[:, None]
    # seen straight on there is no long axis, and any will do
    minor = foot * torch.linalg.cross(normal, along, dim=-1)
    return minor, foot / facing.abs().clamp(min=0.02) * along


def _surfaces(mesh: Mesh, body: np.ndarray, device: torch.device) -> Surfaces:
    vertices, normals, uv, faces, material = (torch.as_tensor(x, device=device) for x in mesh)
    faces = faces.long()
    one, two = (vertices[faces[:, k]] - vertices[faces[:, 0]] for k in (1, 2))
    du, dv = ((uv[faces[:, k]] - uv[faces[:, 0]]) for k in (1, 2))
    normal = torch.linalg.cross(one, two, dim=-1)
    area = normal.square().sum(-1, keepdim=True).clamp(min=1e-16)
    # the gradients of the barycentric weights of the second and third corner
    beta, gamma = torch.linalg.cross(two, normal, dim=-1) / area, torch.linalg.cross(normal, one, dim=-1) / area
    gradient_u, gradient_v = (beta * du[:, k : k + 1] + gamma * dv[:, k : k + 1] for k in (0, 1))
    numbers = torch.as_tensor(body, device=device)
    return Surfaces(normals, uv, faces, material.long(), gradient_u, gradient_v, numbers)
