"""Subpixel refinement of correspondences by image alignment: the flow of a network is smooth and slightly biased."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry import warp


@dataclass(frozen=True)
class SubpixelOptions:
    """How a correspondence is refined, and when the result is accepted."""

    window: int = 7
    """side of the compared patch, pixels"""
    iterations: int = 5
    reach: float = 1.5
    """largest distance that a point may move, pixels"""
    noise: float = 0.01
    """standard deviation of intensities in 0..1"""
    accuracy: float = 0.5
    """largest standard deviation of a refined point along its least certain direction, pixels"""


AT_REST = 0.1
"""largest last step of a converged point, pixels"""


@torch.no_grad()
def refine(
    image_a: Tensor,
    image_b: Tensor,
    points_a: Tensor,
    points_b: Tensor,
    options: SubpixelOptions = SubpixelOptions(),
) -> tuple[Tensor, Tensor]:
    """Points of b (B, N, 2) moved so that the patches around them match those of a, and which are accepted (B, N).

    Images (B, C, H, W) in 0..1, points (B, N, 2) pixels. Gauss-Newton on the squared difference of two patches
    (Lucas, Kanade, IJCAI 1981), with the gradients of the first image as in Baker, Matthews, IJCV 2004,
    section 3.2. Changes of offset and gain are projected out (part 3 of the same), so that exposure and
    vignetting do no harm. Points that move farther than ``reach``, leave the image, do not converge, or lie where the
    image has too little texture for ``accuracy`` are not accepted and returned unchanged.
    """
    grey_a, grey_b = (image.detach().float().mean(1, keepdim=True) for image in (image_a, image_b))
    step = torch.arange(options.window, device=grey_a.device) - (options.window - 1) / 2
    offsets = torch.stack([step.repeat(len(step)), step.repeat_interleave(len(step))], -1)
    start = points_b.detach().float()
    patch = _patches(torch.cat([grey_a, gradients(grey_a)], 1), points_a.detach().float(), offsets)
    template = patch[:, 0]
    slope = _without_exposure(patch[:, 1:], template)
    normal = torch.einsum("bipk,bjpk->bpij", slope, slope)
    enough = torch.linalg.eigvalsh(normal)[..., 0] > (options.noise / options.accuracy) ** 2
    # Patches without texture are rejected anyway, but must not be singular.
    inverse = torch.linalg.inv_ex(normal + 1e-9 * torch.eye(2, device=normal.device)).inverse
    points, move = start, torch.zeros_like(start)
    for _ in range(options.iterations):
        difference = _patches(grey_b, points, offsets)[:, 0] - template
        along = (slope * difference.unsqueeze(1)).sum(-1).movedim(1, -1)
        move = (inverse @ along.unsqueeze(-1))[..., 0]
        points = points - move.clamp(-1, 1)
    size = grey_a.shape[-2:]
    inside = ((points >= 0) & (points <= points.new_tensor([size[1] - 1, size[0] - 1]))).all(-1)
    at_rest = (move.norm(dim=-1) < AT_REST) & ((points - start).norm(dim=-1) < options.reach)
    believed = enough & inside & at_rest
    return torch.where(believed.unsqueeze(-1), points, start).to(points_b.dtype), believed


def gradients(image: Tensor) -> Tensor:
    """Scharr's derivatives (B, 2, H, W), x then y, of an image (B, 1, H, W); the border is repeated."""
    across = image.new_tensor([[-3.0, 0.0, 3.0], [-10.0, 0.0, 10.0], [-3.0, 0.0, 3.0]]) / 32
    return F.conv2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), torch.stack([across, across.T]).unsqueeze(1))


def _patches(images: Tensor, points: Tensor, offsets: Tensor) -> Tensor:
    """Values (B, C, N, P) of images (B, C, H, W) at points (B, N, 2) plus offsets (P, 2)."""
    return warp.sample(images, (points.unsqueeze(2) + offsets).movedim(-1, 1))


def _without_exposure(slope: Tensor, template: Tensor) -> Tensor:
    """The component of ``slope`` (B, 2, N, P) orthogonal to an offset and a gain of ``template`` (B, N, P)."""
    centred, slope = template - template.mean(-1, keepdim=True), slope - slope.mean(-1, keepdim=True)
    power = centred.square().sum(-1, keepdim=True).clamp(min=1e-12)
    along = torch.einsum("bipk,bpk->bip", slope, centred).unsqueeze(-1) / power.unsqueeze(1)
    return slope - along * centred.unsqueeze(1)
