"""``vode run``: a video in, everything out."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from vode.pipelines.run.options import RunOptions

if TYPE_CHECKING:
    from vode.pipelines.run.progress import OnFrame, OnProgress, Progress, SeenFrame
    from vode.pipelines.run.result import VideoRun

STOPPED = 130
"""exit status of a run that Ctrl-C ended"""
EVERY = 2.0
"""seconds between lines where the error stream is no terminal, or with --json"""


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

    with _progress(quiet, json) as on_progress, _viewer(source, view) as on_frame:
        done = run_video(source, options=options, on_progress=on_progress, on_frame=on_frame)
    if json:
        _line({"event": "summary"} | done.summary)
    elif quiet:
        early = [_stopped(done)] if done.state == "interrupted" else []
        for problem in [*done.summary.get("problems", []), *early]:
            print(f"vode: {problem}", file=sys.stderr)
    else:
        _print(done)
    return STOPPED if done.state == "interrupted" and options.limit is None else 0


def _print(done: VideoRun) -> None:
    s = done.summary
    camera, source = s["camera"], s["source"]
    print(f"{done.folder}: {source['frames_done']} frames, {s['state']}; {s['methods']}")
    print(
        f"camera: {camera['fx']:.1f} px of {camera['width']}x{camera['height']}, {camera['origin']} ({camera['note']})"
    )
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
    if s["state"] == "interrupted":
        print(_stopped(done))


def _stopped(done: VideoRun) -> str:
    frames = done.summary["source"]["frames_done"]
    return f"stopped after {frames} frames, of which the outputs are; --resume --out {done.folder} goes on"


@contextmanager
def _progress(quiet: bool, lines: bool) -> Iterator[OnProgress]:
    """A line on the error stream that changes, or lines of JSON."""
    import time

    if quiet and not lines:
        yield lambda progress: None
        return
    shown = [0.0]
    terminal = sys.stderr.isatty() and not lines

    def tell(progress: Progress) -> None:
        now = time.monotonic()
        last = progress.total is not None and progress.done >= progress.total
        if now - shown[0] < (0.2 if terminal else EVERY) and not last:
            return
        shown[0] = now
        if lines:
            _line({"event": "progress"} | vars(progress))
        elif terminal:
            print(f"\r{_words(progress):78}", end="", file=sys.stderr, flush=True)
        else:
            print(_words(progress), file=sys.stderr, flush=True)

    yield tell
    if terminal:
        print(f"\r{'':78}\r", end="", file=sys.stderr, flush=True)


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


def _words(progress: Progress) -> str:
    total = "" if progress.total is None else f"/{progress.total}"
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
    method = f", {progress.method}" if progress.method else ""
    return f"{progress.stage} {progress.done}{total}, {progress.frames_per_second:.1f} frames/s{left}{method}"


def _line(content: dict[str, Any]) -> None:
    print(json.dumps(content, default=str, allow_nan=False), flush=True)
