"""Time between frames, as constant velocity needs it: only the ratio of two steps of time matters."""

from __future__ import annotations

import math
from collections import deque
from statistics import median_low

STEPS = 101
"""steps of time whose median is taken for the usual step"""
SHORTEST, LONGEST = 0.1, 1000.0
"""usual steps that one step is taken for at least and at most: timestamps may repeat, go back, or be in another unit"""
LATE = 1.5
"""usual steps per frame from which on a frame counts as late"""


class Clock:
    """Seconds since the last frame that shows something, or frames where there are no timestamps; always forward."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._before: float | None = None
        self._steps: deque[float] = deque(maxlen=STEPS)

    @property
    def usual(self) -> float:
        """Median of the last steps of time."""
        return median_low(self._steps) if self._steps else 1.0

    def tick(self, timestamp: float | None) -> None:
        """The next frame comes. A timestamp that is not finite passes for one usual step after the last."""
        if timestamp is None:
            step = 1.0
        else:
            step = timestamp - self._before if self._before is not None else 0.0
            if math.isfinite(step) and step > 0:
                self._steps.append(step)
            step = min(max(step, SHORTEST * self.usual), LONGEST * self.usual) if not math.isnan(step) else self.usual
        self._before = timestamp
        self.elapsed += step

    def restart(self) -> None:
        """The frame that just came shows something: count from here."""
        self.elapsed = 0.0

    def late(self, frames: int) -> float | None:
        """Usual steps that have passed, if they are clearly more than the number of frames."""
        steps = self.elapsed / self.usual
        return steps if steps > LATE * frames else None
