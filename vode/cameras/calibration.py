"""Calibration files of one's own cameras, told apart by what stands in them.

camera.yaml or .json     width, height, fx, fy, cx, cy; lens (pinhole, radtan, fisheye) and distortion [k1, ...]
YAML of other tools      OpenCV's FileStorage, ROS's camera_info, Kalibr's camchain, EuRoC's sensor.yaml, ORB-SLAM's
                         settings, MASt3R-SLAM's
calib.txt                KITTI: "P2: 12 numbers"
cameras.txt              COLMAP: "1 PINHOLE 640 480 fx fy cx cy", pixel centres at 0.5
other text               fx fy cx cy [k1 k2 p1 p2 [k3]], a 3x3 matrix, or DSO's camera.txt

Each format has a module of its own beside this one.
"""

from __future__ import annotations

import re
from pathlib import Path

from vode.cameras.colmap import colmap_calibration
from vode.cameras.fields import parse_fields
from vode.cameras.fit import Calibration
from vode.cameras.kalibr import camchain_calibration, is_camchain, is_sensor, sensor_calibration
from vode.cameras.kitti import kitti_calibration
from vode.cameras.lens import Camera
from vode.cameras.matrix_file import is_matrix_file, matrix_calibration
from vode.cameras.number_text import dso_calibration, is_dso, is_numbers, numbers_calibration
from vode.cameras.orb_slam import is_settings, settings_calibration
from vode.cameras.plain import plain_calibration
from vode.errors import InputError
from vode.io.files import read_bytes
from vode.io.text import read_lines

LARGEST = 2**20
"""maximum size of a calibration file, bytes"""
READ = (
    "camera.yaml or .json with width, height, fx, fy, cx, cy; YAML of OpenCV, ROS (camera_info), Kalibr, EuRoC and "
    "ORB-SLAM; KITTI's calib.txt; COLMAP's cameras.txt; DSO's camera.txt; a line fx fy cx cy [k1 k2 p1 p2 [k3]]; a "
    "3x3 matrix"
)
"""what is read, for messages"""
CAMERA_FILES = ("camera.yaml", "camera.yml", "camera.json", "calib.txt", "cameras.txt")
"""names under which a camera file is found beside images"""
KITTI_CAMERA = 2
"""the camera of KITTI's files that is taken unless another is asked for"""


def read_camera(path: Path | str, size: tuple[int, int], *, camera: int | None = None) -> Camera:
    """The camera of images of ``size`` (height, width); InputError names the file if they do not match.

    A calibration of larger or smaller images of the same aspect ratio is scaled to these. ``camera`` selects the line
    of KITTI's files (P0 to P3, default P2), and the camera of a file that holds several.
    """
    return load_calibration(path, camera).camera(size)


def load_calibration(path: Path | str, camera: int | None = None) -> Calibration:
    """What a file states about a camera, whose images need not be known; ``camera`` as in ``read_camera``."""
    path = Path(path)
    try:
        return _structured(path, camera) if path.suffix.lower() in (".yaml", ".yml", ".json") else _text(path, camera)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}", *error.parameters) from None


def find_camera_file(*folders: Path) -> Path | None:
    """The first file of a known name in these folders; None if there is none."""
    files = (folder / name for folder in folders for name in CAMERA_FILES)
    return next((file for file in files if file.is_file()), None)


def _structured(path: Path, camera: int | None) -> Calibration:
    """From names with values, whose names tell the format."""
    fields = parse_fields(path, _small(path))
    if is_settings(fields):
        return settings_calibration(path, fields, camera)
    if is_camchain(fields):
        return camchain_calibration(path, fields, camera)
    if is_sensor(fields):
        return sensor_calibration(path, fields)
    return matrix_calibration(path, fields) if is_matrix_file(fields) else plain_calibration(path, fields)


def _text(path: Path, camera: int | None) -> Calibration:
    """From text, whose first line with something in it tells the format."""
    _small(path)
    comment = re.compile(r"#|//")
    stripped = ((number, comment.split(line)[0].strip()) for number, line in enumerate(read_lines(path), start=1))
    lines = [(number, line) for number, line in stripped if line]
    if not lines:
        raise InputError(f"no camera in it; give {READ}")
    if any(re.match(r"P(_rect_)?\d+:", line) for _, line in lines):
        return kitti_calibration(path, KITTI_CAMERA if camera is None else camera)
    if re.match(r"\S+\s+[A-Z][A-Z_]+\s", lines[0][1]):
        return colmap_calibration(path, camera)
    if is_dso(lines):
        return dso_calibration(path, lines)
    if is_numbers(lines):
        return numbers_calibration(path, lines)
    if re.match(r"""%YAML|---|\{|["']?[\w.]+["']?\s*:""", lines[0][1]):
        return _structured(path, camera)
    raise InputError(f"not a calibration that is read: {lines[0][1][:40]!r}; give {READ}")


def _small(path: Path) -> bytes:
    data = read_bytes(path)
    if len(data) > LARGEST:
        raise InputError(f"{path}: {len(data)} bytes are no small calibration file; check the path")
    return data
