"""Losses of GeoNet's flow (Yin and Shi, CVPR 2018): warping, and geometric consistency of both directions."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry import warp
from vode.geometry.resize import image_size
from vode.losses.flow import shrink
from vode.losses.masked import masked_mean
from vode.losses.options import FlowConsistencyOptions
from vode.losses.photometric import photometric_error
from vode.losses.smoothness import first_order_smoothness


def warp_error(images_a: Tensor, images_b: Tensor, flow_ab: Tensor) -> tuple[Tensor, Tensor]:
    """Image b seen along the flow a to b (B, 2, H, W), (B, 3, H, W), and its photometric error to a (B, 1, H, W).

    0.85 SSIM distance + 0.15 L1 (Yin and Shi, eq. 2).
    """
    seen = warp.backward_warp(images_b, flow_ab)
    return seen, photometric_error(images_a, seen)


def geometric_consistency(
    flow_ab: Tensor, flow_ba: Tensor, *, scale: int = 0, options: FlowConsistencyOptions = FlowConsistencyOptions()
) -> tuple[Tensor, Tensor]:
    """Mean |forward-backward difference| in pixels over the pixels where it is small (B,), and these (B, 1, H, W).

    The difference D f of flows (B, 2, H, W) counts where it is below max(alpha, beta |f|), in pixels of images 2^scale
    times as large, and where the flow stays inside the image (Yin and Shi, eq. 5): elsewhere pixels are hidden, and
    brightness and flow of the other image are those of another point. The mask has no gradient.
    """
    difference = warp.round_trip(flow_ab, flow_ba)
    with torch.no_grad():
        agree = warp.consistent(flow_ab, difference, pixels=options.pixels / 2**scale, fraction=options.fraction)
        mask = agree * warp.inside(warp.flow_target(flow_ab), image_size(flow_ab))
    return masked_mean(difference.abs().mean(1, keepdim=True), mask), mask


def full_flow_losses(
    images_a: Tensor,
    images_b: Tensor,
    flows_ab: list[Tensor],
    flows_ba: list[Tensor],
    options: FlowConsistencyOptions = FlowConsistencyOptions(),
) -> tuple[dict[str, Tensor], Tensor]:
    """L_fw, L_fs and L_gc of full flow, (B,) each, and the pixels of a that count at full size (B, 1, H, W).

    Images (B, 3, H, W) in 0..1; flows (B, 2, h, w), rigid plus residual, in pixels of their size, finest first. Losses
    are summed over scales, that of smoothness with weights 1, 1/2, 1/4, ..., and averaged over both directions.
    """
    batch = len(images_a)
    images, others = torch.cat([images_a, images_b]), torch.cat([images_b, images_a])
    losses = {name: images.new_zeros(2 * batch) for name in ("flow_warp", "flow_smoothness", "flow_consistency")}
    masks = []
    for k, (ab, ba) in enumerate(zip(flows_ab, flows_ba, strict=True)):
        flow, back = torch.cat([ab, ba]), torch.cat([ba, ab])
        image, other = (shrink(x, image_size(flow)) for x in (images, others))
        consistency, mask = geometric_consistency(flow, back, scale=k, options=options)
        terms = {
            "flow_warp": masked_mean(warp_error(image, other, flow)[1], mask),
            "flow_smoothness": first_order_smoothness(flow, image) / 2**k,
            "flow_consistency": consistency,
        }
        losses = {name: losses[name] + term for name, term in terms.items()}
        masks.append(mask[:batch])
    return {name: (value[:batch] + value[batch:]) / 2 for name, value in losses.items()}, masks[0]
