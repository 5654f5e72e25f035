"""Scans of Polycam, from its export of raw data.

    root/keyframes/corrected_images/592.jpg, corrected_cameras/592.json     or images and cameras; root may be keyframes

Poses are world-from-camera with OpenGL's axes, metres, the world's y up; pixel centres lie at 0.5. Names are times.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vode.cameras.distortion import lens_named
from vode.cameras.lens import Camera
from vode.datasets.base import Capability
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import GL_TO_CV, MappedSequence, Placed
from vode.datasets.mapped.image_finder import ImageFinder
from vode.datasets.mapped.lens_keys import MODEL_KEYS, model_name, refuse_lens_keys
from vode.errors import InputError
from vode.io.files import inside, read_bytes, visible
from vode.io.text import parse_json

CAMERA_KEYS = ("fx", "fy", "cx", "cy", "width", "height")
CAMERAS = {"corrected_images": "corrected_cameras", "images": "cameras"}
"""folders of the cameras by those of the images; the corrected ones, where they are there, are those to read"""


class PolycamSequence(MappedSequence):
    """The images of one folder, corrected_images or images; world = the first. InputError names file and remedy."""

    def __init__(self, root: Path | str, sequence: str) -> None:
        folder = inside(_keyframes(Path(root)), CAMERAS.get(sequence, sequence))
        files = [path for path in visible(folder) if path.suffix == ".json"] if folder.is_dir() else []
        if not files:
            raise InputError(
                f"{folder}: no cameras (.json) in it; export the raw data of the scan", "data", "sequences"
            )
        finder = ImageFinder(inside(folder.parent, sequence))
        super().__init__(sequence, folder, [_placed(file, finder.find(file.stem)) for file in files])


class PolycamDataset(Dataset):
    """A scan of Polycam, exported with its raw data: one sequence, corrected if there is such a one."""

    name = "polycam"
    capabilities = frozenset({Capability.POSES, Capability.MAP})
    expects = "keyframes/corrected_cameras or keyframes/cameras"

    def on_disk(self) -> tuple[str, ...]:
        folder = _keyframes(self.root)
        return tuple(images for images, cameras in CAMERAS.items() if (folder / cameras).is_dir())[:1]

    def open_whole(self, name: str, camera: int) -> PolycamSequence:
        return PolycamSequence(self.root, name)


def _keyframes(root: Path) -> Path:
    return root / "keyframes" if (root / "keyframes").is_dir() else root


def _placed(path: Path, image: Path) -> Placed:
    values = _load(path)
    remedy = "export undistorted images"
    refuse_lens_keys(path, values, (*CAMERA_KEYS, *MODEL_KEYS), remedy)
    model = model_name(path, values)
    if model is not None and lens_named(model) != "pinhole":
        raise InputError(f"{path}: a camera of model {model}, which is not read; {remedy}")
    T_world_cam = torch.eye(4, dtype=torch.float64)
    try:
        rows = [[float(values[f"t_{row}{column}"]) for column in range(4)] for row in range(3)]
        T_world_cam[:3] = torch.tensor(rows, dtype=torch.float64)
        fx, fy, cx, cy = (float(values[key]) for key in CAMERA_KEYS[:4])
        size = int(values["height"]), int(values["width"])
        camera = Camera(size, (fx, fy), (cx - 0.5, cy - 0.5))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: no camera of Polycam ({error}); export the raw data of the scan again") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Placed(image, camera, T_world_cam @ GL_TO_CV)


def _load(path: Path) -> Mapping[str, Any]:
    try:
        values = parse_json(read_bytes(path))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); export the raw data of the scan again") from None
    if not isinstance(values, Mapping):
        raise InputError(f"{path}: no camera of Polycam; export the raw data of the scan again")
    return values
