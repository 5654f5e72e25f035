"""Depth of a made-up road, whose plane is known."""

from __future__ import annotations

import torch

from vode.geometry.camera import rays
from vode.geometry.pose import so3_exp

SIZE = (64, 192)
K = torch.tensor([[110.0, 0, 95.5], [0, 110.0, 31.0], [0, 0, 1]], dtype=torch.float64)


def view(height=1.65, tilt=(0.05, 0.0, 0.02), wall=None, size=SIZE):
    """Depth (1, 1, H, W) of a plane ``height`` below a tilted camera, ended by a wall ``wall`` metres ahead."""
    normal = so3_exp(torch.tensor(tilt, dtype=torch.float64)) @ torch.tensor([0.0, 1, 0], dtype=torch.float64)
    v, u = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    ray = rays(torch.stack([u, v], -1).reshape(-1, 2).double(), K)
    depth = height / (ray @ normal)
    depth = torch.where((depth > 0) & (depth < 200), depth, 0.0)
    if wall is not None:
        depth = torch.where((depth == 0) | (depth > wall), wall, depth)
    return depth.reshape(1, 1, *size), normal
