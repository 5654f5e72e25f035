"""Which format a trajectory file has, told by its content alone."""

from __future__ import annotations

from pathlib import Path

from vode.errors import InputError
from vode.io.files import read_bytes
from vode.io.trajectory_formats import euroc, kitti, npy, tum
from vode.io.trajectory_formats.rows import PoseRows
from vode.io.trajectory_formats.table import Table, read_table

KINDS = "KITTI or TUM rows, 4x4 rows, EuRoC CSV or a .npy of poses"


def read_rows(path: Path | str) -> PoseRows:
    """The poses of a file of any of the formats; InputError naming the file, and what is read, for another."""
    data = read_bytes(path)
    if data.startswith(npy.MAGIC):
        return _read(npy.read_array(path, data))
    if data.startswith(b"PK"):
        raise InputError(f"{path}: a .npz or zip archive; save its poses (N, 4, 4) as one .npy")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; give {KINDS}") from None
    return _read(read_table(path, text))


def _read(table: Table) -> PoseRows:
    count = table.values.shape[1]
    if table.quaternion() is not None:
        return euroc.read(table) if table.commas else tum.read(table)
    if count in (12, 13, 16) or (count == 17 and kitti.has_last_row(table.values)):
        return kitti.read(table)
    if table.commas and count >= 8:
        return euroc.read(table)
    if count == 8:
        return tum.read(table)
    kinds = ", ".join(f"{columns} ({name})" for columns, name in (tum.COLUMNS | kitti.COLUMNS).items())
    raise InputError(f"{table.at(0)}: {count} columns; a trajectory has {kinds}, or is a CSV of EuRoC")
