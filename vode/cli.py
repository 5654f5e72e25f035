"""The command line: one typed function a verb, and errors in one line with exit status 2."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro

from vode.atomic import make_folder, write_bytes, write_error
from vode.data import DATASETS
from vode.data import world as built_in
from vode.data.kitti_writer import write_kitti_sequence
from vode.data.sequence import Sequence as Frames
from vode.errors import InputError
from vode.evaluation import comparison, tables
from vode.evaluation.runs import depth_strip, score_depth, true_trajectory
from vode.networks.weights import load_weights
from vode.odometry.tracker import track
from vode.recipes import RECIPES, recipe
from vode.training import loop
from vode.training.config import TrainConfig
from vode.trajectory import Trajectory, write_kitti
from vode.visualization.panels import save_panel

Positional = tyro.conf.Positional
Alignment = Literal["none", "scale", "6dof", "7dof", "scale_7dof"]


@dataclass(frozen=True)
class EvaluationData:
    """What a run is evaluated on; without ``data`` a held-out drive of the built-in world."""

    data: Path | None = None
    """folder of the data set"""
    dataset: str = "kitti-odom"
    """its layout"""
    sequences: tuple[str, ...] = ("09", "10")
    camera: int = 2
    """camera of KITTI odometry, 0..3: 0 and 1 are grey, 2 and 3 colour"""
    device: str = "auto"
    """cpu, cuda, ...; auto takes the GPU if there is one"""

    def open(self, size: tuple[int, int]) -> list[Frames]:
        if self.data is None:
            return [built_in.held_out_sequence(size)]
        if self.dataset not in DATASETS:
            raise InputError(f"no data set is called {self.dataset!r}; choose one of {', '.join(DATASETS)}")
        return [DATASETS[self.dataset](self.data, name, camera=self.camera) for name in self.sequences]


@dataclass(frozen=True)
class TrainArguments:
    """Train the networks without labels, then score them."""

    config: Annotated[TrainConfig, tyro.conf.arg(name="")]
    run: Path | None = None
    """folder of the run; default runs/RECIPE, with a number behind if that is taken"""
    resume: Path | None = None
    """go on with the run in this folder, with its own configuration"""


def train(argv: Sequence[str]) -> None:
    """``train [recipe] [overrides]``: a recipe with some values changed."""
    name = argv[0] if argv and not argv[0].startswith("-") else "world"
    rest = argv[1:] if argv and not argv[0].startswith("-") else argv
    defaults = TrainArguments(recipe(name))
    arguments = parse(TrainArguments, rest, f"train [{'|'.join(RECIPES)}]", default=defaults)
    if arguments.resume is not None:
        folder, results = arguments.resume, loop.resume(arguments.resume)
    else:
        folder = arguments.run or free_folder(Path("runs") / name)
        results = loop.train(arguments.config, folder)
    for key, value in results.items():
        print(f"{key:24} {'-' if value is None else f'{value:.3f}'}")
    if results:
        print(f"run folder: {folder}")


def odom(
    run: Positional[Path | None] = None,
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    alignment: Alignment = "7dof",
    estimate: tuple[str, ...] = (),
    truth: tuple[Path, ...] = (),
    compare: tuple[str, ...] = (),
    published: bool = False,
    out: Path | None = None,
    format: Literal["png", "pdf", "svg"] = "png",
    table: Path | None = None,
    json: Path | None = None,
) -> None:
    """Track sequences with a run's networks, or take trajectory files, and score and draw the trajectories.

    Args:
        run: folder of a run; not needed with --estimate and --truth.
        alignment: what is fitted to the truth before scoring.
        estimate: trajectories to score instead of tracking: [NAME=]FILE, or a folder of SEQUENCE.txt.
        truth: the true trajectories of --estimate, one file a sequence.
        compare: trajectories of other methods beside the run's, written like --estimate.
        published: put the published rows for KITTI 09 and 10 into the table.
        out: folder for trajectories and plots; default RUN/odometry, none for files alone.
        format: kind of the plots.
        table: file for the table of all methods and sequences: .txt, .md, .csv or .tex.
        json: file for the numbers.
    """
    if run is None and not (estimate and truth):
        raise InputError("name the folder of a run, or give both --estimate and --truth")
    if run is not None and (estimate or truth):
        raise InputError(f"{run}: a run is tracked on --data; name files of other methods with --compare")
    if table is not None:
        tables.writer(table)
    if run is None:
        truths = comparison.read_truths(truth)
        estimates = comparison.read_methods([*estimate, *compare], truths)
    else:
        sequences = where.open(loop.read_config(run).size)
        others = comparison.read_methods(compare, [sequence.name for sequence in sequences])
        out = make_folder(out or run / "odometry")
        estimates = {"vode": track_run(run, sequences, where.device, out)} | others
        truths = {sequence.name: true_trajectory(sequence) for sequence in sequences if sequence.poses is not None}
    results = comparison.score(estimates, truths, alignment)
    for name, sequence, result in comparison.every(results):
        print(f"\n{name}, sequence {sequence}\n{result.table()}")
    overview = comparison.odometry_table(results, published=published)
    if published or len(comparison.every(results)) > 1:
        print(f"\n{tables.text(overview)}")
    if table is not None:
        tables.save_table(table, overview)
    if out is not None:
        for file in comparison.draw(out, estimates, truths, results, alignment, kind=format):
            print(file)
    if json is not None:
        save_json(json, comparison.results_to_dict(results))


def track_run(run: Path, sequences: list[Frames], device: str, out: Path) -> dict[str, Trajectory]:
    """What a run's networks track in each sequence, by its name; written to ``out`` too."""
    size = loop.read_config(run).size
    flow, depth = (load_run(run, kind, device) for kind in ("flow", "depth"))
    estimates = {}
    for sequence in sequences:
        tracked = track(sequence, flow, depth, size=size)
        file = out / f"{sequence.name}.txt"
        write_kitti(file, tracked.trajectory)
        print(f"{file}: {len(tracked.trajectory)} poses; {tracked.summary()}")
        estimates[sequence.name] = tracked.trajectory
    return estimates


def depth(
    run: Positional[Path],
    where: Annotated[EvaluationData, tyro.conf.arg(name="")] = EvaluationData(),
    crop: Literal["garg", "eigen", "nyu"] | None = None,
    cap: float = 80.0,
    scaling: Literal["median", "none", "global"] = "median",
    every: int = 1,
    out: Path | None = None,
    json: Path | None = None,
) -> None:
    """Predict depth with a run's network and score it.

    Args:
        run: folder of a run.
        crop: part of the image that counts.
        cap: largest true depth that counts, metres.
        scaling: each image by its median, all by one factor, or none.
        every: take every n-th frame.
        out: folder for the pictures; default RUN/depth.
        json: file for the numbers.
    """
    config = loop.read_config(run)
    network = load_run(run, "depth", where.device)
    out = make_folder(out or run / "depth")
    results = {}
    for sequence in where.open(config.size):
        protocol = {"crop": crop, "cap": cap, "scaling": scaling}
        results[sequence.name] = score_depth(network, sequence, config.size, every=every, **protocol)
        print(results[sequence.name].table())
        picture = out / f"{sequence.name}.png"
        save_panel(picture, depth_strip(network, sequence, config.size, cap=cap))
        print(f"{picture}: image, prediction, truth and error")
    if json is not None:
        content = {name: result.to_dict() for name, result in results.items()}
        save_json(json, next(iter(content.values())) if len(content) == 1 else {"sequences": content})


def world(
    out: Path,
    seeds: tuple[int, ...] = (0,),
    size: tuple[int, int] = (256, 832),
    frames: int = 100,
    camera: int = 2,
    exposure: float = 0.0,
    device: str = "auto",
) -> None:
    """Write drives of the built-in world in the KITTI odometry layout, with depth and flow.

    Args:
        out: folder to write.
        seeds: one sequence each, named by its seed in two digits.
        size: height and width of the images.
        frames: length of each drive, at 10 frames a second.
        camera: number of the camera in the layout.
        exposure: strength of brightness changes.
        device: cpu, cuda, ...
    """
    options = built_in.WorldOptions(size=size, frames=frames, exposure=exposure)
    for seed in seeds:
        drive = built_in.WorldSequence(seed, options, device=loop.device_name(device))
        folder = write_kitti_sequence(
            make_folder(out),
            f"{seed:02d}",
            camera,
            (drive.frame(i) for i in range(frames)),
            drive.intrinsics,
            drive.poses,
            drive.stamps,
            (drive.depth(i) for i in range(frames)),
            (drive.flow(i) for i in range(frames - 1)),
        )
        print(f"{folder}: {frames} frames")


VERBS: dict[str, Callable[..., None]] = {"train": train, "depth": depth, "odom": odom, "world": world}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; bad input is told in one line and gives status 2."""
    argv = list(sys.argv[1:] if argv is None else argv)
    if not argv or argv[0] in ("-h", "--help"):
        print(f"usage: vode {{{','.join(VERBS)}}} ...; vode VERB --help tells more")
        return 0 if argv else 2
    try:
        verb, *rest = argv
        if verb not in VERBS:
            raise InputError(f"no verb is called {verb!r}; choose one of {', '.join(VERBS)}")
        if verb == "train":
            train(rest)
        else:
            parse(later(VERBS[verb]), rest, verb)()
    except InputError as error:
        print(f"vode: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"vode: {write_error(error.filename or 'output', error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("vode: stopped", file=sys.stderr)
        return 130
    return 0


def parse(target: Any, argv: Sequence[str], name: str, **options: Any) -> Any:
    """What tyro makes of ``argv``; its report of a wrong option becomes one line."""
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
            arguments = tyro.cli(target, args=argv, prog=f"vode {name}", return_unknown_args=False, **options)
    except SystemExit as end:
        if not end.code:
            print(told.getvalue(), end="")
            raise
        words = re.sub(r"[^\x20-\x7e]|-{4,}", " ", told.getvalue().replace("\n", " "))
        raise InputError(f"{' '.join(words.split())[:300]}") from None
    return arguments


def later(function: Callable[..., None]) -> Callable[..., Callable[[], None]]:
    """A function with the same parameters that gives back the call instead of making it."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Callable[[], None]:
        return functools.partial(function, *args, **kwargs)

    return call


def load_run(run: Path, kind: str, device: str) -> torch.nn.Module:
    return load_weights(run / f"{kind}.safetensors", kind, loop.device_name(device))


def free_folder(folder: Path) -> Path:
    """The folder, or the first of folder-2, folder-3, ... that does not exist."""
    number, free = 1, folder
    while free.exists():
        number += 1
        free = folder.with_name(f"{folder.name}-{number}")
    return free


def save_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


if __name__ == "__main__":
    sys.exit(main())
