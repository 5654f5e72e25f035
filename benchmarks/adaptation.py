"""What minutes on unlabelled clips are worth: depth and odometry before and after, and whether the verdict was right.

    python benchmarks/adaptation.py --data DIR [--out runs/adaptation] [--clips kitti-00 ...] [--seeds 0 1 2]

``--data`` holds the samples that the tests use (kitti_odometry, kitti_clip, kitti_2015, kitti_raw, seven_scenes, tum).
Every clip is adapted to alone, from the start of the recipe ``adapt`` and with each seed, then scored with ground truth
that the training never saw. What ``--out`` holds is not made again: an interrupted benchmark goes on. Depth is scored
as in benchmarks/weights.py.
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
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.stereo import KittiScene
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.evaluation.depth import DepthProtocol
from vode.evaluation.odometry import evaluate_odometry
from vode.evaluation.runs import ground_truth_trajectory
from vode.model import Model, load
from vode.odometry.visual_odometry import track
from vode.recipes import recipe
from vode.run_folder import RunFolder
from vode.training import loop

Numbers = dict[str, float]


class Clip(NamedTuple):
    """Unlabelled frames, and what tells whether they helped."""

    config: dict[str, Any]
    """of the recipe"""
    measure: Callable[[Model, Path], Numbers]


def odometry(model: Model, sequence: Sequence) -> Numbers:
    """Errors of a trajectory with its scale fitted, and of its steps without."""
    size = model.tracking_size(sequence.size)
    found = track(sequence, model.perception(), size=size, options=model.tracker).trajectory
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


def kitti_00(model: Model, data: Path) -> Numbers:
    """Odometry on the clip, and depth on other drives."""
    scenes = [
        KittiScene(data / "kitti_2015", file.stem[:6])
        for file in sorted((data / "kitti_2015/disp_occ_0").glob("*_10.png"))
    ]
    other = depth(model, [(scene, 0) for scene in scenes], DepthProtocol())
    return odometry(model, KittiOdometry(data / "kitti_odometry", "00", camera=0)) | _named("KITTI 2015", other)


def kitti_clip(model: Model, data: Path) -> Numbers:
    """Depth of another drive, by its lidar."""
    [sequence] = open_dataset(DataOptions("kitti-raw", data / "kitti_raw")).sequences()
    frames = [(sequence, i) for i in range(len(sequence))]
    return _named("KITTI raw", depth(model, frames, DepthProtocol(crop="garg")))


def redkitchen(model: Model, data: Path) -> Numbers:
    """Depth on the test sequence, odometry on the clip."""
    opened = open_dataset(DataOptions("7scenes", data / "seven_scenes/redkitchen"))
    tested = opened.sequences("test")
    frames = [(sequence, i) for sequence in tested for i in range(0, len(sequence), 5)]
    found = _named("test frames", depth(model, frames, DepthProtocol(cap=10)))
    return found | odometry(model, opened.sequences("train")[0])


def tum(model: Model, data: Path) -> Numbers:
    """Depth and odometry on the clip, the only one."""
    [sequence] = open_dataset(DataOptions("tum", data / "tum")).sequences()
    frames = [(sequence, i) for i in range(0, len(sequence), 5)]
    return _named("its frames", depth(model, frames, DepthProtocol(cap=10))) | odometry(model, sequence)


def _named(what: str, numbers: Numbers) -> Numbers:
    return {f"{what}: {name}": value for name, value in numbers.items()}


def clips(data: Path) -> dict[str, Clip]:
    """The clips by name."""
    calibration = data / "kitti_raw/2011_09_26/calib_cam_to_cam.txt"
    return {
        "kitti-00": Clip(
            {"dataset": "kitti-odom", "data": data / "kitti_odometry", "sequences": ("00",), "camera": (0,)}, kitti_00
        ),
        "kitti-clip": Clip(
            {"dataset": "folder", "data": data / "kitti_clip/image_2", "calibration": calibration}, kitti_clip
        ),
        "redkitchen": Clip({"dataset": "7scenes", "data": data / "seven_scenes/redkitchen"}, redkitchen),
        "tum": Clip({"dataset": "tum", "data": data / "tum", "allow_leak": True}, tum),
    }


def adapted(clip: Clip, folder: Path, seed: int, minutes: float) -> dict[str, Any]:
    """The results of a run, which is trained, or finished, if it is not there."""
    config = recipe("adapt")
    assert isinstance(config, AdaptationConfig)
    config = replace(config, **clip.config, seed=seed, minutes=minutes)
    run = RunFolder(folder)
    if not run.holds_run:
        loop.train(config, folder)
    elif not (folder / "results.json").is_file():
        loop.resume(folder, AdaptationConfig)
    return json.loads((folder / "results.json").read_text())


def measured(file: Path, measure: Callable[[], Numbers]) -> Numbers:
    """Numbers that are read from a file, or measured and written to it."""
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(measure()))
    return json.loads(file.read_text())


def rows(name: str, clip: Clip, given: argparse.Namespace) -> Iterator[tuple[str, ...]]:
    """A row for every measure of a clip: before, after with each seed, and the change."""
    data, out = given.data, given.out
    start = recipe("adapt")
    assert start.start_from is not None
    before = measured(
        out / name / "before.json",
        lambda: clip.measure(load(str(start.start_from), device="cpu"), data),
    )
    after, verdicts = [], []
    for seed in given.seeds:
        folder = out / name / str(seed)
        results = adapted(clip, folder, seed, given.minutes)
        after.append(measured(folder / "measured.json", lambda f=folder: clip.measure(load(f, device="cpu"), data)))
        kept = [what for what in ("depth", "flow") if results.get(f"{what}_adapted")]
        verdicts.append(" and ".join(kept) or "start")
    yield name, "kept, seed by seed", "", ", ".join(verdicts), ""
    for measure, value in before.items():
        found = np.array([each[measure] for each in after])
        spread = f" ± {found.std(ddof=1):.3f}" if len(found) > 1 else ""
        yield "", measure, f"{value:.3f}", f"{found.mean():.3f}{spread}", f"{100 * (found.mean() / value - 1):+.0f} %"


def main() -> None:
    """Adapt, measure and print the table, clip by clip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/adaptation"))
    parser.add_argument("--clips", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--minutes", type=float, default=3.0)
    given = parser.parse_args()
    known = clips(given.data)
    print(machine("timm"), "\n")
    found = [row for name in given.clips or known for row in rows(name, known[name], given)]
    print(table(["clip", "measure", "before", "after (mean ± deviation over seeds)", "change"], found))


if __name__ == "__main__":
    main()
