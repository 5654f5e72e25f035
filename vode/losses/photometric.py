"""Photometric difference between an image and its reconstruction: L1 and SSIM."""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor

from vode.losses.masked import masked_mean

SSIM_WEIGHT = 0.85
"""weight of SSIM; the rest is that of L1"""
C1, C2 = 0.01**2, 0.03**2
"""stabilising constants of SSIM for images in 0..1"""


def box_mean(values: Tensor) -> Tensor:
    """Means over 3x3 windows, (..., H, W) -> (..., H-2, W-2).

    Sums of shifted images, as ``avg_pool2d`` takes twice the time on a CPU.
    """
    rows = values[..., :-2, :] + values[..., 1:-1, :] + values[..., 2:, :]
    return (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]) / 9


def ssim_distance(image_a: Tensor, image_b: Tensor, *, border: Literal["reflect", "zeros"] = "reflect") -> Tensor:
    """clamp((1 - SSIM) / 2, 0, 1) over 3x3 windows: (B, C, H, W) twice -> (B, C, H, W).

    Images are reflected at the ``border``, or continued by zeros. Wang et al., TIP 2004, eq. 13, with box windows as in
    Godard et al., CVPR 2017, eq. 2.
    """
    mode = "reflect" if border == "reflect" else "constant"
    a, b = (F.pad(x, [1, 1, 1, 1], mode=mode) for x in (image_a, image_b))
    mean_a, mean_b = box_mean(a), box_mean(b)
    variance_a = box_mean(a * a) - mean_a**2
    variance_b = box_mean(b * b) - mean_b**2
    covariance = box_mean(a * b) - mean_a * mean_b
    similarity = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    similarity = similarity / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))
    return ((1 - similarity) / 2).clamp(0, 1)


def photometric_error(image: Tensor, reconstruction: Tensor) -> Tensor:
    """0.15 L1 + 0.85 SSIM distance (B, 1, H, W) of images (B, C, H, W)."""
    l1 = (image - reconstruction).abs().mean(1, keepdim=True)
    ssim = ssim_distance(image, reconstruction).mean(1, keepdim=True)
    return (1 - SSIM_WEIGHT) * l1 + SSIM_WEIGHT * ssim


def photometric(
    image: Tensor, reconstruction: Tensor, mask: Tensor, *, ssim: Literal["reflected", "masked"] = "reflected"
) -> Tensor:
    """The photometric error of images (B, C, H, W), averaged over ``mask`` (B, 1, H, W): (B,).

    With the ``ssim`` "masked", both images are masked before SSIM, as in TrianFlow's code: windows on the edge of the
    mask count as they are, those outside are equal.
    """
    if ssim == "reflected":
        return masked_mean(photometric_error(image, reconstruction), mask)
    l1 = masked_mean((image - reconstruction).abs().mean(1, keepdim=True), mask)
    distance = ssim_distance(image * mask, reconstruction * mask, border="zeros").mean((1, 2, 3))
    return (1 - SSIM_WEIGHT) * l1 + SSIM_WEIGHT * distance / (mask.mean((1, 2, 3)) + 1e-12)
