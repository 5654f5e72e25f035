"""Depth: predicted by a run, or read from a file of predictions, evaluated and drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from vode.cameras.lens import ASSUMED_FOCAL
from vode.datasets.depth_frames import DepthFrames, SequenceFrames
from vode.errors import InputError
from vode.evaluation import depth_report
from vode.evaluation.completeness import complete
from vode.evaluation.depth import DepthProtocol, summary
from vode.evaluation.depth_edges import with_edges
from vode.evaluation.predictions import Predictions, save_predictions
from vode.evaluation.protocols.depth import CroppedFrames, named, published_depth
from vode.evaluation.result import Result
from vode.io.atomic import make_folder
from vode.model import Model, load
from vode.pipelines.evaluation_data import evaluation_dataset, refuse_leak
from vode.pipelines.options import DepthEvaluation, EvaluationData, PredictionFile
from vode.run_folder import find_run
from vode.world.sequence import held_out_sequence


def evaluate_depth_of(
    source: Path | PredictionFile,
    where: EvaluationData = EvaluationData(),
    options: DepthEvaluation = DepthEvaluation(),
    *,
    keep: Path | None = None,
    out: Path | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
) -> dict[str, Result]:
    """Errors of the depth of a run (see ``load``) or of a file, by the name of the set of frames.

    ``keep`` is a file (.npz) to save the predictions in. Pictures and the errors of every image go to ``out``, by
    default RUN/depth, none for a file. ``on_progress`` is called with a line about each file and result.
    """
    run = None if isinstance(source, PredictionFile) else source
    model = None if run is None else load(run, device=where.device)
    sets = _open_sets(run, where, options, None if model is None else model.size)
    if len(sets) > 1 and (run is None or keep is not None):
        raise InputError("a file of predictions holds one sequence; name one of them")
    out = out or (None if run is None else find_run(run).output("depth"))
    results: dict[str, Result] = {}
    for frames, standard in sets:
        protocol = _protocol(options, standard)
        chosen, notes = complete(frames, allow_missing=options.allow_missing)
        if isinstance(source, PredictionFile):
            predict = depth_report.from_file(Predictions(source.path, frames.names(), inverse=source.inverse), frames)
        elif model is not None:
            predict = depth_report.from_network(model.depth, frames, model.size, flip=options.flip)
        if keep is not None:
            save_predictions(keep, ((frames.names()[i], predict(i)) for i in chosen))
            on_progress(f"{keep}: {len(chosen)} predictions")
            predict = depth_report.from_file(Predictions(keep, frames.names()), frames)
        scores = depth_report.score_frames(predict, frames, chosen, protocol)
        assumed = () if model is None else _assumed(model, frames, chosen)
        result = summary(scores, protocol, notes=(*frames.notes, *notes, *assumed))
        if options.protocol is not None:
            told = named(options.protocol, where.dataset, protocol)
            result = replace(result, protocol={**result.protocol, "protocol": told})
        results[frames.name] = _with_edges(result, predict, frames, chosen) if options.edges else result
        on_progress(f"{results[frames.name]}\n")
        if out is not None:
            drawn = depth_report.draw(
                make_folder(out),
                predict,
                frames,
                scores,
                protocol,
                worst_count=options.worst,
                error_maps=options.error_maps,
            )
            for file in drawn:
                on_progress(str(file))
    return results


def _with_edges(result: Result, predict: depth_report.Source, frames: DepthFrames, chosen: Sequence[int]) -> Result:
    return with_edges(result, lambda i: predict(i)[0].numpy(), lambda i: frames.depth(i)[0].numpy(), chosen)


def _open_sets(
    run: Path | None, where: EvaluationData, options: DepthEvaluation, size: tuple[int, int] | None
) -> list[tuple[DepthFrames, DepthProtocol]]:
    """The frames that are scored, each set with the protocol of its published figures."""
    published = published_depth(options.protocol, where.dataset)
    dataset = evaluation_dataset(where, size, annotated=options.annotated, lidar=published.lidar)
    if dataset is None:
        if size is None:
            raise InputError("name the folder of the data that was predicted", "data")
        return [(SequenceFrames(held_out_sequence(size), options.every), DepthProtocol())]
    sets = dataset.depth_frames(options.every)
    refuse_leak(where, run, dataset.chosen("test"))
    if published.window is not None:
        sets = [CroppedFrames(frames, published.window) for frames in sets]
    return [(frames, published.protocol) for frames in sets]


def _assumed(model: Model, frames: DepthFrames, chosen: Sequence[int]) -> tuple[str, ...]:
    """A note if metric depth was predicted of frames without intrinsics."""
    count = sum(frames.intrinsics(i) is None for i in chosen) if model.metric else 0
    focal = f"a focal length of {ASSUMED_FOCAL:g} of the longer side"
    return (f"{count} of {len(chosen)} frames have no intrinsics: {focal} is assumed",) if count else ()


def _protocol(options: DepthEvaluation, standard: DepthProtocol) -> DepthProtocol:
    """The test set's protocol with what was asked for in its place."""
    crop = standard.crop if options.crop is None else None if options.crop == "none" else options.crop
    if options.cap is not None:
        standard = replace(standard, cap=options.cap, clip=None)
    return replace(standard, crop=crop, scaling=options.scaling)
