"""Correspondences from forward and backward flow, with scores (Zhao et al., CVPR 2020, section 3.1)."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry import warp
from vode.geometry.resize import image_size

SMOOTH = 0.2
"""pixels that flow may bend by at a pixel, for values between pixels to be trusted"""


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
    target_inside = warp.inside(warp.flow_target(flow_ab), image_size(flow_ab))
    mask = warp.visible(flow_ba) * warp.consistent(flow_ab, difference) * target_inside
    return FlowScores(mask, mask / (0.1 + difference.abs().mean(1, keepdim=True)))


def best_matches(
    flow_ab: Tensor, score: Tensor, *, fraction: float, count: int, generator: torch.Generator | None = None
) -> Matches:
    """The ``count`` best-scored correspondences of a random draw of pixels, which are a ``fraction`` of the draw.

    flow_ab (B, 2, H, W) pixels, score (B, 1, H, W). Images too small for such a draw give the best
    ``fraction`` of all pixels. The same pixels are drawn in every sample, so that a sample's matches do not depend on
    its batch. The gradient of ``points_b`` reaches the flow.
    """
    height, width = flow_ab.shape[-2:]
    pixels = height * width
    drawn = min(math.ceil(count / fraction), pixels)
    draw = torch.randperm(pixels, generator=generator, device=flow_ab.device)[:drawn]
    kept = max(min(count, int(fraction * drawn)), min(8, drawn))
    scores, rank = score.detach().flatten(1)[:, draw].topk(kept, dim=1)
    index = draw[rank]
    points_a = torch.stack([index % width, index.div(width, rounding_mode="floor")], -1).to(flow_ab.dtype)
    flow = flow_ab.flatten(2).mT.gather(1, index.unsqueeze(-1).expand(-1, -1, 2))
    return Matches(points_a, points_a + flow, scores)


def follow(flow_ab: Tensor, score: Tensor, points_a: Tensor) -> Matches:
    """Matches of given points_a (B, N, 2) by the flow (B, 2, H, W), both sampled bilinearly, with their scores.

    Where the flow has a step, at the edges of objects, it is of no use between pixels: points there have score 0.
    """
    pixels = points_a.to(flow_ab).mT.unsqueeze(-1)
    flow, start = warp.sample(flow_ab, pixels)[..., 0].mT, pixels[..., 0].mT
    smooth = warp.sample((_bend(flow_ab) < SMOOTH).to(score.dtype), pixels)[:, 0, :, 0] > 0.999
    return Matches(start, start + flow, warp.sample(score, pixels)[:, 0, :, 0] * smooth)


def _bend(flow: Tensor) -> Tensor:
    """How much a flow (B, 2, H, W) departs from a straight line between neighbours, (B, 1, H, W), pixels."""
    around = F.pad(flow, (1, 1, 1, 1), mode="replicate")
    across = around[..., 1:-1, 2:] + around[..., 1:-1, :-2] - 2 * flow
    down = around[..., 2:, 1:-1] + around[..., :-2, 1:-1] - 2 * flow
    # a norm over so short a dimension takes five times as long
    across, down = (x[:, :1] * x[:, :1] + x[:, 1:] * x[:, 1:] for x in (across, down))
    return torch.maximum(across, down).sqrt()
