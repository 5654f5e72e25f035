"""Resize, crop and flip, each applied consistently to images, intrinsics, depth, poses and flow.

One random draw, also of the colours, applies to all frames of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence as Numbers
from typing import NamedTuple

import numpy as np
import torch

from vode.augmentation.options import Augment
from vode.augmentation.photometric import NOISE_TABLE, to_float_and_augment
from vode.datasets.sample import Sample
from vode.geometry import warp
from vode.geometry.camera import crop_intrinsics, flip_intrinsics, resize_intrinsics
from vode.geometry.resize import image_size, resize_depth, resize_flow, resize_images

FLOWS = {"flow": "visible", "flow_back": "visible_back"}
"""Keys of a sample with flow, and where it is visible."""
VIEWS = ("images", "right")
"""keys of a sample with images"""
MAPS = (*VIEWS, "depth", "deviation", "start_depth", *FLOWS, *FLOWS.values())
"""keys of a sample with a value for every pixel"""


class Variation(NamedTuple):
    """The random draw of one sample."""

    size: tuple[int, int]
    """(height, width) of the result"""
    whole: tuple[int, int]
    """(height, width) that the whole image is resized to before ``size`` is cropped from it"""
    corner: tuple[int, int]
    """rows and columns cropped at the top and left"""
    flip: bool
    """whether the sample is mirrored horizontally"""
    colour: tuple[float, ...] | None
    """brightness, contrast, saturation, hue rotation and gamma, then the strengths of effects if there are any; None if
    colours are not varied"""


def draw_variation(
    options: Augment, size: tuple[int, int], *, seed: Numbers[int], window: tuple[int, int] | None = None
) -> Variation:
    """A draw for a sample of ``size`` (height, width); equal seeds (ints >= 0) give equal draws on any machine.

    ``window`` (height, width) is cropped from the sample at random instead of keeping all of it.
    """
    kept = window or size
    draw = np.random.default_rng(list(seed))
    flip = bool(draw.random() < options.flip)
    strengths = (options.brightness, options.contrast, options.saturation, options.gamma)
    brightness, contrast, saturation, gamma = (1 + s * draw.uniform(-1, 1) for s in strengths)
    turn = options.hue * draw.uniform(-1, 1)
    height, width = (round(side / (1 - options.crop * draw.random())) for side in size)
    top, left = (int(draw.integers(large - side + 1)) for large, side in ((height, kept[0]), (width, kept[1])))
    colours = (brightness, contrast, saturation, turn, gamma)
    effects = _draw_effects(options, draw) if options.effects() else ()
    colour = (*colours, *effects) if effects or any((*strengths, options.hue)) else None
    return Variation((kept[0], kept[1]), (height, width), (top, left), flip, colour)


def _draw_effects(options: Augment, draw: np.random.Generator) -> tuple[float, ...]:
    """The strengths of ``photometric.add_effects``, in its order."""
    blur = draw.uniform(0.3, 1.0) * (draw.random() < options.blur)
    noise = options.noise * draw.random()
    shade, drift = options.shade * draw.uniform(-1, 1), options.independent * draw.uniform(-1, 1)
    balance = (1 + options.balance * draw.uniform(-1, 1, 3)).tolist()
    return (blur, noise, shade, drift, *balance, float(draw.integers(NOISE_TABLE)))


def vary_sample(sample: Sample, drawn: Variation) -> Sample:
    """Apply a draw to a sample; images that already have the size ``drawn.whole`` are not resized.

    The colours are only recorded as ``colour``; ``photometric.to_float_and_augment`` applies them.
    """
    sample = crop_sample(resize_sample(sample, drawn.whole), *drawn.corner, *drawn.size)
    if drawn.flip:
        sample = flip_sample(sample)
    return sample if drawn.colour is None else {**sample, "colour": torch.tensor(drawn.colour)}


def augment_sample(sample: Sample, options: Augment, *, seed: Numbers[int]) -> Sample:
    """A randomly augmented copy of ``sample``, of the same size."""
    return to_float_and_augment(vary_sample(sample, draw_variation(options, image_size(sample["images"]), seed=seed)))


def resize_sample(sample: Sample, size: tuple[int, int]) -> Sample:
    """A sample resized to ``size`` (height, width), with its intrinsics and flow.

    Images are resized with antialiasing, depth by nearest neighbour, flow bilinearly over its known pixels.
    """
    old = image_size(sample["images"])
    if old == tuple(size):
        return sample
    resized = dict(sample)
    resized |= {key: resize_images(sample[key], size) for key in VIEWS if key in sample}
    resized["intrinsics"] = resize_intrinsics(sample["intrinsics"], old, size)
    if "depth" in sample:
        resized["depth"] = resize_depth(sample["depth"], size)
    for flow, visible in FLOWS.items():
        if flow in sample:
            seen = sample.get(visible, torch.ones_like(sample[flow][:, :1]))
            resized[flow], resized[visible] = resize_flow(sample[flow], seen, size)
    return resized


def crop_sample(sample: Sample, top: int, left: int, height: int, width: int) -> Sample:
    """Crop a sample from row ``top`` and column ``left``; ValueError if the crop does not lie inside."""
    rows, columns = sample["images"].shape[-2:]
    if min(top, left) < 0 or min(height, width) < 1 or top + height > rows or left + width > columns:
        raise ValueError(f"{height}x{width} from ({top}, {left}) on is not inside of {rows}x{columns}")
    cropped = dict(sample)
    for key in MAPS:
        if key in sample:
            cropped[key] = sample[key][..., top : top + height, left : left + width]
    cropped["intrinsics"] = crop_intrinsics(sample["intrinsics"], top, left)
    for flow, visible in FLOWS.items():
        if flow in sample and visible in sample and (height, width) != (rows, columns):
            # what the other image shows outside of the crop is not seen any more
            within = warp.inside(warp.flow_target(cropped[flow]), (height, width))
            cropped[visible] = cropped[visible] * within.to(cropped[visible].dtype)
    return cropped


def flip_sample(sample: Sample) -> Sample:
    """Mirror a sample horizontally, with the world: x becomes -x in every frame.

    Of two cameras the right one becomes the left one, so that ``images`` and ``right`` change places. ValueError if
    such a sample has depth or flow, which are known for the left camera alone.
    """
    if "right" in sample:
        sample = _seen_from_right(sample)
    flipped = {key: value.flip(-1) for key, value in sample.items() if key not in ("intrinsics", "poses", "baseline")}
    flipped |= {key: sample[key] for key in ("baseline",) if key in sample}
    flipped["intrinsics"] = flip_intrinsics(sample["intrinsics"], sample["images"].shape[-1])
    if "poses" in sample:
        mirror = torch.diag(sample["poses"].new_tensor([-1.0, 1.0, 1.0, 1.0]))
        flipped["poses"] = mirror @ sample["poses"] @ mirror
    for flow in FLOWS.keys() & sample.keys():
        flipped[flow] = flipped[flow] * flipped[flow].new_tensor([-1.0, 1.0]).view(2, 1, 1)
    return flipped


def _seen_from_right(sample: Sample) -> Sample:
    """A sample as that of the camera on the right, whose ``right`` is then the image on its left."""
    lost = [key for key in MAPS if key in sample and key not in VIEWS]
    if lost:
        raise ValueError(f"{lost[0]} of the right camera is not known; do not flip stereo samples that have it")
    swapped = sample | {"images": sample["right"], "right": sample["images"]}
    if "poses" in sample:
        T_left_right = torch.eye(4).to(sample["poses"])
        T_left_right[0, 3] = sample["baseline"]
        swapped["poses"] = torch.linalg.inv(T_left_right) @ sample["poses"] @ T_left_right
    return swapped
