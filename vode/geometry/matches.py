"""Flow both ways -> scored correspondences (Zhao et al., CVPR 2020, section 3.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.camera import pixel_grid


class FlowScores(NamedTuple):
    """Per pixel of image a, each (B, 1, H, W)."""

    mask: Tensor
    """Occlusion mask M_o in 0..1: visible and consistent."""
    score: Tensor
    """Forward-backward score M_s = M_o / (0.1 + D_fb)."""


class Matches(NamedTuple):
    """``N`` correspondences of each pair, in pixels."""

    points_a: Tensor
    """(B, N, 2)"""
    points_b: Tensor
    """(B, N, 2)"""
    scores: Tensor
    """(B, N), 0 = unusable"""


def flow_scores(flow_ab: Tensor, flow_ba: Tensor) -> FlowScores:
    """Occlusion mask and score of every pixel of image a, from flows (B, 2, H, W) in pixels; no gradient."""
    flow_ab, flow_ba = flow_ab.detach().float(), flow_ba.detach().float()
    difference = warp.round_trip(flow_ab, flow_ba)
    target_inside = warp.inside(warp.flow_target(flow_ab), flow_ab.shape[-2:])
    mask = warp.visible(flow_ba) * warp.consistent(flow_ab, difference) * target_inside
    return FlowScores(mask, mask / (0.1 + difference.abs().mean(1, keepdim=True)))


def best_matches(
    flow_ab: Tensor, score: Tensor, *, share: float, count: int, generator: torch.Generator | None = None
) -> Matches:
    """Draw ``count`` correspondences at random from the ``share`` of pixels with the highest score.

    flow_ab (B, 2, H, W) pixels, score (B, 1, H, W). Fewer than ``count`` candidates are all taken. The same
    random ranks serve every sample, so that a sample's matches do not depend on its batch. The
    gradient of ``points_b`` reaches the flow.
    """
    height, width = flow_ab.shape[-2:]
    candidates = max(int(share * height * width), min(8, height * width))
    ranked = score.detach().flatten(1).topk(candidates, dim=1, sorted=True)
    draw = torch.randperm(candidates, generator=generator, device=flow_ab.device)[:count]
    index, scores = ranked.indices[:, draw], ranked.values[:, draw]
    grid = pixel_grid(height, width, device=flow_ab.device, dtype=flow_ab.dtype).flatten(1).T
    points_a = grid[index]
    flow = flow_ab.flatten(2).mT.gather(1, index.unsqueeze(-1).expand(-1, -1, 2))
    return Matches(points_a, points_a + flow, scores)
