"""Exact cameras and points that the tests of geometry share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

WIDTH, HEIGHT = 1241, 376
KITTI = [[718.856, 0.0, 607.1928], [0.0, 718.856, 185.2157], [0.0, 0.0, 1.0]]


class Scene(NamedTuple):
    """Pairs of views of random points, all float64."""

    a: Tensor
    b: Tensor
    K: Tensor
    T_b_a: Tensor
    points: Tensor
    clean: Tensor
    """bool (B, N): not an outlier"""


def _scene(
    seed: int = 0,
    *,
    batch: int = 2,
    count: int = 500,
    outliers: float = 0.0,
    noise: float = 0.0,
    angle: float = 0.03,
    direction: tuple[float, float, float] = (0.1, 0.02, -1.0),
    baseline: float = 1.0,
    depth: tuple[float, float] = (4.0, 60.0),
) -> Scene:
    """Views of points at 4 to 60 m in an image of KITTI's size, ``baseline`` m apart, turned by ``angle``."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator, dtype=torch.float64)

    K = torch.tensor(KITTI, dtype=torch.float64).repeat(batch, 1, 1)
    K[:, :2, :2] *= 1 + 0.2 * torch.arange(batch)[:, None, None]
    pixels = uniform(batch, count, 2) * torch.tensor([WIDTH - 1.0, HEIGHT - 1.0])
    z = depth[0] + (depth[1] - depth[0]) * uniform(batch, count, 1)
    points = torch.cat([(pixels - K[:, None, :2, 2]) / K[:, None, 0, :1] * z, z], -1)
    axes = torch.randn(batch, 3, generator=generator, dtype=torch.float64)
    vectors = (angle * axes / axes.norm(dim=-1, keepdim=True)).numpy()
    T_b_a = torch.eye(4, dtype=torch.float64).repeat(batch, 1, 1)
    T_b_a[:, :3, :3] = torch.from_numpy(Rotation.from_rotvec(vectors).as_matrix())
    way = torch.tensor(direction) + 0.05 * torch.randn(batch, 3, generator=generator, dtype=torch.float64)
    T_b_a[:, :3, 3] = baseline * way / way.norm(dim=-1, keepdim=True)
    moved = points @ T_b_a[:, :3, :3].mT + T_b_a[:, None, :3, 3]
    b = moved[..., :2] / moved[..., 2:] * K[:, None, 0, :1] + K[:, None, :2, 2]
    b = b + noise * torch.randn(b.shape, generator=generator, dtype=torch.float64)
    clean = uniform(batch, count) >= outliers
    b = torch.where(clean[..., None], b, b + 80 * uniform(*b.shape) - 40)
    return Scene(pixels, b, K, T_b_a, points, clean)


@pytest.fixture(scope="session")
def scene() -> Callable[..., Scene]:
    return _scene


def _errors(estimate: Tensor, ground_truth: Tensor) -> tuple[Tensor, Tensor]:
    """Rotation and direction errors (B,) in degrees; a motion without a direction is wrong by 180."""
    turn = Rotation.from_matrix((estimate[:, :3, :3].mT.double() @ ground_truth[:, :3, :3]).numpy()).magnitude()
    t, s = estimate[:, :3, 3].double(), ground_truth[:, :3, 3]
    way = torch.atan2(torch.linalg.cross(t, s).norm(dim=-1), (t * s).sum(-1))
    way = torch.where(t.any(-1), way, torch.pi)
    return torch.from_numpy(turn).rad2deg(), way.rad2deg()


@pytest.fixture(scope="session")
def errors() -> Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]:
    return _errors
