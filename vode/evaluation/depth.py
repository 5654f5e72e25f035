"""Depth maps against the truth, as in Eigen, Puhrsch, Fergus, "Depth map prediction from a single image using
a multi-scale deep network", NIPS 2014, with the crop of Garg et al., ECCV 2016, and the per-image median
scaling of Zhou et al., CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.errors import InputError
from vode.evaluation.result import Number, Result

SCALINGS = ("median", "none", "global")
CROPS = {
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    "eigen": (0.3324324, 0.91351351, 0.0359477, 0.96405229),
    "nyu": (45 / 480, 471 / 480, 41 / 640, 601 / 640),
}
"""Kept part of the image as shares of its height (top, bottom) and width (left, right)."""

MEASURES = ("abs_rel", "sq_rel", "rmse", "rmse_log", "d1", "d2", "d3")
_UNITS = {"sq_rel": "m", "rmse": "m"}

Maps = Tensor | np.ndarray | Iterable[Tensor | np.ndarray]


class _Pixels(NamedTuple):
    """Predicted and true depth (N,) of the valid pixels of one image, and its name."""

    predicted: np.ndarray
    true: np.ndarray
    name: str


def depth_errors(
    prediction: Maps,
    truth: Maps,
    *,
    cap: float = 80.0,
    min_depth: float = 1e-3,
    crop: str | None = None,
    scaling: str = "median",
    names: Sequence[str] | None = None,
) -> Result:
    """Depth errors of a set of images, each measure averaged over the images.

    ``prediction`` and ``truth`` are (B, 1, H, W), (B, H, W) or (H, W) tensors or arrays in metres, or
    iterables (generators too) of (1, H, W) or (H, W) maps, of which each image may have its own size. A
    prediction of another size is resized bilinearly to the truth's. Pixels count whose true depth lies
    strictly between ``min_depth`` and ``cap`` within ``crop`` (a key of CROPS, or None); predictions are then
    clamped to the same range. ``scaling``: "median", each image by median(truth) / median(prediction);
    "global", all images by the median of these ratios; "none". ``ratio_median`` and ``ratio_spread``
    (standard deviation over median) tell the ratios under every scaling. ``abs_rel_constant`` scores a
    constant prediction under the same protocol.

    Images without a valid pixel are left out, counted and named (``names``, else their number). Raises
    InputError if no image has one, if a prediction is not finite, or if its median is not positive while
    scaling is asked for.
    """
    _check_protocol(cap, min_depth, crop, scaling)
    empty: list[str] = []
    images = _valid_pixels(prediction, truth, cap, min_depth, crop, names, empty)
    errors, baseline, ratios = _score_all(images, cap, min_depth, scaling)
    if not len(errors):
        raise _nothing_valid(empty, cap, min_depth, crop)
    known = ratios[np.isfinite(ratios)]
    numbers = (
        *_measures(errors),
        _measures(baseline, "_constant")[0],
        Number("ratio_median", float(np.median(known)) if len(known) else None),
        Number("ratio_spread", float(known.std() / np.median(known)) if len(known) else None),
        Number("images", len(errors)),
        Number("images_without_truth", len(empty)),
    )
    return Result("Depth", numbers, _protocol(cap, min_depth, crop, scaling), notes=_notes(empty))


def constant_depth(
    truth: Maps,
    *,
    cap: float = 80.0,
    min_depth: float = 1e-3,
    crop: str | None = None,
    scaling: str = "median",
    names: Sequence[str] | None = None,
) -> Result:
    """The errors of predicting one depth everywhere, under the protocol of ``depth_errors``.

    Under "median" scaling that depth is each image's own true median; otherwise it is the median of these,
    the same for all images. The names carry the suffix ``_constant``. Raises what ``depth_errors`` raises.
    """
    _check_protocol(cap, min_depth, crop, scaling)
    empty: list[str] = []
    images = _valid_pixels(None, truth, cap, min_depth, crop, names, empty)
    _, errors, _ = _score_all(images, cap, min_depth, scaling)
    if not len(errors):
        raise _nothing_valid(empty, cap, min_depth, crop)
    counts = (Number("images", len(errors)), Number("images_without_truth", len(empty)))
    protocol = _protocol(cap, min_depth, crop, scaling)
    return Result("Constant depth", (*_measures(errors, "_constant"), *counts), protocol, notes=_notes(empty))


def crop_mask(height: int, width: int, crop: str | None) -> np.ndarray:
    """Pixels (H, W) bool inside ``crop``, its bounds rounded down as in published figures; None keeps all."""
    mask = np.zeros((height, width), dtype=bool)
    top, bottom, left, right = CROPS[crop] if crop else (0, 1, 0, 1)
    mask[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = True
    return mask


def _check_protocol(cap: float, min_depth: float, crop: str | None, scaling: str) -> None:
    if scaling not in SCALINGS:
        raise ValueError(f"scaling is one of {', '.join(SCALINGS)}, not {scaling!r}")
    if crop is not None and crop not in CROPS:
        raise ValueError(f"crop is None or one of {', '.join(CROPS)}, not {crop!r}")
    if not 0 < min_depth < cap:
        raise ValueError(f"depths range from min_depth > 0 to a larger cap, not {min_depth} to {cap}")


def _valid_pixels(
    prediction: Maps | None,
    truth: Maps,
    cap: float,
    min_depth: float,
    crop: str | None,
    names: Sequence[str] | None,
    empty: list[str],
) -> Iterator[_Pixels]:
    """The valid pixels of each image; the names of images without any are added to ``empty``."""
    truths = _maps(truth)
    # A missing prediction stands for the truth itself: the baseline needs nothing else.
    pairs = ((true, true) for true in truths) if prediction is None else _pairs(_maps(prediction), truths)
    for number, (predicted, true) in enumerate(pairs):
        name = names[number] if names is not None else f"image {number}"
        valid = (true > min_depth) & (true < cap) & crop_mask(*true.shape, crop)
        if not valid.any():
            empty.append(name)
            continue
        values = _resized(predicted, true.shape)[valid].astype(np.float64)
        if not np.isfinite(values).all():
            raise InputError(f"{name}: the predicted depth is not finite; check the network's weights")
        yield _Pixels(values, true[valid].astype(np.float64), name)


def _nothing_valid(empty: list[str], cap: float, min_depth: float, crop: str | None) -> InputError:
    return InputError(
        f"none of {len(empty)} images has true depth between {min_depth:g} and {cap:g} m inside the crop "
        f"({crop or 'none'}); check the truth's unit and its files"
    )


def _score_all(
    images: Iterator[_Pixels], cap: float, min_depth: float, scaling: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """MEASURES of each image (B, 7), those of a constant prediction (B, 7), and the scale ratios (B,)."""
    kept, ratios, medians, errors, baseline = [], [], [], [], []
    for image in images:
        ratios.append(_ratio(image, scaling))
        medians.append(float(np.median(image.true)))
        if scaling == "median":
            errors.append(_score(image.predicted * ratios[-1], image.true, cap, min_depth))
            baseline.append(_score(medians[-1], image.true, cap, min_depth))
        else:
            # One scale, or the best constant, is known only after the last image.
            kept.append(image)
    factor = np.median(ratios) if scaling == "global" else 1.0
    errors += [_score(image.predicted * factor, image.true, cap, min_depth) for image in kept]
    baseline += [_score(np.median(medians), image.true, cap, min_depth) for image in kept]
    return np.array(errors), np.array(baseline), np.array(ratios)


def _score(predicted: np.ndarray | float, true: np.ndarray, cap: float, min_depth: float) -> list[float]:
    """MEASURES of one image."""
    predicted = np.clip(predicted, min_depth, cap)
    difference, logarithm = predicted - true, np.log(predicted) - np.log(true)
    worse = np.maximum(predicted / true, true / predicted)
    return [
        np.mean(np.abs(difference) / true),
        np.mean(difference**2 / true),
        np.sqrt(np.mean(difference**2)),
        np.sqrt(np.mean(logarithm**2)),
        *(np.mean(worse < 1.25**power) for power in (1, 2, 3)),
    ]


def _measures(errors: np.ndarray, suffix: str = "") -> tuple[Number, ...]:
    means = zip(MEASURES, errors.mean(axis=0), strict=True)
    return tuple(Number(key + suffix, float(value), _UNITS.get(key, "")) for key, value in means)


def _pairs(prediction: Iterable[np.ndarray], truth: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    try:
        yield from zip(prediction, truth, strict=True)
    except ValueError as error:
        if "zip()" not in str(error):
            raise
        raise InputError("as many predictions as true depth maps are needed; predict every image") from None


def _maps(maps: Maps) -> Iterator[np.ndarray]:
    if isinstance(maps, (Tensor, np.ndarray)) and maps.ndim == 2:
        maps = [maps]
    for depth in maps:
        array = depth.detach().cpu().float().numpy() if isinstance(depth, Tensor) else np.asarray(depth)
        if array.ndim == 3 and array.shape[0] == 1:
            array = array[0]
        if array.ndim != 2:
            raise ValueError(f"a depth map is (1, H, W) or (H, W), not {array.shape}")
        yield array


def _resized(depth: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if depth.shape == size:
        return depth
    tensor = torch.from_numpy(np.ascontiguousarray(depth, dtype=np.float32))[None, None]
    return F.interpolate(tensor, size, mode="bilinear", align_corners=False)[0, 0].numpy()


def _ratio(image: _Pixels, scaling: str) -> float:
    median = np.median(image.predicted)
    if median > 0:
        return float(np.median(image.true) / median)
    if scaling != "none":
        raise InputError(f"{image.name}: the predicted depth's median is {median:g}, so it cannot be scaled")
    return float("nan")


def _protocol(cap: float, min_depth: float, crop: str | None, scaling: str) -> dict[str, str]:
    texts = {
        "median": "each image by median(truth) / median(prediction)",
        "global": "all images by the median of their ratios median(truth) / median(prediction)",
        "none": "none",
    }
    return {
        "scaling": texts[scaling],
        "cap": f"{min_depth:g} m to {cap:g} m",
        "crop": crop or "none",
        "resizing": "prediction to the truth's size, bilinear, align_corners=False",
        "averaging": "mean of the images' values",
    }


def _notes(empty: list[str]) -> tuple[str, ...]:
    if not empty:
        return ()
    more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
    return (f"{len(empty)} images have no valid true depth and are left out: {', '.join(empty[:10])}{more}",)
