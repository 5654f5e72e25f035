"""Pictures of a bench: learning curves, and the depth of all recipes on the same images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from vode.geometry.resize import image_size
from vode.model import load
from vode.pipelines.bench.entries import Schedule
from vode.pipelines.bench.options import BenchOptions
from vode.pipelines.bench.scoring import sequences_of
from vode.pipelines.bench.summary import CONSTANT, Runs, constant_depth
from vode.prediction import predict_depth
from vode.visualization.curves import learning_figure
from vode.visualization.panels import depth_strip, panel_figure, spread


def curves_figure(runs: Runs, options: BenchOptions, schedules: Mapping[str, Schedule]) -> Figure:
    """AbsRel on test frames over the budget: samples, or minutes as the schedules of the recipes count them."""
    curves = {
        name: [_curve(run, None if options.samples else schedules[name]) for run in found.values() if run["curve"]]
        for name, found in runs.items()
    }
    label = "samples" if options.samples else "training (min)"
    drawn = {name: found for name, found in curves.items() if found}
    constant = constant_depth(runs)
    return learning_figure(drawn, x=label, y="AbsRel", level=None if constant is None else (CONSTANT, constant))


def _curve(run: Mapping[str, Any], schedule: Schedule | None) -> list[tuple[float, float]]:
    counted = [(point["samples"], point["abs_rel"]) for point in run["curve"]]
    return counted if schedule is None else [(schedule.minutes(x / run["samples"]), y) for x, y in counted]


def strip_figure(folders: Iterable[tuple[str, Path]], options: BenchOptions) -> Figure:
    """The depth of the runs in folders, by name, on test images at even distances, under image and ground truth."""
    frames = [(sequence, i) for sequence in sequences_of(options) for i in range(len(sequence))]
    chosen = spread(frames, options.shown)
    images = [sequence.frame(i) for sequence, i in chosen]
    predictions: dict[str, list[Tensor]] = {}
    for name, folder in folders:
        depth = load(folder, device=options.device).depth
        predictions[name] = [
            predict_depth(depth, image, depth.input_size(options.size, image_size(image))) for image in images
        ]
    rows, names = depth_strip(images, predictions, [s.depth(i) if s.has_depth(i) else None for s, i in chosen])
    return panel_figure(rows, names=names)
