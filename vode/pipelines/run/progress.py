"""How far a run is, and what it takes."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from torch import Tensor

from vode.odometry.result import FrameResult


@dataclass(frozen=True)
class Progress:
    """How far a run is."""

    stage: str
    """adapt, track, cloud or depth"""
    done: int
    total: int | None
    """frames, or steps of training; None where nobody knows"""
    frames_per_second: float
    """of what ``total`` counts"""
    seconds_left: float | None
    method: str = ""
    """how the last frame was tracked, or what adaptation works on"""


OnProgress = Callable[[Progress], None]


class SeenFrame(NamedTuple):
    """A frame that was just tracked."""

    result: FrameResult
    image: np.ndarray
    """RGB (H, W, 3) uint8, undistorted"""
    depth: Tensor | None
    """(h, w), in the unit of the depth; None where nobody needed it"""
    intrinsics: Tensor
    """(3, 3) of the image"""


OnFrame = Callable[[SeenFrame], None]


class Meter:
    """Counts what is done in a stage, and tells it from time to time."""

    def __init__(self, stage: str, total: int | None, on_progress: OnProgress, done: int = 0) -> None:
        self.stage, self.total, self._tell = stage, total, on_progress
        self._begun, self._before = time.monotonic(), done

    def __call__(self, done: int, method: str = "") -> None:
        """So many are done."""
        rate = (done - self._before) / max(time.monotonic() - self._begun, 1e-6)
        left = None if self.total is None or rate <= 0 else max(self.total - done, 0) / rate
        self._tell(Progress(self.stage, done, self.total, rate, left, method))


def peak_memory() -> int:
    """The most bytes of memory that this process has had."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
