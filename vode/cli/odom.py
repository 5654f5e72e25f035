"""``vode odom``: trajectories tracked, evaluated and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import save_json
from vode.cli.progress import progress_line
from vode.errors import InputError
from vode.pipelines.options import EvaluationData, OdometryOptions, ReportFiles

BRIEF = 3.0
"""seconds of tracking of which no progress is shown"""


def odom(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    options: Annotated[OdometryOptions, tyro.conf.arg(name="")] = OdometryOptions(),
    estimate: tuple[str, ...] = (),
    ground_truth: tuple[Path, ...] = (),
    files: Annotated[ReportFiles, tyro.conf.arg(name="")] = ReportFiles(),
) -> None:
    """Track sequences with a run's networks, or take trajectory files, and evaluate and draw the trajectories.

    Args:
        run: folder of a run, or name of shipped weights; not needed with --no-depth or --depth-from, which then track
            with classical flow, nor with --estimate and --ground-truth.
        estimate: trajectories to evaluate instead of tracking: [NAME=]FILE (KITTI, TUM or 4x4 rows, EuRoC CSV, .npy),
            or a folder of SEQUENCE.txt, .csv or .npy.
        ground_truth: the ground truth of --estimate, one file a sequence.
    """
    tracks = run is not None or not options.needs_run
    if not tracks and not (estimate and ground_truth):
        raise InputError("name the folder of a run, or give both --estimate and --ground-truth")
    if tracks and (estimate or ground_truth):
        raise InputError(f"{run or 'frames'}: tracked on --data; name files of other methods with --compare")
    for name in ("tracker", "backend", "refine", "loops", "flow", "matcher", "chunk", options.metric_source):
        if not tracks and name is not None and getattr(options, name) != getattr(OdometryOptions(), name):
            flag = name.replace("_", "-")
            raise InputError(f"--{flag} is for the tracking of a run; trajectory files are evaluated as they are")
    if not tracks and options.format != OdometryOptions().format:
        raise InputError("--format is for the trajectories that a run is tracked to; none are written here")
    from vode.evaluation import comparison, tables
    from vode.pipelines import odometry
    from vode.training import distributed

    if files.table is not None:
        tables.writer(files.table)
    if not tracks:
        report = odometry.evaluate_files(estimate, ground_truth, options, files.out)
    else:
        with distributed.joined(where.device) as group, progress_line(after=BRIEF) as on_frame:
            shown = {"on_frame": on_frame} if group.writes else {}
            report = odometry.evaluate_run(run, where, options, files.out, on_progress=print, **shown)
        if not group.writes:
            return
    for name, sequence, result in comparison.every(report.results):
        print(f"\n{name}, sequence {sequence}\n{result}\n")
    if options.published or len(comparison.every(report.results)) > 1:
        print(f"\n{tables.text(report.overview)}")
    for file in report.plots:
        print(file)
    if files.table is not None:
        tables.save_table(files.table, report.overview)
    if files.json is not None:
        save_json(files.json, comparison.results_to_dict(report.results))
