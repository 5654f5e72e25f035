"""The tracker, its back-ends and other systems on the same frames: errors and time in one table.

    python benchmarks/odometry.py [vode-small] --data DIR [--frames 200] [--only NAME ...] [--videos NAME ...]

Real sequences of ``--data`` (kitti_odometry, seven_scenes, tum), with their published calibration.
Other systems see them at full size and know no scale: all is scored after 7-DoF alignment, on the frames that each
gives a pose.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import rivals
import torch
from report import machine, table

from vode.datasets.base import Sequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.datasets.sequence_slice import SequenceSlice
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.geometry.resize import magnified
from vode.io.trajectory import Trajectory
from vode.model import Model, load
from vode.odometry.perception import MatchingPerception, NoDepth, Perception, network_perception, with_depth
from vode.odometry.result import Method
from vode.odometry.track import track
from vode.pipelines.refinement import refine_globally
from vode.reconstruction.options import BundleOptions

HEADINGS = ("video", "system", "t_err %", "r_err deg/100 m", "ATE m", "RPE m", "frames", "s a frame")
System = Callable[[Sequence], rivals.Found]


def ours(model: Model, *, depth: bool = True, together: str = "", **changes: object) -> System:
    """The tracker with its options changed; ``together``: the camera that global refinement of all keyframes takes."""

    def run(sequence: Sequence) -> rivals.Found:
        options = replace(model.tracker, **changes)
        perception: Perception | MatchingPerception
        perception = network_perception(model.flow, model.depth, options, model.size_for)
        if not depth:
            perception = with_depth(perception, NoDepth())
        size = magnified(model.size_for(tuple(sequence.size)), options.magnify)
        done = track(sequence, perception, size=size, options=options)
        trajectory = done.trajectory
        if together:
            trajectory = refine_globally(sequence, done, BundleOptions(camera=together)).trajectory
        known = [i for i, result in enumerate(done.results) if result.method is not Method.EXTRAPOLATED]
        return rivals.Found(known, trajectory.poses[known])

    return run


def systems(model: Model) -> dict[str, System]:
    """By name: ours, then the others."""
    return {
        "vode": ours(model),
        "vode, loops": ours(model, loops=True),
        "vode, global refinement": ours(model, loops=True, together="fixed"),
        "vode, global refinement with the lens": ours(model, loops=True, together="distortion"),
        "vode, no window, lengths by depth": ours(model, refine="none", scale_from="depth"),
        "vode, no depth": ours(model, depth=False, scale_from="tracks"),
        "vode, no network": ours(model, depth=False, scale_from="tracks", flow="classical"),
        "TrianFlow's tracker": ours(model, tracker="trianflow", refine="none", scale_from="depth"),
        "OpenCV tracks": rivals.opencv_tracks,
        "COLMAP, incremental": lambda sequence: rivals.colmap(sequence, "incremental"),
        "COLMAP, global": lambda sequence: rivals.colmap(sequence, "global"),
        "ORB-SLAM3": rivals.orbslam3,
    }


def videos(root: Path, frames: int) -> dict[str, Sequence]:
    """The real sequences that there are."""
    found: dict[str, Sequence] = {}
    if (root / "kitti_odometry").is_dir():
        found["KITTI 00"] = KittiOdometry(root / "kitti_odometry", "00", camera=0)
    for name, dataset, folder in (("redkitchen", "7scenes", "seven_scenes/redkitchen"), ("TUM rpy", "tum", "tum")):
        if (root / folder).is_dir():
            opened = open_dataset(DataOptions(dataset, data=root / folder))
            found[name] = opened.open_all(opened.names("all"))[0]
    return {name: SequenceSlice(x, start=0, end=min(frames, len(x)), step=1) for name, x in found.items()}


def row(video: str, name: str, sequence: Sequence, system: System) -> list[str]:
    """Scores of one system, or why there are none."""
    print(f"{video}: {name}", file=sys.stderr, flush=True)
    start = time.perf_counter()
    try:
        found = system(sequence)
    except ImportError as error:
        return [video, name, f"not installed: {error.name}", "", "", "", "", ""]
    took = (time.perf_counter() - start) / len(sequence)
    if len(found.frames) < 3:
        return [video, name, "no path", "", "", "", f"{len(found.frames)} of {len(sequence)}", f"{took:.2f}"]
    estimate = Trajectory(found.poses, None)
    truth = Trajectory(ground_truth_trajectory(sequence).poses[found.frames], None)
    scores = evaluate_odometry(estimate, truth, alignment="7dof")
    names = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m")
    shown = ["-" if scores[x] is None else f"{scores[x]:.3f}" for x in names]
    return [video, name, *shown, f"{len(found.frames)} of {len(sequence)}", f"{took:.2f}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="vode-small")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--only", nargs="+", default=[], help="systems")
    parser.add_argument("--videos", nargs="+", default=[])
    options = parser.parse_args()
    model = load(options.model, device="cpu")
    print(machine("opencv-python-headless", "pycolmap", "pyorbslam3"))
    rows = []
    for video, sequence in videos(options.data, options.frames).items():
        if options.videos and video not in options.videos:
            continue
        for name, system in systems(model).items():
            if options.only and name not in options.only:
                continue
            rows.append(row(video, name, sequence, system))
            print(table(HEADINGS, rows[-1:]).splitlines()[-1], flush=True)
    print("\n" + table(HEADINGS, rows))


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main()
