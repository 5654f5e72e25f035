"""An hour of video: laps of a closed course of the rendered world, tracked with loops, part by part of the hour.

The images of a lap are rendered once, into FILE if one is given. What the process holds is counted without them.

python benchmarks/endurance.py [vode-small] [--frames 36000] [--images FILE] [--lap 2355 --seed 701]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from report import machine, table

from vode.evaluation.odometry import evaluate_odometry
from vode.io.trajectory import Trajectory
from vode.model import load
from vode.odometry.visual_odometry import VisualOdometry
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

PARTS = 10
MARGIN = 45
"""frames of the course beyond a lap"""
HEADINGS = ("frames", "frames/s", "longest s", "MB", "keyframes", "of loops MB", "loops")


def held_mb() -> float:
    """Memory that the process alone holds, without files that are mapped; Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(x.split()[1]) for x in lines if x.startswith("RssAnon")) / 1e3


def rendered(sequence: WorldSequence, lap: int, file: Path | None) -> np.ndarray:
    """The images (N, H, W, 3) uint8 of a lap, read from a file if it is there."""
    if file is not None and file.is_file():
        return np.load(file, mmap_mode="r")
    shape = (lap, *sequence.size, 3)
    images = np.empty(shape, np.uint8) if file is None else np.lib.format.open_memmap(file, "w+", np.uint8, shape)
    for i in range(lap):
        images[i] = sequence.frame(i).movedim(0, -1).mul(255).round().byte().numpy()
    return images


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", nargs="?", default="vode-small")
    parser.add_argument("--frames", type=int, default=36_000, help="an hour at ten a second")
    parser.add_argument("--lap", type=int, default=2355, help="frames after which the course is where it began")
    parser.add_argument("--seed", type=int, default=701)
    parser.add_argument("--images", type=Path, help="file that the images of a lap are kept in")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(machine("opencv-python-headless"), flush=True)
    world = WorldOptions(size=(128, 416), frames=options.lap + MARGIN, scenes=("town",), closed=True)
    sequence = WorldSequence(options.seed, world)
    images = rendered(sequence, options.lap, options.images)
    model = load(options.weights)
    tracker = replace(model.tracker, loops=True)
    odometry = VisualOdometry(model, sequence.intrinsics, tracker, size=sequence.size)
    rows, before = [], 0
    for end in np.linspace(0, options.frames, PARTS + 1).astype(int)[1:]:
        begun, longest = time.perf_counter(), 0.0
        for i in range(before, end):
            started = time.perf_counter()
            odometry.register_frame(np.array(images[i % options.lap]), i / world.rate)
            longest = max(longest, time.perf_counter() - started)
        speed = (end - before) / (time.perf_counter() - begun)
        closer = odometry._loops
        assert closer is not None
        kept = f"{closer.nbytes / 1e6:.0f}"
        counts = f"{len(closer.keyframes)}", kept, f"{len(odometry.loops)}"
        rows.append([f"{end}", f"{speed:.1f}", f"{longest:.1f}", f"{held_mb():.0f}", *counts])
        print(" ".join(rows[-1]), flush=True)
        before = end
    print(table(HEADINGS, rows))
    odometry.finish()
    true = sequence.poses[torch.arange(options.frames) % options.lap]
    scores = evaluate_odometry(odometry.trajectory, Trajectory(true, odometry.trajectory.timestamps), "7dof")
    print(f"{odometry.summary()}; ATE {scores['ate_m']:.2f} m of {float(Trajectory(true).distances()[-1]):.0f} m")


if __name__ == "__main__":
    main()
