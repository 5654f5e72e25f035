"""Augmentation: flip and colour, one draw for all frames of a sample."""

from __future__ import annotations

import math
from collections.abc import Sequence as Numbers
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vode.data.sample import Sample
from vode.geometry.camera import flip_intrinsics


@dataclass(frozen=True)
class Augment:
    """How far samples are varied; every strength is half the width of a uniform draw, 0 is off.

    ``flip`` is a probability. ``brightness``, ``contrast``, ``saturation`` and ``gamma`` draw a factor
    (exponent, for gamma) in 1 +- strength; ``hue`` draws a turn in +- strength, 0.5 being opposite colours.
    """

    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05
    gamma: float = 0.1

    def __post_init__(self) -> None:
        if not 0 <= self.flip <= 1:
            raise ValueError(f"flip is a probability, not {self.flip}")
        for name in ("brightness", "contrast", "saturation", "gamma"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} lies in 0..1, not {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"hue lies in 0..0.5, not {self.hue}")


def augment_sample(sample: Sample, options: Augment, *, seed: Numbers[int]) -> Sample:
    """A varied copy of ``sample``; equal seeds (ints >= 0) give equal draws, on any machine."""
    draw = np.random.default_rng(list(seed))
    flip = draw.random() < options.flip
    strengths = (options.brightness, options.contrast, options.saturation, options.gamma)
    brightness, contrast, saturation, gamma = (1 + s * draw.uniform(-1, 1) for s in strengths)
    turn = options.hue * draw.uniform(-1, 1)
    if flip:
        sample = flip_sample(sample)
    images = jitter_colour(
        sample["images"],
        brightness=brightness,
        contrast=contrast,
        saturation=saturation,
        turn=turn,
        gamma=gamma,
    )
    return {**sample, "images": images}


def flip_sample(sample: Sample) -> Sample:
    """The sample as a mirrored camera sees the mirrored world: x becomes -x in every frame."""
    flipped: Sample = {key: value.flip(-1) for key, value in sample.items() if key not in ("intrinsics", "poses")}
    flipped["intrinsics"] = flip_intrinsics(sample["intrinsics"], sample["images"].shape[-1])
    if "poses" in sample:
        mirror = torch.diag(sample["poses"].new_tensor([-1.0, 1.0, 1.0, 1.0]))
        flipped["poses"] = mirror @ sample["poses"] @ mirror
    if "flow" in sample:
        flipped["flow"] = flipped["flow"] * flipped["flow"].new_tensor([-1.0, 1.0]).view(2, 1, 1)
    return flipped


def jitter_colour(
    images: Tensor,
    *,
    brightness: float = 1.0,
    contrast: float = 1.0,
    saturation: float = 1.0,
    turn: float = 0.0,
    gamma: float = 1.0,
) -> Tensor:
    """Vary the colours of images (T, 3, H, W) in 0..1 alike, so that frames stay comparable.

    Brightness, contrast (about the mean grey of all frames together), saturation (about each pixel's
    grey) and hue (a rotation of the chroma plane of YIQ by ``turn`` turns) are one affine map of RGB;
    the result is clamped, then raised to ``gamma``.
    """
    if (brightness, contrast, saturation, turn, gamma) == (1, 1, 1, 0, 1):
        return images
    grey = _TO_YIQ[:1]
    chroma = _chroma(saturation, turn).to(images)
    matrix = brightness * contrast * chroma
    mean = (grey.to(images) @ images.mean(dim=(0, 2, 3))) * brightness
    varied = torch.einsum("ij,tjhw->tihw", matrix, images) + (1 - contrast) * mean
    varied = varied.clamp(0, 1)
    return varied if gamma == 1 else varied.pow(gamma)


_TO_YIQ = torch.tensor(
    [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], dtype=torch.float64
)


def _chroma(saturation: float, turn: float) -> Tensor:
    """RGB map (3, 3) that keeps the grey of YIQ and scales and turns its chroma."""
    c, s = (saturation * f(2 * math.pi * turn) for f in (math.cos, math.sin))
    middle = torch.tensor([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]], dtype=torch.float64)
    return torch.linalg.solve(_TO_YIQ, middle @ _TO_YIQ)
