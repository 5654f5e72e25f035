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
    """Losses per sample, each (B,), summed over scales, and the visibility mask of a (B, 1, H, W).

    Images (B, 3, H, W) in 0..1; flows (B, 2, h, w) in pixels, finest first. Pixels that the backward flow does not
    reach are masked, decided once at full size: a forward-backward consistency check would mask every pixel of an
    untrained network. Both directions run as one batch.
    """
    batch = len(images_a)
    images = torch.cat([images_a, images_b])
    others = torch.cat([images_b, images_a])
    flows = [torch.cat(pair) for pair in zip(flows_ab, flows_ba, strict=True)]
    reverse = torch.cat([flows_ba[0], flows_ab[0]])
    mask = warp.visible(reverse.detach()) * warp.inside(warp.flow_target(flows[0].detach()), image_size(reverse))
    losses = {name: flows[0].new_zeros(()) for name in ("flow_photometric", "flow_smoothness")}
    for k, flow in enumerate(flows[: options.scales]):
        image, other, scale_mask = (_shrink(x, image_size(flow)) for x in (images, others, mask))
        terms = {
            "flow_photometric": photometric(image, warp.backward_warp(other, flow), scale_mask),
            "flow_smoothness": flow_smoothness(flow, image),
        }
        losses = {name: losses[name] + options.decay**k * term for name, term in terms.items()}
    return {name: (v[:batch] + v[batch:]) / 2 for name, v in losses.items()}, mask[:batch]


def _shrink(image: Tensor, size: tuple[int, int]) -> Tensor:
    return image if image.shape[-2:] == size else F.interpolate(image, size, mode="area")
