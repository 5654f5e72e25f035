"""``vode odom``: trajectories tracked, scored and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vode.cli.common import EvaluationData, save_json
from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.evaluation import comparison, tables
from vode.evaluation.runs import ground_truth_trajectory
from vode.io.atomic import make_folder, write_bytes
from vode.io.trajectory import Trajectory
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.odometry.perception import Networks
from vode.odometry.visual_odometry import track
from vode.run_folder import RunFolder
from vode.training.config import VideoConfig
from vode.training.distributed import device_name

SHOWN = 5
"""frames without a motion of their own that are named"""

Alignment = Literal["none", "scale", "6dof", "7dof", "scale_7dof"]


def odom(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    alignment: Alignment = "7dof",
    estimate: tuple[str, ...] = (),
    ground_truth: tuple[Path, ...] = (),
    refine: Literal["none", "window"] | None = None,
    compare: tuple[str, ...] = (),
    published: bool = False,
    out: Path | None = None,
    format: Literal["png", "pdf", "svg"] = "png",
    table: Path | None = None,
    json: Path | None = None,
) -> None:
    """Track sequences with a run's networks, or take trajectory files, and score and draw the trajectories.

    Args:
        run: folder of a run; not needed with --estimate and --ground-truth.
        alignment: what is fitted to the truth before scoring.
        estimate: trajectories to score instead of tracking: [NAME=]FILE, or a folder of SEQUENCE.txt.
        truth: the true trajectories of --estimate, one file a sequence.
        refine: window refines the poses of the last keyframes together; default as in the run, where it is none.
        compare: trajectories of other methods beside the run's, written like --estimate.
        published: put the published rows for KITTI 09 and 10 into the table.
        out: folder for trajectories and plots; default RUN/odometry, none for files alone.
        format: kind of the plots.
        table: file for the table of all methods and sequences: .txt, .md, .csv or .tex.
        json: file for the numbers.
    """
    if run is None and not (estimate and ground_truth):
        raise InputError("name the folder of a run, or give both --estimate and --ground-truth")
    if run is not None and (estimate or ground_truth):
        raise InputError(f"{run}: a run is tracked on --data; name files of other methods with --compare")
    if run is None and refine is not None:
        raise InputError("--refine is for the tracking of a run; trajectory files are scored as they are")
    if table is not None:
        tables.writer(table)
    if run is None:
        ground_truths = comparison.read_ground_truths(ground_truth)
        estimates = comparison.read_methods([*estimate, *compare], ground_truths)
    else:
        sequences = where.open(RunFolder(run).read_config(VideoConfig).size, run=run)
        others = comparison.read_methods(compare, [sequence.name for sequence in sequences])
        out = make_folder(out or run / "odometry")
        estimates = {"vode": track_run(run, sequences, where.device, out, refine)} | others
        ground_truths = {
            sequence.name: ground_truth_trajectory(sequence) for sequence in sequences if sequence.poses is not None
        }
    results = comparison.score(estimates, ground_truths, alignment)
    for name, sequence, result in comparison.every(results):
        print(f"\n{name}, sequence {sequence}\n{result}\n")
    overview = comparison.odometry_table(results, published=published)
    if published or len(comparison.every(results)) > 1:
        print(f"\n{tables.text(overview)}")
    if table is not None:
        tables.save_table(table, overview)
    if out is not None:
        for file in comparison.draw(out, estimates, ground_truths, results, alignment, kind=format):
            print(file)
    if json is not None:
        save_json(json, comparison.results_to_dict(results))


def track_run(
    run: Path, sequences: list[Sequence], device: str, out: Path, refine: Literal["none", "window"] | None = None
) -> dict[str, Trajectory]:
    """What a run's networks track in each sequence, by its name; written to ``out`` with a log of every motion."""
    config = RunFolder(run).read_config(VideoConfig)
    options = config.tracker if refine is None else replace(config.tracker, refine=refine)
    networks = Networks(*(RunFolder(run).load_network(kind, device_name(device)) for kind in (FlowNet, DepthNet)))
    estimates = {}
    for sequence in sequences:
        tracked = track(sequence, networks, size=config.size, options=options)
        file = out / f"{sequence.name}.txt"
        tracked.trajectory.write_kitti(file)
        write_bytes(file.with_suffix(".log.jsonl"), tracked.log().encode())
        print(f"{file}: {len(tracked.trajectory)} poses; {tracked.summary()}")
        extrapolated = tracked.extrapolated()
        for line in extrapolated[:SHOWN]:
            print(f"  {line}")
        if len(extrapolated) > SHOWN:
            print(f"  and {len(extrapolated) - SHOWN} more, in {file.with_suffix('.log.jsonl')}")
        estimates[sequence.name] = tracked.trajectory
    return estimates
