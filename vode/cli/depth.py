"""``vode depth``: depth predicted, scored and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from vode.cli.common import EvaluationData, save_json
from vode.datasets.depth_frames import DepthFrames, SequenceFrames
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.evaluation import depth_report, published, tables
from vode.evaluation.comparison import results_to_dict
from vode.evaluation.completeness import complete
from vode.evaluation.depth import DepthProtocol, summary
from vode.evaluation.predictions import Predictions, save_predictions
from vode.evaluation.protocols import depth_protocol
from vode.evaluation.result import Result
from vode.io.atomic import make_folder
from vode.networks.depth import DepthNet
from vode.run_folder import RunFolder
from vode.training.config import VideoConfig
from vode.training.distributed import device_name


@dataclass(frozen=True)
class DepthArguments:
    """What counts, and how depth is predicted."""

    crop: Literal["garg", "eigen", "nyu", "none"] | None = None
    """part of the image that counts; default that of the test set, none for sequences"""
    cap: float | None = None
    """largest true depth that counts, metres; default that of the test set, 80 for sequences"""
    scaling: Literal["median", "none", "global"] = "median"
    """each image by its median, all by one factor, or none"""
    every: int = 1
    """take every n-th frame of a sequence"""
    flip: bool = False
    """predict the mirrored image too and average"""
    annotated: Path | None = None
    """KITTI's annotated depth maps: the folder with train and val"""
    allow_missing: bool = False
    """score the frames that are there, and say how many are not"""

    def protocol(self, standard: DepthProtocol) -> DepthProtocol:
        """The test set's protocol with what was asked for in its place."""
        crop = standard.crop if self.crop is None else None if self.crop == "none" else self.crop
        return DepthProtocol(crop, standard.cap if self.cap is None else self.cap, scaling=self.scaling)


def depth(
    run: tyro.conf.Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    how: Annotated[DepthArguments, tyro.conf.arg(name="")] = DepthArguments(),
    predictions: Path | None = None,
    inverse: bool = False,
    keep: Annotated[Path | None, tyro.conf.arg(name="save-predictions")] = None,
    worst: int = 4,
    error_maps: bool = False,
    published_rows: Annotated[bool, tyro.conf.arg(name="published")] = False,
    table: Path | None = None,
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Predict depth with a run's network, or take a file of predictions, and score and draw it.

    Args:
        run: folder of a run; not needed with --predictions.
        predictions: predicted depth to score instead: .npz of --save-predictions, or .npy (N, H, W).
        inverse: the file of --predictions holds inverse depth (disparity).
        keep: file (.npz) to keep the predictions in.
        worst: how many of the worst images to draw.
        error_maps: draw the error of every image.
        published_rows: put the published rows for KITTI Eigen into the table.
        table: file for the table of all sets: .txt, .md, .csv or .tex.
        out: folder for pictures and the errors of every image; default RUN/depth, none for predictions alone.
        json: file for the numbers.
    """
    if (run is None) == (predictions is None):
        raise InputError("name either the folder of a run, or a file with --predictions")
    if table is not None:
        tables.writer(table)
    size = None if run is None else RunFolder(run).read_config(VideoConfig).size
    sets = open_sets(run, where, how, size)
    if (predictions or keep) and len(sets) > 1:
        raise InputError("a file of predictions holds one sequence; name one with --sequences")
    network = None if run is None else RunFolder(run).load_network(DepthNet, device_name(where.device))
    out = out or (None if run is None else run / "depth")
    results: dict[str, Result] = {}
    for frames, standard in sets:
        protocol = how.protocol(standard)
        chosen, notes = complete(frames, allow_missing=how.allow_missing)
        if network is not None:
            source = depth_report.from_network(network, frames, size, flip=how.flip)
        else:
            source = depth_report.from_file(Predictions(predictions, frames.names(), inverse=inverse), frames)
        if keep is not None:
            save_predictions(keep, ((frames.names()[i], source(i)) for i in chosen))
            print(f"{keep}: {len(chosen)} predictions")
            source = depth_report.from_file(Predictions(keep, frames.names()), frames)
        scores = depth_report.score_frames(source, frames, chosen, protocol)
        results[frames.name] = summary(scores, protocol, notes=(*frames.notes, *notes))
        print(results[frames.name].table())
        if out is not None:
            options = {"worst_count": worst, "error_maps": error_maps}
            for file in depth_report.draw(make_folder(out), source, frames, scores, protocol, **options):
                print(file)
    report(results, published_rows, table, json)


def open_sets(
    run: Path | None, where: EvaluationData, how: DepthArguments, size: tuple[int, int] | None
) -> list[tuple[DepthFrames, DepthProtocol]]:
    """The frames that are scored, each set with the protocol of its published figures."""
    if where.data is None and size is None:
        raise InputError("name the folder of the data that was predicted with --data")
    if where.data is None:
        return [(SequenceFrames(sequence, how.every), DepthProtocol()) for sequence in where.open(size)]
    dataset = open_dataset(where, annotated=how.annotated)
    sets = dataset.depth_frames(how.every)
    where.refuse_leak(run, dataset.chosen("test"))
    return [(frames, depth_protocol(where.dataset)) for frames in sets]


def report(results: dict[str, Result], with_published: bool, table: Path | None, json: Path | None) -> None:
    """The table of all sets on the screen and in a file, and the numbers as JSON."""
    rows, notes = {"vode": results}, tables.shared_protocol(list(results.values()))
    if with_published:
        rows |= published.rows(published.DEPTH)
        notes += published.sources(published.DEPTH)
    overview = tables.table_of(rows, tables.DEPTH, notes)
    if with_published or len(results) > 1:
        print(tables.text(overview))
    if table is not None:
        tables.save_table(table, overview)
    if json is not None:
        save_json(json, results_to_dict({"vode": results}))
