"""``vode flow``: optical flow predicted, evaluated and drawn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import save_json
from vode.errors import InputError
from vode.pipelines.options import EvaluationData, FlowEvaluation


@dataclass(frozen=True)
class FlowFiles:
    """Files of flow, evaluated in place of a run's."""

    estimate: Path | None = None
    """flow to evaluate: a .png (KITTI) or .flo (Middlebury), or a folder of them"""
    ground_truth: Path | None = None
    """the ground truth of --estimate, a file or a folder of files of the same names"""
    noc: Path | None = None
    """the ground truth of pixels seen in both images, likewise"""


def flow(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    options: Annotated[FlowEvaluation, tyro.conf.arg(name="")] = FlowEvaluation(),
    files: Annotated[FlowFiles, tyro.conf.arg(name="")] = FlowFiles(),
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Predict flow with a run's network, or take files of flow, and evaluate it: EPE and Fl.

    Args:
        run: folder of a run, or name of shipped weights; not needed with --estimate and --ground-truth.
        out: folder for pictures; default RUN/flow.
        json: file for the numbers.
    """
    given = [name for name, file in dataclasses.asdict(files).items() if file is not None]
    if run is not None and given:
        flag = given[0].replace("_", "-")
        raise InputError(f"{run}: --{flag} is for flow files without a run; name one or the other")
    from vode.evaluation.comparison import results_to_dict
    from vode.pipelines.flow import evaluate_flow_files, evaluate_flow_of

    if run is not None:
        results = evaluate_flow_of(run, where, options, out=out, on_progress=print)
    elif files.estimate is not None and files.ground_truth is not None:
        results = {files.estimate.name: evaluate_flow_files(files.estimate, files.ground_truth, files.noc)}
        print(f"{results[files.estimate.name]}\n")
    else:
        raise InputError("name either the folder of a run, or both --estimate and --ground-truth")
    if json is not None:
        save_json(json, results_to_dict({"vode": results}))
