"""The camera of images in a bag: sensor_msgs/CameraInfo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vode.cameras.fields import Fields
from vode.cameras.fit import Calibration
from vode.cameras.matrix_file import matrix_calibration
from vode.errors import InputError

INFO = "sensor_msgs/msg/CameraInfo"
"""type of its messages"""


def info_topic(images: str) -> str:
    """Where ROS puts the camera_info of a topic of images: /camera/camera_info of /camera/image_raw/compressed."""
    return f"{images.removesuffix('/compressed').rpartition('/')[0]}/camera_info"


def bag_calibration(message: Any, where: str, *, rectified: bool) -> Calibration | None:
    """The calibration of the camera's own images, or of ``rectified`` ones, which have the projection's matrix.

    None for a camera that was not calibrated. InputError, which ``where`` begins, for a lens that is not known.
    """
    # the names have large letters in ROS 1
    K, D, P = (np.asarray(getattr(message, n.lower(), getattr(message, n, None)), np.float64) for n in "KDP")
    matrix = P.reshape(3, 4)[:, :3].ravel() if rectified else K
    if not matrix.any():
        return None
    region = {name: getattr(message.roi, name) for name in ("x_offset", "y_offset", "height", "width")}
    values = {
        "height": message.height,
        "width": message.width,
        "K": matrix.tolist(),
        "D": [] if rectified else D.tolist(),
        "distortion_model": "" if rectified else message.distortion_model,
        "binning_x": message.binning_x,
        "binning_y": message.binning_y,
        "roi": region,
    }
    if not message.height or not message.width:
        del values["height"], values["width"]
    try:
        return matrix_calibration(Path(where), Fields(values))
    except InputError as error:
        raise InputError(f"{where}: {error}", *error.parameters) from None
