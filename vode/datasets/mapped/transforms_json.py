"""transforms.json, as NeRF's data sets and their tools have it (Mildenhall et al., ECCV 2020).

    root/transforms.json            or transforms_train.json, transforms_test.json, ...: a sequence each
    {"fl_x", "fl_y", "cx", "cy", "w", "h", "k1", ..., or "camera_angle_x";
     "frames": [{"file_path": "images/0001.png", "transform_matrix": 4x4}, ...]}

Matrices are world-from-camera with OpenGL's axes (y up, z backward); pixel centres lie at 0.5. nerfstudio's
"applied_transform", by which it has turned the world of the map, is undone. Frames with "timestamp" or "time" are put
in order of it, others in that of their names.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from os.path import isfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vode.cameras.distortion import FISHEYE, RADTAN, lens_named, lens_of, named_coefficients
from vode.cameras.fit import Calibration
from vode.cameras.lens import Camera, Lens
from vode.datasets.base import Capability
from vode.datasets.dataset import Dataset
from vode.datasets.mapped.base import GL_TO_CV, MappedSequence, Placed
from vode.datasets.mapped.image_finder import ImageFinder
from vode.datasets.mapped.lens_keys import MODEL_KEYS, model_name, refuse_lens_keys
from vode.errors import InputError
from vode.geometry.pose import inverse, is_rigid
from vode.io.atomic import write_bytes
from vode.io.files import inside, natural, read_bytes, visible
from vode.io.image import image_size
from vode.io.text import parse_json

TIMES = ("timestamp", "time")
"""keys that may tell when a frame was taken"""
CAMERA_KEYS = (
    *("camera_model", "is_fisheye", "camera_angle_x", "camera_angle_y", "fl_x", "fl_y", "cx", "cy", "w", "h"),
    *("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2"),
)
REMEDY = f"give {', '.join(CAMERA_KEYS[:10])}, or undistort the images"
AGREE = 0.01
"""most by which focal lengths may differ from what the angle of view tells, relative"""


class TransformsSequence(MappedSequence):
    """The frames of one transforms file, named by its stem; their unit is the file's, metres or not.

    Raises InputError naming the file and the remedy.
    """

    def __init__(self, root: Path | str, sequence: str) -> None:
        path = inside(root, f"{sequence}.json")
        content = _load(path)
        frames = content.get("frames")
        if not isinstance(frames, list) or not frames:
            raise InputError(f"{path}: no frames in it; give the transforms of a scene")
        finder, undo = ImageFinder(root), _undo(path, content.get("applied_transform"))
        files = [_image_file(finder, path, number, frame) for number, frame in enumerate(frames)]
        first = next((file for file in files if isfile(file)), None)
        if first is None:
            none = f"not one of its {len(files)} images is there: first {files[0]}"
            raise InputError(f"{path}: {none}; check the folder", "data")
        refuse_lens_keys(path, content, (*CAMERA_KEYS, *MODEL_KEYS), REMEDY)
        size, cameras, placed = image_size(first), {}, []
        for number, (file, frame) in enumerate(zip(files, frames, strict=True)):
            refuse_lens_keys(path, frame, (*CAMERA_KEYS, *MODEL_KEYS), REMEDY)
            values = {key: frame.get(key, content.get(key)) for key in CAMERA_KEYS}
            values["camera_model"] = model_name(path, {**content, **frame})
            key = repr(values)
            if key not in cameras:
                cameras[key] = _camera(path, values, size)
            placed.append(Placed(file, cameras[key], undo(_pose(path, number, frame)), _time(frame)))
        super().__init__(sequence, path, placed)
        self.notes = _notes(path, content, size) + self.notes


class TransformsDataset(Dataset):
    """A scene in transforms files, a sequence each; transforms_train and transforms_test are its splits. One camera."""

    name = "transforms"
    capabilities = frozenset({Capability.POSES, Capability.MAP})
    expects = "transforms.json"

    def on_disk(self) -> tuple[str, ...]:
        return names_in(self.root)

    def training(self) -> tuple[str, ...]:
        return self._named("transforms_train")

    def test(self) -> tuple[str, ...]:
        return self._named("transforms_test")

    def open_whole(self, name: str, camera: int) -> TransformsSequence:
        return TransformsSequence(self.root, name)

    def _named(self, name: str) -> tuple[str, ...]:
        """The file of that name alone, else all."""
        found = self.on_disk()
        return (name,) if name in found else found


def names_in(root: Path) -> tuple[str, ...]:
    """The stems of a folder's transforms files."""
    found = (path.stem for path in visible(root) if re.fullmatch(r"transforms.*\.json", path.name))
    return tuple(sorted(found, key=natural))


def write_transforms(path: Path, camera: Camera, names: Sequence[str], poses: Tensor) -> None:
    """Write images of one camera, by names relative to the file's folder, and their poses (N, 4, 4)."""
    height, width = camera.size
    fisheye = camera.lens == "fisheye"
    coefficients = FISHEYE if fisheye else RADTAN[:8]
    if len(camera.distortion) > len(coefficients):
        raise InputError(f"{path}: transforms hold no lens of {len(camera.distortion)} coefficients; undistort first")
    content = {
        **{"w": width, "h": height, "fl_x": camera.focal[0], "fl_y": camera.focal[1]},
        **{"cx": camera.centre[0] + 0.5, "cy": camera.centre[1] + 0.5, "is_fisheye": fisheye},
        **dict(zip(coefficients, camera.distortion, strict=False)),
        "frames": [
            {"file_path": name, "transform_matrix": (pose @ GL_TO_CV).tolist()}
            for name, pose in zip(names, poses, strict=True)
        ],
    }
    write_bytes(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())


def _load(path: Path) -> Mapping[str, Any]:
    data = read_bytes(path)
    try:
        content = parse_json(data)
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); write it again") from None
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: not the transforms of a scene; check the file")
    return content


def _image_file(finder: ImageFinder, path: Path, number: int, frame: Any) -> Path:
    """The image of a frame; its name may lack the suffix."""
    if not isinstance(frame, Mapping) or not isinstance(frame.get("file_path"), str):
        raise InputError(f"{path}: frame {number} has no file_path; write it again")
    return finder.find(frame["file_path"])


def _notes(path: Path, content: Mapping[str, Any], size: tuple[int, int]) -> tuple[str, ...]:
    """What was assumed of times that are not understood, and of images (height, width) whose size is not stated."""
    frames, notes = content["frames"], []
    strange = [frame for frame in frames if _stated_time(frame) is not None and _time(frame) is None]
    if strange:
        shown = f"{str(_stated_time(strange[0]))[:40]!r} of {strange[0]['file_path']}"
        notes.append(f"{path}: {len(strange)} times are not understood, as {shown}; frames are in order of their names")
    if not {"w", "h", "cx", "cy", "camera_angle_x"} & {*content, *frames[0]}:
        notes.append(f"{path}: no w and h; its fl_x is taken for images of {size[1]}x{size[0]}")
    return tuple(notes)


def _stated_time(frame: Mapping[str, Any]) -> Any:
    """What a frame tells of its time; None if it does not."""
    return next((frame[key] for key in TIMES if frame.get(key) is not None), None)


def _time(frame: Mapping[str, Any]) -> float | None:
    """When a frame was taken, in the file's units, or seconds of a date; None if that is not understood."""
    found = _stated_time(frame)
    try:
        time = math.nan if found is None else float(found)
    except (TypeError, ValueError, OverflowError):
        time = _seconds(str(found))
    return time if math.isfinite(time) else None


def _seconds(text: str) -> float:
    """Seconds since 1970 of a date and time, as of ISO 8601 or EXIF; NaN of other text."""
    try:
        date = datetime.fromisoformat(re.sub(r"\A(\d{4}):(\d\d):(\d\d)", r"\1-\2-\3", text.strip()))
    except ValueError:
        return math.nan
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


def _undo(path: Path, applied: Any) -> Callable[[Tensor], Tensor]:
    """A function that brings poses back from the file's world to that of the map which it was made from."""
    if applied is None:
        return lambda T_world_cam: T_world_cam
    try:
        T_world_map = torch.tensor([*applied[:3], [0, 0, 0, 1]], dtype=torch.float64)
        scale = torch.linalg.det(T_world_map[:3, :3]) ** (1 / 3)
        T_world_map[:3] /= scale
        rigid = T_world_map.shape == (4, 4) and bool(is_rigid(T_world_map[None]))
    except (TypeError, ValueError, OverflowError, RuntimeError):
        rigid = False
    if not rigid:
        raise InputError(f"{path}: its applied_transform is no rotation, scale and translation; remove it")

    def undo(T_world_cam: Tensor) -> Tensor:
        shrunk = T_world_cam.clone()
        shrunk[:3, 3] /= scale
        return inverse(T_world_map) @ shrunk

    return undo


def _pose(path: Path, number: int, frame: Mapping[str, Any]) -> Tensor:
    try:
        matrix = torch.tensor(frame["transform_matrix"], dtype=torch.float64)
    except (KeyError, TypeError, ValueError, OverflowError):
        matrix = torch.empty(0)
    if matrix.shape != (4, 4):
        raise InputError(f"{path}: frame {number} has no 4x4 transform_matrix; write it again")
    return matrix @ GL_TO_CV


def _camera(path: Path, values: Mapping[str, Any], size: tuple[int, int]) -> Camera:
    try:
        numbers = {key: float(x) for key, x in values.items() if x is not None and key != "camera_model"}
        height, width = stated = int(numbers.get("h", size[0])), int(numbers.get("w", size[1]))
        fx = numbers.get("fl_x") or _focal(width, numbers["camera_angle_x"])
        angle_y = numbers.get("camera_angle_y")
        fy = numbers.get("fl_y") or (_focal(height, angle_y) if angle_y else fx)
        _check_angle("x", fx, width, numbers.get("camera_angle_x"))
        _check_angle("y", fy, height, angle_y)
        cx, cy = numbers.get("cx", width / 2) - 0.5, numbers.get("cy", height / 2) - 0.5
        lens, distortion = _distortion("fisheye" if numbers.get("is_fisheye") else values["camera_model"], numbers)
        known_size = stated if {"h", "w"} & set(numbers) else None
        return Calibration(path, (fx, fy), (cx, cy), lens, distortion, known_size).camera(stated)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise InputError(f"{path}: no camera in it ({error}); it needs fl_x or camera_angle_x") from None
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from None


def _distortion(model: object, numbers: Mapping[str, float]) -> tuple[Lens, tuple[float, ...]]:
    """Lens and coefficients by the name of the model, None for OpenCV's."""
    lens = lens_named(model or "opencv")
    named = {name: numbers.get(name, 0.0) for name in ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")}
    rational = str(model).upper() == "FULL_OPENCV" or {"k5", "k6"} <= set(numbers)
    if lens != "fisheye" and named["k4"] and not rational:
        raise InputError(
            "k4 without k5 and k6, which is a polynomial's to some tools and OpenCV's rational lens' to others; give "
            "all, camera_model FULL_OPENCV, or undistort the images"
        )
    coefficients = named_coefficients("fisheye" if lens == "fisheye" else "radtan", named)
    return lens_of("fisheye" if lens == "fisheye" else None, coefficients)


def _focal(side: int, angle: float) -> float:
    """The focal length of an angle of view over a side, both in its pixels and in radians."""
    return side / 2 / math.tan(angle / 2)


def _check_angle(axis: str, focal: float, side: int, angle: float | None) -> None:
    """InputError if a focal length is not that of the angle of view over a side."""
    if angle and abs(focal / _focal(side, angle) - 1) > AGREE:
        raise InputError(
            f"fl_{axis} {focal:g} and camera_angle_{axis} {angle:g} contradict each other over {side} pixels; correct "
            "one of them, or state w and h"
        )
