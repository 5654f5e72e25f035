"""A run as objects: what ``vode.run`` returns, and what is read from a folder later."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from vode.cameras.calibration import load_calibration
from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.io.array_files.reading import open_archive
from vode.io.trajectory import Trajectory, read_trajectory
from vode.pipelines.run.folder import OUTPUTS, read_summary
from vode.reconstruction.ply import read_ply


class VideoRun:
    """The outputs of a run in its folder, each read when it is asked for."""

    def __init__(self, folder: Path | str) -> None:
        """InputError for a folder without a run."""
        self.folder = Path(folder)
        self.summary: dict[str, Any] = read_summary(self.folder)
        """the content of run.json"""

    def __repr__(self) -> str:
        source = self.summary["source"]
        return f"VideoRun({str(self.folder)!r}, {source['frames_done']} frames of {source['address']})"

    @property
    def state(self) -> str:
        """running, finished, limited (to so many frames), interrupted or disk full."""
        return self.summary["state"]

    @property
    def notes(self) -> list[str]:
        """What is to be distrusted."""
        return self.summary["notes"]

    @cached_property
    def trajectory(self) -> Trajectory:
        """Poses of all frames, world-from-camera, world = the first camera."""
        return read_trajectory(self._file("trajectory"))

    @cached_property
    def camera(self) -> Camera:
        """The camera of the images as they came, with its lens."""
        calibration = load_calibration(self._file("calibration"))
        assert calibration.size is not None
        return calibration.camera(calibration.size)

    @cached_property
    def cloud(self) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) float32 in the world, and their RGB (N, 3) uint8."""
        return read_ply(self._file("cloud"))

    @property
    def depth_frames(self) -> list[int]:
        """The frames whose depth is known."""
        with open_archive(self._file("depth_maps")) as maps:
            return [int(name) for name in maps.names if name.isdigit()]

    def depth(self, frame: int) -> np.ndarray:
        """Depth (h, w) float32 of a frame as the network sees it, undistorted, 0 = unknown, in the path's unit."""
        with open_archive(self._file("depth_maps")) as maps:
            if f"{frame:06d}" not in maps.names:
                raise InputError(f"{self.folder}: no depth of frame {frame}; depth_frames names those that have some")
            return maps[f"{frame:06d}"].astype(np.float32)

    def depth_maps(self) -> Iterator[tuple[int, np.ndarray]]:
        """The depth of every frame that has some, with its number, one at a time."""
        for frame in self.depth_frames:
            yield frame, self.depth(frame)

    @cached_property
    def depth_intrinsics(self) -> np.ndarray:
        """Camera matrix (3, 3) float64 of the depth maps."""
        with open_archive(self._file("depth_maps")) as maps:
            return maps["intrinsics"]

    def _file(self, output: str) -> Path:
        file = self.folder / OUTPUTS[output]
        if not file.exists():
            raise InputError(f"{file}: not there, as the run is {self.state}; resume it", "resume")
        return file
