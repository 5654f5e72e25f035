"""Lens models by the names that files have for them, and their coefficients in OpenCV's order."""

from __future__ import annotations

from collections.abc import Sequence

from vode.cameras.lens import COUNTS, Lens
from vode.errors import InputError

LENSES: dict[str, Lens] = {
    **dict.fromkeys(("none", "pinhole", "simple_pinhole", "perspective", "rectified"), "pinhole"),
    **dict.fromkeys(
        ("radtan", "radial_tangential", "plumb_bob", "brown", "brown_conrady", "opencv", "simple_radial", "radial"),
        "radtan",
    ),
    **dict.fromkeys(("rational_polynomial", "rational", "full_opencv", "thin_prism"), "radtan"),
    **dict.fromkeys(("fisheye", "equidistant", "equi", "opencv_fisheye"), "fisheye"),
    **dict.fromkeys(("kannala_brandt", "kannalabrandt", "kannalabrandt8", "kb4", "kb8"), "fisheye"),
}
"""lens by a model's name, in lower case with underscores"""
RADTAN = ("k1", "k2", "p1", "p2", "k3", "k4", "k5", "k6", "s1", "s2", "s3", "s4")
FISHEYE = ("k1", "k2", "k3", "k4")
"""OpenCV's names of coefficients, in its order"""
PROJECTIONS = ("pinhole", "perspective")
"""names of models, in lower case, that some files give beside the model of the distortion"""


def lens_named(name: object) -> Lens:
    """The lens of a model's name; InputError for one that OpenCV has no formula for."""
    lens = LENSES.get(str(name).strip().lower().replace("-", "_").replace(" ", "_"))
    if lens is None:
        raise InputError(
            f"distortion model {str(name)[:40]!r} is not read; known are {', '.join(LENSES)}; undistort the images, or "
            "calibrate one of these"
        )
    return lens


def model_beside(projection: object, model: object) -> object:
    """The name of the distortion's model, where a file may name a projection as well; InputError if they differ."""
    if projection is None or str(projection).lower() in PROJECTIONS:
        return model
    if model is None:
        return projection
    if lens_named(projection) != lens_named(model):
        raise InputError(f"a camera_model {projection} with a distortion of {model}; correct one of them")
    return model


def lens_of(name: object, coefficients: Sequence[float]) -> tuple[Lens, tuple[float, ...]]:
    """Lens and coefficients of a model by its name, None for what the coefficients tell; no distortion is a pinhole.

    Of too few coefficients the others are 0, of too many those left out must be.
    """
    lens: Lens = ("radtan" if coefficients else "pinhole") if name is None else lens_named(name)
    values = tuple(coefficients)
    if lens != "fisheye" and not any(values):
        return "pinhole", ()
    if lens == "radtan" and len(values) == 3:
        raise InputError(f"3 coefficients of a {lens} lens: is the third p1 or k3?; give 4 or more, k1 k2 p1 p2 k3")
    while len(values) > min(COUNTS[lens]) and len(values) not in COUNTS[lens] and values[-1] == 0:
        values = values[:-1]
    return lens, padded(lens, values)


def named_coefficients(lens: Lens, values: dict[str, float]) -> tuple[float, ...]:
    """The coefficients of a lens, k1 and so on by name, in OpenCV's order; InputError for one that it does not have."""
    order = FISHEYE if lens == "fisheye" else RADTAN
    odd = [name for name, value in values.items() if value and name not in order]
    if odd:
        raise InputError(f"{', '.join(odd)} of a {lens} lens, which has {', '.join(order)}; correct the file")
    last = max((order.index(name) for name, value in values.items() if value), default=-1)
    count = next((count for count in COUNTS["fisheye" if lens == "fisheye" else "radtan"] if count > last), 0)
    return tuple(values.get(name, 0.0) for name in order[:count]) if last >= 0 else ()


def padded(lens: Lens, distortion: Sequence[float]) -> tuple[float, ...]:
    """Coefficients padded with zeros to the smallest number that the lens takes."""
    return (*distortion, *[0.0] * (min(COUNTS[lens]) - len(distortion)))
