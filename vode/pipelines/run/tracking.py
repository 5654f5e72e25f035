"""The pass over the images: each is undistorted, tracked and recorded, and its line is logged."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.geometry.ground import Ground
from vode.geometry.pose import matrix_to_quaternion
from vode.model import Model
from vode.odometry.metric.ground import GroundObserver
from vode.odometry.metric.measure import Unit
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import (
    Classical,
    DepthSource,
    MatchingPerception,
    Perception,
    with_depth,
)
from vode.odometry.result import FrameResult
from vode.odometry.sources.kept_depth import KeptDepth
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.run.folder import LOG, LineLog, OutputFolder
from vode.pipelines.run.options import RunOptions
from vode.pipelines.run.progress import Meter, OnFrame, OnProgress, SeenFrame
from vode.pipelines.run.recorder import Recorder
from vode.pipelines.run.snapshot import load_snapshot, restore_tracker, save_snapshot, tracker_state
from vode.pipelines.run.source import Source
from vode.pipelines.tracking.setup import tracking_size

SNAPSHOT_SECONDS = 30.0
"""between two states on disk, from which an interrupted run goes on, at least"""
SNAPSHOT_SHARE = 0.03
"""of the time, at most, for writing them: they grow with the video"""
SNAPSHOT = "state.npz"


class Seeing(NamedTuple):
    """What sees the images, and how they are tracked."""

    perception: Perception | MatchingPerception
    options: TrackerOptions
    size: tuple[int, int]
    """(height, width) that images are tracked at"""
    unit: Unit


class Tracked(NamedTuple):
    """A pass, as far as it came."""

    odometry: VisualOdometry
    recorder: Recorder
    camera: Camera
    """the pinhole camera of the undistorted images"""
    size: tuple[int, int]
    """(height, width) of the depth"""
    grounds: dict[int, Ground | None] | None
    unit: Unit
    stopped: bool
    """somebody asked to stop"""
    problem: InputError | None = None
    """what ended it before its end"""


def seeing(model: Model | None, depth: DepthSource | None, options: RunOptions, size: tuple[int, int]) -> Seeing:
    """What sees images of ``size`` (height, width): a model, with the depth of another source if there is one."""
    if model is None:
        assert depth is not None
        tracker, small = TrackerOptions(), tracking_size(size)
        perception: Perception | MatchingPerception = Classical(depth)
    else:
        tracker = model.tracker.geometric()
        small = model.tracking_size(size, tracker)
        if options.backend == "onnx":
            from vode.pipelines.export.perception import onnx_perception

            perception = onnx_perception(model, size)
        else:
            perception = model.perception(tracker)
        perception = perception if depth is None else with_depth(perception, depth)
    loops = options.loops and options.camera_height is None
    metric = depth is not None or (model is not None and model.metric)
    return Seeing(perception, replace(tracker, loops=loops), small, "metres" if metric else "unknown")


def pinhole(camera: Camera) -> Camera:
    """The camera of the images after undistortion."""
    (fx, _, cx), (_, fy, cy), _ = camera.intrinsics.tolist()
    return Camera(camera.size, (fx, fy), (cx, cy))


class Pass:
    """One pass over a source, from its beginning or from where another one was interrupted."""

    def __init__(self, source: Source, camera: Camera, sees: Seeing, folder: OutputFolder, *, resume: bool) -> None:
        self._source, self._camera, self._folder = source, camera, folder
        self._recorder = Recorder(folder, sees.size)
        self._kept = KeptDepth(sees.perception)
        self._ground = GroundObserver(self._kept)
        self._with_ground = folder.summary["options"]["camera_height"] is not None
        perception = with_depth(sees.perception, self._ground if self._with_ground else self._kept)
        self._sees, self._pinhole = sees, pinhole(camera)
        self.odometry = VisualOdometry(
            perception, self._pinhole.intrinsics, sees.options, size=sees.size, name=f"estimate of {source.address}"
        )
        if resume and (folder.work / SNAPSHOT).is_file():
            state = load_snapshot(folder.work / SNAPSHOT)
            restore_tracker(self.odometry, state["tracker"])
            self._recorder.restore(state["recorder"])
            self._ground.grounds = state["grounds"]
        self._saved, self._pause = time.monotonic(), SNAPSHOT_SECONDS

    def go(self, limit: int | None, stopped: Collection[object], on_progress: OnProgress, on_frame: OnFrame) -> Tracked:
        """Track the frames that are left, up to ``limit`` of all, or until ``stopped`` holds something."""
        begun = len(self.odometry)
        total = self._source.stream.length if limit is None else min(limit, self._source.stream.length or limit)
        meter = Meter("track", total, on_progress, begun)
        frames = islice(iter(self._source), begun, limit)
        problem: InputError | None = None
        with closing(LineLog(self._folder.path / LOG, begun)) as log, ThreadPoolExecutor(1) as writer:
            written: Future[None] | None = None
            try:
                for stamp, image in _ahead(frames):
                    started = time.monotonic()
                    result, undistorted = self._register(stamp, image)
                    if written is not None:
                        written.result()
                    log.append(self._row(result, time.monotonic() - started))
                    if undistorted is not None:
                        depth = self._kept.of(result)
                        written = writer.submit(self._recorder.add, undistorted, result, depth)
                        seen = None if depth is None else depth[0, 0]
                        on_frame(SeenFrame(result, undistorted, seen, self._pinhole.intrinsics))
                    if stopped or time.monotonic() - self._saved > self._pause:
                        self._save(written)
                    meter(len(self.odometry), str(result.method))
                    if stopped:
                        break
            except _SourceError as error:
                problem = error.problem
            if written is not None:
                written.result()
        if stopped or problem is not None or limit is not None:
            self._save(None)
        self.odometry.finish()
        grounds = self._ground.grounds if self._with_ground else None
        recorded = self._pinhole, self._sees.size, grounds, self._sees.unit
        return Tracked(self.odometry, self._recorder, *recorded, bool(stopped), problem)

    def _register(self, stamp: float, image: np.ndarray | InputError) -> tuple[FrameResult, np.ndarray | None]:
        if isinstance(image, InputError):
            return self.odometry.register_failure(str(image), stamp), None
        undistorted = self._camera.undistort(image)
        return self.odometry.register_frame(undistorted, stamp), undistorted

    def _row(self, result: FrameResult, seconds: float) -> Mapping[str, Any]:
        """A frame's line in the log."""
        pose = torch.as_tensor(result.pose)
        factor, deviation = result.depth_level or (None, None)
        return {
            "frame": result.index,
            "timestamp": result.timestamp,
            "name": None,
            "method": str(result.method),
            "reason": None if result.reason is None else str(result.reason),
            "words": result.describe(),
            "position": pose[:3, 3].tolist(),
            "quaternion": matrix_to_quaternion(pose[:3, :3]).tolist(),
            "depth_factor": factor,
            "depth_factor_deviation": deviation,
            "scale_deviation": result.scale_deviation,
            "inliers": result.inliers,
            "parallax": result.parallax,
            "seconds": round(seconds, 4),
        }

    def _save(self, written: Future[None] | None) -> None:
        """Put down where the pass is, so that another one can go on from here."""
        if written is not None:
            written.result()
        started = time.monotonic()
        parts = {"tracker": tracker_state(self.odometry), "recorder": self._recorder.state()}
        save_snapshot(self._folder.work / SNAPSHOT, parts | {"grounds": self._ground.grounds})
        self._saved = time.monotonic()
        self._pause = max(SNAPSHOT_SECONDS, (self._saved - started) / SNAPSHOT_SHARE)


class _SourceError(Exception):
    """Wraps what the source itself said, apart from what writing says."""

    def __init__(self, problem: InputError) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _ahead(frames: Iterator[tuple[float, np.ndarray | InputError]]) -> Iterator[tuple[float, np.ndarray | InputError]]:
    """The same, each read while the one before is worked on."""
    with ThreadPoolExecutor(1) as reader:
        waiting = reader.submit(next, frames, None)
        while True:
            try:
                found = waiting.result()
            except InputError as error:
                raise _SourceError(error) from error
            if found is None:
                return
            waiting = reader.submit(next, frames, None)
            yield found
