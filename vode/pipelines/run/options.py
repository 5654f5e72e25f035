"""Options of ``vode run``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vode.errors import InputError
from vode.odometry.metric.options import MetricOptions
from vode.pipelines.export.options import check_installed
from vode.streams.options import StreamOptions


@dataclass(frozen=True)
class RunOptions(MetricOptions, StreamOptions):
    """What is known of the camera, what sees the video, and what is done with it."""

    out: Path | None = None
    """folder for the outputs; default SOURCE-run in the current folder"""
    calibration: Path | None = None
    """calibration file: YAML or JSON of many tools, COLMAP's cameras.txt, KITTI's calib.txt, a line of numbers"""
    fov: float | None = None
    """or the horizontal field of view in degrees"""
    model: str | None = "vode-small"
    """folder of a run, or name of shipped weights; none needs depth of another source, and takes classical flow"""
    backend: Literal["torch", "onnx"] = "torch"
    """what computes the model's depth and flow: torch, or onnxruntime (extra onnx), on the CPU and in 32 bits"""
    adapt: float = 0.0
    """minutes of training on this very video, without labels, before it is tracked; what does not help is not kept"""
    loops: bool = True
    """recognise places that the camera comes back to, and correct the drift in between"""
    limit: int | None = None
    """frames after which it ends"""
    resume: bool = False
    """go on with the run in the folder, where it was interrupted"""
    overwrite: bool = False
    """replace the run in the folder"""
    device: str = "auto"
    """cpu, cuda, ...; auto takes the GPU if there is one"""

    def check(self) -> None:
        """Raise InputError where options contradict one another or are no sensible numbers."""
        self.check_metric()
        if self.calibration is not None and self.fov is not None:
            raise InputError("both a calibration and a field of view; give one of them", "calibration", "fov")
        if not (math.isfinite(self.adapt) and self.adapt >= 0):
            raise InputError(f"{self.adapt} minutes of adaptation; give a number above 0", "adapt")
        if self.adapt and self.model is None:
            raise InputError("adaptation needs weights to start from; name a model", "model", "adapt")
        if self.backend == "onnx":
            check_installed("backend")
            if self.model is None:
                raise InputError("onnx computes the networks of a model; name one", "model", "backend")
        if self.limit is not None and self.limit < 1:
            raise InputError(f"a limit of {self.limit} frames; give 1 or more", "limit")
        if self.resume and self.overwrite:
            raise InputError("to go on with a run and to replace it; choose one", "resume", "overwrite")


LATER = frozenset({"out", "resume", "overwrite", "device", "limit", "speed", "gps", "distance", "between"})
"""options that may differ when a run is resumed"""
