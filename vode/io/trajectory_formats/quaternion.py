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
_RARE = 8
"""rows without a quaternion for each with one, beyond which one that never changes is none"""


def pose_rows(table: Table, columns: tuple[int, int, int, int], clock: Times) -> PoseRows:
    """The poses of rows whose columns 1 to 3 are the position and ``columns`` w, x, y and z of the quaternion.

    A quaternion 0 0 0 0 marks a lost pose; where all are, or all NaN, there are positions alone. So they are where most
    are such and the others one and the same. InputError for a quaternion that is far from length 1: then the columns
    mean something else.
    """
    quaternion, position = table.values[:, list(columns)], table.values[:, 1:4]
    placed = torch.cat([clock.seconds[:, None], position], dim=1).isfinite().all(dim=1)
    missing = ~placed | ~quaternion.isfinite().all(dim=1)
    length = quaternion.norm(dim=1)
    zero = ~missing & (length < _ZERO)
    wrong = ~missing & ~zero & ((length - 1).abs() > _OFF)
    if bool(wrong.any()):
        row = int(wrong.int().argmax())
        raise InputError(
            f"{table.at(row)}: the quaternion has length {float(length[row]):.3g}, not 1; "
            "give rows of time, position, quaternion"
        )
    real = ~missing & ~zero
    oriented = _are_rotations(quaternion[real], int((placed & ~real).sum())) or not bool(placed.any())
    if not oriented:
        missing = ~placed
    notes = clock.note(table.path) + _zero_note(table, placed & ~quaternion.isfinite().all(dim=1), zero, oriented)
    if oriented:
        missing = missing | zero
    usable = torch.where((missing | zero)[:, None] | (not oriented), torch.tensor([1.0, 0, 0, 0]), quaternion)
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


def _are_rotations(quaternions: Tensor, zeros: int) -> bool:
    """Whether quaternions (N, 4) are rotations, and not one and the same in a few rows beside zeros or NaN."""
    if len(quaternions) == 0 or zeros <= _RARE * len(quaternions):
        return len(quaternions) > 0
    return bool((quaternions - quaternions[:1]).abs().max() > _ZERO)


def _zero_note(table: Table, nan: Tensor, zero: Tensor, oriented: bool) -> tuple[str, ...]:
    count, lost = int(zero.sum()), int(nan.sum())
    if not oriented:
        kinds = " or ".join(kind for kind, number in (("0 0 0 0", count), ("NaN", lost)) if number)
        same = int((~nan & ~zero).sum())
        rest = f", and the other {same} one and the same" if same else ""
        which = f"{count + lost} quaternions are" if rest else f"all {count + lost} quaternions are"
        return (f"{table.path}: {which} {kinds}{rest}, so it has positions alone",)
    if count == 0:
        return ()
    first = table.at(int(zero.int().argmax()))
    return (f"{first}: the quaternion is 0 0 0 0, as in {count} rows in all; these poses are left out",)
