"""Camera files with a name for each number: this package's own, and MASt3R-SLAM's.

{width: 640, height: 480, fx: 500, fy: 500, cx: 320, cy: 240, lens: radtan, distortion: [k1, k2, p1, p2, k3]}
{width: 640, height: 480, fx: 500, fy: 500, cx: 320, cy: 240, k1: -0.2, k2: 0.01}
{width: 640, height: 480, calibration: [fx, fy, cx, cy, k1, k2, p1, p2]}
"""

from __future__ import annotations

from pathlib import Path

from vode.cameras.distortion import FISHEYE, RADTAN, lens_named, lens_of, model_beside, named_coefficients
from vode.cameras.fields import Fields, to_number
from vode.cameras.fit import Calibration
from vode.cameras.lens import Lens
from vode.cameras.number_text import calibration_of_row
from vode.errors import InputError

IGNORED = "name|comment|notes?|date"
DISTORTION = ("distortion", "distortion_coeffs", "distortion_coefficients")


def plain_calibration(path: Path, fields: Fields) -> Calibration:
    """A camera by fx, fy, cx, cy and, where they are there, height, width, lens and coefficients."""
    size = fields.size(("height",), ("width",))
    if "calibration" in fields:
        row = fields.numbers("calibration")
        fields.close(IGNORED)
        return calibration_of_row(path, row, size)
    fx, fy, cx, cy = (fields.number(name) for name in ("fx", "fy", "cx", "cy"))
    lens, distortion = _distortion(fields)
    fields.close(IGNORED)
    return Calibration(path, (fx, fy), (cx, cy), lens, distortion, size)


def _distortion(fields: Fields) -> tuple[Lens, tuple[float, ...]]:
    model = model_beside(fields.take("camera_model"), fields.take("lens", "distortion_model"))
    listed = fields.numbers(*DISTORTION)
    named = {name: to_number(name, fields.take(name)) for name in dict.fromkeys(RADTAN + FISHEYE) if name in fields}
    if named and listed:
        raise InputError(f"both a list of coefficients and {', '.join(named)}; leave one of them")
    if named:
        listed = named_coefficients("radtan" if model is None else lens_named(model), named)
    return lens_of(model, listed)
