"""What is written beside a trajectory, and said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vode.cameras.writing import write_calibration
from vode.io.atomic import write_bytes
from vode.odometry import result
from vode.odometry.chunks.joining import Chunk
from vode.odometry.metric.estimate import MetricScale, ScaleSource
from vode.odometry.visual_odometry import VisualOdometry
from vode.pipelines.refinement import Refined

SHOWN = 5
"""frames without a motion of their own that are named"""

OnProgress = Callable[[str], None]


class Tracked(NamedTuple):
    """A sequence that was tracked."""

    frames: Chunk
    note: str
    """what is said of loops, or of the chunks"""
    refined: Refined | None = None


def report(file: Path, tracked: Tracked, scale: MetricScale, on_progress: OnProgress) -> None:
    """Write the log, the scale and the refined camera of a trajectory's file, and say what is in them."""
    log, results = file.with_suffix(".log.jsonl"), tracked.frames.results
    write_bytes(log, result.log_lines(results).encode())
    if scale.source not in (ScaleSource.DEPTH, ScaleSource.TRACKS):
        write_bytes(file.with_suffix(".scale.json"), (json.dumps(scale.to_dict(), indent=1) + "\n").encode())
    on_progress(f"{file}: {len(tracked.frames.trajectory)} poses; {result.summary(results)}{tracked.note}")
    on_progress(f"  {scale.describe()}")
    extrapolated = result.extrapolated(results)
    for line in extrapolated[:SHOWN]:
        on_progress(f"  {line}")
    if len(extrapolated) > SHOWN:
        on_progress(f"  and {len(extrapolated) - SHOWN} more, in {log}")
    if tracked.refined is not None:
        _report_refined(file.with_suffix(".calibration.yaml"), tracked.refined, on_progress)


def _report_refined(file: Path, refined: Refined, on_progress: OnProgress) -> None:
    """Say what global refinement did, and write the camera, if it was refined."""
    on_progress(f"  {refined.describe()}")
    if refined.camera.distorts:
        write_calibration(file, refined.camera, "refined by the video itself")
        on_progress(f"  {file}: the camera of its undistorted images, refined")


def loops_note(tracked: VisualOdometry) -> str:
    """What loops did, where they were looked for."""
    if not tracked.options.loops:
        return ""
    scales = tracked.depth_scales.values()
    spread = f", depth scaled by {min(scales):.3f} to {max(scales):.3f}" if tracked.loops else ""
    known = list(tracked.maps.values())
    lost = f", lost {len(known) - 1} times, found again {sum(known) - 1}" if len(known) > 1 else ""
    return f"; {len(tracked.loops)} loops between {len(scales)} keyframes{spread}{lost}"
