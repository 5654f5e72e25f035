"""Points matched between keyframes of a video by SIFT (Lowe, IJCV 2004).

Tracking from frame to frame is more precise but lags behind the motion, and what lags alike in all pairs biases the
focal length; descriptors compare two frames directly, whatever their scale.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import cv2
import numpy as np

from vode.cameras.self_calibration.options import SelfCalibrationOptions

RATIO = 0.8
"""most of the distance to the second nearest descriptor, at which the nearest is taken"""
EPIPOLAR = 1.0
"""pixels that a match may lie off the epipolar line of the most"""
LEAST = 50
"""matches of a pair that is used"""
STILL = 0.02
"""widths of the image that the points of a pair have moved at least, in the median"""
GLANCE = 320
"""pixels of the longer side of images in which the way between keyframes is measured"""
CORNERS = 200
"""most points that are tracked for it"""
RUN, MOST = 8, 200
"""keyframes in a row that are matched, of a video with many, and most that are kept in memory"""


class Matches(NamedTuple):
    """Points of two frames, in pixels from the middle of the image."""

    a: np.ndarray
    """(N, 2)"""
    b: np.ndarray
    """(N, 2)"""
    frames: tuple[int, int]


class _Features(NamedTuple):
    points: np.ndarray
    """(N, 2) pixels from the middle"""
    descriptors: np.ndarray
    """(N, 128) of unit length"""
    frame: int


def match_keyframes(images: Iterable[np.ndarray], options: SelfCalibrationOptions) -> list[Matches]:
    """Matches between the keyframes of RGB images (H, W, 3) uint8, which come in the order of the video."""
    keyframes, way, width = [], _Way(), 1
    for number, image in enumerate(images):
        width = image.shape[1]
        if way.reached(_small(image, GLANCE)[0], options.step):
            keyframes.append((number, *_small(image, options.longest)))
        if len(keyframes) == MOST:
            break
    detector = cv2.SIFT.create(options.features, contrastThreshold=0.02)
    features = {i: _described(detector, *keyframes[i]) for i in _chosen(len(keyframes), options.keyframes)}
    pairs = [(i, i + ahead) for i in features for ahead in options.ahead if i + ahead in features]
    threshold = EPIPOLAR * max(width / options.longest, 1.0)
    found = (_matched(features[i], features[j], threshold) for i, j in pairs)
    return [m for m in found if m is not None and _moved(m.a, m.b) > STILL * width]


def _chosen(count: int, most: int) -> list[int]:
    """All keyframes, or runs of them that lie evenly in the video."""
    if count <= most:
        return list(range(count))
    starts = np.linspace(0, count - RUN, max(most // RUN, 1)).astype(int)
    return sorted({start + k for start in starts.tolist() for k in range(RUN)})


class _Way:
    """How far points have moved since the last keyframe, tracked from frame to frame."""

    def __init__(self) -> None:
        self._before: np.ndarray | None = None
        self._start: np.ndarray = np.zeros((0, 2), np.float32)
        self._now = self._start

    def reached(self, grey: np.ndarray, step: float) -> bool:
        """Whether this frame is the next keyframe: points have moved by ``step`` widths, or most are lost."""
        if self._before is not None and len(self._now):
            # OpenCV's types do not know that the place for the result may be None
            track: Any = cv2.calcOpticalFlowPyrLK
            now, ok, _ = track(self._before, grey, self._now, None)
            kept = ok[:, 0].astype(bool)
            self._start, self._now = self._start[kept], now[kept]
        self._before = grey
        enough = len(self._now) > CORNERS // 8
        if enough and _moved(self._start, self._now) < step * grey.shape[1]:
            return False
        corners = cv2.goodFeaturesToTrack(grey, CORNERS, 0.01, 8)
        self._start = self._now = np.zeros((0, 2), np.float32) if corners is None else np.asarray(corners)[:, 0]
        return True


def _described(detector: cv2.SIFT, number: int, grey: np.ndarray, scale: np.ndarray) -> _Features:
    points, descriptors = detector.detectAndCompute(grey, None)
    if descriptors is None:
        return _Features(np.zeros((0, 2)), np.zeros((0, 128)), number)
    # square roots, whose products compare histograms (Arandjelovic and Zisserman, CVPR 2012)
    roots = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-9))
    middle = (np.array(grey.shape[::-1]) - 1) / 2
    return _Features((np.array([point.pt for point in points]) - middle) / scale, roots, number)


def _matched(a: _Features, b: _Features, threshold: float) -> Matches | None:
    """Mutual nearest neighbours on one epipolar geometry; None if they are few."""
    if min(len(a.points), len(b.points)) < LEAST:
        return None
    alike = a.descriptors @ b.descriptors.T
    nearest, rows = alike.argmax(1), np.arange(len(alike))
    mutual, first = alike.argmax(0)[nearest] == rows, alike[rows, nearest]
    alike[rows, nearest] = -1
    kept = mutual & (1 - first < RATIO**2 * (1 - alike.max(1)))
    points_a, points_b = a.points[kept], b.points[nearest[kept]]
    if len(points_a) < LEAST:
        return None
    _, mask = cv2.findFundamentalMat(points_a, points_b, cv2.USAC_MAGSAC, threshold, 0.999, 2000)
    if mask is None or (inliers := mask[:, 0].astype(bool)).sum() < LEAST:
        return None
    return Matches(points_a[inliers], points_b[inliers], (a.frame, b.frame))


def _moved(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.median(np.linalg.norm(b - a, axis=1)))


def _small(image: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """The grey image with at most ``longest`` pixels a side, and its scales of width and height."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    scale = min(longest / max(height, width), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    resized = grey if scale == 1 else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return resized, np.array(size) / (width, height)
