"""Matrices a row: KITTI's 12 numbers, the upper 3x4 of world-from-camera row by row, or all 16 of the 4x4.

Either may have the frame number first: 13 or 17 numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry import pose
from vode.io.trajectory_formats.rows import PoseRows, positions_alone
from vode.io.trajectory_formats.table import Table

COLUMNS = {12: "KITTI", 13: "KITTI with frame index", 16: "4x4 matrices", 17: "4x4 with frame index"}


def has_last_row(values: Tensor) -> bool:
    """Whether rows (N, C) end with 0 0 0 1, as 4x4 matrices do, where they are finite."""
    finite = values[values.isfinite().all(dim=1)]
    return bool(((finite[:, -4:] - torch.tensor([0.0, 0, 0, 1])).abs() < 1e-6).all())


def read(table: Table) -> PoseRows:
    """The poses of rows of 12, 13, 16 or 17 numbers.

    Without frame numbers a row's place is its frame: InputError if a row may have been left out as an empty line.
    """
    values = table.values
    count = values.shape[1]
    matrices = values[:, -16:] if count in (16, 17) else values[:, -12:]
    known = matrices[:, :12].view(-1, 3, 4)
    poses = pose.from_rotation_translation(known[..., :3], known[..., 3])
    alone = positions_alone(poses)
    numbered = count in (13, 17)
    needed = values if alone is None else torch.cat([values[:, : int(numbered)], known[..., 3]], dim=1)
    missing = ~needed.isfinite().all(dim=1)
    if not numbered and table.gap is not None:
        raise InputError(
            f"{table.path}:{table.gap}: an empty line between the rows, which count the frames; write nan for a frame "
            "without a pose, or remove the line"
        )
    if count in (16, 17):
        _check_last_row(table, ~values.isfinite().all(dim=1))
    note = (f"{table.path}: all rotations are zeros or NaN, so it has positions alone",)
    return PoseRows(
        table.path,
        poses if alone is None else alone,
        missing,
        table.lines,
        frames=values[:, 0] if numbered else None,
        oriented=alone is None,
        notes=() if alone is None else note,
        separator=table.separator,
    )


def text(poses: Tensor, indices: Tensor | None) -> str:
    """Rows of poses (N, 4, 4), with the frame index first if given."""
    lines = [" ".join(map(repr, row)) for row in poses[:, :3].flatten(1).tolist()]
    if indices is not None:
        lines = [f"{index} {line}" for index, line in zip(indices.tolist(), lines, strict=True)]
    return "".join(line + "\n" for line in lines)


def _check_last_row(table: Table, missing: Tensor) -> None:
    matrix = table.values[:, -16:].view(-1, 4, 4)
    last = torch.eye(4, dtype=torch.float64)[3]
    wrong = ~missing & ((matrix[:, 3] - last).abs() > 1e-6).any(dim=1)
    if not bool(wrong.any()):
        return
    row = int(wrong.int().argmax())
    turned = bool(((matrix[row, :, 3] - last).abs() < 1e-6).all())
    remedy = "it is written column by column: transpose it" if turned else "give rows of [R | t] over 0 0 0 1"
    raise InputError(f"{table.at(row)}: the 4x4 matrix does not end with 0 0 0 1; {remedy}")
