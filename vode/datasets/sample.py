"""The Sample contract: what a data set yields and a training stage receives."""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor

Sample: TypeAlias = dict[str, Tensor]
"""T consecutive frames of one camera. A batch has the same keys with a leading B.

``images`` (T, 3, H, W) float32 RGB in 0..1; ``intrinsics`` (3, 3) float32 pixels of that size.
Where asked for and known: ``depth`` (T, 1, H, W) metres, 0 = unknown; ``poses`` (T, 4, 4)
world-from-camera, metres, world = the sample's first frame; ``flow`` (T-1, 2, H, W) pixels from each
frame to the next, 0 where it is unknown, with ``visible`` (T-1, 1, H, W), 1 where the flow is known and the point is
seen in both frames: flow that is not 0 where ``visible`` is 0 is that of a hidden point; ``flow_back`` and
``visible_back`` likewise, from the next frame to each; ``right`` (T, 3, H, W), images of the rectified camera on the
right, with ``baseline`` () metres to it: a point at x lies at x - fx baseline / depth there.

A raw sample has images of 8 bits where its frames have, and ``colour`` (5,) or (13,), the strengths that
``augmentation.photometric.to_float_and_augment`` is to vary them by. ``deviation`` and ``start_depth`` (T, 1, H, W) are
those of ``vode.adaptation.clips``; ``corner``, ``T_scene_view``, ``view_colour``, ``measured``, ``points`` and ``seen``
are those of ``vode.relocalization.posed_images``.
"""


def collate(samples: list[Sample]) -> dict[str, Tensor]:
    """Stack samples into a batch: each tensor of (...) becomes (B, ...).

    Raises ValueError if there are none, or if their keys or shapes differ.
    """
    if not samples:
        raise ValueError("no samples to collate")
    first = samples[0]
    for number, sample in enumerate(samples):
        if sample.keys() != first.keys():
            raise ValueError(f"sample {number} has {sorted(sample)}, sample 0 has {sorted(first)}")
        for key, value in sample.items():
            if value.shape != first[key].shape:
                shapes = f"{tuple(value.shape)}, in sample 0 {tuple(first[key].shape)}"
                raise ValueError(f"{key} of sample {number} is {shapes}; give the clips one size")
    return {key: torch.stack([sample[key] for sample in samples]) for key in first}
