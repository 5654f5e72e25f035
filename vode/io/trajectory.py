"""Camera trajectories: KITTI and TUM files, and matching an estimate with the truth.

KITTI rows hold 12 numbers, the upper 3x4 of a world-from-camera matrix, row by row; or 13, with the frame
index first. TUM rows hold ``t tx ty tz qx qy qz qw``. Blank lines and lines that start with # are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from vode.errors import InputError
from vode.geometry import pose
from vode.io.atomic import write_bytes

_COLUMNS = {8: "TUM", 12: "KITTI", 13: "KITTI with frame index"}


@dataclass(frozen=True, eq=False)
class Trajectory:
    """N camera poses of one video, in the order of their frames.

    ``poses`` (N, 4, 4) float64 world-from-camera, metres or up to scale; ``timestamps`` (N,) float64 seconds or
    None; ``indices`` (N,) int64 frame numbers, 0..N-1 unless given; ``name`` tells where it comes from, for
    messages; ``dropped`` counts poses that the file held without usable numbers (NaN).
    """

    poses: Tensor
    timestamps: Tensor | None = None
    indices: Tensor | None = None
    name: str = "trajectory"
    dropped: int = 0

    def __post_init__(self) -> None:
        if self.poses.ndim != 3 or self.poses.shape[1:] != (4, 4):
            raise ValueError(f"poses are (N, 4, 4), not {tuple(self.poses.shape)}")
        indices = torch.arange(len(self.poses)) if self.indices is None else self.indices.to("cpu", torch.int64)
        timestamps = None if self.timestamps is None else self.timestamps.to("cpu", torch.float64)
        for name, values in (("indices", indices), ("timestamps", timestamps)):
            if values is not None and values.shape != self.poses.shape[:1]:
                raise ValueError(f"{len(self.poses)} poses need as many {name}, not {tuple(values.shape)}")
        object.__setattr__(self, "poses", self.poses.detach().to("cpu", torch.float64))
        object.__setattr__(self, "indices", indices)
        object.__setattr__(self, "timestamps", timestamps)

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
        return self.moved(pose.inverse(self.poses[:1]) @ self.poses)


class Matches(NamedTuple):
    """Frames that an estimate and the truth share: M rows of each, and how they were found."""

    estimate: Trajectory
    ground_truth: Trajectory
    ground_truth_rows: Tensor
    by: str


def associate(
    estimate: Trajectory, ground_truth: Trajectory, *, by: str = "auto", max_difference: float = 0.02
) -> Matches:
    """Match an estimate with the truth, by frame index or by nearest time.

    ``by`` is "index", "time", or "auto": time where both have stamps, else index. By time, each estimated
    pose takes the nearest true one within ``max_difference`` seconds, and each true one is taken once.
    Raises InputError if nothing matches, or times are asked for and missing.
    """
    if by not in ("auto", "index", "time"):
        raise ValueError(f"by is auto, index or time, not {by!r}")
    timed = estimate.timestamps is not None and ground_truth.timestamps is not None
    if by == "time" and not timed:
        lacking = estimate if estimate.timestamps is None else ground_truth
        raise InputError(f"{lacking.name}: no time stamps; match by index, or give a TUM file")
    if timed and by != "index":
        rows, ground_truth_rows = _match_times(estimate.timestamps, ground_truth.timestamps, max_difference)
        how, remedy = "time", f"their stamps differ by more than {max_difference} s: check the clocks"
    else:
        rows, ground_truth_rows = _match_indices(estimate.indices, ground_truth.indices)
        how, remedy = "index", "check that both belong to one video"
    if len(rows) == 0:
        raise InputError(f"{estimate.name}: no frame matches {ground_truth.name} by {how}; {remedy}")
    return Matches(estimate.select(rows), ground_truth.select(ground_truth_rows), ground_truth_rows, how)


def read_trajectory(path: Path | str) -> Trajectory:
    """Read a KITTI or TUM file; the number of columns tells which.

    Rows with NaN or infinite numbers are dropped and counted in ``dropped``; the other rows keep their
    frame number. Rows are sorted by frame or time. Raises InputError naming the file and line for text that
    is not a number, a wrong number of columns, a matrix that is no rotation, a frame or time given twice,
    and for a file without poses.
    """
    rows, lines = _read_rows(path)
    table = torch.tensor(rows, dtype=torch.float64)
    number = torch.arange(len(table))
    finite = table.isfinite().all(dim=1)
    columns = table.shape[1]
    if columns == 8:
        finite &= table[:, 4:].norm(dim=1) > 1e-6
    if not finite.any():
        raise InputError(f"{path}: all {len(table)} poses are NaN; the odometry failed on the whole video")
    table, number, lines = table[finite], number[finite], torch.tensor(lines)[finite]
    if columns == 13:
        number = _frame_numbers(path, table[:, 0], lines)
    poses = _poses_of_tum(table) if columns == 8 else _poses_of_kitti(table[:, -12:])
    _check_rotations(path, poses, lines)
    timestamps = table[:, 0] if columns == 8 else None
    key = number if timestamps is None else timestamps
    order = key.argsort(stable=True)
    again = (key[order].diff() == 0).nonzero().flatten()
    if len(again):
        line = int(lines[order[again[0] + 1]])
        what = "frame" if timestamps is None else "time"
        raise InputError(f"{path}:{line}: the same {what} a second time; keep one pose for each {what}")
    return Trajectory(
        poses[order],
        None if timestamps is None else timestamps[order],
        number[order],
        name=str(path),
        dropped=int((~finite).sum()),
    )


def write_kitti(path: Path | str, trajectory: Trajectory, *, with_index: bool | None = None) -> None:
    """Write KITTI rows of 12 numbers, or 13 with the frame index first.

    By default the index is written if the frames are not simply 0..N-1. The file appears whole or not at all.
    """
    if with_index is None:
        with_index = not torch.equal(trajectory.indices, torch.arange(len(trajectory)))
    rows = [_text(row) for row in trajectory.poses[:, :3].flatten(1).tolist()]
    if with_index:
        rows = [f"{index} {row}" for index, row in zip(trajectory.indices.tolist(), rows, strict=True)]
    write_bytes(path, "".join(row + "\n" for row in rows).encode())


def write_tum(path: Path | str, trajectory: Trajectory) -> None:
    """Write TUM rows. The file appears whole or not at all. Raises InputError without time stamps."""
    if trajectory.timestamps is None:
        raise InputError(f"{path}: {trajectory.name} has no time stamps; write a KITTI file")
    quaternion = pose.matrix_to_quaternion(trajectory.poses[:, :3, :3])
    table = torch.cat([trajectory.timestamps[:, None], trajectory.positions, quaternion.roll(-1, dims=-1)], dim=1)
    head = "# timestamp tx ty tz qx qy qz qw\n"
    write_bytes(path, (head + "".join(_text(row) + "\n" for row in table.tolist())).encode())


def _match_indices(estimate: Tensor, ground_truth: Tensor) -> tuple[Tensor, Tensor]:
    order = ground_truth.argsort(stable=True)
    at = torch.searchsorted(ground_truth[order], estimate).clamp(max=max(len(ground_truth) - 1, 0))
    same = ground_truth[order][at] == estimate if len(ground_truth) else torch.zeros_like(estimate, dtype=torch.bool)
    return same.nonzero().flatten(), order[at[same]] if len(ground_truth) else estimate[:0]


def _match_times(estimate: Tensor, ground_truth: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    if len(ground_truth) == 0 or len(estimate) == 0:
        return torch.arange(0), torch.arange(0)
    order = ground_truth.argsort(stable=True)
    after = torch.searchsorted(ground_truth[order], estimate).clamp(max=len(ground_truth) - 1)
    both = torch.stack([(after - 1).clamp(min=0), after])
    gaps = (ground_truth[order][both] - estimate).abs()
    nearest = gaps.argmin(dim=0)
    gap, taken = gaps.gather(0, nearest[None])[0], both.gather(0, nearest[None])[0]
    # Of the poses that want one true pose, the nearest keeps it.
    best = torch.full_like(ground_truth, float("inf")).scatter_reduce(0, taken, gap, "amin")
    rows = ((gap <= limit) & (gap == best[taken])).nonzero().flatten()
    first = torch.full_like(order, len(estimate)).scatter_reduce(0, taken[rows], rows, "amin")
    rows = rows[first[taken[rows]] == rows]
    return rows, order[taken[rows]]


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
        at = int(wrong.int().argmax())
        raise InputError(f"{path}:{lines[at]}: frame index {values[at]:g} is no whole number; correct the line")
    return values.to(torch.int64)


def _poses_of_kitti(table: Tensor) -> Tensor:
    rows = table.view(-1, 3, 4)
    return pose.from_rotation_translation(rows[..., :3], rows[..., 3])


def _poses_of_tum(table: Tensor) -> Tensor:
    # The file puts w last.
    return pose.from_rotation_translation(pose.quaternion_to_matrix(table[:, 4:].roll(1, dims=-1)), table[:, 1:4])


def _check_rotations(path: Path | str, poses: Tensor, lines: Tensor) -> None:
    rotation = poses[:, :3, :3]
    error = (rotation @ rotation.mT - torch.eye(3, dtype=torch.float64)).abs().amax(dim=(1, 2))
    wrong = (error > 1e-2) | (torch.linalg.det(rotation) < 0)
    if wrong.any():
        at = int(wrong.int().argmax())
        raise InputError(f"{path}:{lines[at]}: the 3x3 part is no rotation; give rows of [R | t], world from camera")


def _text(row: list[float]) -> str:
    # repr is the shortest text that reads back as the same number.
    return " ".join(map(repr, row))
