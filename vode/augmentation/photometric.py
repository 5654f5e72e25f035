"""Conversion of 8-bit images to float, and augmentation of colours and the camera's flaws, for samples and batches."""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from vode.datasets.sample import Sample
from vode.geometry.resize import as_float

_TO_YIQ = torch.tensor(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], dtype=torch.float64
)

NOISE_TABLE = 2**21
"""Length of the table of noise; a place in it fits into a float32."""


def to_float_and_augment(sample: Sample) -> Sample:
    """A raw sample, or a batch of them, with images as float32 in 0..1 and the recorded colour augmentation applied.

    Done on the training device, because 8-bit images are four times smaller to transfer.
    """
    views = {key: as_float(sample[key]) for key in ("images", "right") if key in sample}
    if "colour" in sample:
        # together, so that what depends on the mean of all images is the same for both cameras
        varied = vary_colour(torch.cat(list(views.values()), -4), sample["colour"], cameras=len(views))
        views = dict(zip(views, varied.chunk(len(views), -4), strict=True))
    return {key: value for key, value in sample.items() if key != "colour"} | views


def vary_colour(images: Tensor, colour: Tensor, *, cameras: int = 1) -> Tensor:
    """Images (..., T, 3, H, W) in 0..1 varied by ``colour``, strengths (..., 5) in the order of ``jitter_colour``.

    More of them, (..., 13), are those of ``add_effects`` besides. Of several ``cameras``, T counts first all frames of
    one, then those of the next.
    """
    names = ("brightness", "contrast", "saturation", "turn", "gamma")
    varied = jitter_colour(images, **dict(zip(names, colour[..., :5].unbind(-1), strict=True)))
    return varied if colour.shape[-1] == 5 else add_effects(varied, colour[..., 5:], cameras=cameras)


def add_effects(images: Tensor, strengths: Tensor, *, cameras: int = 1) -> Tensor:
    """Images (..., T, 3, H, W) in 0..1 with what a camera adds to them, by ``strengths`` (..., 8) of each sample.

    In order: blur, from 0 to the binomial 3x3 filter; standard deviation of the noise; shade, the gain at the bottom
    row above that of the middle; drift, the gain from each frame to the next; gains of R, G and B; and where the noise
    starts in the table of it, so that the same numbers give the same images. All but the noise is the same for all
    ``cameras``, see ``vary_colour``.
    """
    count, height = images.shape[-4] // cameras, images.shape[-2]
    blur, noise, shade, drift = (_wide(part) for part in strengths[..., :4].unbind(-1))
    rows = torch.linspace(-1, 1, height, device=images.device).view(height, 1)
    frames = torch.arange(count, device=images.device).sub((count - 1) / 2).repeat(cameras).view(-1, 1, 1, 1)
    gain = (1 + shade * rows) * (1 + drift * frames) * strengths[..., None, 4:7, None, None]
    varied = torch.lerp(images, _binomial(images), blur) * gain
    return varied.addcmul_(noise, _noise(strengths[..., 7], images.shape[-4:])).clamp_(0, 1)


def _binomial(images: Tensor) -> Tensor:
    """Images (..., H, W) filtered by 1/4, 1/2, 1/4 along both axes; the border is repeated."""
    for axis in (-1, -2):
        last = images.shape[axis] - 1
        before = torch.cat([images.narrow(axis, 0, 1), images.narrow(axis, 0, last)], axis)
        after = torch.cat([images.narrow(axis, 1, last), images.narrow(axis, last, 1)], axis)
        images = before.add_(after).mul_(0.25).add_(images, alpha=0.5)
    return images


def _noise(start: Tensor, shape: torch.Size) -> Tensor:
    """Standard normal noise (..., *shape), read from the table from ``start`` (...) on: no state, and no waiting."""
    table = _noise_table(start.device)
    places = start.long()[..., None] + torch.arange(shape.numel(), device=start.device)
    return table[places % NOISE_TABLE].unflatten(-1, shape)


@cache
def _noise_table(device: torch.device) -> Tensor:
    return torch.randn(NOISE_TABLE, generator=torch.Generator().manual_seed(0)).to(device)


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
