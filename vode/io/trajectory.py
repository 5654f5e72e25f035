"""Camera trajectories, and their KITTI and TUM files.

KITTI rows hold 12 numbers, the upper 3x4 of a world-from-camera matrix, row by row; or 13, with the frame
index first. TUM rows hold ``t tx ty tz qx qy qz qw``. Blank lines and lines that start with # are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry import pose
from vode.io.atomic import write_bytes

_COLUMNS = {8: "TUM", 12: "KITTI", 13: "KITTI with frame index"}


Values = Tensor | np.ndarray | Sequence[float]


@dataclass(frozen=True, eq=False, init=False)
class Trajectory:
    """N camera poses of one video, in the order of their frames."""

    poses: Tensor
    """(N, 4, 4) float64 world-from-camera, metres or up to scale"""
    timestamps: Tensor | None
    """(N,) float64 seconds"""
    indices: Tensor
    """(N,) int64 frame numbers"""
    name: str
    """where it comes from, for messages"""
    dropped: int
    """number of poses that the file or array held without usable numbers (NaN)"""

    def __init__(
        self,
        poses: Tensor | np.ndarray,
        timestamps: Values | None = None,
        indices: Values | None = None,
        name: str = "trajectory",
        dropped: int = 0,
    ) -> None:
        """Tensors or arrays, kept on the CPU; ``indices`` are 0..N-1 unless given. ValueError for other shapes."""
        if poses.ndim != 3 or poses.shape[1:] != (4, 4):
            raise ValueError(f"poses are (N, 4, 4), not {tuple(poses.shape)}")
        frames = {
            "indices": _tensor(range(len(poses)) if indices is None else indices, torch.int64),
            "timestamps": None if timestamps is None else _tensor(timestamps, torch.float64),
        }
        for key, values in frames.items():
            if values is not None and values.shape != (len(poses),):
                raise ValueError(f"{len(poses)} poses need as many {key}, not {tuple(values.shape)}")
        fields = {**frames, "poses": _tensor(poses, torch.float64), "name": name, "dropped": dropped}
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    def __len__(self) -> int:
        return len(self.poses)

    @property
    def positions(self) -> Tensor:
        """Camera centres (N, 3) in the world."""
        return self.poses[:, :3, 3]

    def distances(self) -> Tensor:
        """Length of the path from the first pose to each (N,)."""
        steps = self.positions.diff(dim=0).norm(dim=-1)
        return torch.cat([steps.new_zeros(min(len(self), 1)), steps.cumsum(0)])

    def select(self, rows: Tensor) -> Trajectory:
        """The poses at ``rows`` (row numbers or a mask)."""
        timestamps = None if self.timestamps is None else self.timestamps[rows]
        return Trajectory(self.poses[rows], timestamps, self.indices[rows], self.name, self.dropped)

    def moved(self, poses: Tensor) -> Trajectory:
        """The same frames with other ``poses`` (N, 4, 4)."""
        return Trajectory(poses, self.timestamps, self.indices, self.name, self.dropped)

    def from_first(self) -> Trajectory:
        """The same trajectory with the world placed at its first camera."""
        return self.moved(pose.from_first(self.poses))

    def write_kitti(self, path: Path | str, with_index: bool | None = None) -> None:
        """Write KITTI rows of 12 numbers, or 13 with the frame index first.

        By default the index is written if the frames are not simply 0..N-1. The file appears whole or not at all;
        InputError if it cannot be written.
        """
        if with_index is None:
            with_index = not torch.equal(self.indices, torch.arange(len(self)))
        lines = [_text(row) for row in self.poses[:, :3].flatten(1).tolist()]
        if with_index:
            lines = [f"{index} {line}" for index, line in zip(self.indices.tolist(), lines, strict=True)]
        write_bytes(path, "".join(line + "\n" for line in lines).encode())

    def write_tum(self, path: Path | str) -> None:
        """Write TUM rows. The file appears whole or not at all; InputError without timestamps."""
        if self.timestamps is None:
            raise InputError(f"{path}: {self.name} has no timestamps; write a KITTI file")
        quaternion = pose.matrix_to_quaternion(self.poses[:, :3, :3])
        table = torch.cat([self.timestamps[:, None], self.positions, quaternion.roll(-1, dims=-1)], dim=1)
        lines = ["# timestamp tx ty tz qx qy qz qw", *map(_text, table.tolist())]
        write_bytes(path, "".join(line + "\n" for line in lines).encode())


def read_trajectory(path: Path | str) -> Trajectory:
    """Read a KITTI or TUM file; the number of columns tells which.

    Rows with NaN or infinite numbers are dropped and counted in ``dropped``; the other rows keep their
    frame number. Rows are sorted by frame or time. Raises InputError naming the file and line for text that
    is not a number, a wrong number of columns, a matrix that is no rotation, a frame or time given twice,
    and for a file without poses.
    """
    rows, numbers = _read_rows(path)
    table, lines = torch.tensor(rows, dtype=torch.float64), torch.tensor(numbers)
    number = torch.arange(len(table))
    finite = table.isfinite().all(dim=1)
    columns = table.shape[1]
    if columns == 8:
        finite &= table[:, 4:].norm(dim=1) > 1e-6
    if not finite.any():
        raise InputError(f"{path}: all {len(table)} poses are NaN; the odometry failed on the whole video")
    table, number, lines = table[finite], number[finite], lines[finite]
    if columns == 13:
        number = _frame_numbers(path, table[:, 0], lines)
    poses = _poses_of_tum(table) if columns == 8 else _poses_of_kitti(table[:, -12:])
    _check_rotations(path, poses, lines)
    timestamps = table[:, 0] if columns == 8 else None
    key = number if timestamps is None else timestamps
    order = key.argsort(stable=True)
    again = (key[order].diff() == 0).nonzero().flatten()
    if len(again):
        line, what = int(lines[order[again[0] + 1]]), "frame" if timestamps is None else "time"
        raise InputError(f"{path}:{line}: the same {what} a second time; keep one pose for each {what}")
    return Trajectory(
        poses[order],
        None if timestamps is None else timestamps[order],
        number[order],
        name=str(path),
        dropped=int((~finite).sum()),
    )


def as_trajectory(source: Trajectory | Path | str | Tensor | np.ndarray, name: str = "trajectory") -> Trajectory:
    """A trajectory as it is, that of a KITTI or TUM file, or that of poses (N, 4, 4), world-from-camera, by frame.

    Of poses, as of a file, those with NaN or infinite numbers are dropped and counted. Raises InputError, under
    ``name``, for poses that are no rigid motions, and where no pose is left.
    """
    if isinstance(source, Trajectory):
        return source
    if isinstance(source, (Path, str)):
        return read_trajectory(source)
    whole = Trajectory(source, name=name)
    finite = whole.poses.isfinite().flatten(1).all(dim=1)
    if not finite.any():
        raise InputError(f"{name}: all {len(whole)} poses are NaN; the odometry failed on the whole video")
    kept = replace(whole.select(finite), dropped=int((~finite).sum()))
    wrong = kept.indices[~pose.is_rigid(kept.poses)]
    if len(wrong):
        raise InputError(f"{name}: pose {wrong[0]} is no rigid motion; give world-from-camera [R | t] over 0 0 0 1")
    return kept


def _read_rows(path: Path | str) -> tuple[list[list[float]], list[int]]:
    """The numbers of each row, and each row's line number; all rows have the same, known length."""
    rows: list[list[float]] = []
    lines: list[int] = []
    for line, text in enumerate(_read_text(path).splitlines(), start=1):
        words = text.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            row = [float(word) for word in words]
        except ValueError:
            raise InputError(f"{path}:{line}: not a number in '{text.strip()[:60]}'; correct the line") from None
        if len(row) not in _COLUMNS:
            kinds = ", ".join(f"{count} ({name})" for count, name in _COLUMNS.items())
            raise InputError(f"{path}:{line}: {len(row)} columns; a trajectory has {kinds}")
        if rows and len(row) != len(rows[0]):
            raise InputError(f"{path}:{line}: {len(row)} columns after rows of {len(rows[0])}; correct the line")
        rows.append(row)
        lines.append(line)
    if not rows:
        raise InputError(f"{path}: no poses in the file; run the odometry again")
    return rows, lines


def _read_text(path: Path | str) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path and its rights") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text file; give a KITTI or TUM trajectory") from None


def _frame_numbers(path: Path | str, values: Tensor, lines: Tensor) -> Tensor:
    # Beyond 2^53 float64 holds no exact whole numbers, and int64 overflows soon after.
    wrong = (values != values.round()) | (values < 0) | (values > 2**53)
    if wrong.any():
        line, value = lines[wrong][0], values[wrong][0]
        raise InputError(f"{path}:{line}: frame index {value:g} is no whole number; correct the line")
    return values.to(torch.int64)


def _poses_of_kitti(table: Tensor) -> Tensor:
    rows = table.view(-1, 3, 4)
    return pose.from_rotation_translation(rows[..., :3], rows[..., 3])


def _poses_of_tum(table: Tensor) -> Tensor:
    # The file puts w last.
    return pose.from_rotation_translation(pose.quaternion_to_matrix(table[:, 4:].roll(1, dims=-1)), table[:, 1:4])


def _check_rotations(path: Path | str, poses: Tensor, lines: Tensor) -> None:
    wrong = lines[~pose.is_rigid(poses)]
    if len(wrong):
        raise InputError(f"{path}:{wrong[0]}: the 3x3 part is no rotation; give rows of [R | t], world from camera")


def _tensor(values: Values, dtype: torch.dtype) -> Tensor:
    # a copy of an array, which may be read-only or reversed
    return torch.as_tensor(values if isinstance(values, Tensor) else np.array(values)).detach().to("cpu", dtype)


def _text(row: list[float]) -> str:
    # repr is the shortest text that reads back as the same number.
    return " ".join(map(repr, row))
