"""Frames of a video: images as cameras give them, made ready for networks, and read ahead from a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.geometry.resize import SizeFor, as_float, resize_images
from vode.io.array import image_tensor

FLAT = 0.01
"""standard deviation of intensities in 0..1 below which an image shows nothing but a camera's noise"""
SAME = 0.001
"""mean absolute difference of intensities in 0..1 below which two images are the same"""


class Frame(NamedTuple):
    """A frame as the networks take it."""

    index: int  # type: ignore[assignment]
    image: Tensor
    """(1, 3, H, W) RGB in 0..1"""
    intrinsics: Tensor | None = None
    """(1, 3, 3) of the image, where they are known"""

    @property
    def is_blank(self) -> bool:
        """Whether the image is black, or of one colour."""
        return float(self.image.std()) < FLAT


def same(a: Frame, b: Frame) -> bool:
    """Whether two frames show the same image."""
    return float((a.image - b.image).abs().mean()) < SAME


class Intake:
    """Takes images as a camera gives them and makes them what networks take, with the intrinsics that fit.

    ``camera`` is a Camera, whose lens distortion is removed, or the intrinsics (3, 3) of undistorted images, all of
    which have the size of the first. ``size`` (height, width) is what images are resized to, or a function that gives
    it for theirs; None for their own.
    """

    def __init__(
        self, camera: Camera | np.ndarray | Tensor, size: tuple[int, int] | SizeFor | None, device: torch.device | str
    ) -> None:
        self._lens = camera if isinstance(camera, Camera) else None
        full = camera.intrinsics if isinstance(camera, Camera) else torch.as_tensor(camera)
        self._intrinsics = full.detach().to("cpu", torch.float32)
        if self._intrinsics.shape != (3, 3) or not self._intrinsics.isfinite().all():
            raise InputError(f"intrinsics are a finite (3, 3) matrix, not {tuple(full.shape)}; give those or a Camera")
        self._full = camera.size if isinstance(camera, Camera) else None
        self._size_for: SizeFor = size if callable(size) else lambda full: size or full
        self._device = device

    def __call__(self, image: np.ndarray | Tensor) -> Tensor:
        """An image as ``image_tensor`` takes it, made (1, 3, height, width) float32 in 0..1.

        Raises InputError for what is no such image, or has another size than the camera's.
        """
        planes = image_tensor(image)
        _, height, width = planes.shape
        rows, columns = self._full or (height, width)
        if (height, width) != (rows, columns):
            raise InputError(
                f"an image of {width}x{height} pixels for a camera of {columns}x{rows}; calibrate that size"
            )
        self._full = rows, columns
        if self._lens is not None and self._lens.distorts:
            pixels = self._lens.undistort(np.ascontiguousarray(planes.permute(1, 2, 0).cpu().numpy()))
            planes = torch.from_numpy(pixels).permute(2, 0, 1)
        size = self._size_for(self._full)
        if planes.dtype == torch.uint8:
            planes = as_float(resize_images(planes[None].cpu(), size))[0]
        prepared = network_image(planes, size, self._device)
        # a caller may fill the same array with the next image
        return prepared.clone() if prepared.data_ptr() == planes.data_ptr() else prepared

    @property
    def intrinsics(self) -> Tensor:
        """(1, 3, 3) float32 of images as the networks take them, on their device; known from the first image on."""
        if self._full is None:
            raise ValueError("the size of the images is not known before the first")
        return resize_intrinsics(self._intrinsics, self._full, self._size_for(self._full))[None].to(self._device)


def read_ahead(sequence: Sequence, size: tuple[int, int]) -> Iterator[Tensor | InputError]:
    """All images (3, height, width) at ``size``, or what reading said, each read while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(_read, sequence, 0, size)
        for i in range(len(sequence)):
            image = ahead.result()
            if i + 1 < len(sequence):
                ahead = reader.submit(_read, sequence, i + 1, size)
            yield image


def network_image(image: Tensor, size: tuple[int, int], device: torch.device | str) -> Tensor:
    """A frame (3, H, W) as the networks take it: (1, 3, height, width) on their device."""
    return resize_images(image[None].to(device), size).contiguous(memory_format=torch.channels_last)


def _read(sequence: Sequence, index: int, size: tuple[int, int]) -> Tensor | InputError:
    try:
        return sequence.resized(index, size)
    except InputError as error:
        return error
