"""Names in the files of mapped scenes that tell of a camera or a lens what is not read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from vode.errors import InputError

MODEL_KEYS = ("camera_model", "camera_type", "model")
"""names that the model of a camera may have"""
LENS_KEY = re.compile(
    r"[kpsb]\d*|t\d+|tau\w*|.*distort.*|xi|alpha|\w*skew\w*|\w*aspect\w*|shift_[xy]|ortho\w*|is_\w+|lens\w*|fisheye\w*|"
    r"projection\w*|model|camera_?(type|model|matrix|mat|angle\w*|param\w*|intrinsic\w*)|cam_?intrinsic\w*|intrinsic\w*|"
    r"fl|f[xy]?|focal\w*|\w*fov\w*|pp[xy]|c[xy]|principal\w*|(image_?|img_?)?(width|height|size)|resolution|sensor\w*|"
    r"pixel_?size\w*",
    re.IGNORECASE,
)
"""names of what would change the camera"""


def refuse_lens_keys(where: Path | str, values: Mapping[str, Any], known: Collection[str], remedy: str) -> None:
    """InputError for values that would change the camera, but for those ``known`` and those that say nothing."""
    odd = [str(key) for key in values if key not in known and LENS_KEY.fullmatch(str(key))]
    odd = [key for key in odd if not (_is_nothing(values[key]) or ("aspect" in key.lower() and values[key] == 1))]
    if odd:
        raise InputError(f"{where}: {', '.join(odd)} of the camera, which is not read; {remedy}")


def model_name(where: Path | str, values: Mapping[str, Any]) -> object:
    """The model of the camera, None if nothing tells; InputError if two names of it differ."""
    named = {key: values[key] for key in MODEL_KEYS if values.get(key)}
    if len({str(name).lower() for name in named.values()}) > 1:
        raise InputError(f"{where}: {' and '.join(named)} differ; leave one of them")
    return next(iter(named.values()), None)


def _is_nothing(value: object) -> bool:
    """Whether a value is empty, zero, or a list of such."""
    return all(map(_is_nothing, value)) if isinstance(value, list) else not value
