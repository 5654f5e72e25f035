"""Poses of a mapped scene: which of them are poses at all, and in the axes of the first frame."""

from __future__ import annotations

import torch
from torch import Tensor

SKEWED = 0.01
"""largest entry of R R^T - I of a rotation"""


def is_rigid(poses: Tensor) -> Tensor:
    """Whether poses (N, 4, 4) are finite, their last row 0 0 0 1 and their rotations ones: bool (N,)."""
    rotation, last = poses[:, :3, :3], torch.eye(4, dtype=poses.dtype)[3]
    skew = (rotation @ rotation.mT - torch.eye(3, dtype=poses.dtype)).abs().amax((1, 2))
    whole = poses.isfinite().all(-1).all(-1) & ((poses[:, 3] - last).abs() < 1e-6).all(-1)
    return whole & (skew.nan_to_num(1.0) < SKEWED) & (torch.linalg.det(rotation) > 0)


def left_out_note(kept: Tensor, what: str = "frames whose pose is not finite or no rotation") -> tuple[str, ...]:
    """A note that counts what ``kept`` (N,) leaves out; none if that is nothing."""
    count = int((~kept).sum())
    return (f"{count} of {len(kept)} {what} are left out",) if count else ()


def from_first(poses: Tensor) -> Tensor:
    """Poses (N, 4, 4) in the axes of the first one."""
    return torch.linalg.solve(poses[:1], poses)
