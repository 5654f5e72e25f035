"""Image messages of ROS as RGB pixels: sensor_msgs/Image and sensor_msgs/CompressedImage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from vode.errors import InputError

IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
"""types of messages, as ROS 2 names those of ROS 1 too"""
Convert = Callable[[np.ndarray], np.ndarray]

# ROS names a mosaic by the first two pixels of its first two rows, OpenCV by those at (1, 1) and (1, 2).
ENCODINGS: dict[str, tuple[int, int | None]] = {
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "8uc3": (3, cv2.COLOR_BGR2RGB),
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    "8uc4": (4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
    "8uc1": (1, cv2.COLOR_GRAY2RGB),
    "bayer_rggb8": (1, cv2.COLOR_BAYER_BG2RGB),
    "bayer_bggr8": (1, cv2.COLOR_BAYER_RG2RGB),
    "bayer_gbrg8": (1, cv2.COLOR_BAYER_GR2RGB),
    "bayer_grbg8": (1, cv2.COLOR_BAYER_GB2RGB),
    "yuv422": (2, cv2.COLOR_YUV2RGB_UYVY),
    "uyvy": (2, cv2.COLOR_YUV2RGB_UYVY),
    "yuv422_yuy2": (2, cv2.COLOR_YUV2RGB_YUY2),
    "yuyv": (2, cv2.COLOR_YUV2RGB_YUY2),
}
"""channels of one byte, and OpenCV's conversion, by an encoding's name in lower case"""
DEEP = "16"
"""in the names of encodings and formats whose values have 16 bits"""


def to_rgb(message: Any, where: str) -> np.ndarray:
    """RGB (H, W, 3) uint8 of an image message; InputError, which ``where`` begins, if it is not read."""
    return _decompressed(message, where) if hasattr(message, "format") else _raw(message, where)


def _raw(message: Any, where: str) -> np.ndarray:
    encoding, height, width, step = str(message.encoding), message.height, message.width, message.step
    if encoding.lower() not in ENCODINGS:
        deep = DEEP in encoding or encoding.upper().startswith("32F")
        why = "of 16 or 32 bits, as of depth or heat; choose another topic" if deep else "which is not read"
        known = "" if deep else f"; convert them to one of {', '.join(ENCODINGS)}"
        raise InputError(f"{where}: images of encoding {encoding[:40]!r}, {why}{known}", "topic")
    channels, conversion = ENCODINGS[encoding.lower()]
    data = np.asarray(message.data, np.uint8)
    if not (height and width) or step < width * channels or len(data) < height * step:
        raise InputError(f"{where}: an image of {width}x{height} {encoding} in {len(data)} bytes; it is damaged")
    rows = data[: height * step].reshape(height, step)[:, : width * channels]
    pixels = np.ascontiguousarray(rows).reshape(height, width, channels)
    return pixels.copy() if conversion is None else cv2.cvtColor(pixels, conversion)


def _decompressed(message: Any, where: str) -> np.ndarray:
    form = str(message.format)
    if "compressedDepth" in form or DEEP in form.partition(";")[0]:
        raise InputError(f"{where}: compressed images of {form[:40]!r}, as of depth; choose another topic", "topic")
    data = np.asarray(message.data, np.uint8)
    if not data.tobytes()[:8].startswith((b"\xff\xd8\xff", b"\x89PNG")):
        raise InputError(f"{where}: compressed images of format {form[:40]!r}, not JPEG or PNG; convert them", "topic")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise InputError(f"{where}: a compressed image cannot be decoded; it is damaged")
    if image.dtype != np.uint8:
        raise InputError(f"{where}: compressed images of 16 bits, as of depth or heat; choose another topic", "topic")
    return image
