"""Which frames become views, that the next ones are compared with: those of a baseline that suffices."""

from __future__ import annotations

from vode.odometry.frame_motion import Evidence, FrameMotion, baseline_suffices
from vode.odometry.options import ScaleOptions
from vode.odometry.result import Method

FAR = 0.1
"""widths of the image that points may have moved on average, until the next view must have been found"""
LOST = 0.5
"""fraction of the correspondences, of the most that a frame has with the view, below which the view is nearly lost"""


class Views:
    """How long the last view stays: the motion of a frame too near to it says little of how far points are."""

    def __init__(self, width: int, options: ScaleOptions) -> None:
        """``width`` of the images, pixels, and how exactly points have to be known."""
        self._far, self._options = FAR * width, options
        self._most = 0

    def next(self, motion: FrameMotion, evidence: Evidence) -> bool:
        """Whether a frame becomes a view by its motion from the last one.

        It does if its baseline suffices, or if the last view is nearly lost.
        """
        seen = int((evidence.found.scores > 0).sum())
        self._most = max(self._most, seen)
        suffices = baseline_suffices(motion.parallax, evidence.noise, self._options)
        chosen = (motion.method is Method.ESSENTIAL and suffices) or seen < LOST * self._most or self._moved(evidence)
        if chosen:
            self._most = 0
        return chosen

    def _moved(self, evidence: Evidence) -> bool:
        found = evidence.found
        moved = (found.points_b - found.points_a)[evidence.explained].norm(dim=-1)
        return len(moved) == 0 or float(moved.median()) > self._far
