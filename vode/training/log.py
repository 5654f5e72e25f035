"""Logs of a run: a progress bar, JSON lines, TensorBoard curves and visualizations."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from vode.io.atomic import write_error
from vode.training import distributed
from vode.visualization.colors import depth_to_color, flow_to_color

OnWork = Callable[[str, int, int], None]
"""takes what is worked on, how much of it is done, and how much there is"""
_told: ContextVar[OnWork | None] = ContextVar("told", default=None)


@contextmanager
def progress_to(tell: OnWork) -> Iterator[None]:
    """Tell the progress of training, and of what comes before it, in the place of printing it."""
    token = _told.set(tell)
    try:
        yield
    finally:
        _told.reset(token)


class RunLog:
    """Writes logs to a run's folder; without a terminal the progress bar becomes occasional lines."""

    def __init__(self, folder: Path, total: int, done: int) -> None:
        self._tell = _told.get()
        self.console = Console(stderr=True, quiet=self._tell is not None)
        self._folder = folder
        with self._writing("log.jsonl"):
            self._lines = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115
        with self._writing("tensorboard"):
            self._board = SummaryWriter(folder / "tensorboard")
        self._start, self._done_before, self._total = time.monotonic(), done, total
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=self.console,
            disable=self._tell is not None or not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("training", total=total, completed=done, losses="")
        self._progress.start()

    def step(self, done: int) -> None:
        """Advance the progress bar to ``done`` steps of the whole run."""
        if self._tell is not None:
            self._tell("training", done, self._total)
        self._progress.update(self._task, completed=done)

    def scalars(self, stage: str, done: int, values: Mapping[str, float]) -> None:
        """Log the numbers of step ``done`` of the whole run."""
        record = {"stage": stage, "step": done, **{k: v if math.isfinite(v) else None for k, v in values.items()}}
        with self._writing("log.jsonl"):
            self._lines.write(json.dumps(record, allow_nan=False) + "\n")
            self._lines.flush()
        with self._writing("tensorboard"):
            for name, value in values.items():
                self._board.add_scalar(f"{stage}/{name}", value, done)
        shown = " ".join(f"{name} {value:.3g}" for name, value in values.items() if name in SHOWN)
        self._progress.update(self._task, description=stage, losses=shown)
        if not sys.stderr.isatty():
            elapsed = time.monotonic() - self._start
            left = elapsed / max(done - self._done_before, 1) * (self._total - done)
            self.console.print(f"{stage} {done}/{self._total}, {left / 60:.1f} min left: {shown}", soft_wrap=True)

    def visualizations(self, stage: str, done: int, visualizations: Mapping[str, Tensor]) -> None:
        """Log visualizations (C, H, W) of one sample: images, flow, depth, masks."""
        with self._writing("tensorboard"):
            for name, visualization in visualizations.items():
                self._board.add_image(f"{stage}/{name}", paint(name, visualization.float().cpu()), done)

    def say(self, text: str) -> None:
        """Print a line above the progress bar."""
        self.console.print(text, soft_wrap=True, highlight=False)

    def close(self) -> None:
        """Stop the progress bar and close all files."""
        self._progress.stop()
        with self._writing("log.jsonl"):
            self._lines.close()
        with self._writing("tensorboard"):
            self._board.close()

    @contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise write_error(self._folder / name, error) from error


class Announced:
    """Counts the items of one piece of work: a progress bar, or without a terminal a line every so many seconds.

    Printed by the first of several processes only.
    """

    EVERY = 10.0
    """seconds from line to line"""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._next = what, total, time.monotonic() + self.EVERY
        self._tell = _told.get()
        self._console = Console(stderr=True, quiet=self._tell is not None or not distributed.is_first())
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        terminal = self._tell is None and sys.stderr.isatty()
        self._progress = Progress(*columns, console=self._console, disable=not terminal, transient=True)
        self._task = self._progress.add_task(what, total=total)

    def __enter__(self) -> Announced:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._progress.stop()
        if kind is None:
            self._console.print(f"{self._what}: done", soft_wrap=True, highlight=False)

    def __call__(self, done: int) -> None:
        """So many are done."""
        if self._tell is not None:
            self._tell(self._what, done, self._total)
        self._progress.update(self._task, completed=done)
        if self._progress.disable and time.monotonic() > self._next:
            self._next = time.monotonic() + self.EVERY
            self._console.print(f"{self._what}: {done}/{self._total}", soft_wrap=True, highlight=False)


class SilentLog:
    """Ignores everything: the log of a process that does not write."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


SHOWN = (
    "loss",
    "flow_photometric",
    "photometric",
    "triangulated_depth",
    "reprojection_depth",
    "geometry_failed",
    "abs_rel",
    "epe_px",
    "position_m",
    "rotation_deg",
    "samples_per_second",
)
"""scalars shown on the terminal"""


def paint(name: str, visualization: Tensor) -> Tensor:
    """An RGB image (3, H, W) in 0..1 of the visualization ``name`` of a task; what has two channels is flow."""
    if len(visualization) == 2:
        return flow_to_color(visualization)
    if name == "depth":
        return depth_to_color(visualization)
    return visualization.clamp(0, 1) if len(visualization) == 3 else visualization.clamp(0, 1).expand(3, -1, -1)


def mean_scalars(values: list[dict[str, Tensor]]) -> dict[str, float]:
    """Means over steps and processes of the finite scalars that steps returned."""
    table = torch.stack([torch.stack([v[name].float() for name in values[0]]) for v in values])
    finite = table.isfinite()
    counts = distributed.mean(finite.sum(0).float())
    sums = distributed.mean(torch.where(finite, table, 0.0).sum(0))
    return dict(zip(values[0], (sums / counts).tolist(), strict=True))
