"""TrianFlow's own tracker (Zhao et al., CVPR 2020, section 3.4, as its code was released), to compare with.

Its thresholds are those of images of 832x256 and of depths of 0.1 to 100. RANSAC of OpenCV begins every search with the
same numbers, so that its ten searches for an essential matrix and five for PnP are one each.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from vode.geometry import matches, warp
from vode.geometry.camera import rays
from vode.geometry.epipolar import epipolar_distance
from vode.geometry.matches import Matches
from vode.geometry.resize import image_size
from vode.odometry.result import Method, Reason

BEST, DRAWN = 0.2, 6000
"""fraction of the pixels, those of the best scores, and number of them, that the fundamental matrix is found from"""
LINE, CONFIDENCE = 0.1, 0.99
"""pixels from epipolar lines, and probability, of RANSAC's matrices"""
KEPT, TRACKED = 0.3, 5000
"""fraction of the pixels, the most visible ones near their lines, and number of them, that the motion is found from"""
LEAST_FLOW = 5.0
"""pixels: mean flow above which the essential matrix is tried"""
LEAST_IN_FRONT = 50
"""matches in front of both cameras above which its motion is taken"""
LEAST_DEPTHS, TRIALS, SAMPLE, RESIDUAL = 100, 100, 3, 1.0
"""points above which a scale is known; number of samples for it, their size, and depth of an inlier"""
MAX_DEPTH, PNP_ITERATIONS, REPROJECTION = 50.0, 1000, 1.0
"""of PnP: depth of a point, effort, and pixels of an inlier"""


@torch.no_grad()
def select_matches(flow_ab: Tensor, flow_ba: Tensor, *, seed: int = 0) -> Matches:
    """Correspondences (1, N) of two frames from flows (1, 2, H, W): visible ones on the lines of a fundamental matrix.

    None where there is no such matrix. The scores are the visibility.
    """
    generator = np.random.default_rng(seed)
    height, width = image_size(flow_ab)
    last = flow_ab.new_tensor([width - 1, height - 1])
    target = warp.flow_target(flow_ab)[0].flatten(1).mT.clamp(torch.zeros_like(last), last)
    grid = warp.flow_target(torch.zeros_like(flow_ab))[0].flatten(1).mT
    mask, score = (x.flatten() for x in matches.flow_scores(flow_ab, flow_ba))
    chosen = _drawn(score, BEST, DRAWN, generator)
    fundamental = _fundamental(grid[chosen], target[chosen])
    if fundamental is None:
        return Matches(grid[None, :0], target[None, :0], score[None, :0])
    distance = epipolar_distance(fundamental.to(grid)[None], grid[None], target[None])[0]
    visible = mask * (distance < LINE)
    chosen = _drawn(visible, KEPT, TRACKED, generator)
    return Matches(grid[chosen][None], target[chosen][None], visible[chosen][None])


@torch.no_grad()
def motion(
    found: Matches, depth_a: Tensor, depth_b: Tensor, intrinsics: Tensor
) -> tuple[Tensor, Method, Reason | None, Tensor]:
    """T_b_a (4, 4) float64 in the unit of the depths, how it was found, why not better, and the matches explained.

    Correspondences (1, N), depths (1, 1, H, W), intrinsics (1, 3, 3). The essential matrix where the mean flow is more
    than ``LEAST_FLOW``, scaled by the depth of b; else PnP on the depth of a; else the identity.
    """
    a, b = (x[0].double().cpu().numpy() for x in found[:2])
    K = intrinsics[0].double().cpu().numpy()
    maps = [depth[0, 0].double().cpu().numpy() for depth in (depth_a, depth_b)]
    pose, reason, explained = _essential_motion(a, b, K)
    if pose is not None:
        scale = _scale(found, pose, maps[1], intrinsics)
        if scale is not None:
            pose[:3, 3] *= scale
            return torch.from_numpy(pose), Method.ESSENTIAL, None, torch.from_numpy(explained)[None]
        reason = Reason.UNKNOWN_SCALE
    pose, explained = _pnp(a, b, maps[0], K)
    if pose is not None:
        return torch.from_numpy(pose), Method.PNP, reason, torch.from_numpy(explained)[None]
    return torch.eye(4, dtype=torch.float64), Method.EXTRAPOLATED, reason, torch.from_numpy(explained)[None]


def fit_ratio(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> float:
    """The factor (no intercept) from x (N,) to y (N,) by RANSAC: least squares over the inliers of the best sample."""
    draws = np.random.default_rng(seed).integers(len(x), size=(TRIALS, SAMPLE))
    factors = (x[draws] * y[draws]).sum(1) / (x[draws] ** 2).sum(1)
    inliers = np.abs(y - factors[:, None] * x) <= RESIDUAL
    best = inliers[inliers.sum(1).argmax()]
    return float((x[best] * y[best]).sum() / (x[best] ** 2).sum()) if best.any() else float("nan")


def _drawn(score: Tensor, fraction: float, count: int, generator: np.random.Generator) -> Tensor:
    """Indices of ``count`` random ones, with replacement, of the best ``fraction`` of scores (N,) that are not zero."""
    values, order = score.topk(int(fraction * len(score)))
    usable = int((values > 0).sum())
    draws = generator.integers(max(usable, 1), size=min(usable, count))
    return order[torch.from_numpy(draws).to(order.device)]


def _fundamental(a: Tensor, b: Tensor) -> Tensor | None:
    if len(a) < 8:
        return None
    pixels = [x.double().cpu().numpy() for x in (a, b)]
    found, _ = cv2.findFundamentalMat(
        pixels[0], pixels[1], method=cv2.FM_RANSAC, ransacReprojThreshold=LINE, confidence=CONFIDENCE
    )
    return None if found is None or found.shape != (3, 3) else torch.from_numpy(found)


def _essential_motion(a: np.ndarray, b: np.ndarray, K: np.ndarray) -> tuple[np.ndarray | None, Reason, np.ndarray]:
    """T_b_a with a translation of length 1, or why there is none; and the matches that it explains."""
    none = np.zeros(len(a), dtype=bool)
    if len(a) < 6 or np.linalg.norm(b - a, axis=1).mean() <= LEAST_FLOW:
        return None, Reason.UNRELIABLE_TRANSLATION, none
    camera = {"focal": K[0, 0], "pp": (K[0, 2], K[1, 2])}
    essential, mask = cv2.findEssentialMat(b, a, **camera, method=cv2.RANSAC, prob=CONFIDENCE, threshold=LINE)
    if essential is None or essential.shape != (3, 3):
        return None, Reason.NO_TWO_VIEW_MOTION, none
    in_front, rotation, translation, _ = cv2.recoverPose(essential, b, a, **camera)
    if in_front <= LEAST_IN_FRONT:
        return None, Reason.NO_TWO_VIEW_MOTION, none
    T_a_b = np.eye(4)
    T_a_b[:3, :3], T_a_b[:3, 3] = rotation, translation[:, 0]
    return np.linalg.inv(T_a_b), Reason.UNKNOWN_SCALE, mask[:, 0] > 0


def _scale(found: Matches, T_b_a: np.ndarray, depth_b: np.ndarray, intrinsics: Tensor) -> float | None:
    """Predicted over triangulated depth in b; None where too few points tell it."""
    ray_a, ray_b = (rays(x, intrinsics)[0, :, :2].double().cpu().numpy() for x in found[:2])
    points = cv2.triangulatePoints(np.eye(4)[:3], T_b_a[:3], ray_a.T.copy(), ray_b.T.copy())
    triangulated = (T_b_a[:3] @ (points / points[3]))[2]
    pixels = found.points_b[0].double().cpu().numpy().round().astype(int)
    height, width = depth_b.shape
    inside = ((pixels >= 0) & (pixels < [width, height])).all(1)
    # of points in one pixel the last counts
    sparse = np.zeros_like(depth_b)
    sparse[pixels[inside, 1], pixels[inside, 0]] = triangulated[inside]
    known = (sparse > 0) & (depth_b > 0)
    if known.sum() <= LEAST_DEPTHS:
        return None
    scale = fit_ratio(sparse[known], depth_b[known])
    return scale if np.isfinite(scale) else None


def _pnp(a: np.ndarray, b: np.ndarray, depth_a: np.ndarray, K: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """T_b_a from points of a at their depth, if there is one, and the matches that it explains."""
    height, width = depth_a.shape
    explained = np.zeros(len(a), dtype=bool)
    places = a.astype(int)
    depth = depth_a[places[:, 1], places[:, 0]]
    usable = ((b >= 0) & (b < [width, height])).all(1) & (depth > 0) & (depth < MAX_DEPTH)
    if usable.sum() <= 4:
        return None, explained
    homogeneous = np.concatenate([a[usable], np.ones((usable.sum(), 1))], 1)
    points = (np.linalg.inv(K) @ homogeneous.T).T * depth[usable, None]
    solved, rotation, translation, inliers = cv2.solvePnPRansac(
        points, b[usable], K, None, iterationsCount=PNP_ITERATIONS, reprojectionError=REPROJECTION
    )
    if not solved or inliers is None:
        return None, explained
    T_b_a = np.eye(4)
    T_b_a[:3, :3], T_b_a[:3, 3] = cv2.Rodrigues(rotation)[0], translation[:, 0]
    explained[np.flatnonzero(usable)[inliers[:, 0]]] = True
    return (T_b_a, explained) if np.isfinite(T_b_a).all() else (None, np.zeros_like(explained))
