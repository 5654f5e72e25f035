"""Whole sequences tracked, each frame read while the one before is worked on."""

from __future__ import annotations

from collections.abc import Callable, Collection

from vode.datasets.base import Sequence
from vode.errors import InputError
from vode.geometry.camera import resize_intrinsics
from vode.odometry.frames import read_ahead
from vode.odometry.options import TrackerOptions
from vode.odometry.perception import MatchingPerception, Perception
from vode.odometry.result import Reason
from vode.odometry.visual_odometry import VisualOdometry


def track(
    sequence: Sequence,
    perception: Perception | MatchingPerception,
    *,
    size: tuple[int, int],
    options: TrackerOptions = TrackerOptions(),
    on_progress: Callable[[int], None] | None = None,
    observe: Callable[[VisualOdometry], None] | None = None,
    stopped: Collection[object] = (),
) -> VisualOdometry:
    """Odometry of a whole sequence, its frames resized to ``size`` (height, width), each read while one is worked on.

    ``on_progress`` is called with the number of each frame done, ``observe`` with the object after each frame. It ends
    early, after a whole frame, once ``stopped`` holds something. Raises InputError where no frame shows anything.
    """
    camera = resize_intrinsics(sequence.intrinsics, sequence.size, size)
    odometry = VisualOdometry(perception, camera, options, size=size, name=f"estimate of {sequence.name}")
    for index, image in enumerate(read_ahead(sequence, size)):
        timestamp = None if sequence.timestamps is None else float(sequence.timestamps[index])
        if isinstance(image, InputError):
            odometry.register_failure(str(image), timestamp)
        else:
            odometry.register_frame(image, timestamp)
        if observe is not None:
            observe(odometry)
        if on_progress is not None and index:
            on_progress(index)
        if stopped:
            break
    odometry.finish()
    if all(x.reason in (Reason.UNREADABLE, Reason.BLANK) for x in odometry.results):
        raise InputError(f"{sequence.name}: no frame shows anything; the first: {odometry.results[0].describe()}")
    return odometry
