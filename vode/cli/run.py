"""``vode run``: a video in, everything out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from vode.cli.progress import json_line, progress_line
from vode.pipelines.run.options import RunOptions

if TYPE_CHECKING:
    from vode.pipelines.run.progress import OnFrame, SeenFrame
    from vode.pipelines.run.result import VideoRun

STOPPED = 130
"""exit status of a run that Ctrl-C ended"""
EARLY = {"interrupted": ("stopped after", ""), "limited": ("limited to", " and a higher --limit")}
"""what is said of runs that can go on, and what they need for that besides their folder"""


def run(
    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")],
    options: Annotated[RunOptions, tyro.conf.arg(name="")] = RunOptions(),
    quiet: bool = False,
    json: bool = False,
    view: bool = False,
) -> int:
    """Track a video and write trajectory, depth, a cloud, models for other programs and a report into one folder.

    Ctrl-C ends it early: all outputs are then of the frames so far, the exit status is 130, and --resume goes on.

    Args:
        source: a video, a folder of images, or the word demo, which is a rendered clip.
        quiet: print nothing but problems, of which those of the video come last.
        json: print progress and, last, the summary as lines of JSON.
        view: watch it live in the viewer (extra viewer).
    """
    from vode.pipelines.run.pipeline import run as run_video

    with progress_line(silent=quiet and not json, as_json=json) as on_progress, _viewer(source, view) as on_frame:
        done = run_video(source, options=options, on_progress=on_progress, on_frame=on_frame)
    if json:
        json_line({"event": "summary"} | done.summary)
    elif quiet:
        early = [_early(done)] if done.state in EARLY else []
        for problem in [*done.summary.get("problems", []), *early]:
            print(f"vode: {problem}", file=sys.stderr)
    else:
        _print(done)
    return STOPPED if done.state == "interrupted" else 0


def _print(done: VideoRun) -> None:
    s = done.summary
    camera, source = s["camera"], s["source"]
    print(f"{done.folder}: {source['frames_done']} frames, {s['state']}; {s['methods']}")
    # an assumption is among the notes below
    how = "assumed" if camera["origin"] == "assumed" else f"{camera['origin']} ({camera['note']})"
    print(f"camera: {camera['fx']:.1f} px of {camera['width']}x{camera['height']}, {how}")
    print(s["scale"]["note"])
    if s["adaptation"]:
        print(f"adaptation: {s['adaptation']['note']}")
    points = s["cloud"]["points"], s["colmap"]["points"], s["colmap"]["images"]
    print("cloud of {} points; {} tracked points in {} images".format(*points))
    print(
        f"{s['frames_per_second']:.1f} frames/s, {s['seconds']:.0f} s, {s['peak_memory_bytes'] / 2**20:.0f} MiB at most"
    )
    for note in s["notes"]:
        print(f"note: {note}")
    report = s["outputs"].get("report")
    if report:
        print(f"open {done.folder / report}")
    if done.state in EARLY:
        print(_early(done))


def _early(done: VideoRun) -> str:
    frames = done.summary["source"]["frames_done"]
    begun, more = EARLY[done.state]
    return f"{begun} {frames} frames, of which the outputs are; --resume --out {done.folder}{more} goes on"


@contextmanager
def _viewer(source: str, wanted: bool) -> Iterator[OnFrame]:
    """What shows frames in the viewer as they come, or nothing."""
    if not wanted:
        yield lambda frame: None
        return
    import numpy as np

    from vode.report import Recording

    with Recording(Path(source).stem) as recording:

        def show(frame: SeenFrame) -> None:
            if frame.result.index == 0:
                recording.camera(frame.image.shape[:2], frame.intrinsics.numpy())
            depth = None if frame.depth is None else frame.depth.cpu().numpy()
            pose, seconds = np.asarray(frame.result.pose), frame.result.timestamp
            recording.frame(frame.result.index, seconds, pose, image=frame.image, depth=depth)

        yield show
