"""The scale of a trajectory as a signal over time: tracks tell how it changes, depth tells its level.

Tracks carry the lengths of motions from pair to pair with errors of parts of a percent, which add up. The level of the
depth errs by a tenth, and by whole scenes: its errors resemble those of tens of frames around. It is told by all points
and by those on the ground, whose errors have little to do with one another. For each motion k, and either source i

    g_k = g_(k-1) + d_(k-1) + noise           what the log length by tracks lacks, and its steady drift d
    b_ik = phi b_i(k-1) + noise               error of the level, of variance 1 in units of u_i
    y_ik = g_k + u_i b_ik + noise             log length by depth less that by tracks

u_i changes slowly, as the usual deviation of a level; what that of a frame has beyond it is noise of that frame alone.
What levels err by in a whole scene is in no state, as nothing would tell it from g: it is added to the deviation of g.

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
SOURCES = 2
"""of levels"""
TELLING = 10
"""motions whose level the ground tells, for all points to be judged by it"""
GROSS = 3.0
"""how many times as far from the ground's scale as both tell all points are no longer believed to err so much"""
STATES = 2 + SOURCES
"""g, the b of each source, and d"""


class Step(NamedTuple):
    """What is known of the motion that leads to a frame."""

    level: float = float("nan")
    """log length by depth"""
    deviation: float = float("nan")
    """standard deviation of the level, as the spread of the depth over the image tells it"""
    change: float = 0.0
    """standard deviation of the length by tracks that go on from the motions before; infinite without such"""
    ground: float = float("nan")
    """log length by depth of points on the ground alone"""
    ground_deviation: float = float("nan")


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
        self._spreads = np.zeros((0, SOURCES))
        self._usual = np.zeros((0, SOURCES))
        self._counts = np.zeros(SOURCES)
        self._doubt = np.ones(SOURCES)
        self._surprises: list[list[float]] = [[] for _ in range(SOURCES)]
        self.depth_factor = 1.0
        """what depth of the newest frame is to be multiplied by to have the scale of the trajectory"""
        self.depth_factor_deviation = math.nan
        """standard deviation of its logarithm; NaN before depth has told a length"""
        self._mean = np.zeros(STATES)
        self._covariance = np.diag([options.start**2, *np.ones(SOURCES), options.drift**2])

    def __len__(self) -> int:
        """Steps within the lag."""
        return len(self._steps)

    def add(self, step: Step) -> None:
        """Take note of the motion to the newest frame."""
        told = np.array([step.deviation, step.ground_deviation])
        last = self._spreads[-1] if len(self._spreads) else told
        last = np.where(np.isfinite(last), last, told)
        known = np.where(np.isfinite(told), told, last)
        memory = self.options.lasting
        spread = np.sqrt(((memory - 1) * last**2 + known**2) / memory)
        self._counts += np.isfinite(told)
        last = self._usual[-1] if len(self._usual) else spread
        last = np.where(np.isfinite(last), last, spread)
        share = 1 / np.clip(self._counts, 1, self.options.lag)
        usual = last ** (1 - share) * np.maximum(spread, EXACT) ** share
        self._steps.append(step)
        self._spreads = np.append(self._spreads, spread[None], 0)
        self._usual = np.append(self._usual, usual[None], 0)
        self._applied = np.append(self._applied, self._applied[-1:] if len(self._applied) else 0.0)

    def corrections(self, lengths: np.ndarray) -> Corrections:
        """What the steps lack whose lengths in the trajectory are now ``lengths`` (len(self),), 0 for those at rest."""
        lack = self._lack(lengths)
        self._note_surprise(lack)
        solution, covariance = self._solve(lack)
        scale = solution[:, 0]
        self._judge(lack, scale)
        bias = float(self._bias[-1, 0])
        if math.isfinite(bias):
            self.depth_factor = math.exp(-bias * solution[-1, 1])
            self.depth_factor_deviation = bias * math.sqrt(max(covariance[1, 1], 0.0))
        deviation = math.hypot(math.sqrt(max(covariance[0, 0], 0.0)), self._scene(lack))
        return Corrections(scale - self._applied, deviation)

    def corrected(self, applied: np.ndarray, lengths: np.ndarray) -> None:
        """The log lengths were corrected by ``applied``, to ``lengths``; steps beyond the lag are summed up.

        The next length by tracks is expected in the corrected scale of the last.
        """
        self._applied = self._applied + applied
        lack = self._lack(lengths)
        beyond = max(len(self) - self.options.lag, 0)
        for k in range(beyond):
            self._sum_up(lack[k], k)
        self._steps = self._steps[beyond:]
        self._applied, self._spreads, self._usual = (x[beyond:] for x in (self._applied, self._spreads, self._usual))

    def _lack(self, lengths: np.ndarray) -> np.ndarray:
        """Log lengths (N, SOURCES) by depth less those by tracks alone, NaN where one is not known."""
        known = np.array([[step.level, step.ground] for step in self._steps])
        moved = lengths > 0
        return np.where(
            moved[:, None], known - (np.log(np.where(moved, lengths, 1.0)) - self._applied)[:, None], np.nan
        )

    def _note_surprise(self, lack: np.ndarray) -> None:
        """How far the newest levels are from what is expected, squared, in variances as if there were no doubt."""
        if not np.isfinite(lack[-1]).any():
            return
        earlier = np.append(lack[:-1], np.full((1, SOURCES), np.nan), 0)
        for source in np.flatnonzero(np.isfinite(lack[-1])).tolist():
            before, covariance = self._solve(earlier if source == 0 else _ground_alone(earlier))
            row = self._row(-1, source)
            expected = row @ covariance @ row + self._noise[-1, source] ** 2
            surprise = (lack[-1, source] - row @ before[-1]) ** 2 / expected * self._doubt[source] ** 2
            self._surprises[source] = [*self._surprises[source][1 - self.options.lag :], float(surprise)]

    def _judge(self, lack: np.ndarray, scale: np.ndarray) -> None:
        """How much more each level varies than its deviations tell, from frame to frame and away from ``scale`` (N,).

        The ground is judged by the scale that it alone tells, as all points may all be wrong. Where they are grossly
        off that, as on a truck beside the camera, they count for less than even errors of that size would.
        """
        trust, seen = self.options.trust, np.isfinite(lack).sum(0)
        alone = self._solve(_ground_alone(lack))[0][:, 0] if seen[1] else scale
        outvoted = 1.0
        if seen[0] and seen[1] >= TELLING:
            unsure = (self._bias[:, 1] / self._doubt[1]) ** 2
            if self._excess(lack, 0, alone, unsure) > GROSS**2:
                outvoted = self._excess(lack, 0, alone) / GROSS
        for source, surprises in enumerate(self._surprises):
            if seen[source]:
                sudden = (sum(surprises) + trust) / (len(surprises) + trust)
                found = self._excess(lack, source, alone if source else scale)
                self._doubt[source] = math.sqrt(max(found, sudden, 1.0))
        self._doubt[0] = max(self._doubt[0], outvoted)

    def _scene(self, lack: np.ndarray) -> float:
        """Standard deviation of what both levels err by together in a whole scene, by their spread and difference."""
        usual, seen = self._usual[-1], np.isfinite(lack).sum(0)
        precision = float(np.nansum(1 / np.maximum(usual, EXACT) ** 2))
        shared = self.options.scene / math.sqrt(precision) if precision else 0.0
        apart = float(np.ptp(np.nanmedian(lack, 0))) if seen.min() >= TELLING else 0.0
        return math.hypot(shared, self.options.contradiction * apart)

    def _excess(self, lack: np.ndarray, source: int, scale: np.ndarray, unsure: np.ndarray | float = 0.0) -> float:
        """Variance of a level about ``scale`` (N,), over that which its deviations tell if there is no doubt.

        ``unsure`` (N,) is the variance of the scale itself.
        """
        seen, trust = np.isfinite(lack[:, source]), self.options.trust
        told = (self._bias**2 + self._noise**2)[:, source] / self._doubt[source] ** 2
        varied = float(np.mean(((lack[:, source] - scale) ** 2 / (told + unsure))[seen]))
        independent = int(seen.sum()) / self._lasting[source]
        return (varied * independent + trust) / (independent + trust)

    def _row(self, step: int, source: int) -> np.ndarray:
        """What a level is of the states (STATES,) of its step."""
        row = np.zeros(STATES)
        row[0], row[1 + source] = 1.0, self._bias[step, source]
        return row

    @property
    def _noise(self) -> np.ndarray:
        """Standard deviation of each level that the next motion does not share."""
        options, beyond = self.options, np.maximum(self._spreads**2 - self._usual**2, 0)
        variance = (options.noise * self._spreads) ** 2 + options.bias**2 * beyond
        return np.maximum(self._doubt * np.sqrt(variance), EXACT)

    @property
    def _bias(self) -> np.ndarray:
        """Standard deviation of each level that motions share."""
        return self.options.bias * self._doubt * np.maximum(self._usual, EXACT)

    @property
    def _lasting(self) -> np.ndarray:
        """Frames (SOURCES,) for which errors of each level last."""
        return np.array([self.options.lasting, self.options.ground_lasting])

    @property
    def _phi(self) -> np.ndarray:
        """Correlation of the shared errors of neighbours."""
        return np.exp(-1 / self._lasting)

    def _change(self, step: Step) -> float:
        """Standard deviation of the change of scale that a motion brings."""
        return min(math.hypot(self.options.change, step.change), self.options.broken)

    def _solve(self, lack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (N, STATES) by what the lengths lack (N, SOURCES), NaN where depth does not tell.

        And the covariance (STATES, STATES) of the last.
        """
        options, count = self.options, len(lack)
        bands = np.zeros((STATES + 1, STATES * count))
        right = np.zeros((STATES + 1, STATES * count))
        # column j of bands[i] holds the element at row j + i of the normal matrix
        information = np.linalg.inv(self._covariance)
        for i in range(STATES):
            bands[i, : STATES - i] += np.diagonal(information, -i)
        right[0, :STATES] = information @ self._mean
        level, drift = slice(0, None, STATES), slice(STATES - 1, None, STATES)
        before, after = slice(None, -1), slice(1, None)
        for source, phi in enumerate(self._phi.tolist()):
            error, seen = slice(1 + source, None, STATES), np.isfinite(lack[:, source])
            weight = np.where(seen, 1 / self._noise[:, source] ** 2, 0.0)
            bias = np.where(seen, self._bias[:, source], 0.0)
            known = np.where(seen, lack[:, source], 0.0)
            bands[0, level] += weight
            bands[1 + source, level] += weight * bias
            bands[0, error] += weight * bias**2
            right[0, level] += weight * known
            right[0, error] += weight * bias * known
            bands[0, error][before] += phi**2 / (1 - phi**2)
            bands[0, error][after] += 1 / (1 - phi**2)
            bands[STATES, error][before] -= phi / (1 - phi**2)
        stiff = np.array([1 / self._change(step) ** 2 for step in self._steps[1:]])
        bands[0, level][before] += stiff
        bands[0, level][after] += stiff
        bands[STATES, level][before] -= stiff
        bands[STATES - 1, level][before] += stiff
        bands[0, drift][before] += stiff
        bands[1, drift][before] -= stiff
        steady = 1 / options.drift_change**2
        bands[0, drift][before] += steady
        bands[0, drift][after] += steady
        bands[STATES, drift][before] -= steady
        right[1:, -STATES:] = np.eye(STATES)
        solution = solveh_banded(bands, right.T, lower=True)
        return solution[:, 0].reshape(count, STATES), solution[-STATES:, 1:]

    def _sum_up(self, lack: np.ndarray, oldest: int) -> None:
        """The Kalman filter over the oldest step and on to the next."""
        mean, covariance = self._mean, self._covariance
        for source in np.flatnonzero(np.isfinite(lack)).tolist():
            row = self._row(oldest, source)
            gain = covariance @ row / (row @ covariance @ row + self._noise[oldest, source] ** 2)
            mean = mean + gain * (lack[source] - row @ mean)
            covariance = covariance - np.outer(gain, row @ covariance)
        on = np.diag([1.0, *self._phi, 1.0])
        on[0, -1] = 1.0
        renewed = 1 - self._phi**2
        noise = np.diag([self._change(self._steps[oldest + 1]) ** 2, *renewed, self.options.drift_change**2])
        self._mean, self._covariance = on @ mean, on @ covariance @ on.T + noise


def _ground_alone(lack: np.ndarray) -> np.ndarray:
    """What lengths lack (N, SOURCES) without what all points tell."""
    return np.stack([np.full(len(lack), np.nan), lack[:, 1]], 1)
