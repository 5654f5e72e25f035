"""Rows of a time, a position and a quaternion, whichever order its parts are in."""

from __future__ import annotations

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry import pose
from vode.io.trajectory_formats.clock import Times
from vode.io.trajectory_formats.rows import PoseRows
from vode.io.trajectory_formats.table import Table

_ZERO, _OFF = 1e-6, 0.05
"""lengths of a quaternion that is none, and how far from 1 that of a rounded one may be"""


def pose_rows(table: Table, columns: tuple[int, int, int, int], clock: Times) -> PoseRows:
    """The poses of rows whose columns 1 to 3 are the position and ``columns`` w, x, y and z of the quaternion.

    A quaternion 0 0 0 0 marks a lost pose; where all are, there are positions alone. InputError for a quaternion that
    is far from length 1: then the columns mean something else.
    """
    quaternion, position = table.values[:, list(columns)], table.values[:, 1:4]
    missing = ~torch.cat([clock.seconds[:, None], position, quaternion], dim=1).isfinite().all(dim=1)
    length = quaternion.norm(dim=1)
    zero = ~missing & (length < _ZERO)
    wrong = ~missing & ~zero & ((length - 1).abs() > _OFF)
    if bool(wrong.any()):
        row = int(wrong.int().argmax())
        raise InputError(
            f"{table.at(row)}: the quaternion has length {float(length[row]):.3g}, not 1; "
            "give rows of time, position, quaternion"
        )
    oriented = bool((~missing & ~zero).any()) or not bool(zero.any())
    notes = clock.note(table.path) + _zero_note(table, zero, oriented)
    if oriented:
        missing = missing | zero
    usable = torch.where((missing | zero)[:, None], torch.tensor([1.0, 0, 0, 0]), quaternion)
    poses = pose.from_rotation_translation(pose.quaternion_to_matrix(usable), position)
    return PoseRows(
        table.path,
        poses,
        missing,
        table.lines,
        clock.seconds,
        oriented=oriented,
        notes=notes,
        separator=table.separator,
    )


def table_of(poses: Tensor) -> tuple[Tensor, Tensor]:
    """Positions (N, 3) and quaternions (N, 4), w first, of poses (N, 4, 4)."""
    return poses[:, :3, 3], pose.matrix_to_quaternion(poses[:, :3, :3])


def _zero_note(table: Table, zero: Tensor, oriented: bool) -> tuple[str, ...]:
    count = int(zero.sum())
    if count == 0:
        return ()
    if not oriented:
        return (f"{table.path}: all {count} quaternions are 0 0 0 0, so it has positions alone",)
    first = table.at(int(zero.int().argmax()))
    return (f"{first}: the quaternion is 0 0 0 0, as in {count} rows in all; these poses are left out",)
