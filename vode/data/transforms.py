"""Resize, crop and flip: each moves intrinsics, depth, poses and flow with the images.

Augmentation makes one draw for all frames of a sample, of these and of its colours.
"""

from __future__ import annotations

from collections.abc import Sequence as Numbers
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.data.colour import finish
from vode.data.sample import Sample
from vode.geometry.camera import crop_intrinsics, flip_intrinsics, resize_intrinsics


@dataclass(frozen=True)
class Augment:
    """How far samples are varied; every strength is half the width of a uniform draw, 0 is off.

    ``flip`` is a probability. ``brightness`` (exposure: a gain), ``contrast``, ``saturation`` and ``gamma`` draw a
    factor (exponent, for gamma) in 1 +- strength; ``hue`` draws a turn in +- strength, 0.5 being opposite colours.
    ``crop`` is the largest share of the height, and of the width, that is cut away; what is left fills the image.
    """

    flip: float = 0.5
    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05
    gamma: float = 0.1
    crop: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.flip <= 1:
            raise ValueError(f"flip is a probability, not {self.flip}")
        for name in ("brightness", "contrast", "saturation", "gamma", "crop"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} lies in 0..1, not {getattr(self, name)}")
        if not 0 <= self.hue <= 0.5:
            raise ValueError(f"hue lies in 0..0.5, not {self.hue}")


class Variation(NamedTuple):
    """What was drawn for one sample."""

    size: tuple[int, int]
    """height and width of the result"""
    whole: tuple[int, int]
    """those that the whole image is resized to before ``size`` is cut out of it"""
    corner: tuple[int, int]
    """rows and columns cut above and left of it"""
    flip: bool
    colour: tuple[float, ...] | None
    """brightness, contrast, saturation, turn and gamma, where they are varied at all"""


def draw_variation(options: Augment, size: tuple[int, int], *, seed: Numbers[int]) -> Variation:
    """A draw for a sample of that size (height, width); equal seeds (ints >= 0) give equal draws, on any machine."""
    draw = np.random.default_rng(list(seed))
    flip = bool(draw.random() < options.flip)
    strengths = (options.brightness, options.contrast, options.saturation, options.gamma)
    brightness, contrast, saturation, gamma = (1 + s * draw.uniform(-1, 1) for s in strengths)
    turn = options.hue * draw.uniform(-1, 1)
    whole = tuple(round(side / (1 - options.crop * draw.random())) for side in size)
    corner = tuple(int(draw.integers(large - side + 1)) for large, side in zip(whole, size, strict=True))
    colour = (brightness, contrast, saturation, turn, gamma) if any((*strengths, options.hue)) else None
    return Variation(tuple(size), whole, corner, flip, colour)


def vary_sample(sample: Sample, drawn: Variation) -> Sample:
    """The sample as it was drawn; images that are of the size ``drawn.whole`` already are not resized.

    The draw of its colours comes along as ``colour``; ``vode.data.colour.finish`` applies it.
    """
    sample = crop_sample(resize_sample(sample, drawn.whole), *drawn.corner, *drawn.size)
    if drawn.flip:
        sample = flip_sample(sample)
    return sample if drawn.colour is None else {**sample, "colour": torch.tensor(drawn.colour)}


def augment_sample(sample: Sample, options: Augment, *, seed: Numbers[int]) -> Sample:
    """A varied copy of ``sample`` of the same size."""
    return finish(vary_sample(sample, draw_variation(options, tuple(sample["images"].shape[-2:]), seed=seed)))


def resize_images(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (N, C, H, W), float or of 8 bits, resized to ``size`` (height, width) with antialiasing."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)


def resize_sample(sample: Sample, size: tuple[int, int]) -> Sample:
    """A sample resized to ``size`` (height, width), with its intrinsics and flow.

    Images are resized with antialiasing, depth by the nearest pixel, flow bilinearly over its known pixels.
    """
    old = tuple(sample["images"].shape[-2:])
    if old == tuple(size):
        return sample
    resized: Sample = dict(sample)
    resized["images"] = resize_images(sample["images"], size)
    resized["intrinsics"] = resize_intrinsics(sample["intrinsics"], old, size)
    if "depth" in sample:
        resized["depth"] = resize_depth(sample["depth"], size)
    if "flow" in sample:
        visible = sample.get("visible", torch.ones_like(sample["flow"][:, :1]))
        resized["flow"], resized["visible"] = resize_flow(sample["flow"], visible, size)
    return resized


def resize_depth(depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Depth (N, 1, H, W) resized to ``size`` by the nearest pixel: there is no depth between two objects."""
    return F.interpolate(depth, size, mode="nearest-exact")


def resize_flow(flow: Tensor, visible: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Flow (B, 2, H, W) in pixels and visible (B, 1, H, W) resized to ``size``, the flow in new pixels.

    A pixel that is neither visible nor has a flow is unknown and takes no part in the interpolation.
    """
    if tuple(flow.shape[-2:]) == tuple(size):
        return flow, visible
    scale = flow.new_tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]]).view(1, 2, 1, 1)
    known = ((visible > 0.5) | flow.ne(0).any(dim=1, keepdim=True)).to(flow.dtype)
    both = torch.cat([flow * known, known], dim=1)
    both = F.interpolate(both, size, mode="bilinear", align_corners=False)
    visible = F.interpolate(visible, size, mode="nearest-exact")
    return both[:, :2] / both[:, 2:].clamp(min=1e-6) * scale, visible


def crop_sample(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """The part of a sample from row ``top`` and column ``left`` on; ValueError if it does not lie inside."""
    rows, columns = sample["images"].shape[-2:]
    if min(top, left) < 0 or min(height, width) < 1 or top + height > rows or left + width > columns:
        raise ValueError(f"{height}x{width} from ({top}, {left}) on is not inside of {rows}x{columns}")
    cropped: Sample = dict(sample)
    for key in ("images", "depth", "flow", "visible"):
        if key in sample:
            cropped[key] = sample[key][..., top : top + height, left : left + width]
    cropped["intrinsics"] = crop_intrinsics(sample["intrinsics"], top, left)
    return cropped


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
