"""Optical flow: predicted by a run, or read from files, evaluated and drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vode.datasets.flow_pairs import FlowPairs, SequencePairs
from vode.errors import InputError
from vode.evaluation.completeness import complete
from vode.evaluation.flow import evaluate_flow
from vode.evaluation.flow_report import draw, from_network, score_pairs
from vode.evaluation.result import Result
from vode.io.atomic import make_folder
from vode.io.flow import read_flow
from vode.model import load
from vode.pipelines.evaluation_data import evaluation_dataset, refuse_leak
from vode.pipelines.options import EvaluationData, FlowEvaluation
from vode.run_folder import find_run
from vode.world.sequence import held_out_sequence


def evaluate_flow_of(
    run: Path,
    where: EvaluationData = EvaluationData(),
    options: FlowEvaluation = FlowEvaluation(),
    *,
    out: Path | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Result]:
    """Errors of the flow of a run's network, by the name of the set of pairs; pictures go to ``out`` or RUN/flow."""
    model = load(run, device=where.device)
    out = make_folder(out or find_run(run).output("flow"))
    results = {}
    for pairs in _open_pairs(run, where, options.every, model.size):
        chosen, notes = complete(pairs, allow_missing=options.allow_missing)
        source = from_network(model.flow, pairs, model.size_for, refine=options.refine)
        result = score_pairs(source, pairs, chosen)
        results[pairs.name] = replace(result, notes=(*result.notes, *notes))
        on_progress(f"{results[pairs.name]}\n")
        for file in draw(out, source, pairs, chosen):
            on_progress(str(file))
    return results


def evaluate_flow_files(estimate: Path, ground_truth: Path, noc: Path | None = None) -> Result:
    """The errors of files of flow; those of folders are matched by their names without the suffix.

    ``noc``: ground truth of the pixels seen in both images, likewise.
    """
    true = _files(ground_truth)
    estimates, seen = _matching(estimate, true), None if noc is None else _matching(noc, true)
    return evaluate_flow(
        (read_flow(file)[0] for file in estimates),
        (read_flow(file)[0] for file in true),
        (read_flow(file)[1] for file in true),
        noc=None if seen is None else (read_flow(file)[1] for file in seen),
        names=[file.name for file in true],
    )


def _open_pairs(run: Path, where: EvaluationData, every: int, size: tuple[int, int]) -> list[FlowPairs]:
    """The pairs that are scored."""
    dataset = evaluation_dataset(where, size)
    if dataset is None:
        return [SequencePairs(held_out_sequence(size), every)]
    pairs = dataset.flow_pairs(every)
    refuse_leak(where, run, dataset.chosen("test"))
    return pairs


def _files(path: Path) -> list[Path]:
    """The flow files of a folder, or the one file."""
    if not path.is_dir():
        return [path]
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in (".png", ".flo")]
    if not found:
        raise InputError(f"{path}: no .png or .flo files in it; give the folder that holds them")
    return found


def _matching(path: Path, ground_truths: list[Path]) -> list[Path]:
    """The file of a folder that is called like each ground truth, or the one file for the only one."""
    files = _files(path)
    if not path.is_dir() and len(ground_truths) == 1:
        return files
    named = {file.stem: file for file in files}
    lost = [file.stem for file in ground_truths if file.stem not in named]
    if lost:
        raise InputError(f"{path}: no flow called {lost[0]}; {len(lost)} of {len(ground_truths)} are missing; add them")
    return [named[file.stem] for file in ground_truths]
