"""How uncertain motions and their product are: covariances (6, 6) of x, y, z and rotations about x, y, z.

Two parts. The lengths of motions err as the tracker says (``FrameResult.scale_deviation``), and together over the whole
way, as they rest on the level of the depth. Directions and rotations err independently from frame to frame by
``DriftOptions``, what the tracker's loop closure expects of odometry, for of single frames the tracker does not say it.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from vode.odometry.options import LoopOptions, ScaleOptions
from vode.odometry.result import Method
from vode_ros.frames import skew

UNKNOWN = 1e6
"""variance, m² or rad² (per s²), of what nothing tells: filters then give it no weight"""
LEAST_STEPS = 0.01
"""of the way between keyframes, that a frame without motion counts for"""
DOUBTFUL = (Method.EXTRAPOLATED, Method.ROTATION, Method.REPEATED)
"""methods that do not find the whole motion"""


class MotionNoise:
    """Standard deviations of single motions, frame after frame."""

    def __init__(self, options: LoopOptions = LoopOptions()) -> None:
        self._options, self._extrapolated = options, 0
        self.length = ScaleOptions().deviation
        """relative, of the length of the newest motion, or of the last one of which it was known"""

    def add(self, motion: np.ndarray, distance: float, method: Method, length: float | None) -> tuple[float, float]:
        """Deviations of translation (m) and rotation (rad) of the next motion (4, 4), apart from those of its length.

        ``distance`` is the median depth, which tells how far apart keyframes are, and ``length`` the relative standard
        deviation of the length, if that is known.
        """
        drift = self._options.drift
        self._extrapolated = self._extrapolated + 1 if method is Method.EXTRAPOLATED else 0
        self.length = self.length if length is None else length
        lost = self._extrapolated >= self._options.lost
        doubt = drift.lost if lost else drift.doubtful if method in DOUBTFUL else 1.0
        angle = math.acos(min(max((np.trace(motion[:3, :3]) - 1) / 2, -1.0), 1.0))
        moved = float(np.linalg.norm(motion[:3, 3]))
        steps = max(moved / (self._options.spacing * distance), angle / self._options.turn)
        return self._deviations(distance, max(steps, LEAST_STEPS), doubt)

    def untold(self, distance: float) -> tuple[float, float]:
        """The same between two trackers, where nothing tells the motion."""
        return self._deviations(distance, 1.0, self._options.drift.lost)

    def _deviations(self, distance: float, steps: float, doubt: float) -> tuple[float, float]:
        """Of a motion that is ``steps`` times that between two keyframes."""
        drift, spacing = self._options.drift, self._options.spacing * distance
        return doubt * drift.translation * spacing * math.sqrt(steps), doubt * drift.turn * math.sqrt(steps)


class PoseCovariance(NamedTuple):
    """Covariance of a pose that is a product of motions, in the fixed axes that it is a pose in."""

    independent: np.ndarray = np.zeros((6, 6))
    """(6, 6) of what errs independently from motion to motion"""
    together: np.ndarray = np.zeros(3)
    """(3,) metres by which the position errs where all lengths err by one standard deviation"""

    def after(self, moved: np.ndarray, deviations: tuple[float, float], length: float) -> PoseCovariance:
        """After another motion, by its translation (3,) in the fixed axes and its deviations, as of ``MotionNoise``."""
        covariance = _carried(moved, self.independent) + independent(deviations)
        return PoseCovariance(covariance, self.together + length * moved)

    def at(self, offset: np.ndarray) -> np.ndarray:
        """(6, 6) of the pose of a point ``offset`` (3,) away in the fixed axes, on the same body."""
        covariance = _carried(offset, self.independent)
        covariance[:3, :3] += np.outer(self.together, self.together)
        return covariance


def independent(deviations: tuple[float, float]) -> np.ndarray:
    """Covariance (6, 6) of a motion, alike in all directions."""
    return np.diag(np.repeat(np.square(deviations), 3))


def _carried(offset: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Covariance of the pose at a point ``offset`` (3,) away."""
    carry = np.eye(6)
    carry[:3, 3:] = -skew(offset)
    return carry @ covariance @ carry.T
