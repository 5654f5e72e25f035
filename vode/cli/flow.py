"""``vode flow``: optical flow predicted, evaluated and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import save_json
from vode.errors import InputError
from vode.pipelines.options import EvaluationData, FlowEvaluation


def flow(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    options: Annotated[FlowEvaluation, tyro.conf.arg(name="")] = FlowEvaluation(),
    estimate: Path | None = None,
    ground_truth: Path | None = None,
    noc: Path | None = None,
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Predict flow with a run's network, or take files of flow, and evaluate it: EPE and Fl.

    Args:
        run: folder of a run; not needed with --estimate and --ground-truth.
        estimate: flow to evaluate instead: a .png (KITTI) or .flo (Middlebury), or a folder of them.
        ground_truth: the ground truth of --estimate, a file or a folder of files of the same names.
        noc: the ground truth of pixels seen in both images, likewise.
        out: folder for pictures; default RUN/flow.
        json: file for the numbers.
    """
    files = [name for name, file in (("estimate", estimate), ("ground-truth", ground_truth), ("noc", noc)) if file]
    if run is not None and files:
        raise InputError(f"{run}: --{files[0]} is for flow files without a run; name one or the other")
    from vode.evaluation.comparison import results_to_dict
    from vode.pipelines.flow import evaluate_flow_files, evaluate_flow_of

    if run is not None:
        results = evaluate_flow_of(run, where, options, out=out, on_progress=print)
    elif estimate is not None and ground_truth is not None:
        results = {estimate.name: evaluate_flow_files(estimate, ground_truth, noc)}
        print(f"{results[estimate.name]}\n")
    else:
        raise InputError("name either the folder of a run, or both --estimate and --ground-truth")
    if json is not None:
        save_json(json, results_to_dict({"vode": results}))
