"""Depth maps against the ground truth, as in Eigen, Puhrsch, Fergus, "Depth map prediction from a single image using
a multi-scale deep network", NIPS 2014, with the crop of Garg et al., ECCV 2016, and the per-image median
scaling of Zhou et al., CVPR 2017. Predictions are resized as inverse depth, as by Godard et al., ICCV 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vode.errors import InputError
from vode.evaluation.result import Number, Result

SCALINGS = ("median", "none", "global")
RESIZINGS = {
    "disparity": "inverse depth (disparity) of the prediction to the ground truth's size, bilinear, "
    "align_corners=False, then inverted",
    "depth": "depth of the prediction to the ground truth's size, bilinear, align_corners=False",
}
"""What of a prediction is resized, and how, in words."""
CROPS = {
    "garg": (0.40810811, 0.99189189, 0.03594771, 0.96405229),
    "eigen": (0.3324324, 0.91351351, 0.0359477, 0.96405229),
    "nyu": (45 / 480, 471 / 480, 41 / 640, 601 / 640),
}
"""Kept part of the image as fractions of its height (top, bottom) and width (left, right)."""

MEASURES = ("abs_rel", "sq_rel", "rmse", "rmse_log", "d1", "d2", "d3", "log10")
_UNITS = {"sq_rel": "m", "rmse": "m"}

Maps = Tensor | np.ndarray | Iterable[Tensor | np.ndarray]


@dataclass(frozen=True)
class DepthProtocol:
    """What counts, and in which unit."""

    crop: str | None = None
    """part of the image, a key of CROPS; None is all of it"""
    cap: float | None = 80.0
    """ground-truth depth beyond which a pixel does not count, metres; None counts all"""
    min_depth: float = 1e-3
    """ground-truth depth down to which a pixel does not count, metres"""
    scaling: str = "median"
    """"median": each image by median(ground truth) / median(prediction); "global": all by the median of these ratios"""
    clip: tuple[float, float] | None = None
    """what predictions are clipped to after scaling, metres; None is ``min_depth`` to ``cap``"""
    resizing: str = "disparity"
    """what of a prediction is resized to the ground truth's size: "disparity", its inverse, or "depth" """

    def __post_init__(self) -> None:
        if self.scaling not in SCALINGS:
            raise InputError(f"no scaling is called {self.scaling!r}; choose one of {', '.join(SCALINGS)}")
        if self.resizing not in RESIZINGS:
            raise InputError(f"nothing called {self.resizing!r} is resized; choose one of {', '.join(RESIZINGS)}")
        if self.crop is not None and self.crop not in CROPS:
            raise InputError(f"no crop is called {self.crop!r}; choose one of {', '.join(CROPS)}, or none")
        if self.cap is not None and not 0 < self.min_depth < self.cap:
            raise InputError(f"no depth lies between {self.min_depth:g} and {self.cap:g} m; give a larger cap")
        low, high = self.clip_range
        if not 0 < low < high:
            raise InputError(f"predictions cannot be clipped to {low:g} to {high:g} m; give 0 < smallest < largest")

    @property
    def clip_range(self) -> tuple[float, float]:
        """Smallest and largest depth of a scaled prediction, metres."""
        return self.clip or (self.min_depth, np.inf if self.cap is None else self.cap)

    @property
    def counted(self) -> str:
        """The range of ground-truth depth that counts, in words."""
        return f"above {self.min_depth:g} m" if self.cap is None else f"{self.min_depth:g} m to {self.cap:g} m"

    def described(self) -> dict[str, str]:
        """Every part of the protocol in words."""
        scalings = {
            "median": "each image by median(ground truth) / median(prediction)",
            "global": "all images by the median of their ratios median(ground truth) / median(prediction)",
            "none": "none",
        }
        low, high = self.clip_range
        return {
            "scaling": scalings[self.scaling],
            "cap": f"ground truth {self.counted}" + (", no cap" if self.cap is None else ""),
            "clip": f"predictions {low:g} m to {high:g} m",
            "crop": self.crop or "none",
            "resizing": RESIZINGS[self.resizing],
            "averaging": "mean of the images' values",
        }


class DepthScores(NamedTuple):
    """One row an image that has a valid pixel, in the order of the images."""

    names: tuple[str, ...]
    errors: np.ndarray
    """(N, len(MEASURES))"""
    constant: np.ndarray
    """(N, len(MEASURES)) of a constant depth: each image's true median under "median", else the median of these"""
    ratios: np.ndarray
    """(N,) median(ground truth) / median(prediction), NaN where that is not positive"""
    empty: tuple[str, ...]
    """names of the images without a valid pixel"""


class _Pixels(NamedTuple):
    """Predicted and true depth (N,) of the valid pixels of one image, and its name."""

    predicted: np.ndarray
    true: np.ndarray
    name: str


def evaluate_depth(
    prediction: Maps,
    ground_truth: Maps,
    protocol: DepthProtocol = DepthProtocol(),
    *,
    names: Sequence[str] | None = None,
) -> Result:
    """Depth errors of an image or a set of images, each measure averaged over the images.

    ``prediction`` and ``ground_truth`` are NumPy arrays or tensors in metres (0 = unknown in the ground truth), of one
    image (H, W) or of a set: (B, H, W), (B, 1, H, W), or an iterable of (H, W) or (1, H, W) maps, of which each may
    have its own size. ``names`` of the images are for notes and messages. This is ``summary`` of ``depth_scores``,
    which says what counts and what raises InputError.
    """
    return summary(depth_scores(prediction, ground_truth, protocol, names=names), protocol)


def depth_scores(
    prediction: Maps,
    ground_truth: Maps,
    protocol: DepthProtocol = DepthProtocol(),
    *,
    names: Sequence[str] | None = None,
) -> DepthScores:
    """The depth errors of every image; ``prediction`` and ``ground_truth`` as for ``evaluate_depth``.

    A prediction of another size is resized to the ground truth's by ``resize_prediction``. Pixels count by
    ``counted_pixels``; predictions are scaled and then clipped to ``clip``. Images without such a pixel are left out
    and named (``names``, else their number). Raises InputError if no image has one, if a prediction is not finite, or
    if its median is not positive while scaling is asked for.
    """
    empty: list[str] = []
    kept, known, ratios, medians, errors, constant = [], [], [], [], [], []
    for image in _valid_pixels(prediction, ground_truth, protocol, names, empty):
        known.append(image.name)
        ratios.append(_ratio(image, protocol.scaling))
        medians.append(float(np.median(image.true)))
        if protocol.scaling == "median":
            errors.append(_score(image.predicted * ratios[-1], image.true, protocol))
            constant.append(_score(medians[-1], image.true, protocol))
        else:
            # One scale, or the best constant, is known only after the last image.
            kept.append(image)
    if not known:
        raise InputError(
            f"none of {len(empty)} images has ground-truth depth {protocol.counted} inside the crop "
            f"({protocol.crop or 'none'}); check the ground truth's unit and its files"
        )
    factor = np.median(ratios) if protocol.scaling == "global" else 1.0
    errors += [_score(image.predicted * factor, image.true, protocol) for image in kept]
    constant += [_score(np.median(medians), image.true, protocol) for image in kept]
    return DepthScores(tuple(known), np.array(errors), np.array(constant), np.array(ratios), tuple(empty))


def summary(scores: DepthScores, protocol: DepthProtocol, *, notes: Sequence[str] = ()) -> Result:
    """The means over the images, with the ratios of scale.

    ``ratio_median`` and ``ratio_spread`` (standard deviation over median) tell the ratios under every scaling;
    ``abs_rel_constant`` is what a constant depth would score.
    """
    means = zip(MEASURES, scores.errors.mean(axis=0), strict=True)
    known = scores.ratios[np.isfinite(scores.ratios)]
    numbers = (
        *(Number(name, float(value), _UNITS.get(name, "")) for name, value in means),
        Number("abs_rel_constant", float(scores.constant[:, 0].mean())),
        Number("ratio_median", float(np.median(known)) if len(known) else None),
        Number("ratio_spread", float(known.std() / np.median(known)) if len(known) else None),
        Number("images", len(scores.names)),
        Number("images_without_ground_truth", len(scores.empty)),
    )
    return Result("Depth", numbers, protocol.described(), notes=(*notes, *_notes(scores.empty)))


def crop_mask(height: int, width: int, crop: str | None) -> np.ndarray:
    """Pixels (H, W) bool inside ``crop``, its bounds rounded down as in published figures; None keeps all."""
    mask = np.zeros((height, width), dtype=bool)
    top, bottom, left, right = CROPS[crop] if crop else (0, 1, 0, 1)
    mask[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = True
    return mask


def counted_pixels(ground_truth: np.ndarray, protocol: DepthProtocol) -> np.ndarray:
    """Pixels (H, W) bool that count: ground truth (H, W) strictly between ``min_depth`` and ``cap``, in the crop."""
    inside = ground_truth > protocol.min_depth
    if protocol.cap is not None:
        inside &= ground_truth < protocol.cap
    height, width = ground_truth.shape
    return inside & crop_mask(height, width, protocol.crop)


def resize_prediction(
    depth: np.ndarray, size: tuple[int, int], name: str = "prediction", *, resizing: str = "disparity"
) -> np.ndarray:
    """Predicted depth (h, w) at ``size`` (height, width): its inverse is resized bilinearly, and inverted again.

    Networks predict disparity, and published figures are of that resized; ``resizing`` "depth" resizes depth itself.
    Raises InputError, under ``name``, for a depth of 0 or less, which has no inverse; one of the right size is left as
    it is.
    """
    if depth.shape == tuple(size):
        return depth
    if resizing == "depth":
        values = torch.from_numpy(np.ascontiguousarray(depth, dtype=np.float32))[None, None]
        return F.interpolate(values, tuple(size), mode="bilinear", align_corners=False)[0, 0].numpy()
    if (depth <= 0).any():
        raise InputError(f"{name}: the predicted depth is 0 or less somewhere; predict positive depth to resize it")
    disparity = 1 / torch.from_numpy(np.ascontiguousarray(depth, dtype=np.float32))[None, None]
    return (1 / F.interpolate(disparity, tuple(size), mode="bilinear", align_corners=False))[0, 0].numpy()


def _valid_pixels(
    prediction: Maps, ground_truth: Maps, protocol: DepthProtocol, names: Sequence[str] | None, empty: list[str]
) -> Iterator[_Pixels]:
    """The valid pixels of each image; the names of images without any are added to ``empty``."""
    for number, (predicted, true) in enumerate(_pairs(_maps(prediction), _maps(ground_truth))):
        name = names[number] if names is not None else f"image {number}"
        valid = counted_pixels(true, protocol)
        if not valid.any():
            empty.append(name)
            continue
        values = resize_prediction(predicted, true.shape, name, resizing=protocol.resizing)[valid].astype(np.float64)
        if not np.isfinite(values).all():
            raise InputError(f"{name}: the predicted depth is not finite; check the network's weights")
        yield _Pixels(values, true[valid].astype(np.float64), name)


def _score(predicted: np.ndarray | float, true: np.ndarray, protocol: DepthProtocol) -> list[float]:
    """MEASURES of one image."""
    predicted = np.clip(predicted, *protocol.clip_range)
    difference, logarithm = predicted - true, np.log(predicted) - np.log(true)
    worse = np.maximum(predicted / true, true / predicted)
    return [
        np.mean(np.abs(difference) / true),
        np.mean(difference**2 / true),
        np.sqrt(np.mean(difference**2)),
        np.sqrt(np.mean(logarithm**2)),
        *(np.mean(worse < 1.25**power) for power in (1, 2, 3)),
        np.mean(np.abs(logarithm)) / np.log(10),
    ]


def _pairs(
    prediction: Iterable[np.ndarray], ground_truth: Iterable[np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    try:
        yield from zip(prediction, ground_truth, strict=True)
    except ValueError as error:
        if "zip()" not in str(error):
            raise
        raise InputError("as many predictions as ground-truth maps are needed; predict every image") from None


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


def _ratio(image: _Pixels, scaling: str) -> float:
    median = np.median(image.predicted)
    if median > 0:
        return float(np.median(image.true) / median)
    if scaling != "none":
        raise InputError(f"{image.name}: the predicted depth's median is {median:g}, so it cannot be scaled")
    return float("nan")


def _notes(empty: Sequence[str]) -> tuple[str, ...]:
    if not empty:
        return ()
    more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
    return (f"{len(empty)} images have no valid ground truth and are left out: {', '.join(empty[:10])}{more}",)
