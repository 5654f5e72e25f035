"""Self-supervised visual odometry and depth from ordinary video.

    model = vode.load("runs/world")
    depth = model.predict_depth(image)

Each name below is imported when it is first used, so that ``import vode`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vode.cameras.calibration import read_camera
    from vode.cameras.lens import Camera
    from vode.errors import InputError
    from vode.evaluation.depth import evaluate_depth
    from vode.evaluation.flow import evaluate_flow
    from vode.evaluation.odometry import evaluate_odometry
    from vode.evaluation.result import Result
    from vode.io.trajectory import Trajectory, read_trajectory
    from vode.model import Model, load
    from vode.odometry.matchers import open_matcher
    from vode.odometry.metric.estimate import MetricScale
    from vode.odometry.metric.ground import GroundObserver
    from vode.odometry.metric.measure import measure_scale
    from vode.odometry.metric.options import MetricOptions
    from vode.odometry.perception import DepthFunction, FlowFunction, Matched, with_depth
    from vode.odometry.visual_odometry import VisualOdometry
    from vode.pipelines.inputs import open_sequence
    from vode.pipelines.run.options import RunOptions
    from vode.pipelines.run.pipeline import run
    from vode.pipelines.run.result import VideoRun
    from vode.pipelines.train import resume, train
    from vode.run_folder import RunFolder
    from vode.streams.camera import find_camera
    from vode.streams.frames import open_video
    from vode.streams.open import open_stream
    from vode.streams.options import StreamOptions
    from vode.streams.stream import Stream

__version__ = "0.2.0"

_HOMES = {
    "Camera": "vode.cameras.lens",
    "DepthFunction": "vode.odometry.perception",
    "FlowFunction": "vode.odometry.perception",
    "GroundObserver": "vode.odometry.metric.ground",
    "InputError": "vode.errors",
    "Matched": "vode.odometry.perception",
    "MetricOptions": "vode.odometry.metric.options",
    "MetricScale": "vode.odometry.metric.estimate",
    "Model": "vode.model",
    "Result": "vode.evaluation.result",
    "RunFolder": "vode.run_folder",
    "RunOptions": "vode.pipelines.run.options",
    "Trajectory": "vode.io.trajectory",
    "VideoRun": "vode.pipelines.run.result",
    "Stream": "vode.streams.stream",
    "StreamOptions": "vode.streams.options",
    "VisualOdometry": "vode.odometry.visual_odometry",
    "evaluate_depth": "vode.evaluation.depth",
    "evaluate_flow": "vode.evaluation.flow",
    "evaluate_odometry": "vode.evaluation.odometry",
    "find_camera": "vode.streams.camera",
    "load": "vode.model",
    "measure_scale": "vode.odometry.metric.measure",
    "open_matcher": "vode.odometry.matchers",
    "open_sequence": "vode.pipelines.inputs",
    "open_stream": "vode.streams.open",
    "open_video": "vode.streams.frames",
    "read_camera": "vode.cameras.calibration",
    "read_trajectory": "vode.io.trajectory",
    "resume": "vode.pipelines.train",
    "run": "vode.pipelines.run.pipeline",
    "train": "vode.pipelines.train",
    "with_depth": "vode.odometry.perception",
}

__all__ = [
    "Camera",
    "DepthFunction",
    "FlowFunction",
    "GroundObserver",
    "InputError",
    "Matched",
    "MetricOptions",
    "MetricScale",
    "Model",
    "Result",
    "RunFolder",
    "RunOptions",
    "Stream",
    "StreamOptions",
    "Trajectory",
    "VideoRun",
    "VisualOdometry",
    "__version__",
    "evaluate_depth",
    "evaluate_flow",
    "evaluate_odometry",
    "find_camera",
    "load",
    "measure_scale",
    "open_matcher",
    "open_sequence",
    "open_stream",
    "open_video",
    "read_camera",
    "read_trajectory",
    "resume",
    "run",
    "train",
    "with_depth",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vode' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
