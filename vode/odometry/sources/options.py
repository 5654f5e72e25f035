"""Which depth is tracked with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vode.errors import InputError


@dataclass(frozen=True)
class DepthInput:
    """Depth in the place of the run's; with either of these no run is needed, and the flow is then classical."""

    depth_from: Path | None = None
    """folder of depth files, one a frame, named like the images, or after the numbers of a video's frames:
    .npz, .npy or 16-bit PNG"""
    depth_factor: float | None = None
    """what its values are divided by for metres: of PNG it must be given, as 256 or 1000; of .npz and .npy it is 1"""
    depth_scale: Literal["metres", "unknown"] = "metres"
    """unknown: its values are depth up to one factor for the whole video"""
    no_depth: bool = False
    """track without any depth: points triangulated before carry the scale, whose unit is the first step"""

    @property
    def needs_run(self) -> bool:
        """Whether only a run can give the depth."""
        return self.depth_from is None and not self.no_depth

    def check_depth(self) -> None:
        """Raise InputError where options contradict one another."""
        if self.depth_from is not None and self.no_depth:
            raise InputError(f"{self.depth_from}: depth, and none; choose one", "depth_from", "no_depth")
        if self.depth_factor is not None and not (math.isfinite(self.depth_factor) and self.depth_factor > 0):
            raise InputError(f"a depth factor of {self.depth_factor}; give a number above 0", "depth_factor")
        if self.depth_from is None and (self.depth_factor is not None or self.depth_scale != "metres"):
            raise InputError("a factor or scale of depth files without any; name their folder", "depth_from")
