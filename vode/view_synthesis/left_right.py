"""Monodepth's losses of rectified stereo pairs: appearance, smoothness, left-right (Godard et al., CVPR 2017).

Disparities are fractions of the image's width, so that they are the same numbers at any size. A point at x in the left
image lies at x - width d_left(x) in the right one; one at x in the right image at x + width d_right(x) in the left one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from vode.geometry import warp
from vode.losses.photometric import photometric_error


class Pair(NamedTuple):
    """Something of the left and of the right image, (B, C, h, w) each."""

    left: Tensor
    right: Tensor


def disparity_fraction(depth: Tensor, intrinsics: Tensor, baseline: Tensor) -> Tensor:
    """Disparity, in widths of the image, of depth (B, C, h, w) in metres, 0 where that is 0 (the sky, far away).

    intrinsics (B, 3, 3), baseline (B,) metres. ``intrinsics`` are those of an image as wide as ``depth``.
    """
    factor = (intrinsics[:, 0, 0] * baseline / depth.shape[-1]).view(-1, 1, 1, 1)
    return torch.where(depth > 0, factor / torch.where(depth > 0, depth, 1.0), 0.0)


def from_other(maps: Pair, disparity: Pair) -> Pair:
    """What each image's pixels see in the ``maps`` of the other one, (B, C, h, w), by its disparity (B, 1, h, w)."""
    return Pair(_moved(maps.right, -disparity.left), _moved(maps.left, disparity.right))


def appearance(images: Pair, disparity: Pair) -> Pair:
    """Photometric errors (B, 1, h, w), 0.15 L1 + 0.85 SSIM, of each image made from the other one (eq. 2)."""
    made = from_other(images, disparity)
    return Pair(*(photometric_error(image, other) for image, other in zip(images, made, strict=True)))


def disparity_gradients(disparity: Tensor, image: Tensor) -> Tensor:
    """Edge-aware gradients (B, 1) of a disparity (B, 1, h, w) (eq. 3): mean |d d| exp(-|d I|), of x and of y.

    Not relative to the mean disparity, as later ones are: a sharp edge costs as much as its height.
    """
    total = disparity.new_zeros(len(disparity), 1)
    for axis in (-1, -2):
        edge = image.diff(dim=axis).abs().mean(1, keepdim=True)
        total = total + (disparity.diff(dim=axis).abs() * (-edge).exp()).flatten(1).mean(1, keepdim=True)
    return total


def left_right_difference(disparity: Pair) -> Pair:
    """|d - d'| (B, 1, h, w) of each disparity and the other one where it leads (eq. 4): 0 where both are right."""
    other = from_other(disparity, disparity)
    return Pair((disparity.left - other.left).abs(), (disparity.right - other.right).abs())


def left_right_losses(images: Pair, disparity: Pair) -> dict[str, Tensor]:
    """The losses (B,) of a pair of one size, each the sum over both images (eq. 1 without its weights)."""
    terms = {
        "photometric": appearance(images, disparity),
        "smoothness": Pair(*(disparity_gradients(d, image) for d, image in zip(disparity, images, strict=True))),
        "left_right": left_right_difference(disparity),
    }
    return {name: (left + right).flatten(1).mean(1) for name, (left, right) in terms.items()}


def _moved(values: Tensor, fraction: Tensor) -> Tensor:
    """Values (B, C, h, w) at the pixels that lie ``fraction`` (B, 1, h, w) of the width farther right."""
    x = fraction * values.shape[-1]
    return warp.backward_warp(values, torch.cat([x, torch.zeros_like(x)], 1))
