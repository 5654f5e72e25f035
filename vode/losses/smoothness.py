"""Edge-aware smoothness of flow and disparity."""

from __future__ import annotations

from typing import Literal

import torch
from kornia.losses import inverse_depth_smoothness_loss
from torch import Tensor

FLOW_SCALE = 20.0
"""pixels by which flow is divided"""
FLOW_EDGE = 10.0
"""strength of the edge weighting of flow"""


def flow_smoothness(flow: Tensor, image: Tensor, *, edges: Literal["both", "second"] = "both") -> Tensor:
    """Second-order smoothness of flow / 20 (B, 2, H, W) px, weighted by exp(-10 mean |grad I|): (B,).

    ``edges`` are the image steps of a second difference that weigh it: the mean of both, or the second. The flow may
    bend at image edges (Jonschkowski et al., ECCV 2020, eq. 4, for k = 2).
    """
    flow = flow / FLOW_SCALE
    total = flow.new_zeros(len(flow))
    for axis in (-1, -2):
        curve = flow.diff(n=2, dim=axis).abs().mean(1, keepdim=True)
        step = image.diff(dim=axis).abs().mean(1, keepdim=True)
        before, after = step.narrow(axis, 0, step.shape[axis] - 1), step.narrow(axis, 1, step.shape[axis] - 1)
        edge = after if edges == "second" else (before + after) / 2
        total = total + (curve * (-FLOW_EDGE * edge).exp()).flatten(1).mean(1) / 2
    return total


def disparity_smoothness(disparity: Tensor, image: Tensor) -> Tensor:
    """First-order smoothness of mean-normalised disparity (B, 1, H, W), weighted by exp(-|grad I|): (B,).

    Godard et al., ICCV 2019, eq. 3.
    """
    disparity = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)
    # kornia's is one number for a whole batch
    return torch.vmap(lambda d, i: inverse_depth_smoothness_loss(d[None], i[None]))(disparity, image)


def first_order_smoothness(values: Tensor, image: Tensor) -> Tensor:
    """Sum over x and y of mean |grad values| exp(-mean |grad I|), of any (B, C, H, W) as they are: (B,).

    Yin and Shi, CVPR 2018, eq. 3, of disparity and of flow.
    """
    total = values.new_zeros(len(values))
    for axis in (-1, -2):
        edge = image.diff(dim=axis).abs().mean(1, keepdim=True)
        total = total + (values.diff(dim=axis).abs() * (-edge).exp()).flatten(1).mean(1)
    return total
