"""The camera that camera_info messages tell."""

from __future__ import annotations

from typing import Any

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.streams.bag_camera import bag_calibration

REGION = ("x_offset", "y_offset", "height", "width")


class Cameras:
    """The cameras of messages on a topic; one is made anew, with its lens, only when what they tell changes."""

    def __init__(self, topic: str, *, rectified: bool) -> None:
        self._topic, self._rectified = topic, rectified
        self._told: tuple[object, ...] = ()
        self._camera: Camera | None = None

    def of(self, info: Any, size: tuple[int, int]) -> Camera:
        """That of images of ``size`` (height, width). InputError if there is none, or it does not fit the images."""
        if info is None:
            raise InputError(f"no message on {self._topic} yet; remap it to the camera's camera_info")
        told = (*_values(info), size)
        if self._camera is None or told != self._told:
            self._camera, self._told = self._made(info, size), told
        return self._camera

    def _made(self, info: Any, size: tuple[int, int]) -> Camera:
        calibration = bag_calibration(info, self._topic, rectified=self._rectified)
        if calibration is None:
            matrix = "P" if self._rectified else "K"
            raise InputError(f"{self._topic}: {matrix} is zero, so the camera is not calibrated; calibrate it")
        return calibration.camera(size)


def _values(info: Any) -> tuple[object, ...]:
    """All that a message tells but its time."""
    region = tuple(getattr(info.roi, name) for name in REGION)
    matrices = (tuple(info.d), tuple(info.k), tuple(info.p))
    return info.height, info.width, info.distortion_model, info.binning_x, info.binning_y, *matrices, region
