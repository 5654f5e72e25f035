"""Settings of ORB-SLAM2 and 3, and of stella_vslam.

Camera.type: "PinHole" or "KannalaBrandt8"; Camera.fx, fy, cx, cy, k1, ...; Camera.width, height (ORB-SLAM)
Camera1.fx, ..., Camera2.fx, ...                                          two cameras (ORB-SLAM3)
Camera: {model: perspective, fx: ..., cols: ..., rows: ...}               nested (stella_vslam)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vode.cameras.distortion import FISHEYE, PROJECTIONS, RADTAN, lens_named, lens_of, named_coefficients
from vode.cameras.fields import Fields, to_number
from vode.cameras.fit import Calibration, chosen
from vode.errors import InputError

INTRINSICS = ("fx", "fy", "cx", "cy", *RADTAN, *FISHEYE)
FIRST = 1
"""the camera that has no number of its own where another has one"""
CAMERA = r"Camera(\d*)\.(.+)"
OTHERS = (
    r"(ORBextractor|Viewer|IMU|System|Stereo|RGBD|File|Feature|Mapping|Tracking|LoopDetector|LoopClosing|Preprocessing|"
    r"PangolinViewer|SocketPublisher|Initializer|Relocalizer|KeyframeInserter|GraphOptimizer|loopClosing)(\..*)?|"
    r"ThDepth|DepthMapFactor|Tbc|Tlr|T_.*|thFarPoints|Camera"
)
"""names of settings that tell nothing of the camera"""
IGNORED = r"fps|RGB|bf|newWidth|newHeight|imageScale|(over)?lapping\w+|name|setup|color_order|ThDepth|depth.*|noise.*"
"""names of a camera's that do not change what its images show"""


def is_settings(fields: Fields) -> bool:
    """Whether a file has the names of ORB-SLAM."""
    return any(re.fullmatch(CAMERA, name) for name in fields.names()) or "Camera" in fields


def settings_calibration(path: Path, fields: Fields, number: int | None) -> Calibration:
    """The camera of that number, or the only one."""
    nested, shared = fields.take("Camera"), dict[str, Any]()
    cameras: dict[int, dict[str, Any]] = {}
    for name in fields.names():
        found = re.fullmatch(CAMERA, name)
        if found is not None:
            part = cameras.setdefault(int(found[1]), {}) if found[1] else shared
            part[found[2]] = fields.take(name)
    if isinstance(nested, Mapping):
        shared |= {str(name): value for name, value in nested.items()}
    fields.close(OTHERS)
    if cameras and "fx" in shared:
        if FIRST in cameras:
            raise InputError(f"both Camera.fx and Camera{FIRST}; leave one of them")
        cameras[FIRST] = {name: shared.pop(name) for name in [*shared] if name in INTRINSICS}
    own = chosen(dict(sorted(cameras.items())), number) if cameras else {}
    return _calibration(path, Fields(shared | own))


def _calibration(path: Path, fields: Fields) -> Calibration:
    model = fields.take("type", "model")
    named = {name: to_number(name, fields.take(name)) for name in dict.fromkeys(RADTAN + FISHEYE) if name in fields}
    if model is None or str(model).lower() in PROJECTIONS:
        lens, distortion = lens_of(None, named_coefficients("radtan", named))
    else:
        lens, distortion = lens_of(model, named_coefficients(lens_named(model), named))
    if lens == "pinhole" and distortion:
        raise InputError(f"a {model} camera with {', '.join(named)}; correct one of them")
    fx, fy, cx, cy = (fields.number(name) for name in ("fx", "fy", "cx", "cy"))
    size = fields.size(("height", "rows"), ("width", "cols"))
    fields.close(IGNORED)
    return Calibration(path, (fx, fy), (cx, cy), lens, distortion, size)
