"""Frames of a video in order, each read and resized while the one before is worked on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import torch
from torch import Tensor

from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.geometry.resize import resize_images

FLAT = 0.01
"""standard deviation of intensities in 0..1 below which an image shows nothing: that of a camera's noise"""
SAME = 0.001
"""mean difference of intensities below which two images are the same"""


class Frame(NamedTuple):
    """A frame as the networks take it."""

    index: int
    image: Tensor
    """(1, 3, H, W) in 0..1; of no use where there is a problem"""
    problem: str
    """why the frame says nothing, empty for a good one"""


def read_ahead(sequence: Sequence, size: tuple[int, int], device: torch.device | str) -> Iterator[Frame]:
    """All frames resized to ``size`` (height, width); one that cannot be read has that for its problem."""
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(_read, sequence, 0, size, device)
        for i in range(len(sequence)):
            frame = ahead.result()
            if i + 1 < len(sequence):
                ahead = reader.submit(_read, sequence, i + 1, size, device)
            yield frame


def same(a: Frame, b: Frame) -> bool:
    """Whether two frames show the same image."""
    return float((a.image - b.image).abs().mean()) < SAME


def network_image(image: Tensor, size: tuple[int, int], device: torch.device | str) -> Tensor:
    """A frame (3, H, W) as the networks take it: (1, 3, height, width) on their device."""
    return resize_images(image[None].to(device), size).contiguous(memory_format=torch.channels_last)


def _read(sequence: Sequence, index: int, size: tuple[int, int], device: torch.device | str) -> Frame:
    try:
        image = network_image(sequence.resized(index, size), size, device)
    except InputError as error:
        return Frame(index, torch.zeros(1, 3, *size, device=device), str(error))
    flat = float(image.std()) < FLAT
    return Frame(index, image, "the image is black, or of one colour" if flat else "")
