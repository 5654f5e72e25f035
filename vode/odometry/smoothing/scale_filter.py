"""The scale of a trajectory as a signal over time: tracks tell how it changes, depth tells its level.

Tracks carry the lengths of motions from pair to pair with errors of parts of a percent, which add up. The level of the
depth errs by a tenth, and by whole scenes: its errors resemble those of tens of frames around. For each motion k

    g_k = g_(k-1) + d_(k-1) + noise     what the log length by tracks lacks, and its steady drift d
    b_k = phi b_(k-1) + noise           error of the depth's level, of variance 1 in units of s
    y_k = g_k + s b_k + noise           log length by depth less that by tracks

A Kalman filter (Kalman, 1960) sums up what is older than the lag. Within the lag all motions are estimated at once by
least squares: the smoother of Rauch, Tung and Striebel (AIAA Journal, 1965) in another order of elimination.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import solveh_banded

from vode.odometry.options import ScaleFilterOptions

EXACT = 1e-4
"""least standard deviation of anything, so that exact depth and tracks have an optimum too"""


class Step(NamedTuple):
    """What is known of the motion that leads to a frame."""

    level: float = float("nan")
    """log length by depth"""
    deviation: float = float("nan")
    """standard deviation of the level, as the spread of the depth over the image tells it"""
    change: float = 0.0
    """standard deviation of the length by tracks that go on from the motions before; infinite without such"""


class Corrections(NamedTuple):
    """What the log lengths of the last motions lack, by all that is known now."""

    values: np.ndarray
    """(N,) float64, the oldest first"""
    deviation: float
    """standard deviation of the last, of the log"""


class ScaleFilter:
    """Steps of a trajectory, one a frame, and what their lengths in it lack."""

    def __init__(self, options: ScaleFilterOptions = ScaleFilterOptions()) -> None:
        self.options = options
        self._steps: list[Step] = []
        self._applied = np.zeros(0)
        self._spreads = np.zeros(0)
        self._doubt = 1.0
        self._surprises: list[float] = []
        self.depth_factor = 1.0
        """what depth of the newest frame is to be multiplied by to have the scale of the trajectory"""
        self.depth_factor_deviation = math.nan
        """standard deviation of its logarithm; NaN before depth has told a length"""
        self._mean = np.zeros(3)
        self._covariance = np.diag([options.start**2, 1.0, options.drift**2])

    def __len__(self) -> int:
        """Steps within the lag."""
        return len(self._steps)

    def add(self, step: Step) -> None:
        """Take note of the motion to the newest frame."""
        last = self._spreads[-1] if len(self._spreads) else step.deviation
        last = last if np.isfinite(last) else step.deviation
        known = step.deviation if np.isfinite(step.deviation) else last
        lasting = self.options.lasting
        spread = math.sqrt(((lasting - 1) * last**2 + known**2) / lasting)
        self._steps.append(step)
        self._spreads = np.append(self._spreads, spread)
        self._applied = np.append(self._applied, self._applied[-1:] if len(self._applied) else 0.0)

    def corrections(self, lengths: np.ndarray) -> Corrections:
        """What the steps lack whose lengths in the trajectory are now ``lengths`` (len(self),), 0 for those at rest."""
        lack = self._lack(lengths)
        self._note_surprise(lack)
        solution, covariance = self._solve(lack)
        scale = solution[:, 0]
        self._judge(lack - scale)
        bias = float(self._bias[-1])
        if math.isfinite(bias):
            self.depth_factor = math.exp(-bias * solution[-1, 1])
            self.depth_factor_deviation = bias * math.sqrt(max(covariance[1, 1], 0.0))
        return Corrections(scale - self._applied, math.sqrt(max(covariance[0, 0], 0.0)))

    def corrected(self, applied: np.ndarray, lengths: np.ndarray) -> None:
        """The log lengths were corrected by ``applied``, to ``lengths``; steps beyond the lag are summed up.

        The next length by tracks is expected in the corrected scale of the last.
        """
        self._applied = self._applied + applied
        lack = self._lack(lengths)
        beyond = max(len(self) - self.options.lag, 0)
        for k in range(beyond):
            self._sum_up(float(lack[k]), k)
        self._steps = self._steps[beyond:]
        self._applied, self._spreads = self._applied[beyond:], self._spreads[beyond:]

    def _lack(self, lengths: np.ndarray) -> np.ndarray:
        """Log lengths by depth less those by tracks alone, NaN where one is not known."""
        known = np.array([step.level for step in self._steps])
        moved = lengths > 0
        return np.where(moved, known - np.log(np.where(moved, lengths, 1.0)) + self._applied, np.nan)

    def _note_surprise(self, lack: np.ndarray) -> None:
        """How far the newest level is from what is expected, squared, in variances as if there were no doubt."""
        if not np.isfinite(lack[-1]):
            return
        row = np.array([1.0, self._bias[-1], 0.0])
        before, covariance = self._solve(np.append(lack[:-1], np.nan))
        surprise = (lack[-1] - row @ before[-1]) ** 2 / (row @ covariance @ row + self._noise[-1] ** 2)
        self._surprises = [*self._surprises[1 - self.options.lag :], float(surprise) * self._doubt**2]

    def _judge(self, away: np.ndarray) -> None:
        """How much more the level varies than its deviations tell, from frame to frame and ``away`` from tracks."""
        options, seen = self.options, np.isfinite(away)
        if not seen.any():
            return
        expected = (self._bias[seen] ** 2 + self._noise[seen] ** 2) / self._doubt**2
        independent = int(seen.sum()) / options.lasting
        varied = float(np.mean(away[seen] ** 2 / expected))
        found = (varied * independent + options.trust) / (independent + options.trust)
        sudden = (sum(self._surprises) + options.trust) / (len(self._surprises) + options.trust)
        self._doubt = math.sqrt(max(found, sudden, 1.0))

    @property
    def _noise(self) -> np.ndarray:
        """Standard deviation of each level that the next motion does not share."""
        return np.maximum(self.options.noise * self._doubt * self._spreads, EXACT)

    @property
    def _bias(self) -> np.ndarray:
        """Standard deviation of each level that motions share."""
        return self.options.bias * self._doubt * np.maximum(self._spreads, EXACT)

    @property
    def _phi(self) -> float:
        """Correlation of that of neighbours."""
        return math.exp(-1 / self.options.lasting)

    def _change(self, step: Step) -> float:
        """Standard deviation of the change of scale that a motion brings."""
        return min(math.hypot(self.options.change, step.change), self.options.broken)

    def _solve(self, lack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (N, 3) of g, b and d by what the lengths lack, NaN where depth does not tell.

        And the covariance (3, 3) of the last.
        """
        options, count = self.options, len(lack)
        bands, right = np.zeros((4, 3 * count)), np.zeros((4, 3 * count))
        # column j of bands[i] holds the element at row j + i of the normal matrix
        information = np.linalg.inv(self._covariance)
        for i in range(3):
            bands[i, : 3 - i] += np.diagonal(information, -i)
        right[0, :3] = information @ self._mean
        level, error, drift = (slice(k, None, 3) for k in range(3))
        seen = np.isfinite(lack)
        weight = np.where(seen, 1 / self._noise**2, 0.0)
        bias = np.where(seen, self._bias, 0.0)
        bands[0, level] += weight
        bands[1, level] += weight * bias
        bands[0, error] += weight * bias**2
        right[0, level] += weight * np.where(seen, lack, 0.0)
        right[0, error] += weight * bias * np.where(seen, lack, 0.0)
        if count > 1:
            before, after = slice(None, -1), slice(1, None)
            stiff = np.array([1 / self._change(step) ** 2 for step in self._steps[1:]])
            bands[0, level][before] += stiff
            bands[0, level][after] += stiff
            bands[3, level][before] -= stiff
            bands[2, level][before] += stiff
            bands[0, drift][before] += stiff
            bands[1, drift][before] -= stiff
            lasting = 1 / (1 - self._phi**2)
            bands[0, error][before] += self._phi**2 * lasting
            bands[0, error][after] += lasting
            bands[3, error][before] -= self._phi * lasting
            steady = 1 / options.drift_change**2
            bands[0, drift][before] += steady
            bands[0, drift][after] += steady
            bands[3, drift][before] -= steady
        right[1:, -3:] = np.eye(3)
        solution = solveh_banded(bands, right.T, lower=True)
        return solution[:, 0].reshape(count, 3), solution[-3:, 1:]

    def _sum_up(self, lack: float, oldest: int) -> None:
        """The Kalman filter over the oldest step and on to the next."""
        mean, covariance = self._mean, self._covariance
        if np.isfinite(lack):
            row = np.array([1.0, self._bias[oldest], 0.0])
            gain = covariance @ row / (row @ covariance @ row + self._noise[oldest] ** 2)
            mean = mean + gain * (lack - row @ mean)
            covariance = covariance - np.outer(gain, row @ covariance)
        on = np.array([[1.0, 0.0, 1.0], [0.0, self._phi, 0.0], [0.0, 0.0, 1.0]])
        noise = np.diag([self._change(self._steps[oldest + 1]) ** 2, 1 - self._phi**2, self.options.drift_change**2])
        self._mean, self._covariance = on @ mean, on @ covariance @ on.T + noise
