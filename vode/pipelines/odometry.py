"""Odometry: sequences tracked by a run, or trajectory files, evaluated and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vode.datasets.base import noted
from vode.evaluation import comparison
from vode.evaluation.protocols.odometry import check_alignment
from vode.evaluation.result import Result
from vode.evaluation.runs import ground_truth_trajectory
from vode.evaluation.tables import Table
from vode.io.association import AssociationOptions
from vode.io.atomic import make_folder
from vode.io.frame_keys import with_times
from vode.io.trajectory import Trajectory
from vode.model import load
from vode.pipelines.evaluation_data import evaluation_sequences
from vode.pipelines.options import EvaluationData, OdometryOptions
from vode.pipelines.tracking.chunks import check_chunks
from vode.pipelines.tracking.sequences import Clock, OnFrame, clocks_of, track_sequences
from vode.run_folder import find_run
from vode.training import distributed

SIZE = (96, 320)
"""height and width of the world's held-out sequence where no run has its own"""

OnProgress = Callable[[str], None]


@dataclass(frozen=True)
class OdometryReport:
    """Trajectories and results by method and sequence, and the plots that were drawn."""

    trajectories: Mapping[str, Mapping[str, Trajectory]]
    results: Mapping[str, Mapping[str, Result]]
    overview: Table
    """t_err, r_err and ATE of all"""
    plots: tuple[Path, ...] = ()


def evaluate_run(
    run: Path | None,
    where: EvaluationData = EvaluationData(),
    options: OdometryOptions = OdometryOptions(),
    out: Path | None = None,
    on_progress: OnProgress = lambda line: None,
    on_frame: OnFrame = lambda progress: None,
) -> OdometryReport:
    """Track sequences with a run's networks and evaluate the trajectories where there is ground truth.

    No ``run`` is needed where ``options`` give other depth or none; the flow is then OpenCV's. Trajectories, a log of
    every motion and plots are written to ``out``, by default RUN/odometry, or odometry in the current folder;
    ``on_progress`` is called with a line about each, ``on_frame`` with how far the tracking of one is. Under torchrun
    each process tracks its part of the sequences, or of their chunks, all return the report of all, and the first one
    draws.
    InputError names what cannot be used.
    """
    check_alignment(options.protocol, options.alignment)
    options.check_metric()
    options.check_depth()
    check_chunks(options)
    with distributed.joined(where.device) as group:
        model = None if run is None else load(run, device=str(group.device))
        sequences = evaluation_sequences(where, SIZE if model is None else model.size, run=run)
        for line in noted(sequences) if group.writes else ():
            on_progress(line)
        names = [sequence.name for sequence in sequences]
        clocks = clocks_of(options, names)
        others = _at_times(comparison.read_methods(options.compare, names), clocks, options.time_offset)
        out = make_folder(out or (Path("odometry") if run is None else find_run(run).output("odometry")))
        found = track_sequences(model, sequences, out, options, on_progress, on_frame)
    tracked = {"vode": {name: found[name] for name in names}}
    true = {"": {s.name: ground_truth_trajectory(s) for s in sequences if s.poses is not None}}
    plotted = out if group.writes else None
    return _evaluated(_at_times(tracked, clocks) | others, _at_times(true, clocks)[""], options, plotted)


def evaluate_files(
    estimates: Sequence[str],
    ground_truths: Sequence[Path],
    options: OdometryOptions = OdometryOptions(),
    out: Path | None = None,
) -> OdometryReport:
    """Evaluate trajectory files: ``estimates`` are [NAME=]FILE or folders of SEQUENCE.txt; plots only into ``out``."""
    check_alignment(options.protocol, options.alignment)
    true = comparison.read_ground_truths(ground_truths)
    clocks = clocks_of(options, list(true))
    methods = comparison.read_methods([*estimates, *options.compare], true)
    return _evaluated(_at_times(methods, clocks, options.time_offset), _at_times({"": true}, clocks)[""], options, out)


def _at_times(
    methods: Mapping[str, Mapping[str, Trajectory]], clocks: Mapping[str, Clock], offset: float = 0.0
) -> dict[str, dict[str, Trajectory]]:
    """Trajectories by method and sequence with the times of their sequence's frames, ``offset`` seconds later."""
    return {
        name: {
            sequence: (with_times(t, *clocks[sequence]) if sequence in clocks else t).shifted(offset)
            for sequence, t in method.items()
        }
        for name, method in methods.items()
    }


def _evaluated(
    trajectories: Mapping[str, Mapping[str, Trajectory]],
    ground_truths: Mapping[str, Trajectory],
    options: OdometryOptions,
    out: Path | None,
) -> OdometryReport:
    matching = AssociationOptions(options.by, options.max_time_difference)
    results = comparison.score(trajectories, ground_truths, options.alignment, matching, system=options.protocol)
    overview = comparison.odometry_table(results, published=options.published)
    plots: list[Path] = []
    if out is not None:
        alignment, kind = options.alignment, options.plot_format
        plots = comparison.draw(out, trajectories, ground_truths, results, alignment, matching=matching, kind=kind)
    return OdometryReport(trajectories, results, overview, tuple(plots))
