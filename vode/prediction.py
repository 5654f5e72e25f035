"""Depth of a frame and flow between two, by networks, at the size of their choice."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.geometry.inverse_search import LARGER, refine_flow
from vode.geometry.resize import image_size
from vode.geometry.warp import resize_flow
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.frames import network_image


@torch.no_grad()
def predict_depth(
    depth: DepthNet, image: Tensor, size: tuple[int, int], *, focal: float | None = None, flip: bool = False
) -> Tensor:
    """Depth (1, height, width) of a frame (3, H, W), computed at ``size``.

    ``focal`` is the vertical focal length in pixels of the frame, for metric depth. ``flip`` predicts the mirrored
    frame too and takes the mean of both inverse depths (Godard et al., CVPR 2017, without their ramps at the borders).
    """
    images = network_image(image, size, next(depth.parameters()).device)
    focal = None if focal is None else focal * size[0] / image.shape[-2]
    if not flip:
        return depth.depth(images, focal)[0].float().cpu()
    both = depth.depth(torch.cat([images, images.flip(-1)]), focal).float()
    return (2 / (1 / both[0] + 1 / both[1].flip(-1))).cpu()


@torch.no_grad()
def predict_flow(
    flow: FlowNet, image_a: Tensor, image_b: Tensor, size: tuple[int, int], *, refine: bool = False
) -> Tensor:
    """Flow (2, H, W) between two frames (3, H, W), computed at ``size`` and given in pixels of the frames.

    ``refine`` it on the frames, if they are ``LARGER`` than that.
    """
    device, full = next(flow.parameters()).device, image_size(image_a)
    found = flow(network_image(image_a, size, device), network_image(image_b, size, device))
    flow_ab, flow_ba = (resize_flow(flows[0].float(), full) for flows in found)
    if refine and full[0] >= LARGER * size[0]:
        flow_ab, _ = refine_flow(image_a[None], image_b[None], flow_ab.cpu(), flow_ba.cpu())
    return flow_ab[0].cpu()
