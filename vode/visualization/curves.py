"""Learning curves of several methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from vode.visualization.plots import PAGE, for_paper, label_axes, line_style, new_figure

Curve = Sequence[tuple[float, float]]
"""points (x, y) in the order of x"""


@for_paper
def learning_figure(
    curves: Mapping[str, Sequence[Curve]], *, x: str, y: str, level: tuple[str, float] | None = None
) -> Figure:
    """The curves of every method's runs: their mean, and a band from the lowest to the highest.

    The mean is taken at the points of the method's first run; the others are interpolated there. ``level`` is the name
    and the value of what they are to be compared with.
    """
    figure = new_figure(PAGE, 3.2)
    axes = figure.add_subplot()
    for number, (name, runs) in enumerate(curves.items()):
        at = np.array([point[0] for point in runs[0]])
        values = np.stack([np.interp(at, *np.array(run).T) for run in runs])
        style = line_style(number)
        axes.plot(at, values.mean(axis=0), **style, label=name)
        if len(runs) > 1:
            axes.fill_between(at, values.min(axis=0), values.max(axis=0), color=style["color"], alpha=0.15, linewidth=0)
    if level is not None:
        axes.axhline(level[1], color="0.6", linewidth=0.8, label=level[0], zorder=0)
    label_axes(axes, x, y, "")
    axes.set_ylim(bottom=0)
    if curves:
        figure.legend(loc="outside right center", handlelength=3.6)
    return figure
