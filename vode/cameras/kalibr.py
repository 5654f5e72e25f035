"""Camera files of visual-inertial calibration: Kalibr's camchain, and the sensor.yaml of EuRoC's data set.

cam0: {camera_model: pinhole, intrinsics: [fu, fv, cu, cv], distortion_model: radtan or equidistant,
       distortion_coeffs: [...], resolution: [width, height]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from vode.cameras.distortion import lens_of
from vode.cameras.fields import Fields, to_whole
from vode.cameras.fit import Calibration, chosen
from vode.errors import InputError

IGNORED = "T_.*|cam_overlaps|timeshift_cam_imu|rostopic|sensor_type|comment|rate_hz|line_delay|model|noise.*"


def is_camchain(fields: Fields) -> bool:
    """Whether a file holds the cameras cam0, cam1, ..."""
    return any(re.fullmatch(r"cam\d+", name) for name in fields.names())


def is_sensor(fields: Fields) -> bool:
    """Whether a file holds one camera as Kalibr and EuRoC have it."""
    return "intrinsics" in fields


def camchain_calibration(path: Path, fields: Fields, number: int | None) -> Calibration:
    """The camera of that number, or the only one."""
    names = [name for name in fields.names() if re.fullmatch(r"cam\d+", name)]
    values = chosen({int(name[3:]): fields.take(name) for name in names}, number)
    fields.close(IGNORED)
    if not isinstance(values, Mapping):
        raise InputError(f"{names[0]} is no camera; copy the camchain again")
    return sensor_calibration(path, Fields(values))


def sensor_calibration(path: Path, fields: Fields) -> Calibration:
    """A camera by intrinsics, resolution and the distortion's model."""
    projection = fields.need("camera_model")
    if str(projection).lower() != "pinhole":
        raise InputError(f"camera_model {str(projection)[:40]!r} is not read; calibrate with the model pinhole")
    intrinsics = fields.numbers("intrinsics")
    if len(intrinsics) != 4:
        raise InputError(f"intrinsics of {len(intrinsics)} numbers, not fu fv cu cv; correct them")
    fx, fy, cx, cy = intrinsics
    coefficients = fields.numbers("distortion_coeffs", "distortion_coefficients")
    lens, distortion = lens_of(fields.need("distortion_model"), coefficients)
    resolution, size = fields.take("resolution"), None
    if resolution is not None:
        if not isinstance(resolution, list) or len(resolution) != 2:
            raise InputError("a resolution that is not [width, height]; correct it")
        width, height = (to_whole("resolution", value) for value in resolution)
        size = height, width
    fields.close(IGNORED)
    return Calibration(path, (fx, fy), (cx, cy), lens, distortion, size)
