"""``vode flow``: optical flow predicted, scored and drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import EvaluationData, save_json
from vode.datasets.flow_pairs import FlowPairs, SequencePairs
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.evaluation.comparison import results_to_dict
from vode.evaluation.completeness import complete
from vode.evaluation.flow import flow_errors
from vode.evaluation.flow_report import draw, from_network, score_pairs
from vode.evaluation.result import Result
from vode.io.atomic import make_folder
from vode.io.flow import read_flow
from vode.networks.flow import FlowNet
from vode.run_folder import RunFolder
from vode.training.config import VideoConfig
from vode.training.distributed import device_name


def flow(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    every: int = 1,
    allow_missing: bool = False,
    estimate: Path | None = None,
    ground_truth: Path | None = None,
    noc: Path | None = None,
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Predict flow with a run's network, or take files of flow, and score it: EPE and Fl.

    Args:
        run: folder of a run; not needed with --estimate and --ground-truth.
        every: take every n-th pair of a sequence.
        allow_missing: score the pairs that are there, and say how many are not.
        estimate: flow to score instead: a .png (KITTI) or .flo (Middlebury), or a folder of them.
        truth: the true flow of --estimate, a file or a folder of files of the same names.
        noc: the true flow of pixels seen in both images, likewise.
        out: folder for pictures; default RUN/flow.
        json: file for the numbers.
    """
    if (run is None) != (estimate is not None and ground_truth is not None):
        raise InputError("name either the folder of a run, or both --estimate and --ground-truth")
    if run is None:
        results = {estimate.name: score_files(estimate, ground_truth, noc)}
        print(results[estimate.name].table())
    else:
        results = score_run(run, where, every, allow_missing, make_folder(out or run / "flow"))
    if json is not None:
        save_json(json, results_to_dict({"vode": results}))


def score_run(run: Path, where: EvaluationData, every: int, allow_missing: bool, out: Path) -> dict[str, Result]:
    """The results of a run's network on each set of pairs."""
    size, network = (
        RunFolder(run).read_config(VideoConfig).size,
        RunFolder(run).load_network(FlowNet, device_name(where.device)),
    )
    results = {}
    for pairs in open_pairs(run, where, every, size):
        chosen, notes = complete(pairs, allow_missing=allow_missing)
        source = from_network(network, pairs, size)
        result = score_pairs(source, pairs, chosen)
        results[pairs.name] = replace(result, notes=(*result.notes, *notes))
        print(results[pairs.name].table())
        for file in draw(out, source, pairs, chosen):
            print(file)
    return results


def open_pairs(run: Path, where: EvaluationData, every: int, size: tuple[int, int]) -> list[FlowPairs]:
    """The pairs that are scored."""
    if where.data is None:
        return [SequencePairs(sequence, every) for sequence in where.open(size)]
    dataset = open_dataset(where)
    pairs = dataset.flow_pairs(every)
    where.refuse_leak(run, dataset.chosen("test"))
    return pairs


def score_files(estimate: Path, ground_truth: Path, noc: Path | None) -> Result:
    """The errors of files of flow; those of folders are matched by their names without the suffix."""
    ground_truths = _files(ground_truth)
    estimates, seen = _beside(estimate, ground_truths), None if noc is None else _beside(noc, ground_truths)
    return flow_errors(
        (read_flow(file)[0] for file in estimates),
        (read_flow(file)[0] for file in ground_truths),
        (read_flow(file)[1] for file in ground_truths),
        noc=None if seen is None else (read_flow(file)[1] for file in seen),
        names=[file.name for file in ground_truths],
    )


def _files(path: Path) -> list[Path]:
    """The flow files of a folder, or the one file."""
    if not path.is_dir():
        return [path]
    found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in (".png", ".flo")]
    if not found:
        raise InputError(f"{path}: no .png or .flo files in it; give the folder that holds them")
    return found


def _beside(path: Path, ground_truths: list[Path]) -> list[Path]:
    """The file of a folder that is called like each truth, or the one file for the one truth."""
    files = _files(path)
    if not path.is_dir() and len(ground_truths) == 1:
        return files
    named = {file.stem: file for file in files}
    lost = [file.stem for file in ground_truths if file.stem not in named]
    if lost:
        raise InputError(f"{path}: no flow called {lost[0]}; {len(lost)} of {len(ground_truths)} are missing; add them")
    return [named[file.stem] for file in ground_truths]
