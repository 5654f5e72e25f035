"""Every parser of the package: who writes valid samples for it, what of them is damaged, and who reads them."""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fuzzing import files
from fuzzing.bags import bags
from fuzzing.scenes import SCENES, SIZE
from vode.adaptation.config import AdaptationConfig
from vode.cameras.calibration import load_calibration
from vode.cameras.metadata import stated_focal
from vode.cli.main import VERBS
from vode.cli.parse import later, parse
from vode.cli.train import _defaults
from vode.datasets.kitti.eigen import KittiRawFrames
from vode.datasets.kitti.splits import Frame as RawFrame
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.evaluation.predictions import Predictions
from vode.io.depth import read_depth
from vode.io.flow import read_flow
from vode.io.image import exif_orientation, image_size, read_pixels
from vode.io.trajectory import read_trajectory
from vode.io.trajectory_formats.clock import read_times
from vode.io.video import Video
from vode.networks.backbone import read_state
from vode.networks.checkpoints.reading import read_checkpoint as read_other
from vode.networks.depth import DepthNet
from vode.networks.flow import FlowNet
from vode.networks.weights import load_weights
from vode.odometry.frames import Frame
from vode.odometry.metric.readings import read_fixes, read_speeds
from vode.odometry.sources.folder import DepthFolder
from vode.pipelines.run.result import VideoRun
from vode.pipelines.run.snapshot import load_snapshot
from vode.recipes import recipe
from vode.relocalization.config import RelocalizationConfig
from vode.report.cloud import read_cloud
from vode.report.record import read_record
from vode.run_folder import RunFolder
from vode.streams.bag import BagStream
from vode.training.checkpoint import TrainState, read_checkpoint, restore
from vode.training.config import SupervisedConfig, VideoConfig


@dataclass(frozen=True)
class Parser:
    """A reader and what it is tried on."""

    write: Callable[[Path], None]
    """writes samples, each into a folder of its own"""
    read: Callable[[Path], Any]
    """reads the folder of a sample; anything but a result or an InputError is a fault"""
    damaged: str = "**/*"
    """pattern of the files that are damaged"""
    head: int | None = None
    """bytes at the beginning of a large file that alone are damaged"""
    whole: bool = True
    """whether the samples themselves are read"""


def tried(*readers: Callable[[], Any]) -> None:
    """Call all of them; the last InputError is raised at the end."""
    last: InputError | None = None
    for reader in readers:
        try:
            reader()
        except InputError as error:
            last = error
    if last is not None:
        raise last


def _file(folder: Path) -> Path:
    return next(path for path in sorted(folder.rglob("*")) if path.is_file())


def _calibration(folder: Path) -> None:
    calibration = load_calibration(_file(folder))
    camera = calibration.camera(SIZE)
    camera.undistort(torch.zeros(*SIZE, 3, dtype=torch.uint8).numpy())
    calibration.notes(SIZE)


def _readings(folder: Path) -> None:
    read = {"times.txt": read_times, "speed.csv": read_speeds, "gps.csv": read_fixes}
    file = _file(folder)
    read[file.name](file)


def _image(folder: Path) -> None:
    file = _file(folder)
    tried(
        lambda: read_pixels(file, upright=True),
        lambda: image_size(file),
        lambda: exif_orientation(file),
        lambda: stated_focal(file, SIZE),
    )


def _depth_or_flow(folder: Path) -> None:
    file = _file(folder)
    (read_depth if file.stem == "depth" else read_flow)(file)


def _depth_array(folder: Path) -> None:
    frame = Frame(0, torch.zeros(1, 3, *SIZE), torch.eye(3))
    DepthFolder(folder, ["000000"], factor=2.0).depth(frame)


def _predictions(folder: Path) -> None:
    found = Predictions(folder / "depth.npz", ["a", "b"], inverse=True)
    tried(lambda: found["a"], lambda: found["b"])


def _configuration(folder: Path) -> None:
    run, kinds = RunFolder(folder), (VideoConfig, RelocalizationConfig, SupervisedConfig, AdaptationConfig)
    family = run.family()
    tried(lambda: run.read_config(next(kind for kind in kinds if kind.family == family)), run.kitti_drives)


def _weights(folder: Path) -> None:
    file = _file(folder)
    load_weights(file, DepthNet if file.stem == DepthNet.kind else FlowNet)


def _checkpoint(folder: Path) -> None:
    path, content, _ = read_checkpoint(RunFolder(folder))
    restore(TrainState(torch.nn.ModuleDict({"depth": torch.nn.Linear(2, 3)})), content, path)


def _other_checkpoint(folder: Path) -> None:
    tried(lambda: read_other([_file(folder)]), lambda: read_state(_file(folder)))


def _run(folder: Path) -> None:
    def opened() -> None:
        run = VideoRun(folder)
        tried(
            lambda: (repr(run), run.state, run.notes),
            lambda: run.trajectory,
            lambda: run.camera,
            lambda: run.cloud,
            lambda: list(run.depth_maps()),
            lambda: run.depth_intrinsics,
        )

    tried(opened, lambda: read_record(folder), lambda: read_cloud(folder / "cloud.ply"))


def _video(folder: Path) -> None:
    video = Video(_file(folder))
    tried(*(lambda i=i: video.frame(i) for i in {0, video.count // 2, video.count - 1}))


def _bag(folder: Path) -> None:
    path = next(iter(folder.iterdir()))
    list(itertools.islice(BagStream(path), 5))


def _command_line(folder: Path) -> None:
    """Words are parsed, and what they ask for is not done."""
    first, *words = _file(folder).read_bytes().decode("utf-8", "surrogateescape").split("\n")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        if first == "train":
            default = _defaults(recipe(words[0] if words else ""))
            parse(type(default), words[1:], "train", default=default)
        elif first in VERBS:
            module, _, function = VERBS[first][0].partition(":")
            parse(later(getattr(importlib.import_module(module), function)), words, first)


def _scene(name: str) -> Callable[[Path], None]:
    dataset = "kitti-odom" if name == "prepared" else "nyu" if name == "nyu raw" else name

    def read(folder: Path) -> None:
        opened = open_dataset(DataOptions(dataset, folder))
        readers = [lambda sequence=sequence: _walk(sequence) for sequence in _names(opened)]
        readers += [lambda: [_frames(each) for each in opened.depth_frames()]] if _scored(name) else []
        readers += [lambda: _lidar(folder)] if name == "kitti-raw" else []
        tried(*readers)

    return read


def _names(opened: Any) -> Iterable[Callable[[], Any]]:
    return [lambda name=name: opened.open(name) for name in opened.names("all")]


def _scored(name: str) -> bool:
    return name in ("nyu", "kitti-2015")


def _frames(frames: Any) -> None:
    tried(*(lambda i=i: (frames.frame(i), frames.depth(i), frames.intrinsics(i)) for i in range(len(frames))))


def _lidar(folder: Path) -> None:
    _frames(KittiRawFrames(folder, [RawFrame("2011_09_26_drive_0002", 1)]))


def _walk(open_sequence: Callable[[], Any]) -> None:
    sequence = open_sequence()
    last = len(sequence) - 1
    reads = ("frame", "depth", "flow", "right", "points", "missing_file")
    tried(lambda: sequence.camera, *(lambda n=n, i=i: getattr(sequence, n)(i) for n in reads for i in {0, last}))


PARSERS: dict[str, Parser] = {
    "calibration": Parser(files.calibrations, _calibration),
    "trajectory": Parser(files.trajectories, lambda folder: read_trajectory(_file(folder))),
    "times, speeds, fixes": Parser(files.readings, _readings),
    "image": Parser(files.images, _image),
    "depth and flow": Parser(files.depth_and_flow, _depth_or_flow),
    "depth arrays": Parser(files.depth_arrays, _depth_array),
    "predictions": Parser(files.predictions, _predictions),
    "configuration": Parser(files.configurations, _configuration, "**/*.json"),
    "weights": Parser(files.weights, _weights, head=4096),
    "checkpoint": Parser(files.checkpoints, _checkpoint, "**/*.pt"),
    "other checkpoint": Parser(files.other_checkpoints, _other_checkpoint, whole=False),
    "run": Parser(files.runs, _run),
    "snapshot": Parser(files.snapshots, lambda folder: load_snapshot(_file(folder))),
    "video": Parser(files.videos, _video),
    "bag": Parser(bags, _bag),
    "command line": Parser(files.command_lines, _command_line),
    **{name: Parser(write, _scene(name)) for name, write in SCENES.items()},
}
"""by the name under which ``benchmarks/fuzz.py`` takes it"""
