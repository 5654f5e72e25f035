"""Scale over time: trackers whose lengths come from each pair's depth, from tracks, or from both, and the window.

    python benchmarks/scale.py [vode-small] [--data DIR] [--frames 200] [--flow network] [--seeds N ...] [--default]

Sequences of the rendered world that are not trained on, and real ones of ``--data`` (kitti_odometry, seven_scenes,
tum). The normalised error is the root mean square of the log error of each new length over its standard deviation.
``--default`` is the default tracker alone.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from report import machine, table

from vode.datasets.base import Sequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.geometry.resize import magnified
from vode.model import Model, load
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import network_perception
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

WORLD = WorldOptions(size=(196, 637), speed=None, effects=0.5)
SEEDS = {"town": 22_000, "residential": 22_001, "country": 22_002, "highway": 22_003}
AT_REST = 0.01
"""metres: shorter steps have no normalised error"""
HEADINGS = (
    "video",
    "lengths by",
    "refined",
    "t_err %",
    "t_err % 6-DoF",
    "RPE m",
    "ATE m",
    "normalised error",
    "methods",
)


class Lengths:
    """Notes the length of every step as it is when its frame comes."""

    def __init__(self) -> None:
        self.values: list[float] = []

    def __call__(self, odometry: VisualOdometry) -> None:
        count = len(odometry)
        if count > 1:
            a, b = (torch.as_tensor(odometry.pose(k))[:3, 3] for k in (count - 2, count - 1))
            self.values.append(float((b - a).norm()))


def row(name: str, sequence: Sequence, model: Model, options: TrackerOptions) -> list[str]:
    """Scores of one tracker on one sequence."""
    lengths = Lengths()
    size = magnified(model.size_for(sequence.size), options.magnify)
    perception = network_perception(model.flow, model.depth, options, model.size_for)
    done = track(sequence, perception, size=size, options=options, observe=lengths)
    truth = ground_truth_trajectory(sequence)
    similar, rigid = (evaluate_odometry(done.trajectory, truth, alignment=x) for x in ("7dof", "6dof"))
    values = [similar["t_err_percent"], rigid["t_err_percent"], similar["rpe_m"], similar["ate_m"]]
    true = truth.positions.diff(dim=0).norm(dim=-1)
    told = torch.tensor([x.scale_deviation or float("nan") for x in done.results[1:]], dtype=torch.float64)
    errors = (torch.tensor(lengths.values, dtype=torch.float64) / true).log() / told
    errors = errors[errors.isfinite() & (true > AT_REST)]
    shown = ["-" if x is None else f"{x:.2f}" for x in values[:2]] + [f"{x:.3f}" for x in values[2:]]
    normalised = f"{errors.square().mean().sqrt():.2f}"
    return [name, options.scale_from, options.refine, *shown, normalised, done.summary().partition(": ")[2]]


def sequences(data: Path | None, frames: int, seeds: Iterable[int]) -> Iterator[tuple[str, Sequence]]:
    """The world's, one of each kind by each of the seeds, and the real ones that are there."""
    for kind, seed in [(kind, seed) for seed in seeds for kind in SEEDS] or SEEDS.items():
        yield f"world, {kind}, {seed}", WorldSequence(seed, replace(WORLD, scenes=(kind,), frames=frames))
    if data is None:
        return
    if (root := data / "kitti_odometry").is_dir():
        yield "KITTI 00", KittiOdometry(root, "00", camera=0)
    for name, dataset, folder in (("redkitchen", "7scenes", "seven_scenes/redkitchen"), ("TUM rpy", "tum", "tum")):
        if (root := data / folder).is_dir():
            opened = open_dataset(DataOptions(dataset, data=root))
            yield name, opened.open_all(opened.names("all"))[0]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="vode-small")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="*", default=[], help="of the world, one of each kind by each")
    parser.add_argument("--default", action="store_true")
    parser.add_argument("--flow", choices=("network", "refined", "classical"), default="network")
    given = parser.parse_args()
    model = load(given.model, device="cpu")
    magnify = 1.25 if given.flow == "classical" else 1.0
    base = TrackerOptions(flow=given.flow, magnify=magnify)
    ways = [replace(base, scale_from="tracks", refine="none")]
    ways += [replace(base, scale_from=x, refine=y) for x in ("depth", "fused") for y in ("none", "window")]
    ways = ways[-1:] if given.default else ways
    print(machine("opencv-python-headless"), "\n")
    videos = sequences(given.data, given.frames, given.seeds)
    rows = [row(name, video, model, way) for name, video in videos for way in ways]
    print(table(HEADINGS, rows))


if __name__ == "__main__":
    with torch.no_grad():
        main()
