"""How a sequence is tracked, by a model or without, as the options tell."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from vode.datasets.base import Sequence as Video
from vode.errors import InputError
from vode.geometry.ground import Ground, fit_ground
from vode.geometry.resize import magnified
from vode.model import Model
from vode.odometry.metric.ground import GroundObserver
from vode.odometry.metric.measure import Unit
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import (
    Classical,
    Matched,
    MatchingPerception,
    NoDepth,
    Perception,
    with_depth,
)
from vode.odometry.sources.folder import DepthFolder, sequence_folder
from vode.odometry.track import track
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.options import OdometryOptions
from vode.pipelines.run.progress import Meter

LONGEST = 640
"""pixels of the longer side of images that are tracked without a run; larger ones are shrunk to it"""

Grounds = dict[int, Ground | None]


class Setup(NamedTuple):
    """How one sequence is tracked."""

    perception: Perception | MatchingPerception
    options: TrackerOptions
    size: tuple[int, int]
    """(height, width) of its images"""
    unit: Unit


def tracking_size(size: tuple[int, int]) -> tuple[int, int]:
    """The (height, width) at which images of ``size`` are tracked where no run tells it."""
    return magnified(size, min(LONGEST / max(size), 1.0))


def tracker_options(model: Model | None, options: OdometryOptions) -> TrackerOptions:
    """Those of the model, or the defaults, with what the options change; InputError for what is not to be had."""
    if options.backend == "poselib" and importlib.util.find_spec("poselib") is None:
        raise InputError("PoseLib is not installed; pip install 'vode[poselib]', or choose opencv or torch", "backend")
    changes: dict[str, Any] = {name: getattr(options, name) for name in ("tracker", "backend", "flow")}
    changes["loops"] = options.loops or None
    changes["refine"] = online = None if options.refine == "global" else options.refine
    if options.no_depth:
        changes |= {"scale_from": "tracks", "refine": online or "none"}
    if options.tracker in ("trianflow", "pose-network"):
        changes = {"scale_from": "depth"} | changes | {"refine": online or "none"}
    changes = {name: value for name, value in changes.items() if value is not None}
    if model is None and changes.setdefault("flow", "classical") != "classical":
        raise InputError(f"{options.flow} flow needs the network of a run; name one, or choose classical", "flow")
    if model is None:
        return replace(TrackerOptions(), **changes)
    return replace(model.tracker.geometric() if options.tracker == "vode" else model.tracker, **changes)


def tracked_unit(model: Model | None, options: OdometryOptions) -> Unit:
    """The unit of trajectories before they are scaled to metres."""
    if options.no_depth:
        return "tracks"
    if options.depth_from is not None:
        return options.depth_scale
    return "metres" if model is not None and model.metric else "unknown"


def set_up(model: Model | None, sequence: Video, options: OdometryOptions, *, several: bool) -> Setup:
    """What sees a sequence: the model, with the depth or the matches of another source where the options name it."""
    tracker = tracker_options(model, options)
    perception: Perception | MatchingPerception
    if model is None:
        size, perception = tracking_size(sequence.size), Classical(NoDepth())
    else:
        size = model.tracking_size(sequence.size, tracker)
        perception = model.perception(tracker)
    if options.depth_from is not None:
        names = [sequence.file_stem(i) for i in range(len(sequence))]
        folder = sequence_folder(options.depth_from, sequence.name, several=several)
        perception = with_depth(
            perception, DepthFolder(folder, names, factor=options.depth_factor, device=perception.device)
        )
    if options.matcher is not None:
        from vode.odometry.matchers import open_matcher

        perception = Matched(open_matcher(options.matcher, perception.device), perception)
    return Setup(perception, tracker, size, tracked_unit(model, options))


def track_frames(
    sequence: Video, setup: Setup, stopped: Collection[object], meter: Meter, *, with_ground: bool
) -> tuple[VisualOdometry, Grounds | None]:
    """A sequence tracked until it is stopped, and the ground that its frames show, if that is asked for."""
    perception, (_, options, size, unit) = setup.perception, setup
    go = partial(track, sequence, size=size, options=options, stopped=stopped, on_progress=lambda k: meter(k + 1))
    if not with_ground:
        return go(perception), None
    if unit != "tracks":
        observer = GroundObserver(perception)
        return go(with_depth(perception, observer)), observer.grounds
    grounds: Grounds = {}

    def observe(odometry: VisualOdometry) -> None:
        grounds[len(odometry) - 1] = fit_ground(odometry.points())

    return go(perception, observe=observe), grounds
