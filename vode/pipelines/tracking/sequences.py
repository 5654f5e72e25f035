"""Sequences tracked to trajectories in files, in the unit of their depth or in metres, and what is said of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from vode.datasets.base import Sequence as Video
from vode.errors import InputError
from vode.io.frame_keys import with_times
from vode.io.trajectory import Trajectory
from vode.io.trajectory_formats.clock import Times, read_times
from vode.io.trajectory_formats.names import SUFFIXES, TIMED
from vode.model import Model
from vode.odometry.chunks.joining import Chunk
from vode.odometry.metric.measure import measure_scale
from vode.pipelines.options import OdometryOptions
from vode.pipelines.refinement import refine_globally
from vode.pipelines.run.progress import Meter, Progress
from vode.pipelines.tracking.chunks import track_chunks
from vode.pipelines.tracking.reports import OnProgress, Tracked, loops_note, report
from vode.pipelines.tracking.setup import set_up, track_frames, tracked_unit
from vode.reconstruction.options import BundleOptions
from vode.signals import stop_signal
from vode.training import distributed

OF_ONE = ("speed", "gps", "distance")
"""sources of scale that belong to one video"""

OnFrame = Callable[[Progress], None]


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
) -> dict[str, Trajectory]:
    """The trajectory of each sequence by its name, written to ``out`` with a log of every motion.

    Without a ``model`` the options give the depth, or tell that there is none. Trajectories are in metres by the
    source of scale that they give, which NAME.scale.json then tells, or in the unit of the depth. Ctrl-C or SIGTERM
    ends it after a frame, or soon after in a global refinement: what was tracked is written, then KeyboardInterrupt is
    raised. ``on_frame`` is called after each frame with how far its sequence is. Several processes of a group each
    track a part of the sequences or of their chunks, and return all trajectories; chunks are lost where these stop.
    """
    _check(sequences, options)
    clocks = clocks_of(options, [sequence.name for sequence in sequences])
    trajectories = {}
    with stop_signal() as stopped:
        joined = None if options.chunk is None else track_chunks(model, sequences, options, on_frame, stopped)
        for i in distributed.own([len(sequence) for sequence in sequences]):
            if stopped if joined is None else i not in joined:
                break
            sequence, name = sequences[i], sequences[i].name
            if joined is None:
                tracked = _in_one_pass(model, sequence, options, on_frame, stopped, several=len(sequences) > 1)
            else:
                tracked = Tracked(joined[i].whole, joined[i].describe())
            trajectory, results, grounds = tracked.frames
            clock = clocks.get(name)
            if clock is not None and stopped:
                clock = clock.first(len(trajectory))
            timed = trajectory if clock is None else with_times(trajectory, *clock)
            scale = measure_scale(timed, options, grounds=grounds, results=results, unit=tracked_unit(model, options))
            trajectories[name] = scale.apply(trajectory)
            file = out / f"{name}{SUFFIXES[options.format]}"
            trajectories[name].write(file, options.format)
            report(file, tracked, scale, on_progress)
            if stopped:
                on_progress(f"{name}: stopped after {len(trajectory)} of {len(sequence)} frames, which are written")
    if stopped:
        raise KeyboardInterrupt
    return {name: trajectory for part in distributed.gather(trajectories) for name, trajectory in part.items()}


def _check(sequences: Sequence[Video], options: OdometryOptions) -> None:
    """InputError where options contradict one another, or what the sequences have."""
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


def _in_one_pass(
    model: Model | None,
    sequence: Video,
    options: OdometryOptions,
    on_frame: OnFrame,
    stopped: Collection[object],
    *,
    several: bool,
) -> Tracked:
    """A sequence tracked from its first frame to its last, and refined globally, if that is asked for."""
    setup = set_up(model, sequence, options, several=several)
    meter = Meter(sequence.name, len(sequence), on_frame)
    odometry, grounds = track_frames(sequence, setup, stopped, meter, with_ground=options.camera_height is not None)
    trajectory, refined = odometry.trajectory, None
    if options.refine == "global" and not stopped:
        refined = refine_globally(sequence, odometry, BundleOptions(camera=options.refine_camera), stopped=stopped)
        trajectory = refined.trajectory
    return Tracked(Chunk(trajectory, odometry.results, grounds), loops_note(odometry), refined)


def clocks_of(options: OdometryOptions, sequences: Sequence[str]) -> dict[str, Clock]:
    """The times of the frames that the options give, by sequence."""
    files = options.times
    if files and len(files) != len(sequences):
        raise InputError(f"{len(files)} files of times for {len(sequences)} sequences; give one for each", "times")
    pairs = zip(sequences, files, strict=False)
    return {name: Clock(read_times(file), str(file), options.by) for name, file in pairs}
