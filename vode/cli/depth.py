"""``vode depth``: depth predicted, evaluated and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import save_json
from vode.errors import InputError
from vode.pipelines.options import DepthEvaluation, EvaluationData, PredictionFile, ReportFiles


@dataclass(frozen=True)
class PredictionFlags:
    """Files of predictions."""

    predictions: Path | None = None
    """predicted depth to evaluate instead of a run's: .npz of --save-predictions, or .npy (N, H, W)"""
    inverse: bool = False
    """the file of --predictions holds inverse depth (disparity)"""
    save_predictions: Path | None = None
    """file (.npz) to keep the predictions in"""


def depth(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    options: Annotated[DepthEvaluation, tyro.conf.arg(name="")] = DepthEvaluation(),
    saved: Annotated[PredictionFlags, tyro.conf.arg(name="")] = PredictionFlags(),
    files: Annotated[ReportFiles, tyro.conf.arg(name="")] = ReportFiles(),
) -> None:
    """Predict depth with a run's network, or take a file of predictions, and evaluate and draw it.

    Args:
        run: folder of a run, or name of shipped weights; not needed with --predictions.
    """
    source = run if saved.predictions is None else PredictionFile(saved.predictions, saved.inverse)
    if source is None or (run is not None and saved.predictions is not None):
        raise InputError("name either the folder of a run, or a file with --predictions")
    from vode.evaluation import tables
    from vode.evaluation.comparison import depth_table, results_to_dict
    from vode.pipelines.depth import evaluate_depth_of

    if files.table is not None:
        tables.writer(files.table)
    results = evaluate_depth_of(source, where, options, keep=saved.save_predictions, out=files.out, on_progress=print)
    overview = depth_table(results, published=options.published)
    if options.published or len(results) > 1:
        print(tables.text(overview))
    if files.table is not None:
        tables.save_table(files.table, overview)
    if files.json is not None:
        save_json(files.json, results_to_dict({"vode": results}))
