"""Plots of trajectories and errors, as matplotlib figures that can be saved as PNG, PDF or SVG."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor

from vode.errors import InputError
from vode.io.association import associate
from vode.io.atomic import write_bytes
from vode.io.trajectory import Trajectory

FORMATS = ("png", "pdf", "svg")

# Okabe and Ito's colour-blind safe palette; lines also differ by their dashes, for black and white.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (9, 3)))
_MARKERS = ("o", "s", "^", "D", "v", "P")
_GROUND_TRUTH = {"color": "0.6", "linestyle": "-", "linewidth": 2.4, "label": "ground truth", "zorder": 1}

COLUMN, PAGE = 3.5, 7.16
"""widths of a column and of a two-column page, inches"""
MEDIAN_OF = 25
"""single motions that the running median of their scales is taken of"""

_PAPER: dict[Any, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "figure.titlesize": 9,
    "axes.linewidth": 0.6,
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of ``width`` x ``height`` inches with its own Agg canvas."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def for_paper(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorator: draw with font sizes and line widths for printing at the figure's own size."""

    @functools.wraps(draw)
    def styled(*args: Any, **kwargs: Any) -> Figure:
        with mpl.rc_context(_PAPER):
            return draw(*args, **kwargs)

    return styled


def figure_bytes(figure: Figure, kind: str = "png", *, dpi: int = 300) -> bytes:
    """The encoded figure; ``kind`` is one of FORMATS. Equal figures give equal bytes."""
    buffer = io.BytesIO()
    # A date in the file would make equal figures differ.
    metadata = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind)
    with mpl.rc_context({"svg.hashsalt": "vode", "pdf.fonttype": 42}):
        figure.savefig(buffer, format=kind, dpi=dpi, facecolor="white", metadata=metadata)
    return buffer.getvalue()


def save_figure(figure: Figure, path: Path | str, *, dpi: int = 300) -> None:
    """Write a figure atomically; the suffix .png, .pdf or .svg selects the format. InputError for any other."""
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise InputError(f"{path}: cannot draw this kind of file; choose a name that ends in .png, .pdf or .svg")
    write_bytes(path, figure_bytes(figure, kind, dpi=dpi))


def label_axes(axes: Axes, x: str, y: str, title: str) -> None:
    """Set axis labels and a title, with a faint grid and no frame at the top and right."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.grid(color="0.9", linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


@for_paper
def trajectory_figure(
    ground_truth: Trajectory | None, estimates: Mapping[str, Trajectory], *, title: str = "", unit: str = "m"
) -> Figure:
    """Top view of the path, x to the right and z up the page, with equal axes and a mark at each start.

    ``estimates`` are drawn unchanged, so align them first; ``unit`` labels the axes. Raises InputError if there
    is nothing to draw.
    """
    if ground_truth is None and not estimates:
        raise InputError("no trajectory to draw; give the ground truth or an estimate")
    figure = new_figure(COLUMN, COLUMN)
    axes = figure.add_subplot()
    drawn = [] if ground_truth is None else [ground_truth]
    if ground_truth is not None:
        _draw_path(axes, ground_truth, _GROUND_TRUTH)
    for number, (name, estimate) in enumerate(estimates.items()):
        _draw_path(axes, estimate, {**line_style(number), "label": name, "zorder": 2 + number})
        drawn.append(estimate)
    starts = np.stack([_top_down(trajectory)[0] for trajectory in drawn if len(trajectory)])
    axes.plot(*starts.T, "*", color="black", markersize=9, markeredgecolor="white", label="start", zorder=50)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.05)
    label_axes(axes, f"x, right ({unit})", f"z, forward ({unit})", title)
    axes.legend(loc="best", framealpha=0.9, handlelength=3.6)
    return figure


@for_paper
def coordinates_figure(
    ground_truth: Trajectory | None, estimates: Mapping[str, Trajectory], *, title: str = ""
) -> Figure:
    """x, y, z (m) and roll, pitch, yaw (deg) over the distance along the ground truth (without it, along each path).

    The angles are those of R = Ry(yaw) Rx(pitch) Rz(roll), yaw about the camera's downward y axis. Raises
    InputError if there is nothing to draw, or if an estimate shares no frame with the ground truth.
    """
    if ground_truth is None and not estimates:
        raise InputError("no trajectory to draw; give the ground truth or an estimate")
    figure = new_figure(PAGE, 4.6)
    grid = figure.subplots(3, 2, sharex=True)
    lines = [] if ground_truth is None else [(ground_truth, _GROUND_TRUTH)]
    lines += [
        (estimate, {**line_style(number), "label": name, "zorder": 2 + number})
        for number, (name, estimate) in enumerate(estimates.items())
    ]
    for trajectory, style in lines:
        distance, trajectory = _along(trajectory, ground_truth)
        values = (*trajectory.positions.numpy().T, *_angles(trajectory))
        for axes, value in zip(grid.T.flat, values, strict=True):
            axes.plot(distance, value, **style)
    names = ("x, right (m)", "y, down (m)", "z, forward (m)", "roll (deg)", "pitch (deg)", "yaw (deg)")
    for axes, name in zip(grid.T.flat, names, strict=True):
        label_axes(axes, "", name, "")
    for axes in grid[-1]:
        axes.set_xlabel("distance (m)")
    figure.suptitle(title)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, handlelength=3.6)
    return figure


BY_LENGTH = {
    "t_err_percent_by_length_m": "translation error (%)",
    "r_err_deg_per_100m_by_length_m": "rotation error (deg / 100 m)",
}
"""labels of the series over segment length"""


@for_paper
def segment_figure(errors: Mapping[str, Mapping[str, Mapping[str, float]]], *, title: str = "") -> Figure:
    """Translation and rotation error over segment length.

    ``errors`` has each estimate's series of ``BY_LENGTH``, values by length in metres, as a Result's ``series`` has
    them.
    """
    figure = new_figure(PAGE, 2.6)
    for axes, (key, label) in zip(figure.subplots(1, 2), BY_LENGTH.items(), strict=True):
        for number, (name, series) in enumerate(errors.items()):
            lengths, values = [float(length) for length in series[key]], list(series[key].values())
            style = {**line_style(number), "marker": _MARKERS[number % len(_MARKERS)], "markersize": 4}
            axes.plot(lengths, values, **style, label=name)
        label_axes(axes, "segment length (m)", label, "")
        axes.set_ylim(bottom=0)
        if errors:
            axes.legend(handlelength=3.6)
    figure.suptitle(title)
    return figure


@for_paper
def scale_figure(scales: Mapping[str, tuple[Tensor, Tensor]], *, title: str = "") -> Figure:
    """True over estimated length of single motions along the path, dots, and their running median, lines.

    ``scales`` has each estimate's distances along the true path in metres, and its scales there. A level line is one
    that does not drift.
    """
    figure = new_figure(PAGE, 2.6)
    axes = figure.add_subplot()
    axes.axhline(1, color="black", linewidth=0.6)
    for number, (name, (distances, values)) in enumerate(scales.items()):
        style, width = line_style(number), min(MEDIAN_OF, len(values))
        axes.plot(distances.numpy(), values.numpy(), ".", color=style["color"], markersize=2, alpha=0.3)
        if width:
            middle = np.median(sliding_window_view(values.numpy(), width), axis=-1)
            begin = (width - 1) // 2
            axes.plot(distances[begin : begin + len(middle)].numpy(), middle, **style, label=name)
    axes.set_yscale("log")
    label_axes(axes, "distance (m)", "true / estimated motion", title)
    # a path that stands still has no scale
    if any(len(values) for _, values in scales.values()):
        axes.legend(handlelength=3.6)
    return figure


@for_paper
def error_figure(ground_truth: Trajectory, estimate: Trajectory, *, title: str = "", unit: str = "m") -> Figure:
    """Top view of the estimate, coloured by its distance from the ground truth; the colours also rank in grey.

    Both are drawn unchanged, so align the estimate first. Raises InputError if they share no frame.
    """
    matches = associate(estimate, ground_truth)
    error = (matches.estimate.positions - matches.ground_truth.positions).norm(dim=-1).numpy()
    points = _top_down(matches.estimate)
    figure = new_figure(COLUMN, COLUMN)
    axes = figure.add_subplot()
    _draw_path(axes, ground_truth, {**_GROUND_TRUTH, "linewidth": 0.8})
    steps = np.stack([points[:-1], points[1:]], axis=1)
    line = LineCollection(list(steps), cmap="cividis_r", array=(error[:-1] + error[1:]) / 2, linewidth=2.4, zorder=2)
    line.set_clim(0, max(float(error.max()), 1e-9))
    axes.add_collection(line)
    axes.plot(*points[0], "*", color="black", markersize=9, markeredgecolor="white", label="start", zorder=50)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.05)
    label_axes(axes, f"x, right ({unit})", f"z, forward ({unit})", title)
    axes.legend(loc="best", framealpha=0.9, handlelength=3.6)
    figure.colorbar(line, ax=axes, label=f"distance from the ground truth ({unit})", shrink=0.85)
    return figure


def line_style(number: int) -> dict:
    """Colour and dashes of line ``number`` of a plot, told apart in black and white too."""
    shown = number % len(_COLORS)
    # The dashes shift once all colours are used, so that combinations repeat late.
    dashes = _DASHES[(number + number // len(_COLORS)) % len(_DASHES)]
    return {"color": _COLORS[shown], "linestyle": dashes, "linewidth": 1.2}


def _draw_path(axes: Axes, trajectory: Trajectory, style: dict) -> None:
    axes.plot(*_top_down(trajectory).T, **style)


def _top_down(trajectory: Trajectory) -> np.ndarray:
    return trajectory.positions[:, [0, 2]].numpy()


def _along(trajectory: Trajectory, ground_truth: Trajectory | None) -> tuple[np.ndarray, Trajectory]:
    """Distance (N,) along the path at each frame, and the frames for which it is known."""
    if ground_truth is None:
        return trajectory.distances().numpy(), trajectory
    matches = associate(trajectory, ground_truth)
    return ground_truth.distances()[matches.ground_truth_rows].numpy(), matches.estimate


def _angles(trajectory: Trajectory) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rotation = trajectory.poses[:, :3, :3].numpy()
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 1, 1])
    pitch = np.arcsin(np.clip(-rotation[:, 1, 2], -1, 1))
    yaw = np.arctan2(rotation[:, 0, 2], rotation[:, 2, 2])
    return tuple(np.unwrap(angle) * 180 / math.pi for angle in (roll, pitch, yaw))
