"""Unsupervised optical flow losses: photometric and smoothness, in both directions, at several scales."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry import warp
from vode.geometry.resize import image_size
from vode.losses.options import FlowLossOptions
from vode.losses.photometric import photometric
from vode.losses.smoothness import flow_smoothness


def flow_losses(
    images_a: Tensor,
    images_b: Tensor,
    flows_ab: list[Tensor],
    flows_ba: list[Tensor],
    *,
    options: FlowLossOptions = FlowLossOptions(),
) -> tuple[dict[str, Tensor], Tensor]:
    """Losses per sample, each (B,), summed over scales, and the mask of the pixels of a that count (B, 1, H, W).

    Images (B, 3, H, W) in 0..1; flows (B, 2, h, w) in pixels, finest first. By default pixels that the backward flow
    does not reach, or where both directions disagree, are masked. Both directions run as one batch.
    """
    batch = len(images_a)
    images = torch.cat([images_a, images_b])
    others = torch.cat([images_b, images_a])
    flows = [torch.cat(pair) for pair in zip(flows_ab, flows_ba, strict=True)][: options.scales]
    reverse = [torch.cat(pair) for pair in zip(flows_ba, flows_ab, strict=True)][: options.scales]
    masks = _masks([flow.detach() for flow in flows], [flow.detach() for flow in reverse], options)
    losses = {name: flows[0].new_zeros(()) for name in ("flow_photometric", "flow_smoothness")}
    for k, flow in enumerate(flows):
        image, other = (shrink(x, image_size(flow)) for x in (images, others))
        seen = warp.backward_warp(other, flow, outside=options.outside)
        terms = {
            "flow_photometric": photometric(image, seen, masks[k], ssim=options.ssim),
            "flow_smoothness": flow_smoothness(flow, image, edges=options.edges),
        }
        losses = {name: losses[name] + options.decay**k * term for name, term in terms.items()}
    factor = 1.0 if options.directions == "sum" else 0.5
    return {name: factor * (v[:batch] + v[batch:]) for name, v in losses.items()}, masks[0][:batch]


def _masks(flows: list[Tensor], reverse: list[Tensor], options: FlowLossOptions) -> list[Tensor]:
    """The pixels that count at each scale, of flows and those of the other direction, without gradient."""
    if options.mask == "inside":
        mask = warp.visible(reverse[0]) * warp.inside(warp.flow_target(flows[0]), image_size(reverse[0]))
        return [shrink(mask, image_size(flow)) for flow in flows]
    return [
        warp.visible(back) * warp.consistent(flow, warp.round_trip(flow, back, outside=options.outside))
        for flow, back in zip(flows, reverse, strict=True)
    ]


def shrink(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Images or masks (B, C, H, W) at a smaller ``size`` (height, width), by the mean over areas."""
    return image if image.shape[-2:] == size else F.interpolate(image, size, mode="area")
