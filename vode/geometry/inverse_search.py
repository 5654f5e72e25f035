"""OpenCV's dense inverse search flow (Kroeger et al., ECCV 2016), on its own or from flow that is nearly right."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.geometry import warp

LARGER = 1.25
"""images of at least so many times the height that flow was computed at show what it could not see"""
AGREEMENT = {"pixels": 1.0, "fraction": 0.02}
"""most that a refined flow may differ from the one back"""


def inverse_search(image_a: Tensor, image_b: Tensor, start: Tensor | None = None) -> Tensor:
    """Flow (1, 2, H, W) in pixels from image a to image b, (1, 3, H, W) in 0..1, by the preset medium.

    With flow to ``start`` from, at full resolution; without, at half of it, as the preset has it.
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    if start is None:
        # OpenCV takes None for no initial flow, which its types do not say.
        found = search.calc(_grey(image_a), _grey(image_b), None)  # type: ignore[call-overload]
    else:
        search.setFinestScale(0)
        # it is written to
        initial = start[0].movedim(0, -1).float().cpu().clone(memory_format=torch.contiguous_format).numpy()
        found = search.calc(_grey(image_a), _grey(image_b), initial)
    return torch.from_numpy(found).movedim(-1, 0)[None].to(image_a.device)


def refine_flow(image_a: Tensor, image_b: Tensor, flow_ab: Tensor, flow_ba: Tensor) -> tuple[Tensor, Tensor]:
    """Flows of both directions, refined on the images where what comes out of both agrees; elsewhere as they were.

    Images (1, 3, H, W) in 0..1 and flows (1, 2, H, W) in pixels, of any resolution brought to theirs: a network finds
    large motions at a size that it can afford, and the search finds the rest on every pixel.
    """
    found_ab = inverse_search(image_a, image_b, flow_ab)
    found_ba = inverse_search(image_b, image_a, flow_ba)
    return _where_agreed(found_ab, found_ba, flow_ab), _where_agreed(found_ba, found_ab, flow_ba)


def _where_agreed(found: Tensor, back: Tensor, before: Tensor) -> Tensor:
    return torch.where(warp.consistent(found, warp.round_trip(found, back), **AGREEMENT) > 0, found, before)


def _grey(image: Tensor) -> np.ndarray:
    return (image[0].mean(0) * 255).round().to(torch.uint8).cpu().numpy()
