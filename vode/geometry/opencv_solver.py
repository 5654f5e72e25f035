"""OpenCV's USAC MAGSAC as a backend of two-view motion: one pair after another, on the CPU."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor


def essential_opencv(rays_a: Tensor, rays_b: Tensor, weights: Tensor, threshold: Tensor, *, seed: int) -> Tensor:
    """Essential matrices (B, 3, 3) of rays (B, N, 2); threshold (B,) in ray units; NaN where none is found."""
    cv2.setRNGSeed(seed)
    found = []
    for a, b, weight, limit in zip(rays_a, rays_b, weights, threshold, strict=True):
        keep = (weight > 0).cpu().numpy()
        matrix = None
        if keep.sum() >= 5:
            matrix, _ = cv2.findEssentialMat(
                a.cpu().numpy()[keep],
                b.cpu().numpy()[keep],
                np.eye(3),
                method=cv2.USAC_MAGSAC,
                prob=0.9999,
                threshold=float(limit),
            )
        found.append(np.full((3, 3), np.nan) if matrix is None else matrix[:3])
    return torch.tensor(np.stack(found), dtype=rays_a.dtype, device=rays_a.device)
