"""Camera trajectories, and their files: KITTI, TUM, EuRoC and others that ``vode.io.trajectory_formats`` reads."""

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
from vode.io.trajectory_formats import euroc, kitti, tum
from vode.io.trajectory_formats.detect import read_rows
from vode.io.trajectory_formats.names import Format
from vode.io.trajectory_formats.rows import PoseRows, positions_alone

Values = Tensor | np.ndarray | Sequence[float]


@dataclass(frozen=True)
class Provenance:
    """What is known of a trajectory beside its numbers."""

    numbered: bool = True
    """the indices are frame numbers, not just the places of the rows"""
    oriented: bool = True
    """it has rotations; else those of the poses are the identity, and the positions alone count"""
    notes: tuple[str, ...] = ()
    """what whoever reads a result must know of the source"""
    computed: bool = False
    """a tracker found it: its rotations are meant, whatever they are"""


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
    provenance: Provenance

    def __init__(
        self,
        poses: Tensor | np.ndarray,
        timestamps: Values | None = None,
        indices: Values | None = None,
        name: str = "trajectory",
        dropped: int = 0,
        provenance: Provenance | None = None,
    ) -> None:
        """Tensors or arrays, kept on the CPU; ``indices`` are 0..N-1 unless given. ValueError for other shapes.

        Poses with timestamps and no indices are taken to be of the frames at these times, whatever their numbers.
        """
        if poses.ndim != 3 or poses.shape[1:] != (4, 4):
            raise ValueError(f"poses are (N, 4, 4), not {tuple(poses.shape)}")
        frames = {
            "indices": _tensor(range(len(poses)) if indices is None else indices, torch.int64),
            "timestamps": None if timestamps is None else _tensor(timestamps, torch.float64),
        }
        for key, values in frames.items():
            if values is not None and values.shape != (len(poses),):
                raise ValueError(f"{len(poses)} poses need as many {key}, not {tuple(values.shape)}")
        provenance = provenance or Provenance(numbered=indices is not None or timestamps is None)
        known = {"name": name, "dropped": dropped, "provenance": provenance}
        fields = {**frames, "poses": _tensor(poses, torch.float64), **known}
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
        return replace(self, poses=self.poses[rows], timestamps=timestamps, indices=self.indices[rows])

    def moved(self, poses: Tensor) -> Trajectory:
        """The same frames with other ``poses`` (N, 4, 4)."""
        return replace(self, poses=poses)

    def shifted(self, seconds: float) -> Trajectory:
        """The same poses ``seconds`` later; InputError without timestamps, unless it is by 0."""
        if seconds == 0:
            return self
        if self.timestamps is None:
            raise InputError(f"{self.name}: no timestamps to add {seconds} s to; give the time of each frame", "times")
        return replace(self, timestamps=self.timestamps + seconds)

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
        write_bytes(path, kitti.text(self.poses, self.indices if with_index else None).encode())

    def write_tum(self, path: Path | str) -> None:
        """Write TUM rows. The file appears whole or not at all; InputError without timestamps."""
        write_bytes(path, tum.text(self.poses, self._times_for(path)).encode())

    def write_euroc(self, path: Path | str) -> None:
        """Write EuRoC's CSV, times in nanoseconds. The file appears whole or not at all; InputError without times."""
        write_bytes(path, euroc.text(self.poses, self._times_for(path)).encode())

    def write(self, path: Path | str, format: Format) -> None:
        """Write a file of this format, by ``write_kitti``, ``write_tum`` or ``write_euroc``."""
        {"kitti": self.write_kitti, "tum": self.write_tum, "euroc": self.write_euroc}[format](path)

    def _times_for(self, path: Path | str) -> Tensor:
        if self.timestamps is None:
            raise InputError(f"{path}: {self.name} has no timestamps; write a KITTI file")
        return self.timestamps


def read_trajectory(path: Path | str) -> Trajectory:
    """Read a trajectory file: KITTI or TUM rows, 4x4 rows, EuRoC's CSV or a .npy of poses; its content tells which.

    Rows with NaN or infinite numbers, or a quaternion 0 0 0 0, are dropped and counted in ``dropped``; the other rows
    keep their frame number. If all quaternions are 0 0 0 0, the positions are kept. Rows are sorted by frame or time.
    Raises InputError naming the file and line for text that is not a number, a wrong number of columns, a matrix that
    is no rotation, a frame or time given twice, and for a file without poses.
    """
    rows = read_rows(path)
    kept = ~rows.missing
    if not bool(kept.any()):
        raise InputError(f"{path}: all {len(kept)} poses are NaN; the odometry failed on the whole video")
    wrong = (kept & ~pose.is_rigid(rows.poses)).nonzero().flatten()
    if len(wrong):
        raise InputError(f"{rows.at(wrong[0])}: the 3x3 part is no rotation; give rows of [R | t], world from camera")
    indices, order = _frame_numbers(rows, kept), torch.arange(len(kept))
    key = indices if rows.timestamps is None else rows.timestamps
    order = key.argsort(stable=True)
    if rows.timestamps is not None:
        indices = torch.empty_like(order).scatter(0, order, torch.arange(len(order)))
    order = order[kept[order]]
    again = (key[order].diff() == 0).nonzero().flatten()
    if len(again):
        what = "frame" if rows.timestamps is None else "time"
        line = rows.at(order[again[0] + 1])
        raise InputError(f"{line}: the same {what} a second time; keep one pose for each {what}")
    back = int((order.diff() < 0).sum())
    notes = (f"{path}: {back} rows come before the one above them; put in order",) if back else ()
    return Trajectory(
        rows.poses[order],
        None if rows.timestamps is None else rows.timestamps[order],
        indices[order],
        name=str(path),
        dropped=int(rows.missing.sum()),
        provenance=Provenance(rows.frames is not None, rows.oriented, rows.notes + notes),
    )


def as_trajectory(source: Trajectory | Path | str | Tensor | np.ndarray, name: str = "trajectory") -> Trajectory:
    """A trajectory as it is, that of a file, or that of poses (N, 4, 4), world-from-camera, by frame.

    Of poses, as of a file, those with NaN or infinite numbers are dropped and counted. Raises InputError, under
    ``name``, for poses that are no rigid motions, and where no pose is left.
    """
    if isinstance(source, Trajectory):
        return source
    if isinstance(source, (Path, str)):
        return read_trajectory(source)
    whole = Trajectory(source, name=name, provenance=Provenance(numbered=False))
    alone = positions_alone(whole.poses)
    if alone is not None:
        note = f"{name}: all rotations are zeros or NaN, so it has positions alone"
        whole = replace(whole.moved(alone), provenance=Provenance(False, False, (note,)))
    finite = whole.poses.isfinite().flatten(1).all(dim=1)
    if not finite.any():
        raise InputError(f"{name}: all {len(whole)} poses are NaN; the odometry failed on the whole video")
    kept = replace(whole.select(finite), dropped=int((~finite).sum()))
    wrong = kept.indices[~pose.is_rigid(kept.poses)]
    if len(wrong):
        raise InputError(f"{name}: pose {wrong[0]} is no rigid motion; give world-from-camera [R | t] over 0 0 0 1")
    return kept


def _frame_numbers(rows: PoseRows, kept: Tensor) -> Tensor:
    """The frame of each row (N,): as it says, or its place."""
    if rows.frames is None:
        return torch.arange(len(kept))
    values = rows.frames
    # Beyond 2^53 float64 holds no exact whole numbers, and int64 overflows soon after.
    wrong = kept & ((values != values.round()) | (values < 0) | (values > 2**53))
    if bool(wrong.any()):
        row = int(wrong.int().argmax())
        raise InputError(f"{rows.at(row)}: frame index {float(values[row]):g} is no whole number; correct the line")
    return torch.where(kept, values, 0.0).to(torch.int64)


def _tensor(values: Values, dtype: torch.dtype) -> Tensor:
    # a copy of an array, which may be read-only or reversed
    return torch.as_tensor(values if isinstance(values, Tensor) else np.array(values)).detach().to("cpu", dtype)
