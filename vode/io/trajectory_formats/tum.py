"""TUM rows: ``t tx ty tz qx qy qz qw``, seconds and metres, separated by spaces or tabs.

A comment above the rows that names the columns has the last word on the order of the quaternion.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from vode.errors import InputError
from vode.io.trajectory_formats.clock import named_unit, times
from vode.io.trajectory_formats.quaternion import pose_rows, table_of
from vode.io.trajectory_formats.rows import PoseRows
from vode.io.trajectory_formats.table import Table

COLUMNS = {8: "TUM"}


def read(table: Table) -> PoseRows:
    """The poses of rows of 8 numbers, or of more if a header names their columns."""
    columns = table.quaternion()
    check_order(table)
    unit = named_unit(table.header[0]) if table.header else None
    clock = times(table.values[:, 0], unit)
    rows = pose_rows(table, columns or (7, 4, 5, 6), clock)
    if columns is not None or clock.unit != "nanoseconds":
        return rows
    # files of nanoseconds often have w first
    note = f"{table.path}: nothing names the order of the quaternion, which is taken for x y z w"
    return replace(rows, notes=(*rows.notes, note))


def check_order(table: Table) -> None:
    """InputError if a header names other columns than time, x, y, z before the quaternion."""
    ends = [name.split("[")[0].split("(")[0].strip()[-1:] for name in table.header[1:4]]
    if table.header and ends != ["x", "y", "z"]:
        named = ", ".join(table.header[:4])
        raise InputError(f"{table.path}: columns {named}; put the time first, then x, y, z and the quaternion")


def text(poses: Tensor, timestamps: Tensor) -> str:
    """Rows of poses (N, 4, 4) and times (N,) in seconds."""
    position, quaternion = table_of(poses)
    table = torch.cat([timestamps[:, None], position, quaternion.roll(-1, dims=-1)], dim=1)
    # repr is the shortest text that reads back as the same number
    lines = ["# timestamp tx ty tz qx qy qz qw", *(" ".join(map(repr, row)) for row in table.tolist())]
    return "".join(line + "\n" for line in lines)
