"""Lines over time as SVG, which stretches to the width of the page, with labels as text that does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vode.report.html import EMPTY, Html, fill, join

WIDTH, HEIGHT = 1000.0, 200.0
"""of the drawing's own units, whatever its size on the page"""
MOST_POINTS = 1400
"""of a line; longer ones keep the lowest and the highest of each stretch"""


class TimeAxis:
    """The axis that all drawings over time share."""

    def __init__(self, times: np.ndarray, *, timed: bool = True) -> None:
        """``times`` (N,), not decreasing: seconds if ``timed``, else frame numbers."""
        self.timed = timed
        self.elapsed = times - times[0] if timed and len(times) else times
        self.first = float(self.elapsed[0]) if len(times) else 0.0
        self.span = float(np.ptp(self.elapsed)) if len(times) else 0.0

    def fractions(self, values: np.ndarray | None = None) -> np.ndarray:
        """Where moments lie, 0 at the first and 1 at the last frame; by default those of all frames."""
        values = self.elapsed if values is None else values
        return (values - self.first) / (self.span or 1.0)

    def edges(self) -> np.ndarray:
        """(N + 1,) fractions between the frames, from 0 to 1."""
        x = self.fractions()
        return np.concatenate([[0.0], (x[1:] + x[:-1]) / 2, [1.0]])

    def labels(self) -> Html:
        """Its ticks with their labels, for a page."""
        ticks = nice_ticks(self.first, self.first + self.span, 6)
        texts = [clock(tick, self.span) if self.timed else f"{tick:g}" for tick in ticks]
        places = 100 * self.fractions(np.array(ticks))
        mark = '<span class="xtick" style="left:$x%">$text</span>'
        return join(fill(mark, x=f"{x:.2f}", text=text) for x, text in zip(places, texts, strict=True))


@dataclass(frozen=True, eq=False)
class Line:
    """One line of a chart."""

    key: str
    """of its values in the page's data"""
    label: str
    values: np.ndarray
    """(N,), NaN where not known"""
    deviation: np.ndarray | None = None
    """(N,) half the height of a band around it"""


@dataclass(frozen=True, eq=False)
class Chart:
    """Lines that share an axis."""

    title: str
    unit: str
    lines: Sequence[Line]
    least: float = 1e-6
    """smallest range of the axis, so that noise does not fill it"""
    zero: bool = False
    """the axis begins at 0"""
    note: str = ""
    """what the lines are, in a few words"""
    decimals: int = 1
    """of the values that are shown"""


def line_chart(chart: Chart, axis: TimeAxis, lost: np.ndarray) -> Html:
    """A chart over time as a figure; ``lost`` (N,) bool shades what was not measured.

    Text in the place of a figure where no value is known.
    """
    known = np.concatenate([line.values[np.isfinite(line.values)] for line in chart.lines])
    if not len(known):
        empty = '<figure class="chart"><figcaption><b>$title</b></figcaption><p class="none">Not known.</p></figure>'
        return fill(empty, title=chart.title)
    ticks = _value_ticks(chart, known)
    low, high = ticks[0], ticks[-1]
    grid = [_rule(tick, low, high) for tick in ticks]
    legend = [_legend(line, place) for place, line in enumerate(chart.lines)] if len(chart.lines) > 1 else EMPTY
    drawn = [_drawn(line, place, axis, (low, high)) for place, line in enumerate(chart.lines)]
    return fill(
        _FIGURE,
        title=chart.title,
        unit=chart.unit,
        note=chart.note,
        summary=_summary(chart),
        shown=_summary(chart) if len(chart.lines) == 1 else "",
        legend=legend,
        keys=" ".join(line.key for line in chart.lines),
        low=f"{low:.6g}",
        high=f"{high:.6g}",
        decimals=chart.decimals,
        shades=shades(axis, lost),
        rules=[rule for rule, _ in grid],
        marks=[mark for _, mark in grid],
        lines=drawn,
        times=axis.labels(),
    )


_FIGURE = """<figure class="chart" data-keys="$keys" data-low="$low" data-high="$high" data-decimals="$decimals">
<figcaption><b>$title</b> <span class="unit">$unit</span> $legend<span class="readout">$shown</span></figcaption>
<div class="plot" role="img" aria-label="$title over time: $summary">
<svg viewBox="0 0 1000 200" preserveAspectRatio="none" aria-hidden="true">$shades$rules$lines</svg>
$marks$times</div>
<p class="note">$note</p></figure>"""


def shades(axis: TimeAxis, lost: np.ndarray) -> Html:
    """Vertical bands over the frames of ``lost`` (N,) bool."""
    band = '<rect class="lost" x="$x" y="0" width="$width" height="200"/>'
    edges = WIDTH * axis.edges()
    return join(
        fill(band, x=f"{edges[a]:.1f}", width=f"{max(edges[b] - edges[a], 1.5):.1f}") for a, b in runs(lost) if lost[a]
    )


def runs(values: np.ndarray) -> list[tuple[int, int]]:
    """Where values (N,) stay the same: ``[first, last + 1)`` of each stretch."""
    if not len(values):
        return []
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return list(pairwise(edges))


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high], about ``count`` of them."""
    if not high > low:
        return [low]
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [round(k * step, 12) for k in range(first, last + 1)]


def clock(seconds: float, span: float) -> str:
    """A moment in the video, as fine as its length asks for."""
    if span >= 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02d} h"
    if span >= 120:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
    return f"{seconds:g} s"


def thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of a line, where there are many the lowest and highest of each stretch; NaN where none is known."""
    if len(x) <= MOST_POINTS:
        return x, y
    parts = np.array_split(np.arange(len(x)), MOST_POINTS // 2)
    rows: list[int] = []
    for part in parts:
        known = part[np.isfinite(y[part])]
        rows += sorted({known[y[known].argmin()], known[y[known].argmax()]}) if len(known) else [part[0]]
    return x[rows], y[rows]


def _value_ticks(chart: Chart, known: np.ndarray) -> list[float]:
    """Ticks of the axis of values, whose ends are its ends; single outliers do not widen it."""
    low, high = np.percentile(known, (0.5, 99.5)) if len(known) > 200 else (known.min(), known.max())
    if chart.zero:
        low = min(low, 0.0)
    low, high = float(low), float(high)
    missing = max(chart.least, 1e-6 * max(abs(low), abs(high))) - (high - low)
    if missing > 0:
        low, high = (low, high + missing) if chart.zero else (low - missing / 2, high + missing / 2)
    # a fifth of the range, made a nice step, is less than half of it: there are always two
    first, second = next(ticks[:2] for count in (3, 4, 5) if len(ticks := nice_ticks(low, high, count)) > 1)
    step = second - first
    begin, end = math.floor(low / step + 1e-6), math.ceil(high / step - 1e-6)
    return [round(k * step, 12) for k in range(begin, end + 1)]


def _rule(tick: float, low: float, high: float) -> tuple[Html, Html]:
    """The line of a tick, and its label."""
    fraction = (high - tick) / (high - low)
    rule = fill(
        '<path class="rule$zero" d="M0 ${y}H1000"/>', y=f"{HEIGHT * fraction:.1f}", zero=" zero" if tick == 0 else ""
    )
    return rule, fill('<span class="ytick" style="top:$y%">$text</span>', y=f"{100 * fraction:.2f}", text=f"{tick:g}")


def _drawn(line: Line, place: int, axis: TimeAxis, limits: tuple[float, float]) -> Html:
    low, high = limits

    def at(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return thinned(WIDTH * axis.fractions(), HEIGHT * (high - values) / (high - low))

    band = EMPTY
    if line.deviation is not None and np.isfinite(line.deviation).any():
        upper, lower = at(line.values + line.deviation), at(line.values - line.deviation)
        band = fill('<path class="band" d="$d"/>', d=_outline(*upper, *lower))
    return join([band, fill('<path class="line line$place" d="$d"/>', place=place, d=path(*at(line.values)))])


def path(x: np.ndarray, y: np.ndarray) -> str:
    """SVG's commands for a line, interrupted where ``y`` is not known; a point alone is a dot."""
    pieces = []
    known = np.isfinite(y)
    for a, b in runs(known):
        if known[a]:
            points = [f"{u:.1f} {v:.1f}" for u, v in zip(x[a:b], y[a:b].clip(-1e4, 1e4), strict=True)]
            pieces.append("M" + "L".join(points if len(points) > 1 else points * 2))
    return "".join(pieces)


def _outline(x: np.ndarray, upper: np.ndarray, x_back: np.ndarray, lower: np.ndarray) -> str:
    """A closed line along what is known of two edges."""
    above, below = np.isfinite(upper), np.isfinite(lower)
    xs = np.concatenate([x[above], x_back[below][::-1]])
    ys = np.concatenate([upper[above], lower[below][::-1]])
    return path(xs, ys) + "Z" if len(xs) else ""


def _legend(line: Line, place: int) -> Html:
    return fill('<span class="key key$place">$label</span> ', place=place, label=line.label)


def _summary(chart: Chart) -> str:
    """The range of the values in words."""
    texts = []
    for line in chart.lines:
        known = line.values[np.isfinite(line.values)]
        if len(known):
            # without the sign of a zero
            low, high = (f"{round(x, chart.decimals) + 0.0:.{chart.decimals}f}" for x in (known.min(), known.max()))
            name = f"{line.label} " if len(chart.lines) > 1 else ""
            texts.append(f"{name}{low} to {high}")
    return " · ".join(texts)
