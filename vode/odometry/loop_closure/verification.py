"""Whether two keyframes show the same place, and the similarity between them: two views, then depth on both sides."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.geometry import similarity
from vode.geometry.pose import inverse, rotation_angle
from vode.geometry.two_view import TwoViewOptions, relative_pose
from vode.odometry.loop_closure.keyframes import Keyframe, root_sift
from vode.odometry.options import VerificationOptions

REGIONS = 4
"""of the image, down and across"""
SAME_DEPTH = 0.3
"""difference of logarithms up to which two depths agree"""
ROUNDING = 1e-5
"""squared distance of descriptors that float32 products cannot tell from 0"""


class Loop(NamedTuple):
    """Two keyframes, by their numbers, that show the same place."""

    first: int
    second: int
    """the later one"""
    S_first_second: Tensor
    """(4, 4) float64 similarity: takes points of the second, in the unit of its depth, to the first, in that of its"""
    distance: float
    """median depth of the first"""
    inliers: int
    """matches that the motion explains"""


def verify(
    first: Keyframe,
    second: Keyframe,
    intrinsics: Tensor,
    size: tuple[int, int],
    options: VerificationOptions = VerificationOptions(),
) -> tuple[Tensor, int] | None:
    """The similarity (4, 4) from the second keyframe to the first, and its inliers; None unless all tests are passed.

    intrinsics (3, 3) and ``size`` (height, width) of the images. Two views must explain the matches; then each pose by
    PnP on one keyframe's depth must agree with that on the other's, and with the depths themselves.
    """
    a, b = match(first.descriptors, second.descriptors, options.ratio)
    if len(a) < options.inliers:
        return None
    at_first, at_second = (torch.from_numpy(x)[None].double() for x in (first.pixels[a], second.pixels[b]))
    solver = TwoViewOptions(min_inliers=options.inliers)
    camera = intrinsics.double()
    view = relative_pose(at_first, at_second, camera[None], threshold=options.threshold, options=solver)
    good = view.inliers[0].numpy()
    a, b = a[good], b[good]
    if min(_regions(first.pixels[a], size), _regions(second.pixels[b], size)) < options.regions:
        return None
    known = (first.depth[a] > 0) & (second.depth[b] > 0)
    a, b = a[known], b[known]
    forth = _pnp(first.pixels[a], first.depth[a], second.pixels[b], camera.numpy(), options)
    back = _pnp(second.pixels[b], second.depth[b], first.pixels[a], camera.numpy(), options)
    if forth is None or back is None:
        return None
    (T_second_first, there), (T_first_second, here) = forth, back
    both = there & here
    if both.sum() < options.inliers:
        return None
    points = _points(first.pixels[a[both]], first.depth[a[both]], camera.numpy())
    # the first's depth, seen by the second, is in the unit of the first
    ratio = np.log(_z(T_second_first, points)) - np.log(second.depth[b[both]])
    points = _points(second.pixels[b[both]], second.depth[b[both]], camera.numpy())
    opposite = np.log(first.depth[a[both]]) - np.log(_z(T_first_second, points))
    S = _agreed(inverse(T_second_first), T_first_second, (ratio, opposite), first.distance, options)
    return None if S is None else (S, int(both.sum()))


def match(a: np.ndarray, b: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of descriptors (N, 128) and (M, 128) that are each other's best match, by far the best in both sets."""
    if min(len(a), len(b)) < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    squared = 2 - 2 * root_sift(a) @ root_sift(b).T
    distance = np.sqrt(np.where(squared < ROUNDING, 0, squared))
    to_b, to_a = distance.argmin(1), distance.argmin(0)
    rows, columns = np.arange(len(a)), np.arange(len(b))
    forth, back = np.partition(distance, 1, 1)[:, 1], np.partition(distance, 1, 0)[1]
    good = (to_a[to_b] == rows) & (distance[rows, to_b] < ratio * np.minimum(forth, back[to_b]))
    return rows[good], columns[to_b[good]]


def _regions(pixels: np.ndarray, size: tuple[int, int]) -> int:
    """How many regions of the image pixels (N, 2) lie in."""
    column, row = ((pixels + 0.5) / (size[1], size[0]) * REGIONS).astype(int).clip(0, REGIONS - 1).T
    return len(np.unique(row * REGIONS + column))


def _points(pixels: np.ndarray, depth: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """Camera points (N, 3)."""
    xy = (pixels - camera[:2, 2]) / camera[[0, 1], [0, 1]]
    return np.concatenate([xy, np.ones_like(xy[:, :1])], 1) * depth[:, None].astype(float)


def _z(T_b_a: Tensor, points: np.ndarray) -> np.ndarray:
    return np.maximum(points @ T_b_a[2, :3].numpy() + float(T_b_a[2, 3]), 1e-6)


def _pnp(
    pixels: np.ndarray, depth: np.ndarray, seen: np.ndarray, camera: np.ndarray, options: VerificationOptions
) -> tuple[Tensor, np.ndarray] | None:
    """Motion (4, 4) to the view that sees points of a depth at pixels (N, 2), and its inliers (N,) bool."""
    if len(pixels) < options.inliers:
        return None
    points, seen, limit = _points(pixels, depth, camera), seen.astype(float), 2 * options.threshold
    cv2.setRNGSeed(0)
    solved, rotation, translation, inliers = cv2.solvePnPRansac(
        points, seen, camera, None, iterationsCount=300, reprojectionError=limit
    )
    if not solved or inliers is None or len(inliers) < options.inliers:
        return None
    chosen = inliers[:, 0]
    rotation, translation = cv2.solvePnPRefineLM(points[chosen], seen[chosen], camera, None, rotation, translation)
    again = cv2.projectPoints(points, rotation, translation, camera, None)[0][:, 0]
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = cv2.Rodrigues(rotation)[0], translation[:, 0]
    if not np.isfinite(T).all():
        return None
    return torch.from_numpy(T), (np.linalg.norm(again - seen, axis=1) < limit) & (points @ T[2, :3] + T[2, 3] > 0)


def _agreed(
    one: Tensor, other: Tensor, ratios: tuple[np.ndarray, np.ndarray], distance: float, options: VerificationOptions
) -> Tensor | None:
    """One similarity of two motions, in the units of either depth, and the log ratios of these; None if they differ."""
    scales = [float(np.median(ratio)) for ratio in ratios]
    scale = float(np.exp(np.mean(scales)))
    agreeing = min(float((np.abs(ratio - x) < SAME_DEPTH).mean()) for ratio, x in zip(ratios, scales, strict=True))
    turned = float(rotation_angle(one[:3, :3].mT @ other[:3, :3]))
    moved, too = one[:3, 3], scale * other[:3, 3]
    differences = (abs(scales[0] - scales[1]), turned, float((moved - too).norm()) / distance)
    far = float(moved.norm()) > options.distance * distance
    if far or max(differences) > options.agreement or agreeing < options.depth:
        return None
    rotation = torch.linalg.svd((one + other)[:3, :3])
    return similarity.from_parts(torch.tensor(scale, dtype=torch.float64), rotation.U @ rotation.Vh, (moved + too) / 2)
