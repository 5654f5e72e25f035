"""Sequences tracked to trajectories in files, in the unit of their depth or in metres, and what is said of each."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from vode.cameras.writing import write_calibration
from vode.datasets.base import Sequence as Video
from vode.errors import InputError
from vode.geometry.resize import magnified
from vode.io.atomic import write_bytes
from vode.io.frame_keys import with_times
from vode.io.trajectory import Trajectory
from vode.io.trajectory_formats.clock import Times, read_times
from vode.io.trajectory_formats.names import SUFFIXES, TIMED
from vode.model import Model
from vode.odometry.metric.estimate import MetricScale, ScaleSource
from vode.odometry.metric.ground import Ground, GroundObserver, fit_ground
from vode.odometry.metric.measure import Unit, measure_scale
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import (
    Classical,
    Matched,
    MatchingPerception,
    NoDepth,
    Perception,
    with_depth,
)
from vode.odometry.result import log_lines
from vode.odometry.sources.folder import DepthFolder, sequence_folder
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.options import OdometryOptions
from vode.pipelines.refinement import Refined, refine_globally
from vode.pipelines.run.progress import Meter, Progress
from vode.reconstruction.options import BundleOptions
from vode.signals import stop_signal

SHOWN = 5
"""frames without a motion of their own that are named"""
LONGEST = 640
"""pixels of the longer side of images that are tracked without a run; larger ones are shrunk to it"""
OF_ONE = ("speed", "gps", "distance")
"""sources of scale that belong to one video"""

OnProgress = Callable[[str], None]
OnFrame = Callable[[Progress], None]


class Setup(NamedTuple):
    """How one sequence is tracked."""

    perception: Perception | MatchingPerception
    options: TrackerOptions
    size: tuple[int, int]
    """(height, width) of its images"""
    unit: Unit


class Clock(NamedTuple):
    """The times of a sequence's frames: what ``with_times`` takes."""

    times: Times
    name: str
    by: str

    def first(self, count: int) -> Clock:
        """Those of the first frames."""
        return self._replace(times=self.times._replace(seconds=self.times.seconds[:count]))


def track_sequences(
    model: Model | None,
    sequences: Sequence[Video],
    out: Path,
    options: OdometryOptions = OdometryOptions(),
    on_progress: OnProgress = lambda line: None,
    on_frame: OnFrame = lambda progress: None,
    *,
    only: Collection[int] | None = None,
) -> dict[str, Trajectory]:
    """The trajectory of each sequence by its name, written to ``out`` with a log of every motion.

    ``only`` those of the sequences that these indices tell are tracked, by default all.

    Without a ``model`` the options give the depth, or tell that there is none. Trajectories are in metres by the
    source of scale that they give, which NAME.scale.json then tells, or in the unit of the depth. Ctrl-C or SIGTERM
    ends it after a frame, or soon after in a global refinement: what was tracked is written, then KeyboardInterrupt is
    raised. ``on_frame`` is called after each frame with how far its sequence is.
    """
    if options.refine_camera != "fixed" and options.refine != "global":
        raise InputError("the camera is refined with all keyframes; refine globally, too", "refine", "refine_camera")
    untimed = next((s.name for s in sequences if s.timestamps is None), None)
    if options.format in TIMED and untimed is not None:
        raise InputError(f"{untimed}: its frames have no times, which {options.format} needs; write kitti", "format")
    if options.loops and options.camera_height is not None:
        raise InputError("loops change the scale of places whose ground was measured; leave out one of them", "loops")
    if options.metric_source in OF_ONE and len(sequences) > 1:
        raise InputError(
            f"{options.metric_source} is that of one video, but there are {len(sequences)}; name one sequence",
            "sequences",
        )
    clocks = clocks_of(options, [sequence.name for sequence in sequences])
    trajectories = {}
    for sequence in sequences if only is None else [sequences[i] for i in only]:
        setup = _setup(model, sequence, options, several=len(sequences) > 1)
        with stop_signal() as stopped:
            meter = Meter(sequence.name, len(sequence), on_frame)
            tracked, grounds = _tracked(sequence, setup, stopped, meter, with_ground=options.camera_height is not None)
            name, refined = sequence.name, None
            if options.refine == "global" and not stopped:
                bundle = BundleOptions(camera=options.refine_camera)
                refined = refine_globally(sequence, tracked, bundle, stopped=stopped)
            trajectory = tracked.trajectory if refined is None else refined.trajectory
            clock = clocks.get(name)
            if clock is not None and stopped:
                clock = clock.first(len(trajectory))
            timed = trajectory if clock is None else with_times(trajectory, *clock)
            scale = measure_scale(timed, options, grounds=grounds, results=tracked.results, unit=setup.unit)
            trajectories[name] = scale.apply(trajectory)
            file = out / f"{name}{SUFFIXES[options.format]}"
            trajectories[name].write(file, options.format)
            _report(file, tracked, scale, on_progress)
            if refined is not None:
                _report_refined(file.with_suffix(".calibration.yaml"), refined, on_progress)
        if stopped:
            on_progress(f"{name}: stopped after {len(trajectory)} of {len(sequence)} frames, which are written")
            raise KeyboardInterrupt
    return trajectories


def clocks_of(options: OdometryOptions, sequences: Sequence[str]) -> dict[str, Clock]:
    """The times of the frames that the options give, by sequence."""
    files = options.times
    if files and len(files) != len(sequences):
        raise InputError(f"{len(files)} files of times for {len(sequences)} sequences; give one for each", "times")
    pairs = zip(sequences, files, strict=False)
    return {name: Clock(read_times(file), str(file), options.by) for name, file in pairs}


def tracking_size(size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) at which images of ``size`` are tracked where no run tells it."""
    return magnified(size, min(LONGEST / max(size), 1.0))


def _setup(model: Model | None, sequence: Video, options: OdometryOptions, *, several: bool) -> Setup:
    """What sees a sequence: the model, with the depth or the matches of another source where the options name it."""
    perception: Perception | MatchingPerception
    changes: dict[str, Any] = {name: getattr(options, name) for name in ("tracker", "backend", "flow")}
    changes["loops"] = options.loops or None
    changes["refine"] = online = None if options.refine == "global" else options.refine
    if options.backend == "poselib" and importlib.util.find_spec("poselib") is None:
        raise InputError("PoseLib is not installed; pip install 'vode[poselib]', or choose opencv or torch", "backend")
    if options.no_depth:
        changes |= {"scale_from": "tracks", "refine": online or "none"}
    if options.tracker in ("trianflow", "pose-network"):
        changes = {"scale_from": "depth"} | changes | {"refine": online or "none"}
    changes = {name: value for name, value in changes.items() if value is not None}
    if model is None:
        if changes.setdefault("flow", "classical") != "classical":
            raise InputError(f"{options.flow} flow needs the network of a run; name one, or choose classical", "flow")
        tracker, size = replace(TrackerOptions(), **changes), tracking_size(sequence.size)
        perception = Classical(NoDepth())
    else:
        own = model.tracker.geometric() if options.tracker == "vode" else model.tracker
        tracker, size = replace(own, **changes), model.tracking_size(sequence.size)
        perception = model.perception(tracker)
    unit: Unit = "metres" if model is not None and model.metric else "unknown"
    if options.depth_from is not None:
        names = [sequence.file_stem(i) for i in range(len(sequence))]
        folder = sequence_folder(options.depth_from, sequence.name, several=several)
        depth = DepthFolder(folder, names, factor=options.depth_factor, device=perception.device)
        perception, unit = with_depth(perception, depth), options.depth_scale
    if options.matcher is not None:
        from vode.odometry.matchers import open_matcher

        perception = Matched(open_matcher(options.matcher, perception.device), perception)
    return Setup(perception, tracker, size, "tracks" if options.no_depth else unit)


def _tracked(
    sequence: Video, setup: Setup, stopped: Collection[object], meter: Meter, *, with_ground: bool
) -> tuple[VisualOdometry, dict[int, Ground | None] | None]:
    """A sequence tracked until it is stopped, and the ground that its frames show, if that is asked for."""
    perception, (_, options, size, unit) = setup.perception, setup
    go = partial(track, sequence, size=size, options=options, stopped=stopped, on_progress=lambda k: meter(k + 1))
    if not with_ground:
        return go(perception), None
    if unit != "tracks":
        observer = GroundObserver(perception)
        return go(with_depth(perception, observer)), observer.grounds
    grounds: dict[int, Ground | None] = {}

    def observe(odometry: VisualOdometry) -> None:
        grounds[len(odometry) - 1] = fit_ground(odometry.points())

    return go(perception, observe=observe), grounds


def _report(file: Path, tracked: VisualOdometry, scale: MetricScale, on_progress: OnProgress) -> None:
    """Write the log and the scale of a trajectory's file, and say what is in them."""
    log = file.with_suffix(".log.jsonl")
    write_bytes(log, log_lines(tracked.results).encode())
    if scale.source not in (ScaleSource.DEPTH, ScaleSource.TRACKS):
        write_bytes(file.with_suffix(".scale.json"), (json.dumps(scale.to_dict(), indent=1) + "\n").encode())
    on_progress(f"{file}: {len(tracked.trajectory)} poses; {tracked.summary()}{_loops(tracked)}")
    on_progress(f"  {scale.describe()}")
    extrapolated = tracked.extrapolated()
    for line in extrapolated[:SHOWN]:
        on_progress(f"  {line}")
    if len(extrapolated) > SHOWN:
        on_progress(f"  and {len(extrapolated) - SHOWN} more, in {log}")


def _report_refined(file: Path, refined: Refined, on_progress: OnProgress) -> None:
    """Say what global refinement did, and write the camera, if it was refined."""
    on_progress(f"  {refined.describe()}")
    if refined.camera.distorts:
        write_calibration(file, refined.camera, "refined by the video itself")
        on_progress(f"  {file}: the camera of its undistorted images, refined")


def _loops(tracked: VisualOdometry) -> str:
    """What loops did, where they were looked for."""
    if not tracked.options.loops:
        return ""
    scales = tracked.depth_scales.values()
    spread = f", depth scaled by {min(scales):.3f} to {max(scales):.3f}" if tracked.loops else ""
    known = list(tracked.maps.values())
    lost = f", lost {len(known) - 1} times, found again {sum(known) - 1}" if len(known) > 1 else ""
    return f"; {len(tracked.loops)} loops between {len(scales)} keyframes{spread}{lost}"
