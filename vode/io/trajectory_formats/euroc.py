"""EuRoC and TUM-VI: rows of nanoseconds, position and quaternion, w first, between commas; velocities may follow."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from vode.errors import InputError
from vode.io.trajectory_formats.clock import Times, named_unit, times
from vode.io.trajectory_formats.quaternion import pose_rows, table_of
from vode.io.trajectory_formats.rows import PoseRows
from vode.io.trajectory_formats.table import Table
from vode.io.trajectory_formats.tum import check_order

HEADER = "#timestamp [ns],p_RS_R_x [m],p_RS_R_y [m],p_RS_R_z [m],q_RS_w [],q_RS_x [],q_RS_y [],q_RS_z []"
BIAS = "b_w_rs"
"""beginning of the names of columns that only states of an IMU have"""
FASTEST = 1e3
"""least nanoseconds between two poses"""


def read(table: Table) -> PoseRows:
    """The poses of rows of 8 or more numbers between commas.

    InputError if neither a header nor nanoseconds tell that the rows are of this format: another order of the
    quaternion would go unnoticed.
    """
    clock = _clock(table)
    columns = table.quaternion()
    check_order(table)
    if columns is None and clock.unit != "nanoseconds":
        raise InputError(
            f"{table.path}: numbers between commas, and no header that says where the quaternion's w is; name the "
            "columns in a first line, or separate TUM rows by spaces"
        )
    rows = pose_rows(table, columns or (4, 5, 6, 7), clock)
    if columns is None:
        note = f"{table.path}: nothing names the order of the quaternion, which is taken for EuRoC's w x y z"
        rows = replace(rows, notes=(*rows.notes, note))
    if any(name.strip().startswith(BIAS) for name in table.header):
        note = (
            f"{table.path}: poses of the body (IMU), whose axes and place differ from a camera's: the ATE alone holds"
        )
        rows = replace(rows, notes=(*rows.notes, note))
    return rows


def text(poses: Tensor, timestamps: Tensor) -> str:
    """Rows of poses (N, 4, 4) and times (N,) in seconds."""
    position, quaternion = table_of(poses)
    rows = zip(timestamps.tolist(), position.tolist(), quaternion.tolist(), strict=True)
    lines = [HEADER, *(",".join([str(round(time * 1e9)), *map(repr, [*p, *q])]) for time, p, q in rows)]
    return "".join(line + "\n" for line in lines)


def _clock(table: Table) -> Times:
    values = table.values[:, 0]
    unit = named_unit(table.header[0]) if table.header else None
    if unit is None and table.header and table.header[0].strip() == "timestamp" and "q_rs" in "".join(table.header):
        steps = values[values.isfinite()].sort().values.diff()
        unit = "nanoseconds" if len(steps) and float(steps.median()) >= FASTEST else None
    return times(values, unit)
