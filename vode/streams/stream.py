"""The Stream contract: images in order with their times, and what may be known of their camera."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType

import numpy as np

from vode.cameras.lens import Camera
from vode.errors import InputError


class StreamKind(StrEnum):
    """Where images come from."""

    VIDEO = "video"
    """a video file"""
    IMAGES = "images"
    """a folder of images, or one"""
    DATASET = "dataset"
    """a sequence of a known data set"""
    BAG = "bag"
    """a recording of ROS 1 or 2"""
    WEBCAM = "webcam"
    """a camera of this computer"""
    NETWORK = "network"
    """an address"""


class Stream:
    """Images in order: iterating gives (timestamp, image), seconds and RGB (H, W, 3) uint8, all of one ``size``.

    Recordings begin again with every iteration. Live inputs are iterated once: each time they give the newest image,
    and ``dropped`` counts those that went by. Closing ends them; a stream is its own context manager.
    """

    name: str
    """for people and files"""
    kind: StreamKind
    size: tuple[int, int]
    """(height, width) of every image"""
    camera: Camera | None = None
    """the camera of these images, with its lens, if their source or a calibration tells it"""
    camera_origin: str = ""
    """what tells the camera"""
    undistorted: bool = False
    """whether images come undistorted by it already"""
    lens: Camera | None = None
    """the camera of the images as they are stored, where a file tells it and they come undistorted"""
    live: bool = False
    """whether images go by while nobody takes them"""
    dropped: int = 0
    """images that went by since the iteration began"""
    length: int | None = None
    """number of images, None if it is not known before the end"""
    notes: list[str]
    """what was left out, assumed or could not be had: one line each, for people; iterating may add some"""
    file: Path | None = None
    """the first image file, or the video, whose metadata may tell of the camera"""
    pixel_aspect: float = 1.0
    """width of a pixel over its height"""

    def __iter__(self) -> Iterator[tuple[float, np.ndarray]]:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what is open."""

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def to_8_bits(image: np.ndarray) -> np.ndarray:
    """An image of 8 or 16 bits, whose white is the largest value, as one of 8."""
    return image if image.dtype == np.uint8 else (image >> 8).astype(np.uint8)


def check_same_size(where: str, image: np.ndarray, size: tuple[int, int], remedy: str) -> None:
    """InputError, which ``where`` begins, if an image is not of the (height, width) of those before it."""
    if image.shape[:2] != size:
        (height, width), (rows, columns) = size, image.shape[:2]
        raise InputError(f"{where}: images of {width}x{height} pixels, and then of {columns}x{rows}; {remedy}")
