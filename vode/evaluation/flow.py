"""Optical flow against the ground truth: end-point error and KITTI's fraction of outliers.

Menze, Geiger, "Object scene flow for autonomous vehicles", CVPR 2015: an outlier (Fl) is off by more than
3 pixels and by more than 5 % of the true length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.evaluation.result import Number, Result
from vode.geometry.warp import resize_flow

Maps = Tensor | np.ndarray | Iterable[Tensor | np.ndarray]

_PARTS = {
    "": "all pixels with ground truth (KITTI: occ)",
    "_noc": "pixels seen in both images",
    "_hidden": "pixels hidden in the second image",
}


def evaluate_flow(
    prediction: Maps,
    ground_truth: Maps,
    visible: Maps | None = None,
    noc: Maps | None = None,
    names: Sequence[str] | None = None,
) -> Result:
    """End-point error (px) and outliers (%) of predicted flows, and the end-point error of zero flow.

    ``prediction`` and ``ground_truth`` are NumPy arrays or tensors in pixels, x then y: of one image (2, H, W) or
    (H, W, 2), the first where both fit; of a set with one more axis in front, or an iterable of such maps, of which
    each may have its own size. A prediction of another size is resized bilinearly, its values scaled. ``visible``
    (H, W), (1, H, W) or a set of these, non-zero where the ground truth is known, chooses the pixels that count (all,
    if None): KITTI's flow_occ mask, or what both images see. With ``noc``, non-zero where the pixel is not occluded,
    the measures are given for the two parts as well, as ``_noc`` and ``_hidden``; a part without pixels is None.

    There are two means over a set: ``flow_epe_px`` and ``fl_percent`` over all counted pixels of the set, as KITTI
    counts; ``flow_epe_image_mean_px`` and ``fl_image_mean_percent`` of the images' own values, whatever their pixels.
    Images without a pixel are counted and named (``names``, else their number). Raises InputError if none has any,
    or if a counted prediction is not finite, ValueError for other shapes.
    """
    sums: dict[str, list[Tensor]] = {part: [] for part in (_PARTS if noc is not None else [""])}
    empty = []
    for number, (predicted, true, mask, seen) in enumerate(_images(prediction, ground_truth, visible, noc)):
        name = names[number] if names is not None else f"image {number}"
        if not mask.any():
            empty.append(name)
            continue
        per_pixel = _per_pixel(predicted, true)
        if not per_pixel[:, mask].isfinite().all():
            raise InputError(f"{name}: the flow is not finite; check the network's weights and the ground truth's mask")
        for part, images in sums.items():
            chosen = mask if not part else mask & (seen if part == "_noc" else ~seen)
            images.append(per_pixel[:, chosen].sum(dim=1))
    if not sums[""]:
        raise InputError(f"none of {len(empty)} images has a pixel with true flow; check the ground truth's masks")
    numbers = [number for part, images in sums.items() for number in _numbers(part, torch.stack(images))]
    numbers += [Number("images", len(sums[""])), Number("images_without_ground_truth", len(empty))]
    return Result("Flow", tuple(numbers), _protocol(visible is not None, list(sums)), notes=_notes(empty))


def _per_pixel(predicted: Tensor, true: Tensor) -> Tensor:
    """(4, H, W) float64: error in pixels, whether it is an outlier, error of zero flow, and one."""
    error, length = (predicted - true).norm(dim=0), true.norm(dim=0)
    outlier = (error > 3) & (error > 0.05 * length)
    return torch.stack([error, outlier.to(error.dtype), length, torch.ones_like(error)])


def _images(
    prediction: Maps, ground_truth: Maps, visible: Maps | None, noc: Maps | None
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Predicted and true flow (2, H, W) float64, masks of counted and of seen pixels (H, W) bool."""
    masks = [_each(mask, axes=2) for mask in (visible, noc) if mask is not None]
    try:
        for predicted, true, *given in zip(_each(prediction, 3), _each(ground_truth, 3), *masks, strict=True):
            true_flow = _flow(true)
            height, width = size = true_flow.shape[-2:]
            found = [_mask(mask, size) for mask in given]
            everywhere = torch.ones(size, dtype=torch.bool)
            counted = found[0] if visible is not None else everywhere
            seen = found[-1] if noc is not None else everywhere
            yield resize_flow(_flow(predicted)[None], (height, width))[0], true_flow, counted, seen
    except ValueError as error:
        if "zip()" not in str(error):
            raise
        raise InputError("as many predicted as true flows and masks are needed; predict every pair") from None


def _each(maps: Maps, axes: int) -> Iterator[Tensor]:
    """The maps of a set, or the one map of so many ``axes``, on the CPU."""
    if isinstance(maps, (Tensor, np.ndarray)) and maps.ndim == axes:
        maps = [maps]
    for one in maps:
        yield one.detach().cpu() if isinstance(one, Tensor) else torch.from_numpy(np.array(one))


def _flow(flow: Tensor) -> Tensor:
    """(2, H, W) float64."""
    if flow.ndim == 3 and flow.shape[0] != 2 and flow.shape[-1] == 2:
        flow = flow.movedim(-1, 0)
    if flow.ndim != 3 or flow.shape[0] != 2:
        raise ValueError(f"a flow is (2, H, W) or (H, W, 2), not {tuple(flow.shape)}")
    return flow.double()


def _mask(mask: Tensor, size: torch.Size) -> Tensor:
    """(H, W) bool."""
    if mask.shape[-2:] != size or mask.numel() != size.numel():
        raise ValueError(f"a mask is (H, W) or (1, H, W), for a flow of {tuple(size)} not {tuple(mask.shape)}")
    return mask.reshape(size) > 0


def _numbers(part: str, images: Tensor) -> list[Number]:
    """Means over one part; ``images`` (N, 4) holds each image's sums of ``_per_pixel``."""
    total, known = images.sum(dim=0), images[images[:, 3] > 0]
    count = int(total[3])
    epe, outliers, zero = (total[:3] / count).tolist() if count else (None, None, None)
    epe_mean, outliers_mean = (known[:, :2] / known[:, 3:]).mean(dim=0).tolist() if count else (None, None)
    return [
        Number(f"flow{part}_epe_px", epe, "px"),
        Number(f"flow{part}_epe_image_mean_px", epe_mean, "px"),
        Number(f"fl{part}_percent", None if outliers is None else 100 * outliers, "%"),
        Number(f"fl{part}_image_mean_percent", None if outliers_mean is None else 100 * outliers_mean, "%"),
        Number(f"epe_zero{part}_px", zero, "px"),
        Number(f"pixels{part}", count),
    ]


def _protocol(masked: bool, parts: list[str]) -> dict[str, str]:
    texts = {f"pixels counted{part}": _PARTS[part] for part in parts}
    if not masked:
        texts["pixels counted"] = "all pixels, no mask given"
    return {
        **texts,
        "outlier": "error > 3 px and > 5 % of the true length",
        "averaging": "by pixel, over all counted pixels of the set; image_mean: mean of the images' own values",
        "resizing": "prediction to the ground truth's size, bilinear, align_corners=False, values scaled",
    }


def _notes(empty: list[str]) -> tuple[str, ...]:
    if not empty:
        return ()
    more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
    return (f"{len(empty)} images have no pixel with true flow and are left out: {', '.join(empty[:10])}{more}",)
