"""Edges of depth maps: which of the ground truth's discontinuities a prediction has, and which others.

The F-score of boundaries by the nearest one within a tolerance is that of the iBims-1 and Depth Pro benchmarks (Koch et
al., ECCV Workshops 2018; Bochkovskii et al., ICLR 2025), with an edge told by the ratio of neighbouring depths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy.ndimage import distance_transform_edt

from vode.evaluation.depth import resize_prediction
from vode.evaluation.result import Number, Result

RATIO = 1.25
"""of the depths of two neighbours, above which there is an edge between them"""
TOLERANCE = 2.0
"""pixels between edges of which one is said to meet the other"""
DENSE = 0.5
"""fraction of pixels whose depth is known, from which on edges can be told"""


class EdgeCounts(NamedTuple):
    """Pixels on edges of one image, or of several."""

    predicted: int
    """on the prediction's edges"""
    right: int
    """of these, those that an edge of the ground truth is near"""
    true: int
    """on the ground truth's edges"""
    met: int
    """of these, those that an edge of the prediction is near"""


def depth_edges(depth: np.ndarray, ratio: float = RATIO) -> np.ndarray:
    """Pixels (H, W) bool at an edge: the nearer side of neighbours whose depths (H, W) differ by more than ``ratio``.

    Between a known and an unknown pixel (0), which may be the sky or a hole, there is none.
    """
    log = np.log(depth, out=np.full(depth.shape, np.nan), where=depth > 0)
    edges = np.zeros(depth.shape, dtype=bool)
    for axis in (0, 1):
        step = np.diff(log, axis=axis)
        before, after = (slice(None, -1), slice(1, None))
        farther, nearer = step > np.log(ratio), step < -np.log(ratio)
        edges[(before, slice(None)) if axis == 0 else (slice(None), before)] |= farther
        edges[(after, slice(None)) if axis == 0 else (slice(None), after)] |= nearer
    return edges


def edge_counts(
    prediction: np.ndarray, ground_truth: np.ndarray, *, ratio: float = RATIO, tolerance: float = TOLERANCE
) -> EdgeCounts:
    """Edges of a prediction and of the ground truth (H, W), 0 = unknown, that meet within ``tolerance`` pixels.

    A prediction of another size is resized first. Its scale does not matter. Edges of both count where the ground truth
    is known ``tolerance`` pixels around.
    """
    known = ground_truth > 0
    predicted = depth_edges(resize_prediction(prediction, ground_truth.shape).astype(np.float64), ratio)
    true = depth_edges(ground_truth.astype(np.float64), ratio)
    near_true, near_predicted = _distance(true) <= tolerance, _distance(predicted) <= tolerance
    sure = _distance(~known) > tolerance
    predicted, true = predicted & sure, true & sure
    counts = (predicted.sum(), (predicted & near_true).sum(), true.sum(), (true & near_predicted).sum())
    return EdgeCounts(*map(int, counts))


def edge_scores(counts: EdgeCounts) -> tuple[float, float, float]:
    """Precision, recall and F-score (their harmonic mean); all are 0 without edges."""
    precision, recall = counts.right / max(counts.predicted, 1), counts.met / max(counts.true, 1)
    return precision, recall, 2 * precision * recall / max(precision + recall, 1e-12)


def with_edges(
    result: Result, source: Callable[[int], np.ndarray], truth: Callable[[int], np.ndarray], chosen: Iterable[int]
) -> Result:
    """A result with the edge scores of all images ``chosen``, by pixel; a note instead if none is dense.

    ``source`` and ``truth`` give the predicted and the true depth (H, W) of the image of a number.
    """
    total, images = np.zeros(4, dtype=int), 0
    for i in chosen:
        ground_truth = truth(i)
        if (ground_truth > 0).mean() < DENSE:
            continue
        total += np.array(edge_counts(source(i), ground_truth))
        images += 1
    if not images:
        note = "ground truth is too sparse to tell edges of depth"
        return Result(result.title, result.numbers, result.protocol, result.series, (*result.notes, note))
    names = ("edge_precision", "edge_recall", "edge_f_score")
    scores = edge_scores(EdgeCounts(*map(int, total)))
    numbers = [Number(name, value) for name, value in zip(names, scores, strict=True)]
    edges = f"neighbouring depths with a ratio above {RATIO:g}, met within {TOLERANCE:g} px"
    protocol = {**result.protocol, "edges": f"{edges}; all edge pixels of {images} images"}
    return Result(result.title, (*result.numbers, *numbers), protocol, result.series, result.notes)


def _distance(mask: np.ndarray) -> np.ndarray:
    """Distance in pixels (H, W) of each pixel from the nearest one of a mask (H, W); infinite if there is none."""
    return distance_transform_edt(~mask) if mask.any() else np.full(mask.shape, np.inf)
