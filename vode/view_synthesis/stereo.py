"""Stereo in training: samples with the camera on the right, a source at a known motion, and depth in metres."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor

from vode.datasets.base import Capability, Sequence, only_frames
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.networks.options import DepthOptions
from vode.view_synthesis.options import SnippetOptions
from vode.view_synthesis.warp import Views


def right_of_left(baseline: Tensor) -> Tensor:
    """T_r_l (B, 4, 4) from the left camera of rectified pairs to the right one, ``baseline`` (B,) metres away."""
    T_r_l = torch.eye(4).to(baseline).repeat(len(baseline), 1, 1)
    T_r_l[:, 0, 3] = -baseline
    return T_r_l


def with_right(views: Views, right: Tensor, baseline: Tensor) -> Views:
    """The views with one more source, the last: the image (B, 3, h, w) of the camera on the right of the target's."""
    T_s_t = torch.cat([views.T_s_t, right_of_left(baseline.to(views.T_s_t))[:, None]], 1)
    return views._replace(sources=torch.cat([views.sources, right[:, None]], 1), T_s_t=T_s_t)


def in_stereo(sequences: Iterable[Sequence], snippet: SnippetOptions) -> list[Sequence]:
    """The sequences, of which snippets begin where all of their frames have an image of the camera on the right.

    InputError names a sequence without stereo, or tells that there are no such frames.
    """
    found = [_in_stereo(sequence, snippet) for sequence in sequences]
    if not any(sequence.starts is None or sequence.starts for sequence in found):
        raise InputError(f"{found[0].name}: no images of the right camera; copy them, or train without stereo", "data")
    return found


def _in_stereo(sequence: Sequence, snippet: SnippetOptions) -> Sequence:
    if Capability.STEREO not in sequence.capabilities or sequence.baseline is None:
        raise InputError(
            f"{sequence.name}: no camera on its right that is calibrated; choose a left camera (KITTI: 2 or 0) or "
            "sequences that have both, or train without stereo",
            "sequences",
            "camera",
        )
    there, span = [sequence.has_right(i) for i in range(len(sequence))], snippet.length * snippet.stride
    starts = range(len(sequence)) if sequence.starts is None else sequence.starts
    kept = [i for i in starts if all(there[i : i + span : snippet.stride])]
    return sequence if len(kept) == len(starts) else only_frames(sequence, kept)


def metric(depth: DepthOptions, sequences: Iterable[Sequence], size: tuple[int, int]) -> DepthOptions:
    """Options of depth in metres for any camera: at the (vertical) focal length of the sequences in images of ``size``.

    The median of several. What is set is kept.
    """
    if depth.canonical_focal:
        return depth
    focals = [float(resize_intrinsics(sequence.intrinsics, sequence.size, size)[1, 1]) for sequence in sequences]
    return replace(depth, canonical_focal=median(focals))
