"""What minutes on unlabelled clips are worth: depth and odometry before and after, and whether the verdict was right.

    python benchmarks/adaptation.py --data DIR [--out runs/adaptation] [--clips KITTI ...] [--seeds 0 1 2]

``--data`` holds the samples that the tests use (kitti_odometry, kitti_clip, kitti_2015, kitti_raw, seven_scenes, tum).
Every clip is adapted to alone, from the start of the recipe ``adapt`` and with each seed, then scored with ground truth
that the training never saw. What ``--out`` holds is not made again: an interrupted benchmark goes on. Depth is scored
as in benchmarks/weights.py; means, and standard deviations over the seeds. The tracker draws points by the same seeds,
so that the start has a spread too.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from report import machine, table
from weights import depth_row

from vode.adaptation.config import AdaptationConfig
from vode.datasets.base import Sequence
from vode.datasets.dataset import Split
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.stereo import KittiScene
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.evaluation.depth import DepthProtocol
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.model import Model, load
from vode.odometry.track import track
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training import loop

Numbers = dict[str, float]


class Clip(NamedTuple):
    """Unlabelled frames, and what tells whether they helped."""

    config: dict[str, Any]
    """of the recipe"""
    depth: Callable[[Model, Path], Numbers]
    """of frames that it was not trained on, where there are any"""
    filmed: Callable[[Path], Sequence | None]
    """the clip with its poses, None if they are not known"""


def odometry(model: Model, sequence: Sequence, seed: int) -> Numbers:
    """Errors of a trajectory with its scale fitted, and without, as the model is tracked by default."""
    size, options = model.tracking_size(sequence.size), replace(model.tracker, seed=seed)
    found = track(sequence, model.perception(options), size=size, options=options).trajectory
    truth = ground_truth_trajectory(sequence)
    fitted, metric = (evaluate_odometry(found, truth, alignment=alignment) for alignment in ("7dof", "6dof"))
    numbers = {"ATE 7-DoF, m": fitted["ate_m"], "RPE 7-DoF, m": fitted["rpe_m"], "ATE 6-DoF, m": metric["ate_m"]}
    if fitted["t_err_percent"] is not None:
        numbers |= {"t_err 7-DoF, %": fitted["t_err_percent"], "t_err 6-DoF, %": metric["t_err_percent"]}
    return {name: float(value) for name, value in numbers.items() if value is not None}


def depth(model: Model, frames: list[tuple[Sequence, int]], protocol: DepthProtocol) -> Numbers:
    """AbsRel and d1 with median scaling, and how far the median ratio to the truth is off 1."""
    rows = depth_row("", model, [(s, i) for s, i in frames if s.has_depth(i)], protocol)
    relative, close = (float(x) for x in rows[0][2].split(" / "))
    return {"AbsRel": relative, "d1": close, "scale, |log|": abs(float(np.log(float(rows[1][2]))))}


def kitti_2015(model: Model, data: Path) -> Numbers:
    """Depth on other drives."""
    names = sorted(file.stem[:6] for file in (data / "kitti_2015/disp_occ_0").glob("*_10.png"))
    return depth(model, [(KittiScene(data / "kitti_2015", name), 0) for name in names], DepthProtocol())


def kitti_raw(model: Model, data: Path) -> Numbers:
    """Depth on another drive, by its lidar."""
    [sequence] = open_dataset(DataOptions("kitti-raw", data / "kitti_raw")).sequences()
    return depth(model, [(sequence, i) for i in range(len(sequence))], DepthProtocol(crop="garg"))


def rooms(dataset: str, folder: str, split: Split) -> Callable[[Model, Path], Numbers]:
    """Depth on every fifth frame of a split of a set of rooms."""

    def measure(model: Model, data: Path) -> Numbers:
        sequences = open_dataset(DataOptions(dataset, data / folder)).sequences(split)
        frames = [(sequence, i) for sequence in sequences for i in range(0, len(sequence), 5)]
        return depth(model, frames, DepthProtocol(cap=10))

    return measure


def clips(data: Path) -> dict[str, Clip]:
    """The clips by name."""
    calibration = data / "kitti_raw/2011_09_26/calib_cam_to_cam.txt"
    kitti: dict[str, Any] = {"dataset": "kitti-odom", "data": data / "kitti_odometry", "camera": (0,)}
    kitchen: dict[str, Any] = {"dataset": "7scenes", "data": data / "seven_scenes/redkitchen"}
    desk: dict[str, Any] = {"dataset": "tum", "data": data / "tum", "allow_leak": True}
    return {
        "KITTI 00 (depth: KITTI 2015)": Clip(
            kitti | {"sequences": ("00",)},
            kitti_2015,
            lambda data: KittiOdometry(data / "kitti_odometry", "00", camera=0),
        ),
        "kitti_clip (depth: KITTI raw)": Clip(
            {"dataset": "folder", "data": data / "kitti_clip/image_2", "calibration": calibration},
            kitti_raw,
            lambda data: None,
        ),
        "redkitchen (depth: its test frames)": Clip(
            kitchen,
            rooms("7scenes", "seven_scenes/redkitchen", "test"),
            lambda data: open_dataset(DataOptions(**kitchen)).sequences("train")[0],
        ),
        "TUM rpy (depth: its own frames)": Clip(
            desk, rooms("tum", "tum", "all"), lambda data: open_dataset(DataOptions("tum", data / "tum")).sequences()[0]
        ),
    }


def adapted(clip: Clip, folder: Path, seed: int, given: argparse.Namespace) -> dict[str, Any]:
    """The results of a run, which is trained, or finished, if it is not there."""
    config = recipe("adapt")
    assert isinstance(config, AdaptationConfig)
    config = replace(config, **clip.config, seed=seed, minutes=given.minutes)
    if given.steps:
        depth, flow = replace(config.depth_stage, steps=given.steps), replace(config.flow_stage, steps=given.steps // 3)
        config = replace(config, minutes=0.0, depth_stage=depth, flow_stage=flow)
    if not RunFolder(folder).holds_run:
        loop.train(config, folder)
    elif not (folder / "results.json").is_file():
        loop.resume(folder, AdaptationConfig)
    return json.loads((folder / "results.json").read_text())


def kept(file: Path, measure: Callable[[], Numbers]) -> Numbers:
    """Numbers that are read from a file, or measured and written to it."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(measure()))
    return json.loads(file.read_text())


def measured(name: Path | str, folder: Path, clip: Clip, seed: int, given: argparse.Namespace) -> Numbers:
    """Depth, and odometry where it is known, of weights; kept in a folder."""
    found = kept(folder / "measured_depth.json", lambda: clip.depth(load(name, device="cpu"), given.data))
    sequence = None if given.skip_odometry else clip.filmed(given.data)
    if sequence is not None:
        file = folder / f"measured_odometry_{seed}.json"
        found |= kept(file, lambda: odometry(load(name, device="cpu"), sequence, seed))
    return found


def told(values: np.ndarray) -> str:
    """The mean of values over the seeds, and their standard deviation."""
    return f"{values.mean():.4f}" + (f" ± {values.std(ddof=1):.4f}" if len(values) > 1 else "")


def rows(name: str, clip: Clip, given: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row for every measure of a clip: before, after with each seed, and the change."""
    out = given.out / name.split(" (")[0].replace(" ", "_")
    start = recipe("adapt").start_from
    assert start is not None
    before, after, verdicts = [], [], []
    for seed in given.seeds:
        folder = out / str(seed)
        results = adapted(clip, folder, seed, given)
        before.append(measured(str(start), out / "start", clip, seed, given))
        after.append(measured(folder, folder, clip, seed, given))
        taken = [what for what in ("depth", "flow") if results.get(f"{what}_adapted")]
        verdicts.append(" and ".join(taken) or "neither")
    yield name, "adapted networks that were kept", "", ", ".join(verdicts), ""
    for measure in before[0]:
        was, now = (np.array([each[measure] for each in numbers]) for numbers in (before, after))
        yield "", measure, told(was), told(now), f"{100 * (now.mean() / was.mean() - 1):+.0f} %"


def main() -> None:
    """Adapt, measure and print the table, clip by clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/adaptation"))
    parser.add_argument("--clips", nargs="+", help="beginnings of their names")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=0, help="of depth, a third of it of flow, in place of minutes")
    parser.add_argument("--skip-odometry", action="store_true")
    given = parser.parse_args()
    chosen = {k: v for k, v in clips(given.data).items() if not given.clips or k.startswith(tuple(given.clips))}
    print(machine("timm"), "\n")
    found = [row for name, clip in chosen.items() for row in rows(name, clip, given)]
    print(table(["clip", "measure", "before", "after", "change"], found))


if __name__ == "__main__":
    main()
