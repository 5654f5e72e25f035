"""The folder of a run, read: what was run, and what is known of each of its frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import roma
import torch

from vode.errors import InputError
from vode.io.files import read_bytes
from vode.io.text import parse_json
from vode.io.trajectory import read_trajectory

VERSION = 1
"""of the folder, as run.json tells it"""
LOST = frozenset({"extrapolated", "lost"})
"""methods of frames whose motion nothing told"""


@dataclass(frozen=True, eq=False)
class RunRecord:
    """A run of N frames, which may still be under way or have been interrupted."""

    folder: Path
    run: Mapping[str, Any]
    """run.json"""
    frames: np.ndarray
    """(N,) int64 frame numbers"""
    times: np.ndarray
    """(N,) float64 seconds, not decreasing; the frame numbers where the video has no clock"""
    poses: np.ndarray
    """(N, 4, 4) float64 world-from-camera, corrected where trajectory.tum has as many"""
    methods: tuple[str, ...]
    reasons: tuple[str, ...]
    """empty where there is none"""
    numbers: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(N,) float64 by name, as "inliers", NaN where not known"""
    timed: bool = True
    """``times`` are seconds"""
    corrected: bool = True
    """``poses`` are those of trajectory.tum, and not those of the log"""

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def positions(self) -> np.ndarray:
        """Camera centres (N, 3) in the world: x right, y down, z forward of the first camera."""
        return self.poses[:, :3, 3]

    @cached_property
    def length(self) -> float:
        """Length of the path."""
        return float(np.linalg.norm(np.diff(self.positions, axis=0), axis=1).sum())

    @cached_property
    def lost(self) -> np.ndarray:
        """(N,) bool: frames whose motion nothing told."""
        return np.array([method in LOST for method in self.methods], bool)

    @property
    def metric(self) -> bool:
        """Lengths are in metres."""
        return self.known("scale", "unit") == "metres"

    @property
    def unit(self) -> str:
        """Of lengths, for labels."""
        return "m" if self.metric else "units"

    def known(self, *keys: str) -> Any:
        """What run.json says under these keys, one in the other; None where it does not."""
        value: Any = self.run
        for key in keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def number(self, *keys: str) -> float:
        """A number of run.json; NaN where there is none."""
        return _number(self.known(*keys))

    def items(self, *keys: str) -> list[Any]:
        """A list of run.json; empty where there is none."""
        value = self.known(*keys)
        return value if isinstance(value, list) else []


def read_record(folder: Path | str) -> RunRecord:
    """Read the folder of a run.

    A last line of the log that is incomplete is left out: the run was stopped while it was written. InputError names
    the file that is missing or holds something else, and a folder of a newer version.
    """
    folder = Path(folder)
    run = _run(folder / "run.json")
    rows = _rows(folder / "log.jsonl")
    poses = _poses([row["pose"] for row in rows])
    numbered = np.array([row["frame"] for row in rows], np.int64)
    times = np.array([row["timestamp"] for row in rows], float)
    timed = bool(len(rows) < 2 or (np.isfinite(times).all() and (np.diff(times) >= 0).all() and np.ptp(times) > 0))
    better = _corrected(folder / "trajectory.tum", len(rows))
    return RunRecord(
        folder,
        run,
        numbered,
        times if timed else np.arange(len(rows), dtype=float),
        poses if better is None else better,
        tuple(str(row["method"]) for row in rows),
        tuple(str(row["reason"] or "") for row in rows),
        {key: np.array([_number(row.get(key)) for row in rows], float) for key in _COLUMNS},
        timed=timed,
        corrected=better is not None,
    )


_COLUMNS = ("depth_factor", "depth_factor_deviation", "scale_deviation", "inliers", "seconds")


def _run(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise InputError(f"{path}: no such file; name a folder that vode run has written")
    try:
        run = parse_json(read_bytes(path))
    except ValueError as error:
        raise InputError(f"{path}: is no JSON ({error}); run the video again") from None
    if not isinstance(run, dict):
        raise InputError(f"{path}: is no description of a run; name a folder that vode run has written")
    version = run.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise InputError(f"{path}: is of version {version}, this program reads {VERSION}; update vode")
    return run


def _rows(path: Path) -> list[dict[str, Any]]:
    """The frames of a log, each with its pose (4, 4)."""
    lines = read_bytes(path).split(b"\n") if path.exists() else []
    rows = []
    for number, line in enumerate(lines, start=1):
        # what ends without a line break was being written
        if number == len(lines) or not line.strip():
            continue
        try:
            row = parse_json(line)
            row = {"timestamp": math.nan, "reason": None} | row | {"frame": _frame(row), "pose": _pose(row)}
            row["timestamp"] = _number(row["timestamp"])
            rows.append(row | {"method": row["method"]})
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise InputError(f"{path}:{number}: no frame of a run ({error}); remove the line") from None
    return rows


def _frame(row: Mapping[str, Any]) -> int:
    number = int(row["frame"])
    if not 0 <= number < 2**53:
        raise ValueError("its frame is no number")
    return number


def _pose(row: Mapping[str, Any]) -> list[float]:
    """Position and quaternion (w first) of a row."""
    (px, py, pz), (w, x, y, z) = row["position"], row["quaternion"]
    values = [float(value) for value in (px, py, pz, w, x, y, z)]
    if not all(map(math.isfinite, values)) or not any(values[3:]):
        raise ValueError("its pose is not known")
    return values


def _poses(rows: list[list[float]]) -> np.ndarray:
    values = np.array(rows, float).reshape(-1, 7)
    poses = np.tile(np.eye(4), (len(values), 1, 1))
    quaternions = torch.from_numpy(values[:, [4, 5, 6, 3]])
    poses[:, :3, :3] = roma.unitquat_to_rotmat(torch.nn.functional.normalize(quaternions, dim=1)).numpy()
    poses[:, :3, 3] = values[:, :3]
    return poses


def _corrected(path: Path, count: int) -> np.ndarray | None:
    """The poses of the trajectory, if it has all frames of the log."""
    if not path.exists() or not count:
        return None
    trajectory = read_trajectory(path)
    return trajectory.poses.numpy() if len(trajectory) == count else None


def _number(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return math.nan
    # integers of JSON have no largest value
    return float(value) if abs(value) < 1e300 else math.nan
