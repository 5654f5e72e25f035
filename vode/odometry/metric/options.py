"""Where the metres of a trajectory come from."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from vode.errors import InputError

SOURCES = ("camera_height", "speed", "gps", "distance")
"""the options of which one at most is given"""


@dataclass(frozen=True)
class MetricOptions:
    """What a trajectory is scaled to metres by: one of these; without any, its scale stays that of the depth."""

    camera_height: float | None = None
    """metres of the camera above the ground, whose plane is fitted to the depth below the horizon of many frames"""
    speed: Path | None = None
    """file of speeds: rows of time (s) and speed (m/s), on the clock of the frames"""
    gps: Path | None = None
    """file of positions: rows of time (s), latitude and longitude (degrees), on the clock of the frames"""
    distance: float | None = None
    """metres in a straight line between the camera at the two frames of ``between``"""
    between: tuple[int, int] | None = None
    """numbers of these frames, counted from 0"""
    scale_window: int = 0
    """frames over which height or speed follow a scale that drifts, by a running median; 0: one factor for all"""

    @property
    def metric_source(self) -> str | None:
        """The name of the option that is given, None for the scale of the depth."""
        return next((name for name in SOURCES if getattr(self, name) is not None), None)

    def check_metric(self) -> None:
        """Raise InputError where options contradict one another or hold no measure."""
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) > 1:
            words = " and ".join(name.replace("_", " ") for name in given)
            raise InputError(f"the scale from {words}; a trajectory has one scale: give one of them", *given)
        for name in ("camera_height", "distance"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name.replace('_', ' ')} of {value} m; give metres above 0", name)
        if (self.distance is None) != (self.between is None):
            raise InputError("a distance is between two frames; give both", "distance", "between")
        if self.between is not None and (min(self.between) < 0 or self.between[0] == self.between[1]):
            first, second = self.between
            raise InputError(f"frames {first} and {second}; a distance is between two frames from 0 on", "between")
        if self.scale_window < 0:
            raise InputError(f"a window of {self.scale_window} frames; give 0 or more", "scale_window")
        if self.scale_window and not (given and given[0] in ("camera_height", "speed")):
            raise InputError(
                "a drift of scale is followed by camera height or speeds; give one of them", "scale_window"
            )
