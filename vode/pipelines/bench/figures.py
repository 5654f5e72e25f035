"""Pictures of a bench: learning curves, and the depth of all recipes on the same images."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor

from vode.datasets.depth_frames import SequenceFrames
from vode.evaluation.depth_report import from_network
from vode.model import load
from vode.pipelines.bench.options import BenchOptions
from vode.pipelines.bench.scoring import sequences_of
from vode.pipelines.bench.summary import CONSTANT, Runs, constant_depth
from vode.visualization.curves import learning_figure
from vode.visualization.panels import depth_strip, panel_figure, spread


def curves_figure(runs: Runs, options: BenchOptions) -> Figure:
    """AbsRel on test frames over the budget."""
    x = "samples" if options.samples else "minutes"
    curves = {
        name: [[(point[x], point["abs_rel"]) for point in run["curve"]] for run in found.values() if run["curve"]]
        for name, found in runs.items()
    }
    label = "samples" if options.samples else "training (min)"
    drawn = {name: found for name, found in curves.items() if found}
    constant = constant_depth(runs)
    return learning_figure(drawn, x=label, y="AbsRel", level=None if constant is None else (CONSTANT, constant))


def strip_figure(folders: Iterable[tuple[str, Path]], options: BenchOptions) -> Figure:
    """The depth of the runs in folders, by name, on test images at even distances, under image and ground truth."""
    sequences = sequences_of(options)
    frames = SequenceFrames(sequences)
    chosen = spread(range(len(frames)), options.shown)
    predictions: dict[str, list[Tensor]] = {}
    for name, folder in folders:
        source = from_network(load(folder, device=options.device).depth, frames, options.size)
        predictions[name] = [source(i) for i in chosen]
    rows, names = depth_strip([frames.frame(i) for i in chosen], predictions, [frames.depth(i) for i in chosen])
    return panel_figure(rows, names=names)
