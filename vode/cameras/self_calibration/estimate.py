"""Focal length and k1 of a camera from its video, with their uncertainty, and whether the video tells them at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from vode.cameras.self_calibration import fit
from vode.cameras.self_calibration.matches import Matches, match_keyframes
from vode.cameras.self_calibration.options import SelfCalibrationOptions

FOCALS = np.geomspace(0.35, 2.8, 12)
"""focal lengths, in widths of the image, between which the best is searched"""
AROUND = np.geomspace(0.83, 1.2, 7)
"""those around the best, relative to it"""
COARSE, FINE = 4, 4
"""steps of the poses of each"""
SEARCHED, FITTED = 60, 150
"""matches of a pair in the search, and in the fit"""
NOISE = 0.3 / 800
"""of matches, in widths of the image, before it is measured"""
LEAST_NOISE = 0.05
"""pixels"""
PAIRS = 20
"""fewest pairs of which a focal length is told: a shorter clip has one motion, and errs alike in all of its pairs"""
STEPS = 10
LARGEST = 0.2
"""step of the fit"""
SIGNIFICANT = 4.0
"""deviations that k1 has to be off 0"""
K1_MATTERS = 0.03
"""smallest k1 that is reported: half a pixel in a hundred in the corner of a wide image"""


@dataclass(frozen=True)
class SelfCalibration:
    """A camera as its video tells it: square pixels, principal point near the middle."""

    focal: float
    """pixels"""
    deviation: float
    """standard deviation of its logarithm, which is relative"""
    k1: float = 0.0
    """of a radial-tangential lens, 0 if the video does not tell that there is distortion"""
    k1_deviation: float = 0.0
    told: bool = False
    """whether the video tells the focal length"""
    reason: str = ""
    """why it does not"""
    pairs: int = 0
    """of frames whose matches were used"""


def self_calibrate(
    images: Iterable[np.ndarray], options: SelfCalibrationOptions = SelfCalibrationOptions()
) -> SelfCalibration:
    """The camera of RGB images (H, W, 3) uint8 in the order of their video.

    The focal length is that at which the matches of all pairs fit essential matrices best (Mendonca and Cipolla, CVPR
    1999, who compare singular values; here it is the distance to epipolar lines), with a principal point and a
    distortion that are near the usual ones. Translation along the optical axis, no rotation, and circles on which the
    camera looks ahead (Sturm, CVPR 2001) do not tell it; then the deviation is large and ``told`` is False.
    """
    width = 0

    def measured() -> Iterable[np.ndarray]:
        nonlocal width
        for image in images:
            width = image.shape[1]
            yield image

    pairs = match_keyframes(measured(), options)
    if len(pairs) < PAIRS:
        what = f"as too few of its frames tell it (pairs with points that moved: {len(pairs)} of {PAIRS} needed)"
        return SelfCalibration(float(max(width, 1)), float("inf"), reason=what, pairs=len(pairs))
    return fit_camera(pairs, width, options)


def fit_camera(
    pairs: Sequence[Matches], width: int, options: SelfCalibrationOptions = SelfCalibrationOptions()
) -> SelfCalibration:
    """The camera that fits the matches between frames of an image ``width`` in pixels."""
    start, poses, noise = _search(pairs, width)
    cloud = fit.cloud_of(pairs, FITTED)._replace(noise=noise)
    one = _Fit(cloud, start, poses, _priors(start, width, options, 1e-6))
    one_deviation, _ = one.deviations(options.common)
    both = _Fit(cloud, one.camera, one.poses, _priors(one.camera, width, options, options.k1_deviation))
    both_deviation, k1_deviation = both.deviations(options.common)
    k1 = both.camera.k1
    distorted = abs(k1) > max(K1_MATTERS, SIGNIFICANT * k1_deviation)
    chosen, deviation = (both, both_deviation) if distorted else (one, one_deviation)
    focal = float(np.exp(chosen.camera.log_focal))
    inside = FOCALS[0] < focal / width < FOCALS[-1]
    told = bool(inside and deviation <= options.told)
    reason = "" if told else "as its motion, straight ahead or without rotation, does not tell it"
    found = SelfCalibration(focal, deviation if inside else float("inf"), told=told, reason=reason, pairs=len(pairs))
    if not (distorted and told):
        return found
    return SelfCalibration(focal, deviation, k1, k1_deviation, told, reason, len(pairs))


def _priors(camera: fit.Shared, width: int, options: SelfCalibrationOptions, k1: float) -> np.ndarray:
    """Standard deviations of the camera's numbers before the video is looked at."""
    centre = options.centre_deviation * width / np.exp(camera.log_focal)
    return np.array([1e3, k1, centre, centre])


def _search(pairs: Sequence[Matches], width: int) -> tuple[fit.Shared, fit.Poses, np.ndarray]:
    """The best of many focal lengths, the poses of the pairs at it, and the noise of their matches, pixels."""
    few = fit.cloud_of(pairs, SEARCHED)._replace(noise=np.full(len(pairs), NOISE * width))
    focal, poses = _best_of(few, width * FOCALS, COARSE)
    r = np.abs(fit.residuals(few, fit.Shared(float(np.log(focal))), poses))
    r[few.used == 0] = np.nan
    noise = np.maximum(1.4826 * np.nanmedian(r, 1) * few.noise, LEAST_NOISE)
    cloud = fit.cloud_of(pairs, FITTED)._replace(noise=noise)
    focal, poses = _best_of(cloud, focal * AROUND, FINE)
    return fit.Shared(float(np.log(focal))), poses, noise


def _best_of(cloud: fit.Cloud, focals: np.ndarray, steps: int) -> tuple[float, fit.Poses]:
    """The focal length of the lowest cost, and the poses at it."""
    F, cameras = fit.fundamental_matrices(cloud), [fit.Shared(float(value)) for value in np.log(focals)]
    found = [fit.fit_from_scratch(cloud, F, camera, steps) for camera in cameras]
    # minima of a pair that one focal length finds are minima of its neighbours
    for order in (range(1, len(cameras)), range(len(cameras) - 2, -1, -1)):
        for i in order:
            neighbour, _ = found[i - order.step]
            found[i] = fit.better(found[i], fit.fit_poses(cloud, cameras[i], neighbour, steps))
    best = int(np.argmin([costs.sum() for _, costs in found]))
    return float(focals[best]), found[best][0]


class _Fit:
    """Camera and poses that fit together, by Gauss and Newton, with priors of the camera."""

    def __init__(self, cloud: fit.Cloud, camera: fit.Shared, poses: fit.Poses, priors: np.ndarray) -> None:
        self._cloud, self._weights = cloud, priors**-2.0
        for _ in range(STEPS):
            information, gradient, follow, rest = fit.reduced(fit.linearise(cloud, camera, poses, len(priors)))
            pull = np.array(camera) * self._weights * [0, 1, 1, 1]
            step = -np.linalg.solve(information.sum(0) + np.diag(self._weights), gradient.sum(0) + pull)
            step *= LARGEST / max(np.abs(step).max(), LARGEST)
            camera = fit.Shared(*(np.array(camera) + step).tolist())
            poses, _ = fit.fit_poses(cloud, camera, fit.moved(poses, -(rest + follow @ step)), 2)
        self.camera, self.poses = camera, poses

    def deviations(self, common: float) -> tuple[float, float]:
        """Standard deviations of log focal and k1: the larger of what the noise and what the spread over pairs tell.

        To it comes that of a ``common`` fraction of the noise, which does not become less with more matches.
        """
        system = fit.linearise(self._cloud, self.camera, self.poses, len(self._weights))
        information, gradient, _, _ = fit.reduced(system)
        covariance = np.linalg.inv(information.sum(0) + np.diag(self._weights))
        noise = np.diag(covariance)[:2]
        spread = np.diag(covariance @ (gradient.T @ gradient) @ covariance)[:2]
        total = np.maximum(noise, spread) + common**2 * self._cloud.used.sum() * noise
        return float(np.sqrt(total[0])), float(np.sqrt(total[1]))
