"""The table of a bench, and all of its numbers with where they come from."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import stdev
from typing import Any

import torch

import vode
from vode.devices import processor_name
from vode.evaluation.published import DEPTH, ODOMETRY
from vode.evaluation.tables import Measure, Table
from vode.io.dataclass_json import to_plain
from vode.pipelines.bench.options import BenchOptions
from vode.pipelines.bench.scoring import GEOMETRIC, mean, protocol_of
from vode.run_folder import BESIDE as WEIGHTS

MEASURES = (
    Measure("abs_rel", "AbsRel", "", 3),
    Measure("rmse", "RMSE", "m", 2),
    Measure("d1", "d1", "", 3),
    Measure("ratio_spread", "depth scale", "", 3),
    Measure("t_err_percent", "t_err", "%", 2),
    Measure("r_err_deg_per_100m", "r_err", "deg/100 m", 2),
    Measure("ate_m", "ATE", "m", 2),
    Measure("scale_deviation", "motion scale", "", 3),
    Measure("flow_epe_px", "EPE", "px", 2),
    Measure("minutes", "trained", "min", 1),
    Measure("samples", "samples", "", 0),
)
"""columns of the table"""
CONSTANT = "constant depth"
SEQUENCE = "09"
"""of KITTI, whose published odometry is beside"""
BESIDE = {
    "SfMLearner": ("SfMLearner (updated) 416x128", "SfMLearner"),
    "GeoNet": ("GeoNet 416x128", None),
    "SC-SfMLearner": ("SC-SfMLearner R18 832x256", "SC-SfMLearner"),
    "Monodepth2": ("Monodepth2 640x192", "Monodepth2, mono"),
    "TrianFlow": ("TrianFlow 832x256", "TrianFlow"),
}
"""published methods, and what their rows of depth and odometry are called"""

Runs = Mapping[str, Mapping[int, Mapping[str, Any]]]
"""recipe -> seed -> what was found of the run"""


def table_of_runs(runs: Runs, options: BenchOptions) -> Table:
    """Mean and standard deviation over the seeds of every recipe, a constant depth, and published rows, so marked."""
    rows = {}
    for name, found in runs.items():
        each = list(found.values())
        if each:
            rows[name] = _cells(each)
        if any(key.startswith(GEOMETRIC) for run in each for key in run["scores"]):
            rows[f"{name}, geometric tracker"] = _cells([{"scores": _by_geometry(run["scores"])} for run in each])
    if (constant := constant_depth(runs)) is not None:
        rows[CONSTANT] = _cells([{"scores": {"abs_rel": constant}}])
    rows |= {f"{name} [published]": _cells([{"scores": values}]) for name, values in published().items()}
    return Table(tuple(rows), ("",), MEASURES, tuple(rows.values()), tuple(notes(runs, options)))


def constant_depth(runs: Runs) -> float | None:
    """AbsRel of a constant depth, which is that of the data; None without ground truth."""
    return mean([run["scores"] for found in runs.values() for run in found.values()]).get("abs_rel_constant")


def published() -> dict[str, dict[str, float | None]]:
    """The published numbers of each method of ``BESIDE``, on KITTI."""
    depth = {row.method: row.values["kitti-eigen"] for row in DEPTH}
    odometry = {row.method: row.values[SEQUENCE] for row in ODOMETRY}
    return {
        name: {**depth[of_depth], **(odometry[of_odometry] if of_odometry else {})}
        for name, (of_depth, of_odometry) in BESIDE.items()
    }


def notes(runs: Runs, options: BenchOptions) -> list[str]:
    """How the numbers were measured, a line each."""
    every = [run for found in runs.values() for run in found.values()]
    seeds = sorted({seed for found in runs.values() for seed in found})
    sources = {row.method: row.source for row in (*DEPTH, *ODOMETRY)}
    works = "; ".join(f"{name}: {sources[depth]}" for name, (depth, _) in BESIDE.items())
    lines = [
        f"{options.dataset} at {options.size[0]}x{options.size[1]}, {options.budget} a run",
        f"seeds {', '.join(map(str, seeds))}, mean ± standard deviation",
        f"scored on {', '.join(options.test) or 'the test sequences of ' + options.dataset}; depth: "
        + ", ".join(f"{key} {value}" for key, value in protocol_of(options).described().items()),
        "odometry: by each run's own tracker, aligned by 7 degrees of freedom",
        "depth scale: relative deviation of the images' ratios to the true depth; motion scale: deviation of the "
        "logarithm of the true over the estimated length of single motions",
    ]
    for name in ("flow", "depth"):
        having = [recipe for recipe, found in runs.items() if any(name in run["beside"] for run in found.values())]
        if having:
            lines.append(f"{', '.join(having)}: the {name} that geometric odometry takes is that of {WEIGHTS}")
    failed = {name: [str(seed) for seed, run in found.items() if "diverged" in run] for name, found in runs.items()}
    lines += [f"{name}: diverged with seed {', '.join(each)}, not counted" for name, each in failed.items() if each]
    lines += [f"machine: {line}" for line in dict.fromkeys(run["machine"]["described"] for run in every)]
    return [*lines, f"published: on KITTI, Eigen's test frames and odometry {SEQUENCE}, not measured here: {works}"]


def content(runs: Runs, schedules: Mapping[str, Any], options: BenchOptions, folder: Path) -> dict[str, Any]:
    """All numbers of a bench, ready for JSON."""
    recipes = {}
    for name, found in runs.items():
        scores = [run["scores"] for run in found.values()]
        recipes[name] = {
            "schedule": schedules.get(name),
            "mean": mean(scores),
            "spread": {key: _spread(scores, key) for key in dict.fromkeys(key for each in scores for key in each)},
            "runs": {str(seed): dict(run) for seed, run in found.items()},
        }
    return {
        "vode": vode.__version__,
        "folder": str(folder),
        "options": to_plain(options),
        "depth_protocol": protocol_of(options).described(),
        "recipes": recipes,
        "published": published(),
        "notes": notes(runs, options),
    }


def machine(device: str) -> dict[str, str]:
    """What a run was trained on."""
    unit = torch.cuda.get_device_name() if torch.device(device).type == "cuda" else f"{torch.get_num_threads()} threads"
    return {
        "described": f"{processor_name()}, {unit}, torch {version('torch')}",
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def _by_geometry(scores: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a pose network's run that is tracked by geometry."""
    return {name.removeprefix(GEOMETRIC): value for name, value in scores.items() if name.startswith(GEOMETRIC)}


def _cells(found: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """The cells of a row."""
    flat = [{**run["scores"], **{name: run.get(name) for name in ("minutes", "samples")}} for run in found]
    cells = []
    for measure in MEASURES:
        average, spread = mean(flat).get(measure.name), _spread(flat, measure.name)
        if average is None:
            cells.append("-")
        else:
            beside = "" if spread is None or measure.name == "samples" else f" ± {spread:.{measure.digits}f}"
            cells.append(f"{average:.{measure.digits}f}{beside}")
    return tuple(cells)


def _spread(found: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """The standard deviation of a number over runs, None of fewer than two."""
    known = [value for each in found if (value := each.get(name)) is not None]
    return stdev(known) if len(known) > 1 else None
