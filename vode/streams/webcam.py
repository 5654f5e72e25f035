"""Cameras of this computer, by OpenCV."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vode.errors import InputError
from vode.streams.live import LiveStream
from vode.streams.options import StreamOptions
from vode.streams.stream import StreamKind

DEVICES = Path("/dev")
"""where Linux has its cameras, as video0"""
_NUMBER = re.compile(r"0|[1-9]\d?")
_DEVICE = re.compile(r"/dev/video(\d+)")


def webcam_number(address: str) -> int | None:
    """The number of the camera that an address such as 0 or /dev/video0 names; None for other addresses."""
    found = _DEVICE.fullmatch(address)
    if found:
        return int(found[1])
    return int(address) if _NUMBER.fullmatch(address) and not Path(address).exists() else None


def open_webcam(number: int, options: StreamOptions = StreamOptions()) -> LiveStream:
    """The newest images of a camera, with the seconds since the first; InputError if there is none."""
    name = f"webcam {number}"
    if sys.platform == "linux" and not (DEVICES / f"video{number}").exists():
        found = ", ".join(sorted(path.name for path in DEVICES.glob("video[0-9]*")))
        raise InputError(f"{name}: no such device; connect it, or name one of those there are: {found or 'none'}")
    capture = open_device(number)
    if not capture.isOpened():
        capture.release()
        raise InputError(f"{name}: cannot be opened; close the program that uses it, or check the rights of the device")
    return LiveStream(name, StreamKind.WEBCAM, _images(capture), _to_rgb, options.timeout)


def open_device(number: int) -> Any:
    """OpenCV's capture of a camera."""
    level = cv2.utils.logging.getLogLevel()
    # what it could not do is told by isOpened
    cv2.utils.logging.setLogLevel(0)
    try:
        return cv2.VideoCapture(number)
    finally:
        cv2.utils.logging.setLogLevel(level)


def _images(capture: Any) -> Iterator[tuple[float, np.ndarray]]:
    """Seconds since the first image and BGR pixels, until the camera gives none."""
    start = None
    try:
        while True:
            there, pixels = capture.read()
            if not there:
                return
            now = time.monotonic()
            start = now if start is None else start
            yield now - start, pixels
    finally:
        capture.release()


def _to_rgb(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.ndim == 3 else cv2.COLOR_GRAY2RGB)
