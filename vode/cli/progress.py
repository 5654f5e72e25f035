"""How far something is, in one line on the error stream."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vode.pipelines.run.progress import OnProgress, Progress

EVERY = 2.0
"""seconds between lines where the error stream is no terminal, or as JSON"""


@contextmanager
def progress_line(*, silent: bool = False, as_json: bool = False, after: float = 0.0) -> Iterator[OnProgress]:
    """A line that changes, or where there is no terminal one from time to time, or lines of JSON on the output.

    Nothing is shown of what takes less than ``after`` seconds.
    """
    if silent:
        yield lambda progress: None
        return
    terminal = sys.stderr.isatty() and not as_json
    begun, shown = time.monotonic(), 0.0

    def tell(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        last = progress.total is not None and progress.done >= progress.total
        if now - begun < after or (now - shown < (0.2 if terminal else EVERY) and not last):
            return
        shown = now
        if as_json:
            json_line({"event": "progress"} | vars(progress))
        elif terminal:
            print(f"\r{_words(progress):78}", end="", file=sys.stderr, flush=True)
        else:
            print(_words(progress), file=sys.stderr, flush=True)

    yield tell
    if terminal and shown:
        print(f"\r{'':78}\r", end="", file=sys.stderr, flush=True)


def json_line(content: dict[str, Any]) -> None:
    """One line of JSON on the output."""
    print(json.dumps(content, default=str, allow_nan=False), flush=True)


def _words(progress: Progress) -> str:
    total = "" if progress.total is None else f"/{progress.total}"
    left = "" if progress.seconds_left is None else f", {progress.seconds_left:.0f} s left"
    method = f", {progress.method}" if progress.method else ""
    unit = "a second" if progress.stage == "adapt" else "frames/s"
    return f"{progress.stage} {progress.done}{total}, {progress.frames_per_second:.1f} {unit}{left}{method}"
