"""Conversion of 8-bit images to float, and augmentation of exposure and colour, for samples and batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vode.datasets.sample import Sample
from vode.geometry.resize import as_float

_TO_YIQ = torch.tensor(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], dtype=torch.float64
)


def to_float_and_augment(sample: Sample) -> Sample:
    """A raw sample, or a batch of them, with images as float32 in 0..1 and the recorded colour augmentation applied.

    Done on the training device, because 8-bit images are four times smaller to transfer.
    """
    images = as_float(sample["images"])
    if "colour" in sample:
        images = vary_colour(images, sample["colour"])
    return {key: value for key, value in sample.items() if key != "colour"} | {"images": images}


def vary_colour(images: Tensor, colour: Tensor) -> Tensor:
    """Images (..., T, 3, H, W) in 0..1 varied by ``colour`` (..., 5), strengths in the order of ``jitter_colour``."""
    names = ("brightness", "contrast", "saturation", "turn", "gamma")
    return jitter_colour(images, **dict(zip(names, colour.unbind(-1), strict=True)))


def jitter_colour(
    images: Tensor,
    *,
    brightness: Tensor | float = 1.0,
    contrast: Tensor | float = 1.0,
    saturation: Tensor | float = 1.0,
    turn: Tensor | float = 0.0,
    gamma: Tensor | float = 1.0,
) -> Tensor:
    """Vary the colours of images (..., T, 3, H, W) in 0..1, equally for all T frames, which stay comparable.

    Strengths are numbers, or (...), one per sample. Brightness, contrast (about the mean grey of all frames),
    saturation (about each pixel's grey) and hue (a rotation of YIQ's chroma plane by ``turn`` revolutions) are
    composed into one affine map of RGB; the result is clamped, then raised to the power ``gamma``.
    """
    values = (brightness, contrast, saturation, turn, gamma)
    brightness, contrast, saturation, turn, gamma = (
        torch.as_tensor(value, dtype=torch.float32, device=images.device).expand(images.shape[:-4]) for value in values
    )
    matrix = (brightness * contrast)[..., None, None] * _chroma(saturation, turn)
    mean = (images.mean(dim=(-4, -2, -1)) @ _TO_YIQ[0].to(images)) * brightness
    varied = torch.einsum("...ij,...tjhw->...tihw", matrix, images) + _wide((1 - contrast) * mean)
    return varied.clamp(0, 1).pow(_wide(gamma))


def _chroma(saturation: Tensor, turn: Tensor) -> Tensor:
    """RGB maps (..., 3, 3) that keep YIQ's luma and scale and rotate its chroma."""
    c, s = saturation * (2 * math.pi * turn).cos(), saturation * (2 * math.pi * turn).sin()
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    middle = torch.stack([one, zero, zero, zero, c, -s, zero, s, c], -1).unflatten(-1, (3, 3))
    to_yiq = _TO_YIQ.to(middle)
    return torch.linalg.inv(_TO_YIQ).to(middle) @ middle @ to_yiq


def _wide(values: Tensor) -> Tensor:
    """(...) as (..., 1, 1, 1, 1)."""
    return values[..., None, None, None, None]
