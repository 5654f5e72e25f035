"""Optical flow against the truth: end-point error and KITTI's share of outliers.

Menze, Geiger, "Object scene flow for autonomous vehicles", CVPR 2015: an outlier (Fl) is off by more than
3 pixels and by more than 5 % of the true length. Every measure is over all counted pixels of the set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch
from torch import Tensor

from vode.errors import InputError
from vode.evaluation.result import Number, Result
from vode.geometry.warp import resize_flow

Flows = Tensor | Iterable[Tensor]

_PARTS = {
    "": "all pixels with truth (KITTI: occ)",
    "_noc": "pixels seen in both images",
    "_hidden": "pixels hidden in the second image",
}


def flow_errors(
    prediction: Flows,
    ground_truth: Flows,
    visible: Flows | None = None,
    *,
    noc: Flows | None = None,
    names: Sequence[str] | None = None,
) -> Result:
    """End-point error (px) and outliers (%) of predicted flows, and the end-point error of zero flow.

    ``prediction`` and ``ground_truth`` are (B, 2, H, W) or iterables (generators too) of (2, H, W), in pixels, x
    then y; each image may have its own size; a prediction of another size is resized bilinearly, its values
    scaled. ``visible`` (B, 1, H, W), non-zero where the truth is known, chooses the pixels that count (all,
    if None): KITTI's flow_occ mask, or what both images see. With ``noc``, non-zero where the pixel is not
    occluded, the measures are given for the two parts as well, as ``_noc`` and ``_hidden``; a part without
    pixels is None. Images without a pixel are counted and named. Raises InputError if none has any, or if a
    counted prediction is not finite.
    """
    sums = {part: torch.zeros(4, dtype=torch.float64) for part in (_PARTS if noc is not None else [""])}
    empty, images = [], 0
    for number, (predicted, true, mask, seen) in enumerate(_images(prediction, ground_truth, visible, noc)):
        name = names[number] if names is not None else f"image {number}"
        if not mask.any():
            empty.append(name)
            continue
        images += 1
        per_pixel = _per_pixel(predicted, true)
        if not per_pixel[:, mask].isfinite().all():
            raise InputError(f"{name}: the flow is not finite; check the network's weights and the truth's mask")
        for part, total in sums.items():
            chosen = mask if not part else mask & (seen if part == "_noc" else ~seen)
            total += per_pixel[:, chosen].sum(dim=1)
    if not images:
        raise InputError(f"none of {len(empty)} images has a pixel with true flow; check the truth's masks")
    numbers = [number for part, total in sums.items() for number in _numbers(part, total)]
    numbers += [Number("images", images), Number("images_without_ground_truth", len(empty))]
    return Result("Flow", tuple(numbers), _protocol(visible is not None, list(sums)), notes=_notes(empty))


def _per_pixel(predicted: Tensor, true: Tensor) -> Tensor:
    """(4, H, W) float64: error in pixels, whether it is an outlier, error of zero flow, and one."""
    error, length = (predicted - true).norm(dim=0), true.norm(dim=0)
    outlier = (error > 3) & (error > 0.05 * length)
    return torch.stack([error, outlier.to(error.dtype), length, torch.ones_like(error)])


def _images(
    prediction: Flows, ground_truth: Flows, visible: Flows | None, noc: Flows | None
) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Predicted and true flow (2, H, W) float64, masks of counted and of seen pixels (H, W) bool."""
    masks = [mask for mask in (visible, noc) if mask is not None]
    try:
        for predicted, true, *given in zip(prediction, ground_truth, *masks, strict=True):
            if predicted.ndim != 3 or true.ndim != 3 or len(predicted) != 2 or len(true) != 2:
                raise ValueError(f"a flow is (2, H, W), not {tuple(predicted.shape)} and {tuple(true.shape)}")
            size = true.shape[-2:]
            found = [mask.detach().cpu().reshape(size) > 0 for mask in given]
            everywhere = torch.ones(size, dtype=torch.bool)
            counted = found[0] if visible is not None else everywhere
            seen = found[-1] if noc is not None else everywhere
            resized = resize_flow(predicted.detach().cpu().double()[None], size)[0]
            yield resized, true.detach().cpu().double(), counted, seen
    except ValueError as error:
        if "zip()" not in str(error):
            raise
        raise InputError("as many predicted as true flows and masks are needed; predict every pair") from None


def _numbers(part: str, total: Tensor) -> list[Number]:
    """Means over the pixels of one part; ``total`` (4,) holds the sums of ``_per_pixel``."""
    count = int(total[3])
    epe, outliers, zero = (total[:3] / count).tolist() if count else (None, None, None)
    return [
        Number(f"flow{part}_epe_px", epe, "px"),
        Number(f"fl{part}_percent", None if outliers is None else 100 * outliers, "%"),
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
        "averaging": "over all counted pixels of the set",
        "resizing": "prediction to the truth's size, bilinear, align_corners=False, values scaled",
    }


def _notes(empty: list[str]) -> tuple[str, ...]:
    if not empty:
        return ()
    more = f" and {len(empty) - 10} more" if len(empty) > 10 else ""
    return (f"{len(empty)} images have no pixel with true flow and are left out: {', '.join(empty[:10])}{more}",)
