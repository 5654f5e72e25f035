"""The tracker's choices with one model: image size, flow, refinement, number of points.

    python benchmarks/choices.py [vode-small] [--kitti DIR] [--frames 150]

Choices are made on sequences of the rendered world (town, residential, country, highway; seeds not trained on)
and reported on KITTI 00, which has no part in them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence as Several
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from report import machine, table

from vode.datasets.base import Sequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.geometry.resize import magnified
from vode.model import Model, load
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import network_perception
from vode.odometry.track import track
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

KINDS, SEED = ("town", "residential", "country", "highway"), 22_000
WORLD = WorldOptions(size=(256, 832), speed=None, effects=0.5)
NAMES = ("t_err_percent", "r_err_deg_per_100m", "ate_m", "rpe_m", "rpe_deg")


def scores(model: Model, options: TrackerOptions, sequences: Several[Sequence]) -> list[float]:
    """Means over sequences after 7-DoF alignment, t_err after 6-DoF alignment, and frames a second."""
    values, frames, seconds = [], 0, 0.0
    for sequence in sequences:
        size = magnified(model.size_for(sequence.size), options.magnify)
        perception = network_perception(model.flow, model.depth, options, model.size_for)
        start = time.perf_counter()
        found = track(sequence, perception, size=size, options=options).trajectory
        seconds, frames = seconds + time.perf_counter() - start, frames + len(sequence)
        truth = ground_truth_trajectory(sequence)
        similar, rigid = (evaluate_odometry(found, truth, alignment=name) for name in ("7dof", "6dof"))
        values.append([*(similar[name] for name in NAMES), rigid["t_err_percent"]])
    known = np.array(values, dtype=float)
    return [*np.nanmean(known, axis=0).tolist(), frames / seconds]


def described(options: TrackerOptions) -> str:
    """What is varied of the options."""
    subpixel = "" if options.subpixel else ", not refined on the images"
    return f"{options.flow}, x{options.magnify:g}, {options.refine}, {options.count} points{subpixel}"


def choices() -> list[TrackerOptions]:
    """What is compared: flow, size and refinement together, then the number of points and refinement on the images."""
    flows: tuple[Literal["network"], Literal["refined"], Literal["classical"]] = ("network", "refined", "classical")
    refinements: tuple[Literal["none"], Literal["window"]] = ("none", "window")
    grid = [
        TrackerOptions(flow=flow, magnify=magnify, refine=refine)
        for flow in flows
        for magnify in (1.0, 1.5, 2.0)
        for refine in refinements
    ]
    chosen = TrackerOptions(flow="classical", magnify=1.5)
    return [*grid, *(replace(chosen, count=count) for count in (500, 1000, 4000)), replace(chosen, subpixel=False)]


def main() -> None:
    """Print a table of the world, and one of KITTI."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="vode-small")
    parser.add_argument("--kitti", type=Path)
    parser.add_argument("--frames", type=int, default=150)
    given = parser.parse_args()
    model = load(given.model, device="cpu")
    print(machine("opencv-python-headless"), "\n")
    worlds = [
        WorldSequence(SEED + i, replace(WORLD, scenes=(kind,), frames=given.frames)) for i, kind in enumerate(KINDS)
    ]
    named: dict[str, list[Sequence]] = {"the world": list(worlds)}
    if given.kitti is not None:
        named["KITTI 00"] = [KittiOdometry(given.kitti, "00", camera=0)]
    for name, sequences in named.items():
        rows = [(described(each), *(f"{x:.3g}" for x in scores(model, each, sequences))) for each in choices()]
        headings = ("on " + name, "t_err %", "r_err", "ATE m", "RPE m", "RPE deg", "t_err % 6-DoF", "frames/s")
        print(table(headings, rows), "\n")


if __name__ == "__main__":
    with torch.no_grad():
        main()
