"""Points of corners followed from frame to frame (Lucas and Kanade, IJCAI 1981; Shi and Tomasi, CVPR 1994)."""

from __future__ import annotations

import cv2
import numpy as np

from vode.reconstruction.options import TrackOptions

QUALITY = 0.01
"""of the weakest corner, relative to the strongest"""


class PointTracks:
    """Points, each with a number of its own, in the newest image.

    ``pixels`` (N, 2) float32 and ``numbers`` (N,) int64 say where each is; points that are lost are dropped, and
    ``replenish`` finds new ones.
    """

    def __init__(self, options: TrackOptions = TrackOptions()) -> None:
        self.options = options
        self.pixels, self.numbers = np.zeros((0, 2), np.float32), np.zeros(0, np.int64)
        self._next = 0
        self._image: np.ndarray | None = None

    def follow(self, image: np.ndarray) -> float:
        """Follow the points into the next image, grey (H, W) uint8: the fraction that is found; 1 of no points."""
        before, self._image = self._image, image
        if before is None or not len(self.pixels):
            return 1.0
        o = self.options
        size = {"winSize": (o.window, o.window), "maxLevel": o.levels}
        # OpenCV's stubs lack that the output may be left out
        after, found, _ = cv2.calcOpticalFlowPyrLK(before, image, self.pixels, None, **size)  # type: ignore[call-overload]
        back, returned, _ = cv2.calcOpticalFlowPyrLK(image, before, after, None, **size)  # type: ignore[call-overload]
        height, width = image.shape
        inside = ((after >= 0) & (after <= np.array([width - 1, height - 1]))).all(1)
        same = np.linalg.norm(back - self.pixels, axis=1) < o.round_trip
        kept = (found[:, 0] > 0) & (returned[:, 0] > 0) & inside & same
        self.pixels, self.numbers = after[kept], self.numbers[kept]
        return float(kept.mean())

    def forget(self) -> None:
        """Drop all points: what comes next has nothing to do with what came before."""
        self.pixels, self.numbers, self._image = self.pixels[:0], self.numbers[:0], None

    def replenish(self, image: np.ndarray) -> None:
        """Find new points in the newest image, grey (H, W) uint8, where there are none."""
        self._image = image
        room = self.options.points - len(self.pixels)
        if room <= 0:
            return
        free = np.full(image.shape, 255, np.uint8)
        for x, y in self.pixels.round().astype(int).tolist():
            cv2.circle(free, (x, y), int(self.options.spacing), 0, -1)
        found = cv2.goodFeaturesToTrack(image, room, QUALITY, self.options.spacing, mask=free)
        if found is None:
            return
        fresh = found.reshape(-1, 2).astype(np.float32)
        self.pixels = np.concatenate([self.pixels, fresh])
        self.numbers = np.concatenate([self.numbers, self._next + np.arange(len(fresh))])
        self._next += len(fresh)
