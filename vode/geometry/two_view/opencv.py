"""OpenCV's robust solver, USAC MAGSAC, as a backend: one pair at a time, on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor


def usac_poses(a: Tensor, b: Tensor, K: Tensor, usable: Tensor, *, threshold: float, seed: int) -> Tensor:
    """Poses T_b_a (B, 4, 4) of pixels (B, N, 2) of cameras K (B, 3, 3), over usable (B, N).

    threshold in pixels. NaN where no pose is found.
    """
    arrays = [x.detach().cpu().numpy() for x in (a, b, K, usable)]
    pairs: Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = zip(*arrays, strict=True)
    poses = [_pose(*pair, threshold, seed) for pair in pairs]
    return torch.from_numpy(np.stack(poses)).to(a) if poses else a.new_zeros(0, 4, 4)


def _pose(a: np.ndarray, b: np.ndarray, K: np.ndarray, usable: np.ndarray, threshold: float, seed: int) -> np.ndarray:
    T_b_a = np.full((4, 4), np.nan)
    a, b = np.ascontiguousarray(a[usable]), np.ascontiguousarray(b[usable])
    if len(a) < 6:
        return T_b_a
    params = cv2.UsacParams()
    params.threshold, params.randomGeneratorState, params.confidence = threshold, seed, 0.9999
    params.maxIterations, params.score, params.loMethod = 1000, cv2.SCORE_METHOD_MAGSAC, cv2.LOCAL_OPTIM_SIGMA
    params.final_polisher, params.isParallel = cv2.MAGSAC, False
    try:
        E, mask = cv2.findEssentialMat(a, b, K, K, None, None, params)
    except cv2.error:
        return T_b_a
    if E is None or E.shape != (3, 3) or mask is None:
        return T_b_a
    _, rotation, translation, _ = cv2.recoverPose(E, a, b, K, mask=mask)
    T_b_a = np.eye(4)
    T_b_a[:3, :3], T_b_a[:3, 3] = rotation, translation[:, 0]
    return T_b_a
