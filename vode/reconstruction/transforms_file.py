"""transforms.json as nerfstudio and its kin read it: world-from-camera with OpenGL's axes (y up, z backward).

Pixel centres lie at 0.5 in the file. https://docs.nerf.studio/quickstart/data_conventions.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vode.cameras.lens import Camera
from vode.io.atomic import write_bytes

OPENGL = torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64)
"""signs of the camera's axes x, y, z"""


class TransformFrame(NamedTuple):
    """An image, with its pose and depth."""

    image: str
    """path of its file, relative to transforms.json"""
    depth: str | None
    T_world_cam: Tensor
    """(4, 4) float64"""


def write_transforms(
    path: Path, camera: Camera, frames: Sequence[TransformFrame], extra: Mapping[str, object] | None = None
) -> None:
    """Write images of one pinhole camera; ``extra`` are further keys of the file."""
    (height, width), (fx, fy), (cx, cy) = camera.size, camera.focal, camera.centre
    content: dict[str, object] = {
        "camera_model": "PINHOLE",
        **{"w": width, "h": height, "fl_x": fx, "fl_y": fy, "cx": cx + 0.5, "cy": cy + 0.5},
        **(extra or {}),
        "frames": [_frame(frame) for frame in frames],
    }
    write_bytes(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def _frame(frame: TransformFrame) -> dict[str, object]:
    row: dict[str, object] = {"file_path": frame.image, "transform_matrix": (frame.T_world_cam * OPENGL).tolist()}
    return row if frame.depth is None else row | {"depth_file_path": frame.depth}
