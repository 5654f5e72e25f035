"""Calibration files of one's own cameras.

camera.yaml or .json     width, height, fx, fy, cx, cy; lens (pinhole, radtan, fisheye) and distortion [k1, ...]
camera_info.yaml         ROS: image_width, image_height, camera_matrix, distortion_model, distortion_coefficients
calib.txt                KITTI: "P2: 12 numbers"
cameras.txt              COLMAP: "1 PINHOLE 640 480 fx fy cx cy", pixel centres at 0.5
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vode.cameras.kitti import read_calibration, read_projection
from vode.cameras.lens import COUNTS, Camera, Lens
from vode.errors import InputError
from vode.io.files import read_bytes
from vode.io.text import parse_numbers, read_lines

LARGEST = 2**20
"""maximum size of a calibration file, bytes"""
OFF_CENTRE = 0.25
"""largest offset of the principal point from the centre, relative to the image size, in files without that size"""

ROS_LENSES: dict[str, Lens] = {"plumb_bob": "radtan", "rational_polynomial": "radtan", "equidistant": "fisheye"}
"""lens by ROS's distortion model"""

COLMAP_MODELS = {
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
    5: ("OPENCV_FISHEYE", 8),
    6: ("FULL_OPENCV", 12),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
}
"""name and number of parameters of COLMAP's camera models, by their id in its files"""


def read_camera(path: Path | str, size: tuple[int, int], *, camera: int = 2) -> Camera:
    """The camera of images of ``size`` (height, width); InputError names the file if they do not match.

    ``camera`` selects the line of KITTI's files (P0 to P3), and the camera of a COLMAP file that holds several.
    """
    path = Path(path)
    try:
        if path.suffix.lower() in (".yaml", ".yml", ".json"):
            found = _of_mapping(_load(path), size)
        elif any(re.match(r"P(_rect_)?\d+:", line) for line in read_lines(path)):
            found = _of_kitti(path, size, camera)
        else:
            found = _of_colmap(path, camera)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from None
    check_size(path, found, size)
    return found


def check_size(path: Path | str, camera: Camera, size: tuple[int, int]) -> None:
    """InputError unless the camera's images are of ``size`` (height, width)."""
    if camera.size != tuple(size):
        (height, width), (rows, columns) = camera.size, size
        raise InputError(f"{path}: a camera of {width}x{height} pixels, but the images are {columns}x{rows}; calibrate")


def read_colmap_cameras(path: Path) -> dict[int, Camera]:
    """The cameras of a cameras.txt by their ids."""
    cameras = {}
    for line, text in enumerate(read_lines(path), start=1):
        words = text.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) < 5 or not re.fullmatch(r"[0-9]{1,10}", words[0]):
            raise InputError(f"{path}:{line}: not NUMBER MODEL WIDTH HEIGHT PARAMETERS; export the model again")
        width, height, *parameters = parse_numbers(path, line, " ".join(words[2:]), len(words) - 2, "numbers")
        try:
            cameras[int(words[0])] = colmap_camera(words[1], (int(height), int(width)), parameters)
        except InputError as error:
            raise InputError(f"{path}:{line}: {error}") from None
    return cameras


def colmap_camera(model: str, size: tuple[int, int], parameters: Sequence[float]) -> Camera:
    """A COLMAP camera, whose pixel centres lie at 0.5, in our convention of integer pixel centres."""
    counts = dict(COLMAP_MODELS.values())
    if counts.get(model) != len(parameters):
        known = ", ".join(counts)
        raise InputError(f"camera model {model} with {len(parameters)} parameters; known are {known}")
    simple = model.startswith(("SIMPLE", "RADIAL"))
    focal = (parameters[0], parameters[0 if simple else 1])
    cx, cy, *distortion = parameters[1 if simple else 2 :]
    lens: Lens = "fisheye" if "FISHEYE" in model else "radtan" if distortion else "pinhole"
    return Camera(size, focal, (cx - 0.5, cy - 0.5), lens, _padded(lens, tuple(distortion)))


def _of_kitti(path: Path, size: tuple[int, int], camera: int) -> Camera:
    """From calib.txt or calib_cam_to_cam.txt, which need not state the size of the images."""
    if any(line.startswith("P_rect_") for line in read_lines(path)):
        matrix = read_projection(path, camera)
    else:
        matrix, _ = read_calibration(path, camera)
    (fx, _, cx), (_, fy, cy) = matrix[:2, :3].tolist()
    height, width = size
    if abs(cx / width - 0.5) > OFF_CENTRE or abs(cy / height - 0.5) > OFF_CENTRE:
        raise InputError(
            f"{path}: centre {cx:.1f}, {cy:.1f} is far from the middle of images of {width}x{height}, as if of another "
            "size; give a camera.yaml with width and height"
        )
    return Camera(size, (fx, fy), (cx, cy))


def _of_colmap(path: Path, number: int) -> Camera:
    cameras = read_colmap_cameras(path)
    if not cameras:
        raise InputError(f"{path}: no camera in it; give YAML, JSON, KITTI's calib.txt or COLMAP's cameras.txt")
    if len(cameras) > 1 and number not in cameras:
        raise InputError(f"{path}: holds cameras {', '.join(map(str, cameras))}; choose one of these", "camera")
    return cameras[number] if len(cameras) > 1 else next(iter(cameras.values()))


def _load(path: Path) -> Mapping[str, Any]:
    data = read_bytes(path)
    if len(data) > LARGEST:
        raise InputError(f"{path}: {len(data)} bytes are no small calibration file; check the path")
    try:
        values = json.loads(data) if path.suffix.lower() == ".json" else yaml.safe_load(data)
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
        # PyYAML raises the last two for values that contradict their tags.
        first = str(error).partition("\n")[0]
        raise InputError(f"{path}: not YAML or JSON ({first}); correct the file") from None
    if not isinstance(values, Mapping):
        raise InputError(f"{path}: not names with values; give width, height, fx, fy, cx, cy")
    return values


def _of_mapping(values: Mapping[str, Any], size: tuple[int, int]) -> Camera:
    try:
        if "camera_matrix" in values:
            return _of_ros(values)
        height, width = values.get("height", size[0]), values.get("width", size[1])
        lens, distortion = values.get("lens"), values.get("distortion", ())
        if isinstance(distortion, str):
            raise ValueError("distortion is no list")
        distortion = tuple(map(float, distortion))
        fx, fy, cx, cy = (float(values[name]) for name in ("fx", "fy", "cx", "cy"))
        given: Lens = lens or ("radtan" if distortion else "pinhole")
        return Camera((int(height), int(width)), (fx, fy), (cx, cy), given, _padded(given, distortion))
    except KeyError as error:
        raise InputError(f"no {error.args[0]}; give width, height, fx, fy, cx, cy in pixels") from None
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise InputError(f"not a camera ({error}); give width, height, fx, fy, cx, cy in pixels") from None


def _of_ros(values: Mapping[str, Any]) -> Camera:
    model = values.get("distortion_model", "plumb_bob")
    if model not in ROS_LENSES:
        raise InputError(f"distortion model {model!r}; known are {', '.join(ROS_LENSES)}")
    matrix = [float(x) for x in values["camera_matrix"]["data"]]
    if len(matrix) != 9:
        raise InputError(f"a camera_matrix of {len(matrix)} numbers, not 9")
    distortion = tuple(float(x) for x in values.get("distortion_coefficients", {}).get("data", ()))
    lens = ROS_LENSES[model]
    if lens == "radtan" and not any(distortion):
        lens, distortion = "pinhole", ()
    size = int(values["image_height"]), int(values["image_width"])
    fx, _, cx, _, fy, cy = matrix[:6]
    return Camera(size, (fx, fy), (cx, cy), lens, _padded(lens, distortion))


def _padded(lens: Lens, distortion: tuple[float, ...]) -> tuple[float, ...]:
    """Coefficients padded with zeros to the smallest number that the lens takes."""
    return (*distortion, *[0.0] * (min(COUNTS.get(lens) or (0,)) - len(distortion)))
