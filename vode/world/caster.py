"""Ray casting of triangle meshes: by Embree on the CPU, by plain torch on any device."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

PARALLEL = 4096
"""rays from which on several threads share them"""
PAIRS = 2**22
"""rays x triangles that the plain caster tries at a time"""


class Hits(NamedTuple):
    """The nearest hit of each ray."""

    distance: Tensor
    """(N,) in lengths of the ray's direction, infinite where nothing is hit"""
    face: Tensor
    """(N,) int64, 0 where nothing is hit"""
    weights: Tensor
    """(N, 3) barycentric weights of the face's corners"""


class Caster(Protocol):
    """Casts rays at triangles; all tensors are on one device."""

    def hits(self, origins: Tensor, directions: Tensor) -> Hits:
        """Nearest hits of rays (N, 3) float32."""
        ...

    def blocked(self, origins: Tensor, directions: Tensor, reach: float) -> Tensor:
        """Whether anything is hit within ``reach`` lengths of the direction: bool (N,)."""
        ...


class EmbreeCaster(Caster):
    """Embree 4 by way of embreex, a thread a core."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray) -> None:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore_scene import EmbreeScene

        # without it, rays slip through between triangles
        self._scene = EmbreeScene(robust=True)
        self._mesh = TriangleMesh(
            self._scene, np.ascontiguousarray(vertices, np.float32), np.ascontiguousarray(faces, np.int32)
        )

    def hits(self, origins: Tensor, directions: Tensor) -> Hits:
        found = self._run(lambda o, d: self._scene.run(o, d, query="INTERSECT", output=1), origins, directions)
        face = torch.from_numpy(np.concatenate([part["primID"] for part in found])).long()
        u, v, distance = (
            torch.from_numpy(np.concatenate([part[name] for part in found])) for name in ("u", "v", "tfar")
        )
        missed = face < 0
        weights = torch.stack([1 - u - v, u, v], -1)
        return Hits(distance.masked_fill(missed, torch.inf), face.masked_fill(missed, 0), weights)

    def blocked(self, origins: Tensor, directions: Tensor, reach: float) -> Tensor:
        def occluded(o: np.ndarray, d: np.ndarray) -> np.ndarray:
            return self._scene.run(o, d, np.full(len(o), reach, np.float32), query="OCCLUDED")

        return torch.from_numpy(np.concatenate(self._run(occluded, origins, directions)) >= 0)

    def _run(self, query: Callable, origins: Tensor, directions: Tensor) -> list:
        rays = [np.ascontiguousarray(x.numpy(), np.float32) for x in torch.broadcast_tensors(origins, directions)]
        parts = torch.get_num_threads() if len(rays[0]) >= PARALLEL else 1
        if parts == 1:
            return [query(*rays)]
        pieces = zip(*(np.array_split(x, parts) for x in rays), strict=True)
        with ThreadPoolExecutor(parts) as pool:
            return list(pool.map(lambda piece: query(*piece), pieces))


class TorchCaster(Caster):
    """Every ray against every triangle (Moeller and Trumbore, 1997), on any device."""

    def __init__(self, vertices: np.ndarray, faces: np.ndarray, device: torch.device | str = "cpu") -> None:
        corners = torch.as_tensor(np.asarray(vertices, np.float32)[faces], device=device)
        self._first, self._edges = corners[:, 0], (corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])

    def hits(self, origins: Tensor, directions: Tensor) -> Hits:
        rays = torch.broadcast_tensors(origins, directions)
        found = [self._nearest(o, d) for o, d in zip(*(x.split(self._rays_at_a_time) for x in rays), strict=True)]
        return Hits(*(torch.cat(parts) for parts in zip(*found, strict=True)))

    def blocked(self, origins: Tensor, directions: Tensor, reach: float) -> Tensor:
        return self.hits(origins, directions).distance < reach

    @property
    def _rays_at_a_time(self) -> int:
        return max(PAIRS // max(len(self._first), 1), 1)

    def _nearest(self, origins: Tensor, directions: Tensor) -> Hits:
        """Hits of rays (R, 3), each tried against all triangles."""
        one, two = self._edges
        d = directions[:, None]
        across = torch.linalg.cross(d, two[None], dim=-1)
        determinant = (across * one).sum(-1)
        scale = torch.where(determinant.abs() < 1e-12, torch.nan, 1 / determinant)
        start = origins[:, None] - self._first
        u = (start * across).sum(-1) * scale
        beside = torch.linalg.cross(start, one.expand_as(start), dim=-1)
        v = (d * beside).sum(-1) * scale
        distance = (two * beside).sum(-1) * scale
        inside = (u >= 0) & (v >= 0) & (u + v <= 1) & (distance > 0)
        nearest, face = torch.where(inside, distance, torch.inf).min(-1)
        u, v = (x.gather(1, face[:, None])[:, 0].nan_to_num(0.0) for x in (u, v))
        return Hits(nearest, face.masked_fill(nearest.isinf(), 0), torch.stack([1 - u - v, u, v], -1))


class NoCaster(Caster):
    """Of nothing at all."""

    def hits(self, origins: Tensor, directions: Tensor) -> Hits:
        rays, _ = torch.broadcast_tensors(directions, origins)
        nothing = rays.new_full(rays.shape[:1], torch.inf)
        return Hits(nothing, torch.zeros_like(nothing, dtype=torch.long), torch.zeros_like(rays))

    def blocked(self, origins: Tensor, directions: Tensor, reach: float) -> Tensor:
        return self.hits(origins, directions).distance < reach


def make_caster(vertices: np.ndarray, faces: np.ndarray, device: torch.device) -> Caster:
    """Embree on the CPU, the plain caster elsewhere."""
    if len(faces) == 0:
        return NoCaster()
    return EmbreeCaster(vertices, faces) if device.type == "cpu" else TorchCaster(vertices, faces, device)
