"""What is to be distrusted in a run, one line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from vode.odometry.metric.estimate import MetricScale, ScaleSource
from vode.odometry.result import FrameResult, Method, Reason
from vode.pipelines.run.tracking import Tracked
from vode.report.sections import sentence
from vode.streams.camera import CameraOrigin, FoundCamera

MOSTLY = 0.8
"""fraction of the motions that says what a video is"""
SHORT = 10
"""frames below which a video is short"""
SHOWN = 5
"""frames that are named"""


def doubts(tracked: Tracked, found: FoundCamera, scale: MetricScale, model: str | None) -> list[str]:
    """Lines about the camera, the scale, the motion, and what was lost."""
    results = tracked.odometry.results
    lines = [] if found.origin is not CameraOrigin.ASSUMPTION else [found.note]
    lines += _scale(scale, found, model)
    lines += _motion(results)
    lines += _lost(tracked)
    return lines


def problems(tracked: Tracked, found: FoundCamera, notes: Sequence[str]) -> list[str]:
    """Those of the doubts that a user must know, whoever is told nothing else; ``notes`` are the source's own."""
    return [*notes, *([found.note] if found.origin is CameraOrigin.ASSUMPTION else []), *_lost(tracked)]


def sentences(lines: Sequence[str]) -> list[str]:
    """Lines as sentences, each once."""
    return [sentence(line) for line in dict.fromkeys(lines)]


def _scale(scale: MetricScale, found: FoundCamera, model: str | None) -> list[str]:
    lines = [f"scale: {doubt}" for doubt in scale.doubts]
    if scale.source is not ScaleSource.DEPTH:
        return lines
    if not scale.metric:
        return [*lines, "the unit of lengths is not known: nothing tells metres"]
    rests = "the depth network alone" if model is not None else "the depth that was given"
    if model == "vode-small":
        rests += (
            ", which learned from rendered images: expect 10 to 20 % in streets, more on open roads and "
            "where the view is unlike a car's, and a scale that drifts along the path"
        )
    lines.append(f"metres rest on {rests}; a camera's height or a known distance makes them sure")
    if found.origin is CameraOrigin.ASSUMPTION:
        lines.append("metres are proportional to the focal length, which is assumed")
    return lines


def _motion(results: Sequence[FrameResult]) -> list[str]:
    motions = results[1:]
    lines = (
        [f"{len(results)} frames are few: no statistics, no loops, little to compare"] if len(results) < SHORT else []
    )
    if not motions:
        return [*lines, "one frame: there is depth, and no motion"]
    still = sum(x.method is Method.REPEATED or x.reason is Reason.AT_REST for x in motions) / len(motions)
    turning = sum(x.reason is Reason.PURE_ROTATION for x in motions) / len(motions)
    if still >= MOSTLY:
        lines.append("the camera stands still: its small motions are noise, the cloud is of one view, checked by none")
    elif turning + still >= MOSTLY or turning >= 0.5:
        lines.append(
            f"the camera turns on the spot in {100 * turning:.0f} % of the motions: what looks like a path is the "
            "noise of the depth, and points cannot be triangulated"
        )
    return lines


def _lost(tracked: Tracked) -> list[str]:
    results, recorder = tracked.odometry.results, tracked.recorder
    lines = []
    if recorder.cuts:
        lines.append(
            f"the view changes at once at frame {_named(recorder.cuts)}, as at a cut: the cloud and the models are of "
            "the longest part whose frames are connected"
        )
    lost = [x for x in results if x.method is Method.EXTRAPOLATED]
    if lost:
        reasons = Counter(x.describe().split(",")[0] for x in lost)
        why = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(3))
        lines.append(
            f"{len(lost)} frames are placed by constant velocity alone ({why}): {_named([x.index for x in lost])}"
        )
    failed = [x for x in results if x.reason is Reason.UNREADABLE]
    if failed:
        first, which = failed[0].details.message, _named([x.index for x in failed])
        lines.append(f"{len(failed)} frame{'s' * (len(failed) > 1)} cannot be read: {which}; the first: {first}")
    deviations = [x.scale_deviation for x in results if x.scale_deviation is not None]
    if deviations and np.median(deviations) > 0.1:
        lines.append(f"lengths are uncertain by {100 * float(np.median(deviations)):.0f} %")
    return lines


def _named(frames: Sequence[int]) -> str:
    more = f" and {len(frames) - SHOWN} more" if len(frames) > SHOWN else ""
    return ", ".join(map(str, frames[:SHOWN])) + more
