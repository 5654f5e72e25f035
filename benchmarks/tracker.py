"""Accuracy and time of the tracker with exact, corrupted and classical flow, compared with a plain classical baseline.

Corrupted flow is off by 1 px (standard deviation) on 20 % of the pixels, and three squares that cover 15 % of the image
have motions of their own, the same both ways.

python benchmarks/tracker.py [--kitti DIR [--runs RUN ...]] [--tum DIR] [--frames 450]
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

from vode.datasets.base import Sequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.tum import TumSequence
from vode.evaluation.odometry import evaluate_odometry
from vode.geometry.camera import resize_intrinsics
from vode.geometry.pose import inverse
from vode.io.trajectory import Trajectory
from vode.model import load
from vode.odometry.frame_motion import Depths, frame_motion
from vode.odometry.frames import Frame, read_ahead
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import Classical, SequenceDepth
from vode.odometry.track import track
from vode.odometry.two_frame import flow_matches
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (256, 832)
FAR = 500.0
"""metres, for the sky"""
HEADINGS = ("video", "seen by", "alignment", "t_err %", "r_err deg/100 m", "ATE m", "RPE m", "RPE deg", "methods")


class Exact:
    """The world's own flow and depth; the flow off by 1 px on a fraction of the pixels, moving boxes on another."""

    def __init__(self, sequence: WorldSequence, *, noisy: float = 0.0, cars: float = 0.0) -> None:
        self.device, self._sequence, self._noisy, self._cars = torch.device("cpu"), sequence, noisy, cars
        self._draw = torch.Generator().manual_seed(0)

    def flow(self, a: Frame, b: Frame) -> tuple[Tensor, Tensor]:
        ab, ba = (self._flow(i, j) for i, j in ((a.index, b.index), (b.index, a.index)))
        if self._cars:
            boxes = self._boxes()
            # the same in both directions, so that no check of consistency finds it
            shift = 6 * torch.randn(len(boxes), 2, generator=self._draw)
            for (top, left, height, width), move in zip(boxes, shift, strict=True):
                here = (..., slice(top, top + height), slice(left, left + width))
                ab[here] += move.view(2, 1, 1)
                ba[here] -= move.view(2, 1, 1)
        return ab[None], ba[None]

    def depth(self, frame: Frame) -> Tensor:
        depth = self._sequence.depth(frame.index)[None]
        return torch.where(depth > 0, depth, FAR)

    def _flow(self, i: int, j: int) -> Tensor:
        flow, seen = self._sequence.flow_between(i, j)
        noise = torch.randn(flow.shape, generator=self._draw)
        wrong = torch.rand(1, *flow.shape[1:], generator=self._draw) < self._noisy
        # what the other frame does not show is sent out of it
        return torch.where(seen, flow + noise * wrong, 1e4)

    def _boxes(self) -> list[tuple[int, int, int, int]]:
        """Three boxes that together cover the fraction of the image."""
        height, width = self._sequence.size
        each = int((self._cars / 3 * height * width) ** 0.5)
        corners = torch.rand(3, 2, generator=self._draw)
        return [(int(y * (height - each)), int(x * (width - each)), each, each) for y, x in corners.tolist()]


def baseline(sequence: Sequence, size: tuple[int, int]) -> Trajectory:
    """Corners followed by OpenCV's Lucas-Kanade, essential matrix by its RANSAC, the true length of every step."""
    camera = resize_intrinsics(sequence.intrinsics, tuple(sequence.size), size).double().numpy()
    poses, before = [torch.eye(4, dtype=torch.float64)], None
    for i, image in enumerate(read_ahead(sequence, size)):
        grey = (image.mean(0) * 255).round().to(torch.uint8).numpy()
        if before is not None:
            corners = cv2.goodFeaturesToTrack(before, 2000, 0.01, 8)
            moved, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, corners, None)
            a, b = corners[found[:, 0] == 1], moved[found[:, 0] == 1]
            E, mask = cv2.findEssentialMat(a, b, camera, cv2.RANSAC, 0.999, 0.5)
            _, rotation, translation, _ = cv2.recoverPose(E, a, b, camera, mask=mask)
            true = inverse(sequence.poses[i]) @ sequence.poses[i - 1]
            T_b_a = torch.eye(4, dtype=torch.float64)
            T_b_a[:3, :3] = torch.from_numpy(rotation)
            T_b_a[:3, 3] = torch.from_numpy(translation[:, 0]) * true[:3, 3].norm()
            poses.append(poses[-1] @ inverse(T_b_a))
        before = grey
    return Trajectory(torch.stack(poses), sequence.timestamps)


def row(
    name: str, seen: str, trajectory: Trajectory, sequence: Sequence, methods: str = "", alignment: str = "none"
) -> list[str]:
    """Scores after an alignment, by default none, for a scale that is the ground truth's."""
    found = evaluate_odometry(trajectory, Trajectory(sequence.poses, sequence.timestamps), alignment)
    names = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m", "rpe_deg")
    return [name, seen, alignment, *("-" if found[x] is None else f"{found[x]:.3f}" for x in names), methods]


def tracked_rows(
    name: str, sequence: Sequence, size: tuple[int, int], runs: dict[str, tuple], alignment: str = "none"
) -> list[list[str]]:
    rows = []
    for seen, (perception, options) in runs.items():
        tracked = track(sequence, perception, size=size, options=options)
        rows.append(row(name, seen, tracked.trajectory, sequence, tracked.summary().partition(": ")[2], alignment))
    return rows


def world_rows(frames: int) -> list[list[str]]:
    """Exact and corrupted flow, DIS flow with exact depth, and the baseline, on one sequence."""
    sequence = WorldSequence(1, WorldOptions(size=SIZE, frames=frames))
    length = float(Trajectory(sequence.poses, sequence.timestamps).distances()[-1])
    name = f"world, {length:.0f} m"
    plain, window = (TrackerOptions(subpixel=False, refine=x) for x in ("none", "window"))
    corrupted = Exact(sequence, noisy=0.2, cars=0.15)
    runs = {
        "exact flow, exact depth": (Exact(sequence), plain),
        "exact flow, exact depth, window": (Exact(sequence), window),
        "corrupted flow, exact depth": (corrupted, plain),
        "corrupted flow, exact depth, window": (corrupted, window),
        "DIS flow, exact depth": (Classical(SequenceDepth(sequence)), TrackerOptions(refine="none")),
        "DIS flow, exact depth, window": (Classical(SequenceDepth(sequence)), TrackerOptions(refine="window")),
    }
    rows = tracked_rows(name, sequence, SIZE, runs)
    return [*rows, row(name, "OpenCV tracks, true lengths", baseline(sequence, SIZE), sequence)]


def kitti_rows(root: Path, runs: list[Path]) -> list[list[str]]:
    """Networks of runs, where given, and the baseline, on KITTI 00."""
    sequence, rows = KittiOdometry(root, "00", camera=0), []
    name = f"KITTI 00, {len(sequence)} frames"
    for folder in runs:
        model = load(folder, device="cpu")
        size, networks = model.tracking_size(sequence.size), model.perception()
        tracks = {
            f"networks {size[1]}x{size[0]}": (networks, TrackerOptions(refine="none")),
            f"networks {size[1]}x{size[0]}, window": (networks, TrackerOptions(refine="window")),
        }
        rows += tracked_rows(name, sequence, size, tracks, "7dof")
        rows.append(row(name, f"OpenCV tracks {size[1]}x{size[0]}, true lengths", baseline(sequence, size), sequence))
    full = tuple(sequence.size)
    return [
        *rows,
        row(name, f"OpenCV tracks {full[1]}x{full[0]}, true lengths", baseline(sequence, full), sequence),
    ]


def tum_rows(root: Path) -> list[list[str]]:
    """Classical flow and the set's own depth on a camera that mostly turns."""
    sequence = TumSequence(root, "rgbd_dataset_freiburg1_rpy")
    rows = []
    for options in (TrackerOptions(refine="none"), TrackerOptions(refine="window")):
        tracked = track(sequence, Classical(SequenceDepth(sequence)), size=(240, 320), options=options)
        steps, true = (
            torch.linalg.solve(poses[:-1], poses[1:]) for poses in (tracked.trajectory.poses, sequence.poses)
        )
        worst = float((steps[:, :3, 3] - true[:, :3, 3]).norm(dim=-1).max())
        methods = f"{tracked.summary().partition(': ')[2]}; worst step {worst:.3f} m"
        seen = "DIS flow, own depth" + (", window" if options.refine == "window" else "")
        rows.append(row("TUM freiburg1_rpy", seen, tracked.trajectory, sequence, methods))
    return rows


def milliseconds(options: TrackerOptions, repeats: int = 20) -> float:
    """Median time of a frame, everything but flow and depth."""
    sequence = WorldSequence(1, WorldOptions(size=SIZE, frames=2))
    a, b = (Frame(i, image[None]) for i, image in enumerate(read_ahead(sequence, SIZE)))
    exact = Exact(sequence)
    flows, depths = exact.flow(a, b), Depths(exact.depth(a), exact.depth(b))
    camera, still = sequence.intrinsics[None], torch.eye(4).double()
    took = []
    for _ in range(repeats):
        start = time.perf_counter()
        _, found = flow_matches(*flows, options, seed=options.seed)
        frame_motion(found, depths, camera, still, options, images=(a.image, b.image))
        took.append(1e3 * (time.perf_counter() - start))
    return float(np.median(took[2:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kitti", type=Path, help="folder of KITTI odometry")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="runs whose networks track it")
    parser.add_argument("--tum", type=Path, help="folder of TUM RGB-D sequences")
    parser.add_argument("--frames", type=int, default=450, help="length of the sequence through the world")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine("opencv-python-headless"))
    took = milliseconds(TrackerOptions())
    print(f"a frame of {SIZE[1]}x{SIZE[0]}, all but flow and depth: {took:.0f} ms (median)\n")
    rows = world_rows(options.frames)
    if options.kitti:
        rows += kitti_rows(options.kitti, options.runs)
    if options.tum:
        rows += tum_rows(options.tum)
    print(table(HEADINGS, rows))


if __name__ == "__main__":
    main()
