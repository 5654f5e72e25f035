"""What lenses, sensors and files do to an image: blur, vignetting, exposure, colour cast, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.geometry import warp

SHUTTER_SAMPLES = 9
"""images that a blurred one is the mean of"""
TARGET = 0.34
"""mean radiance that automatic exposure aims at"""
GAMMA = 0.75
"""exponent of the tone curve of an ordinary camera, which lifts shadows"""


@dataclass(frozen=True)
class Imaging:
    """A camera's flaws, the same for all frames of a sequence."""

    shutter: float = 0.0
    """fraction of the time between two frames that the shutter is open"""
    softness: float = 0.0
    """pixels: standard deviation of the blur of lens and focus"""
    vignetting: float = 0.0
    """loss of light in the corners"""
    cast: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """gain of red, green and blue"""
    contrast: float = 1.0
    """factor of the exponent of the tone curve"""
    noise: float = 0.0
    """standard deviation of the noise of the sensor in mid-grey"""
    quality: int = 0
    """of JPEG, 0 = none"""


def draw_imaging(rng: np.random.Generator, strength: float) -> Imaging:
    """A random camera; ``strength`` 0 has no flaws, with 1 some are bad."""

    def flaw(most: float, often: float = 0.6) -> float:
        return float(rng.uniform(0, most) * (rng.random() < often)) * strength

    cast = np.exp(rng.normal(0, 0.06, 3) * strength)
    quality = int(rng.integers(40, 95)) if rng.random() < 0.5 * strength else 0
    return Imaging(
        shutter=flaw(0.5, 0.4),
        softness=flaw(0.9),
        vignetting=flaw(0.5),
        cast=(float(cast[0]), float(cast[1]), float(cast[2])),
        contrast=float(np.exp(rng.normal(0, 0.18) * strength)),
        noise=flaw(0.035),
        quality=quality,
    )


def expose(image: Tensor, gain: float, imaging: Imaging, seed: tuple[int, ...]) -> Tensor:
    """8-bit levels (3, H, W) of radiance (3, H, W), on the host; ``seed`` is that of the noise."""
    exposed = image * gain * image.new_tensor(imaging.cast).view(3, 1, 1)
    if imaging.softness > 0:
        exposed = _soften(exposed, imaging.softness)
    if imaging.vignetting > 0:
        exposed = exposed * _falloff(exposed, imaging.vignetting)
    exposed = exposed.clamp(0, 1) ** (GAMMA * imaging.contrast)
    exposed = exposed.cpu()
    if imaging.noise > 0:
        rng = np.random.default_rng(list(seed))
        grain = torch.from_numpy(rng.standard_normal(exposed.shape, dtype=np.float32))
        # shot noise grows with the root of the light
        exposed = exposed + imaging.noise * (0.4 + exposed.clamp(min=0)).sqrt() * grain
    levels = (exposed.clamp(0, 1) * 255).round().to(torch.uint8)
    return _jpeg(levels, imaging.quality) if imaging.quality else levels


def blur_along(image: Tensor, flow: Tensor, shutter: float) -> Tensor:
    """The mean of an image (3, H, W) along its flow (2, H, W) to the next frame while the shutter is open."""
    steps = torch.linspace(-0.5, 0.5, SHUTTER_SAMPLES, device=image.device) * shutter
    moved = steps.view(-1, 1, 1, 1) * flow
    return warp.backward_warp(image[None].expand(len(steps), -1, -1, -1), moved).mean(0)


def automatic_gain(image: Tensor) -> float:
    """The gain that brings a typical image to the brightness that cameras aim at."""
    return float((TARGET / image.clamp(0, 1.5).mean().clamp(min=0.02)).clamp(0.4, 4.0))


def _soften(image: Tensor, deviation: float) -> Tensor:
    place = torch.arange(-2.0, 3.0, device=image.device)
    kernel = torch.softmax(-place.square() / (2 * max(deviation, 1e-3) ** 2), 0)
    blurred = F.conv2d(F.pad(image[:, None], (2, 2, 2, 2), mode="replicate"), kernel.view(1, 1, 1, 5))
    return F.conv2d(blurred, kernel.view(1, 1, 5, 1))[:, 0]


def _falloff(image: Tensor, strength: float) -> Tensor:
    height, width = image.shape[-2:]
    y, x = (torch.linspace(-1, 1, n, device=image.device) for n in (height, width))
    return 1 - strength * (y[:, None].square() + x.square()) / 2


def _jpeg(levels: Tensor, quality: int) -> Tensor:
    pixels = np.ascontiguousarray(levels.permute(1, 2, 0).numpy()[..., ::-1])
    _, code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    read = cv2.imdecode(code, cv2.IMREAD_COLOR)
    assert read is not None
    return torch.from_numpy(np.ascontiguousarray(read[..., ::-1])).permute(2, 0, 1)
