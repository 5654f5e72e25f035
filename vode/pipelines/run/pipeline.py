"""``run``: a video in, and everything out, into one folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

import vode
from vode.cameras.lens import Camera
from vode.cameras.writing import write_calibration
from vode.errors import InputError
from vode.io.dataclass_json import to_plain
from vode.model import Model
from vode.odometry.metric.measure import check_readings
from vode.odometry.perception import DepthFunction, DepthSource
from vode.pipelines.run.adapt import adapted_model, check_model
from vode.pipelines.run.finish import Measured, measured, write_outputs, write_trajectory
from vode.pipelines.run.folder import OutputFolder, default_folder, is_full, open_folder
from vode.pipelines.run.notes import doubts, problems, sentences
from vode.pipelines.run.options import LATER, RunOptions
from vode.pipelines.run.progress import OnFrame, OnProgress, peak_memory
from vode.pipelines.run.report import write_views
from vode.pipelines.run.result import VideoRun
from vode.pipelines.run.source import Source, camera_of, open_source, origin_of
from vode.pipelines.run.tracking import Pass, Tracked, pinhole, seeing
from vode.signals import stop_signal
from vode.streams.camera import FoundCamera

DepthLike = DepthSource | Callable[[np.ndarray], np.ndarray | Tensor]


def run(
    source: str | Path | int,
    out: Path | str | None = None,
    options: RunOptions = RunOptions(),
    *,
    depth: DepthLike | None = None,
    on_progress: OnProgress = lambda progress: None,
    on_frame: OnFrame = lambda frame: None,
    **changes: Any,
) -> VideoRun:
    """Track a video and write all that follows from it: trajectory, depth, clouds, models, a report.

    ``source`` is a video, a folder of images, or "demo"; ``out`` the folder for the outputs, by default SOURCE-run.
    ``changes`` replace fields of ``options``. ``depth`` is that of another source, or a function of an RGB image
    (H, W, 3) uint8 that gives it in metres, in the place of the model's. ``on_progress`` is called with a ``Progress``,
    ``on_frame`` with each ``SeenFrame`` after it was tracked.

    Ctrl-C ends it early: the outputs are of the frames so far, and ``state`` of the result is "interrupted". The same
    call with ``resume=True`` goes on. InputError for input that cannot be used, for a folder that is taken, and for
    a full disk, which leaves whole files and says where it ended.
    """
    try:
        options = replace(options, **changes)
    except TypeError as error:
        raise InputError(f"{error}; the options of a run are the fields of RunOptions") from None
    options = options if out is None else replace(options, out=Path(out))
    options.check()
    opened = open_source(str(source), options)
    check_model(options, opened, with_depth=depth is not None)
    found = camera_of(opened, options)
    check_readings(options, opened.stream.length)
    folder = open_folder(
        options.out or default_folder(opened.address, options.overwrite),
        opened.address,
        resume=options.resume,
        overwrite=options.overwrite,
        inputs=_files(str(source), options),
    )
    if options.resume:
        _check_same(folder, options)
        if folder.summary["state"] == "finished":
            if not folder.file("report").is_file():
                _view(folder)
            return VideoRun(folder.path)
    other = DepthFunction(depth) if callable(depth) else depth
    _Runner(opened, found, folder, options, on_progress).go(other, on_frame)
    return VideoRun(folder.path)


def _view(folder: OutputFolder) -> None:
    """Write what people look at; only then nothing is left that could be gone on with."""
    write_views(folder)
    if folder.summary["state"] == "finished":
        folder.clean()


def _files(source: str, options: RunOptions) -> list[Path]:
    """The files and folders that a run reads."""
    named = (Path(source), options.calibration, options.speed, options.gps, Path(options.model or source))
    return [path for path in named if path is not None and path.exists()]


def _check_same(folder: OutputFolder, options: RunOptions) -> None:
    """InputError if options differ from those that the run began with."""
    now, before = to_plain(options), folder.summary["options"]
    other = [name for name in now if name not in LATER and before.get(name) != now[name]]
    if other:
        raise InputError(
            f"{folder.path}: the run began with {other[0]} = {before.get(other[0])}; give the same options to go on",
            other[0],
        )


class _Runner:
    """One run, from its first frame or from where it was interrupted."""

    def __init__(
        self, source: Source, found: FoundCamera, folder: OutputFolder, options: RunOptions, on_progress: OnProgress
    ) -> None:
        self._source, self._found, self._folder = source, found, folder
        self._options, self._on_progress = options, on_progress
        self._begun = time.monotonic()
        self._spent = float(folder.summary.get("seconds", 0.0))

    def go(self, depth: DepthSource | None, on_frame: OnFrame) -> None:
        """Do all of it; raises InputError where the source or the disk ends it early."""
        folder, tracking = self._folder, None
        try:
            folder.update(**self._description())
            folder.reserve()
            write_calibration(folder.file("calibration"), self._found.stored, self._found.note)
            with stop_signal() as stopped:
                model = self._model(depth)
                sees = seeing(model, depth, self._options, self._source.size)
                tracking = Pass(self._source, self._found.camera, sees, folder, resume=self._options.resume)
                tracked = tracking.go(self._options.limit, stopped, self._on_progress, on_frame)
                self._finish(tracked)
        except (InputError, OSError) as error:
            if not is_full(error):
                raise
            frames = 0 if tracking is None else len(tracking.odometry)
            self._full(frames)
            raise InputError(
                f"{folder.path}: the disk is full after {frames} frames; what is written is whole: free space, resume",
                "resume",
            ) from error
        if tracked.problem is not None:
            raise InputError(
                f"{tracked.problem}; the outputs in {folder.path} are of the {len(tracked.odometry)} frames before"
            )

    def _model(self, depth: DepthSource | None) -> Model | None:
        if self._options.model is None:
            return None
        earlier, begun = self._adaptation_seconds(), time.monotonic()
        model, adaptation = adapted_model(self._source, self._found, self._folder, self._options, self._on_progress)
        if adaptation is not None:
            adaptation = adaptation | {"seconds": round(earlier + time.monotonic() - begun, 2)}
        what = "depth in metres" if model.metric else "depth up to scale"
        named = {"name": self._options.model, "note": what}
        self._folder.update(adaptation=adaptation, model=named, **self._times(0))
        return model

    def _finish(self, tracked: Tracked) -> None:
        """Write the outputs of the frames that were tracked."""
        folder, count = self._folder, len(tracked.odometry)
        if count == 0:
            raise tracked.problem or InputError(f"{self._source.address}: no frame; check the source")
        final = measured(tracked, self._options)
        write_trajectory(folder, final.trajectory)
        folder.update(**self._told(tracked, final))
        early = tracked.stopped or tracked.problem is not None
        numbers = write_outputs(folder, tracked, final, self._on_progress)
        folder.release()
        state = "interrupted" if early else "limited" if self._limited(count) else "finished"
        folder.update(**numbers, **self._times(count), state=state)
        _view(folder)
        folder.update(**self._times(count))

    def _limited(self, count: int) -> bool:
        """Whether frames are left that a limit forbids for now."""
        limit, length = self._options.limit, self._source.stream.length
        return limit is not None and count >= limit and (length is None or count < length)

    def _description(self) -> dict[str, Any]:
        """What is known of a run before its first frame."""
        source = self._source
        return {
            "version": 1,
            "vode": vode.__version__,
            "source": self._source_numbers(int(self._folder.summary.get("source", {}).get("frames_done", 0))),
            "state": "running",
            "started": self._folder.summary.get("started") or datetime.now(UTC).isoformat(timespec="seconds"),
            "camera": _camera(self._found, origin_of(self._found, source.stream.kind)),
            "model": {"name": self._options.model, "note": ""},
            "options": to_plain(self._options),
            "adaptation": self._folder.summary.get("adaptation"),
            "loops": [],
            "scale": {"unit": "arbitrary", "origin": "", "note": "not measured yet"},
            "notes": sentences(source.notes),
            "problems": sentences(source.notes),
        } | self._times(0)

    def _source_numbers(self, done: int) -> dict[str, Any]:
        source = self._source
        return {
            "address": source.address,
            "kind": str(source.stream.kind),
            "frames_total": source.stream.length,
            "frames_done": done,
            "live": source.stream.live,
            "dropped": source.stream.dropped,
        }

    def _times(self, count: int) -> dict[str, Any]:
        seconds = self._spent + time.monotonic() - self._begun
        rate = count / max(seconds - self._adaptation_seconds(), 1e-6)
        return {
            "seconds": round(seconds, 2),
            "frames_per_second": round(rate, 3),
            "peak_memory_bytes": max(peak_memory(), int(self._folder.summary.get("peak_memory_bytes", 0))),
        }

    def _adaptation_seconds(self) -> float:
        """What was spent on the model before the first frame, as far as the summary knows."""
        return float((self._folder.summary.get("adaptation") or {}).get("seconds", 0.0))

    def _told(self, tracked: Tracked, final: Measured) -> dict[str, Any]:
        """The summary's part about the trajectory."""
        scale = final.scale
        notes = list(self._source.notes) + doubts(tracked, self._found, scale, self._options.model)
        ended = [] if tracked.problem is None else [f"the video ends early: {tracked.problem}"]
        if self._options.loops and self._options.camera_height is not None:
            notes.append("loops are not looked for where a camera's height tells the scale")
        return {
            "source": self._source_numbers(len(tracked.odometry)),
            "scale": {
                "unit": "metres" if scale.metric else "arbitrary",
                "origin": str(scale.source),
                "factor": scale.factor,
                "deviation": scale.deviation,
                "note": scale.describe(),
            },
            "methods": tracked.odometry.summary(),
            "loops": _loops(tracked, final),
            "notes": sentences(notes + ended),
            "problems": sentences(problems(tracked, self._found, self._source.notes) + ended),
        }

    def _full(self, frames: int) -> None:
        """Say in the summary, and in the trajectory, where a full disk ended the run."""
        self._folder.release()
        try:
            self._folder.update(state="disk full", source=self._source_numbers(frames), **self._times(frames))
        except InputError:
            # not even the space set aside is there
            return


def _camera(found: FoundCamera, origin: str) -> dict[str, Any]:
    camera, plain = found.stored, pinhole(found.camera)
    named = {"lens": camera.lens, "coefficients": list(camera.distortion)} if camera.distorts else None
    return {
        **_numbers(camera),
        "distortion": named,
        "origin": origin,
        "relative_deviation": found.uncertainty,
        "note": found.note,
        "undistorted": _numbers(plain),
    }


def _numbers(camera: Camera) -> dict[str, Any]:
    (height, width), (fx, fy), (cx, cy) = camera.size, camera.focal, camera.centre
    return {"width": int(width), "height": int(height), "fx": fx, "fy": fy, "cx": cx, "cy": cy}


def _loops(tracked: Tracked, final: Measured) -> list[dict[str, Any]]:
    """Loops by the numbers of their frames, and how far the later end was moved."""
    frames = sorted(tracked.odometry.depth_scales)
    before = {x.index: np.asarray(x.pose)[:3, 3] for x in tracked.odometry.results}
    rows = []
    for loop in tracked.odometry.loops:
        a, b = frames[loop.first], frames[loop.second]
        after = final.trajectory.positions[b].numpy()
        moved = float(np.linalg.norm(after - before[b] * final.scale.factor))
        rows.append({"frame_a": a, "frame_b": b, "inliers": int(loop.inliers), "correction_metres": moved})
    return rows
