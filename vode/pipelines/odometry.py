"""Odometry: sequences tracked by a run, or trajectory files, evaluated and drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from vode.datasets.base import Sequence as Video
from vode.datasets.base import noted
from vode.errors import InputError
from vode.evaluation import comparison
from vode.evaluation.result import Result
from vode.evaluation.runs import ground_truth_trajectory
from vode.evaluation.tables import Table
from vode.io.association import AssociationOptions
from vode.io.atomic import make_folder, write_bytes
from vode.io.frame_keys import with_times
from vode.io.trajectory import Trajectory
from vode.io.trajectory_formats.clock import Times, read_times
from vode.io.trajectory_formats.names import SUFFIXES, TIMED
from vode.model import Model, load
from vode.odometry.perception import Matched, MatchingPerception, Perception, network_perception
from vode.odometry.result import log_lines
from vode.odometry.visual_odometry import VisualOdometry, track
from vode.pipelines.evaluation_data import evaluation_sequences
from vode.pipelines.options import EvaluationData, OdometryOptions
from vode.run_folder import find_run

SHOWN = 5
"""frames without a motion of their own that are named"""

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
    run: Path,
    where: EvaluationData = EvaluationData(),
    options: OdometryOptions = OdometryOptions(),
    out: Path | None = None,
    on_progress: OnProgress = lambda line: None,
) -> OdometryReport:
    """Track sequences with a run's networks and evaluate the trajectories where there is ground truth.

    Trajectories, a log of every motion and plots are written to ``out``, by default RUN/odometry; ``on_progress`` is
    called with a line about each.
    """
    model = load(run, device=where.device)
    sequences = evaluation_sequences(where, model.size, run=run)
    for line in noted(sequences):
        on_progress(line)
    names = [sequence.name for sequence in sequences]
    clocks = _clocks(options, names)
    others = _at_times(comparison.read_methods(options.compare, names), clocks, options.time_offset)
    out = make_folder(out or find_run(run).output("odometry"))
    tracked = {"vode": track_sequences(model, sequences, out, options, on_progress)}
    true = {"": {s.name: ground_truth_trajectory(s) for s in sequences if s.poses is not None}}
    return _evaluated(_at_times(tracked, clocks) | others, _at_times(true, clocks)[""], options, out)


def evaluate_files(
    estimates: Sequence[str],
    ground_truths: Sequence[Path],
    options: OdometryOptions = OdometryOptions(),
    out: Path | None = None,
) -> OdometryReport:
    """Evaluate trajectory files: ``estimates`` are [NAME=]FILE or folders of SEQUENCE.txt; plots only into ``out``."""
    true = comparison.read_ground_truths(ground_truths)
    clocks = _clocks(options, list(true))
    methods = comparison.read_methods([*estimates, *options.compare], true)
    return _evaluated(_at_times(methods, clocks, options.time_offset), _at_times({"": true}, clocks)[""], options, out)


def track_sequences(
    model: Model,
    sequences: Sequence[Video],
    out: Path,
    options: OdometryOptions = OdometryOptions(),
    on_progress: OnProgress = lambda line: None,
) -> dict[str, Trajectory]:
    """The trajectory of each sequence by its name, written to ``out`` with a log of every motion."""
    untimed = next((s.name for s in sequences if s.timestamps is None), None)
    if options.format in TIMED and untimed is not None:
        raise InputError(f"{untimed}: its frames have no times, which {options.format} needs; write kitti", "format")
    changes: dict[str, Any] = {"refine": options.refine, "loops": options.loops or None, "flow": options.flow}
    tracker = replace(model.tracker, **{name: value for name, value in changes.items() if value is not None})
    perception: Perception | MatchingPerception
    perception = network_perception(model.flow, model.depth, tracker, model.size_for)
    if options.matcher is not None:
        from vode.odometry.matchers import open_matcher

        perception = Matched(open_matcher(options.matcher, model.device), perception)
    trajectories = {}
    for sequence in sequences:
        tracked = track(sequence, perception, size=model.tracking_size(sequence.size), options=tracker)
        file = out / f"{sequence.name}{SUFFIXES[options.format]}"
        tracked.trajectory.write(file, options.format)
        log = file.with_suffix(".log.jsonl")
        write_bytes(log, log_lines(tracked.results).encode())
        on_progress(f"{file}: {len(tracked.trajectory)} poses; {tracked.summary()}{_loops(tracked)}")
        extrapolated = tracked.extrapolated()
        for line in extrapolated[:SHOWN]:
            on_progress(f"  {line}")
        if len(extrapolated) > SHOWN:
            on_progress(f"  and {len(extrapolated) - SHOWN} more, in {log}")
        trajectories[sequence.name] = tracked.trajectory
    return trajectories


def _loops(tracked: VisualOdometry) -> str:
    """What loops did, where they were looked for."""
    if not tracked.options.loops:
        return ""
    scales = tracked.depth_scales.values()
    spread = f", depth scaled by {min(scales):.3f} to {max(scales):.3f}" if tracked.loops else ""
    return f"; {len(tracked.loops)} loops between {len(scales)} keyframes{spread}"


class _Clock(NamedTuple):
    """The times of a sequence's frames: what ``with_times`` takes."""

    times: Times
    name: str
    by: str


def _clocks(options: OdometryOptions, sequences: Sequence[str]) -> dict[str, _Clock]:
    files = options.times
    if files and len(files) != len(sequences):
        raise InputError(f"{len(files)} files of times for {len(sequences)} sequences; give one for each", "times")
    pairs = zip(sequences, files, strict=False)
    return {name: _Clock(read_times(file), str(file), options.by) for name, file in pairs}


def _at_times(
    methods: Mapping[str, Mapping[str, Trajectory]], clocks: Mapping[str, _Clock], offset: float = 0.0
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
    results = comparison.score(trajectories, ground_truths, options.alignment, matching)
    overview = comparison.odometry_table(results, published=options.published)
    plots: list[Path] = []
    if out is not None:
        alignment, kind = options.alignment, options.plot_format
        plots = comparison.draw(out, trajectories, ground_truths, results, alignment, matching=matching, kind=kind)
    return OdometryReport(trajectories, results, overview, tuple(plots))
