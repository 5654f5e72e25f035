"""Several methods on several sequences: their trajectory files read, scored, drawn and put in one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from vode.errors import InputError
from vode.evaluation.frame_scale import scale_by_distance
from vode.evaluation.odometry import align, evaluate_odometry
from vode.evaluation.protocols.odometry import with_protocol
from vode.evaluation.published import DEPTH as PUBLISHED_DEPTH
from vode.evaluation.published import ODOMETRY as PUBLISHED
from vode.evaluation.published import rows as rows_of
from vode.evaluation.published import sources as sources_of
from vode.evaluation.result import Result
from vode.evaluation.tables import DEPTH, ODOMETRY, Table, Values, shared_protocol, table_of
from vode.io.association import AssociationOptions, associate
from vode.io.atomic import make_folder
from vode.io.trajectory import Trajectory, read_trajectory
from vode.visualization import plots

Estimates = Mapping[str, Mapping[str, Trajectory]]
"""method -> sequence -> trajectory"""
Results = Mapping[str, Mapping[str, Result]]
"""method -> sequence -> result"""
SUFFIXES = (".txt", ".csv", ".npy")
"""of trajectory files in a folder"""


def read_ground_truths(files: Iterable[Path]) -> dict[str, Trajectory]:
    """The true trajectories, each named by its file: poses/09.txt is sequence 09."""
    ground_truths: dict[str, Trajectory] = {}
    for file in files:
        if file.stem in ground_truths:
            raise InputError(f"{file}: a second ground truth called {file.stem}; give each sequence its own file name")
        ground_truths[file.stem] = read_trajectory(file)
    return ground_truths


def read_methods(words: Iterable[str], sequences: Iterable[str]) -> dict[str, dict[str, Trajectory]]:
    """The trajectories that words ``[NAME=]PATH`` mean, by method and sequence.

    A folder holds SEQUENCE.txt, .csv or .npy for each sequence that the method has; a file is the sequence of its name,
    or the only one there is. Words of one NAME are one method; without NAME it is that of the folder or file.
    """
    sequences = list(sequences)
    methods: dict[str, dict[str, Trajectory]] = {}
    for word in words:
        name, found = _files(word, sequences)
        method = methods.setdefault(name, {})
        for sequence, file in found.items():
            if sequence in method:
                raise InputError(f"{file}: {name} has sequence {sequence} already; name methods with NAME={file}")
            method[sequence] = read_trajectory(file)
    return methods


def score(
    estimates: Estimates,
    ground_truths: Mapping[str, Trajectory],
    alignment: str,
    matching: AssociationOptions = AssociationOptions(),
    *,
    system: str | None = None,
) -> dict[str, dict[str, Result]]:
    """The result of every estimate whose sequence has ground truth, also by the protocol of a ``system``."""

    def scored(estimate: Trajectory, ground_truth: Trajectory) -> Result:
        by, most = matching.by, matching.max_difference
        result = evaluate_odometry(estimate, ground_truth, alignment, by=by, max_difference=most)
        return with_protocol(result, estimate, ground_truth, system, matching)

    return {
        name: {
            sequence: scored(estimate, ground_truths[sequence])
            for sequence, estimate in method.items()
            if sequence in ground_truths
        }
        for name, method in estimates.items()
    }


def every(results: Results) -> list[tuple[str, str, Result]]:
    """All results, each with its method and sequence."""
    return [(name, sequence, result) for name, method in results.items() for sequence, result in method.items()]


def odometry_table(results: Results, *, published: bool = False) -> Table:
    """t_err, r_err and ATE: rows methods, columns sequences, what all have in common in the notes.

    ``published`` adds the published rows for KITTI 09 and 10, marked as such.
    """
    notes = shared_protocol([result for *_, result in every(results)], leave_out=("estimate", "ground_truth"))
    rows: dict[str, Mapping[str, Result | Values]] = dict(results)
    if published:
        rows |= rows_of(PUBLISHED)
        notes += sources_of(PUBLISHED)
    return table_of(rows, ODOMETRY, notes)


def depth_table(results: Mapping[str, Result], *, published: bool = False) -> Table:
    """Depth errors by set of frames, their common protocol in the notes; ``published`` adds the rows of KITTI Eigen."""
    rows: dict[str, Mapping[str, Result | Values]] = {"vode": results}
    notes = shared_protocol(list(results.values()))
    if published:
        rows |= rows_of(PUBLISHED_DEPTH)
        notes += sources_of(PUBLISHED_DEPTH)
    return table_of(rows, DEPTH, notes)


def results_to_dict(results: Results) -> dict[str, Any]:
    """Ready for JSON: a single result as it is, several under "sequences", several methods under "methods"."""
    content = {name: {s: result.to_dict() for s, result in method.items()} for name, method in results.items()}
    if len(content) > 1:
        return {"methods": content}
    sequences = next(iter(content.values()), {})
    return next(iter(sequences.values())) if len(sequences) == 1 else {"sequences": sequences}


def draw(
    folder: Path,
    estimates: Estimates,
    ground_truths: Mapping[str, Trajectory],
    results: Results,
    alignment: str,
    *,
    matching: AssociationOptions = AssociationOptions(),
    kind: str = "png",
) -> list[Path]:
    """Plots of every sequence in ``folder``, as PNG, PDF or SVG, and their files.

    SEQUENCE.png shows the paths from above, and beside it are -coordinates, -segments, -scale and, for each method,
    -error-METHOD. Without ground truth there is the path alone.
    """
    make_folder(folder)
    figures = {}
    for sequence in dict.fromkeys(name for method in estimates.values() for name in method):
        methods = {name: method[sequence] for name, method in estimates.items() if sequence in method}
        title = f"sequence {sequence}"
        if sequence not in ground_truths:
            figures[sequence] = plots.trajectory_figure(None, methods, title=title, unit="unit of the estimate")
            continue
        ground_truth = ground_truths[sequence].from_first()
        placed = {
            name: placed_on(estimate, ground_truths[sequence], alignment, matching)
            for name, estimate in methods.items()
        }
        labelled = {f"{name} ({alignment})": trajectory for name, trajectory in placed.items()}
        series = {name: results[name][sequence].series for name in methods}
        figures[sequence] = plots.trajectory_figure(ground_truth, labelled, title=title)
        figures[f"{sequence}-coordinates"] = plots.coordinates_figure(ground_truth, labelled, title=title)
        if any(values for kinds in series.values() for name, values in kinds.items() if name in plots.BY_LENGTH):
            figures[f"{sequence}-segments"] = plots.segment_figure(series, title=title)
        scales = {name: scale_by_distance(trajectory, ground_truth) for name, trajectory in placed.items()}
        figures[f"{sequence}-scale"] = plots.scale_figure(scales, title=title)
        for name, trajectory in placed.items():
            figures[f"{sequence}-error-{name}"] = plots.error_figure(ground_truth, trajectory, title=f"{title}, {name}")
    files = {folder / f"{name}.{kind}": figure for name, figure in figures.items()}
    for file, figure in files.items():
        plots.save_figure(figure, file)
    return list(files)


def placed_on(
    estimate: Trajectory,
    ground_truth: Trajectory,
    alignment: str,
    matching: AssociationOptions = AssociationOptions(),
) -> Trajectory:
    """The matched frames of an estimate, aligned to the ground truth whose world is its own first camera.

    They have the times and frame numbers of the ground truth.
    """
    matches = associate(estimate, ground_truth, by=matching.by, max_difference=matching.max_difference)
    aligned = align(matches.estimate.from_first(), matches.ground_truth.from_first(), alignment)
    rows = matches.ground_truth_rows
    return replace(
        ground_truth.select(rows),
        poses=ground_truth.from_first().poses[rows[0]] @ aligned.poses,
        name=estimate.name,
        provenance=replace(ground_truth.provenance, numbered=True),
    )


def _files(word: str, sequences: list[str]) -> tuple[str, dict[str, Path]]:
    """The method's name and its file of each sequence."""
    name, equals, rest = word.partition("=")
    path = Path(rest if equals else word)
    if path.is_dir():
        candidates = {s: [path / f"{s}{suffix}" for suffix in SUFFIXES] for s in sequences}
        found = {s: [file for file in files if file.is_file()] for s, files in candidates.items()}
        if not any(found.values()):
            raise InputError(f"{path}: no trajectory of {', '.join(sequences)} in it; name them SEQUENCE.txt")
        for files in found.values():
            if len(files) > 1:
                raise InputError(f"{files[0]}: {files[1].name} is there too; name the one that is meant")
        return name if equals else path.name, {s: files[0] for s, files in found.items() if files}
    if path.stem in sequences:
        return name if equals else path.parent.name or path.stem, {path.stem: path}
    if len(sequences) == 1:
        return name if equals else path.stem, {sequences[0]: path}
    raise InputError(f"{path}: of which of the sequences {', '.join(sequences)}? Name the file SEQUENCE.txt")
