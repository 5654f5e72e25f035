"""What the reader of each format gives: the poses of a file, row by row, as they stand there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from vode.geometry import pose


@dataclass(frozen=True, eq=False)
class PoseRows:
    """The N rows of a file, in its order."""

    path: Path | str
    poses: Tensor
    """(N, 4, 4) float64 world-from-camera; anything in the rows that are ``missing``"""
    missing: Tensor
    """(N,) bool: rows without usable numbers"""
    lines: Tensor
    """(N,) line numbers in a text file, pose numbers in an array"""
    timestamps: Tensor | None = None
    """(N,) float64 seconds"""
    frames: Tensor | None = None
    """(N,) float64 frame numbers, where rows begin with one"""
    oriented: bool = True
    """whether there are rotations; else those of the poses are the identity"""
    notes: tuple[str, ...] = ()
    """what a reader of results must know"""
    separator: str = ":"
    """between the file and the line in messages"""

    def at(self, row: int | Tensor) -> str:
        """The place of a row, for messages."""
        return f"{self.path}{self.separator}{int(self.lines[row])}"


def positions_alone(poses: Tensor) -> Tensor | None:
    """Poses (N, 4, 4) with the identity for rotations, where not one of those with a position has one but zeros or NaN.

    None if there are rotations, or no positions. NaN where there is no position.
    """
    rotations, positions = poses[:, :3, :3].flatten(1), poses[:, :3, 3]
    placed = positions.isfinite().all(dim=1)
    none = ~rotations.isfinite().all(dim=1) | (rotations == 0).all(dim=1)
    if not bool(placed.any()) or not bool(none[placed].all()):
        return None
    identity = torch.eye(3, dtype=poses.dtype).expand(len(poses), 3, 3)
    return pose.from_rotation_translation(identity, positions)
