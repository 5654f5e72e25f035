"""Calibration files as this library writes them: in the form that ``read_camera`` takes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from vode.cameras.lens import Camera
from vode.io.atomic import write_bytes


def write_calibration(path: Path, camera: Camera, note: str) -> None:
    """Write a camera with its lens, and what is to be known of it."""
    (height, width), (fx, fy), (cx, cy) = camera.size, camera.focal, camera.centre
    content: dict[str, Any] = {"width": int(width), "height": int(height)}
    content |= {"fx": float(fx), "fy": float(fy), "cx": float(cx), "cy": float(cy)}
    if camera.lens != "pinhole":
        content |= {"lens": camera.lens, "distortion": [float(value) for value in camera.distortion]}
    write_bytes(path, yaml.safe_dump(content | {"note": note}, sort_keys=False, width=10**6).encode())
