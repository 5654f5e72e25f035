"""Accuracy and time of the tracker with exact, spoilt and classical flow, and a plain classical baseline beside it.

python benchmarks/tracker.py [--kitti DIR] [--tum DIR] [--frames 500]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from report import machine, table
from torch import Tensor

from vode.data.kitti import KittiOdometry
from vode.data.sequence import Sequence
from vode.data.world import WorldOptions, WorldSequence
from vode.evaluation.odometry import evaluate_odometry
from vode.geometry.pose import inverse
from vode.odometry.frames import Frame, read_ahead
from vode.odometry.motion import TrackerOptions, frame_motion
from vode.odometry.perception import Classical
from vode.odometry.tracker import Tracked, track
from vode.trajectory import Trajectory

SIZE = (256, 832)
FAR = 500.0
"""metres, for the sky"""


class Exact:
    """The world's own flow and depth; the flow off by 1 px on a share of the pixels, cars that move on another."""

    def __init__(self, drive: WorldSequence, *, noisy: float = 0.0, cars: float = 0.0) -> None:
        self.device, self._drive, self._noisy, self._cars = torch.device("cpu"), drive, noisy, cars
        self._draw = torch.Generator().manual_seed(0)

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        ab, ba = (self._flow(i, j) for i, j in ((a.index, b.index), (b.index, a.index)))
        if self._cars:
            boxes = self._boxes()
            # both ways alike, so that no check of consistency finds it
            way = 6 * torch.randn(len(boxes), 2, generator=self._draw)
            for (top, left, height, width), move in zip(boxes, way, strict=True):
                here = (..., slice(top, top + height), slice(left, left + width))
                ab[here] += move.view(2, 1, 1)
                ba[here] -= move.view(2, 1, 1)
        return ab[None], ba[None]

    def depth(self, frame: Frame) -> Tensor:
        depth = self._drive.depth(frame.index)[None]
        return torch.where(depth > 0, depth, FAR)

    def _flow(self, i: int, j: int) -> Tensor:
        flow, seen = self._drive.flow_between(i, j)
        noise = torch.randn(flow.shape, generator=self._draw)
        wrong = torch.rand(1, *flow.shape[1:], generator=self._draw) < self._noisy
        # what the other frame does not show is sent out of it
        return torch.where(seen, flow + noise * wrong, 1e4)

    def _boxes(self) -> list[tuple[int, int, int, int]]:
        """Three boxes that cover the share of the image."""
        height, width = self._drive.size
        each = int((self._cars / 3 * height * width) ** 0.5)
        corners = torch.rand(3, 2, generator=self._draw)
        return [(int(y * (height - each)), int(x * (width - each)), each, each) for y, x in corners.tolist()]


def baseline(sequence: Sequence, size: tuple[int, int]) -> Trajectory:
    """Corners followed by OpenCV's Lucas-Kanade, essential matrix by its RANSAC, the true length of every step."""
    from vode.geometry.camera import resize_intrinsics

    camera = resize_intrinsics(sequence.intrinsics, tuple(sequence.size), size).double().numpy()
    poses, before = [torch.eye(4, dtype=torch.float64)], None
    for frame in read_ahead(sequence, size, "cpu"):
        grey = (frame.image[0].mean(0) * 255).round().to(torch.uint8).numpy()
        if before is not None:
            corners = cv2.goodFeaturesToTrack(before, 2000, 0.01, 8)
            moved, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, corners, None)
            a, b = corners[found[:, 0] == 1], moved[found[:, 0] == 1]
            E, mask = cv2.findEssentialMat(a, b, camera, cv2.RANSAC, 0.999, 0.5)
            _, rotation, translation, _ = cv2.recoverPose(E, a, b, camera, mask=mask)
            true = inverse(sequence.poses[frame.index]) @ sequence.poses[frame.index - 1]
            T_b_a = torch.eye(4, dtype=torch.float64)
            T_b_a[:3, :3] = torch.from_numpy(rotation)
            T_b_a[:3, 3] = torch.from_numpy(translation[:, 0]) * true[:3, 3].norm()
            poses.append(poses[-1] @ inverse(T_b_a))
        before = grey
    return Trajectory(torch.stack(poses), sequence.stamps)


def scores(trajectory: Trajectory, sequence: Sequence, alignment: str) -> list[str]:
    found = evaluate_odometry(trajectory, Trajectory(sequence.poses, sequence.stamps), alignment)
    names = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m", "rpe_deg")
    return ["-" if found[name] is None else f"{found[name]:.3f}" for name in names]


def world_rows(frames: int) -> list[list[str]]:
    """Exact and spoilt flow, DIS flow with exact depth, and the baseline, on one drive."""
    drive = WorldSequence(1, WorldOptions(size=SIZE, frames=frames))
    length = float(Trajectory(drive.poses, drive.stamps).distances()[-1])
    print(f"world: {frames} frames, {length:.0f} m, {SIZE[1]}x{SIZE[0]}")
    plain, window = TrackerOptions(subpixel=False), TrackerOptions(subpixel=False, refine="window")
    runs = {
        "exact flow and depth": (Exact(drive), plain),
        "exact flow and depth, window": (Exact(drive), window),
        "1 px on 20 % of the flow, false motion on 15 %": (Exact(drive, noisy=0.2, cars=0.15), plain),
        "the same, window": (Exact(drive, noisy=0.2, cars=0.15), window),
        "DIS flow, exact depth": (Classical(drive), TrackerOptions()),
        "DIS flow, exact depth, window": (Classical(drive), TrackerOptions(refine="window")),
    }
    rows = []
    for name, (perception, options) in runs.items():
        tracked = track(drive, perception, size=SIZE, options=options)
        rows.append(["world", name, *scores(tracked.trajectory, drive, "none"), tracked.summary()])
    rows.append(["world", "OpenCV tracks, true scale", *scores(baseline(drive, SIZE), drive, "none"), ""])
    return rows


def milliseconds(repeats: int = 12) -> float:
    """Median time of a pair, everything but flow and depth."""
    drive = WorldSequence(1, WorldOptions(size=SIZE, frames=2))
    a, b = read_ahead(drive, SIZE, "cpu")
    exact = Exact(drive)
    given = *exact.flow(a, b), exact.depth(a), exact.depth(b), drive.intrinsics[None], torch.eye(4).double()
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        frame_motion(*given, images=(a.image, b.image))
        took.append(1e3 * (time.perf_counter() - start))
    return float(np.median(took[2:]))
