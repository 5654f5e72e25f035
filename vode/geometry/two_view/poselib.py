"""PoseLib's robust solver as a backend: one pair at a time, on the CPU; needs the extra ``poselib``."""

from __future__ import annotations

import numpy as np
import poselib
import torch
from torch import Tensor

ITERATIONS = (100, 1000)
"""minimum and maximum"""


def ransac_poses(
    rays_a: Tensor, rays_b: Tensor, usable: Tensor, focal: Tensor, *, threshold: float, seed: int
) -> Tensor:
    """Poses T_b_a (B, 4, 4) of rays (B, N, 2) in the plane z = 1, over usable (B, N).

    threshold in pixels at the focal length ``focal`` (B,). NaN where no pose is found.
    """
    arrays = [x.detach().cpu().numpy() for x in (rays_a, rays_b, usable, focal)]
    poses = [_pose(a, b, mask, f, threshold, seed) for a, b, mask, f in zip(*arrays, strict=True)]
    return torch.from_numpy(np.stack(poses)).to(rays_a) if poses else rays_a.new_zeros(0, 4, 4)


def _pose(a: np.ndarray, b: np.ndarray, usable: np.ndarray, focal: float, threshold: float, seed: int) -> np.ndarray:
    T_b_a = np.full((4, 4), np.nan)
    if usable.sum() < 6:
        return T_b_a
    camera = {"model": "SIMPLE_PINHOLE", "width": 0, "height": 0, "params": [focal, 0.0, 0.0]}
    effort = {
        "max_epipolar_error": threshold,
        "min_iterations": ITERATIONS[0],
        "max_iterations": ITERATIONS[1],
        "seed": seed,
    }
    pose, _ = poselib.estimate_relative_pose(a[usable] * focal, b[usable] * focal, camera, camera, effort, {})
    T_b_a = np.eye(4)
    T_b_a[:3, :3] = pose.R
    length = np.linalg.norm(pose.t)
    T_b_a[:3, 3] = pose.t / length if length > 0 else np.nan
    return T_b_a
