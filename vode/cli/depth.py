"""``vode depth``: depth predicted, evaluated and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import tyro

from vode.cli.common import save_json
from vode.errors import InputError
from vode.pipelines.options import DepthEvaluation, EvaluationData, PredictionFile


def depth(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    options: Annotated[DepthEvaluation, tyro.conf.arg(name="")] = DepthEvaluation(),
    predictions: Path | None = None,
    inverse: bool = False,
    save_predictions: Path | None = None,
    published: bool = False,
    table: Path | None = None,
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Predict depth with a run's network, or take a file of predictions, and evaluate and draw it.

    Args:
        run: folder of a run; not needed with --predictions.
        predictions: predicted depth to evaluate instead: .npz of --save-predictions, or .npy (N, H, W).
        inverse: the file of --predictions holds inverse depth (disparity).
        save_predictions: file (.npz) to keep the predictions in.
        published: put the published rows for KITTI Eigen into the table.
        table: file for the table of all sets: .txt, .md, .csv or .tex.
        out: folder for pictures and the errors of every image; default RUN/depth, none for predictions alone.
        json: file for the numbers.
    """
    source = run if predictions is None else PredictionFile(predictions, inverse)
    if source is None or (run is not None and predictions is not None):
        raise InputError("name either the folder of a run, or a file with --predictions")
    from vode.evaluation import tables
    from vode.evaluation.comparison import depth_table, results_to_dict
    from vode.pipelines.depth import evaluate_depth_of

    if table is not None:
        tables.writer(table)
    results = evaluate_depth_of(source, where, options, keep=save_predictions, out=out, on_progress=print)
    overview = depth_table(results, published=published)
    if published or len(results) > 1:
        print(tables.text(overview))
    if table is not None:
        tables.save_table(table, overview)
    if json is not None:
        save_json(json, results_to_dict({"vode": results}))
