"""Panels for visual comparison: input, prediction, ground truth and error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import Tensor

from vode.geometry.resize import image_size
from vode.visualization.colors import depth_range, depth_to_color, error_to_color, flow_length, flow_to_color
from vode.visualization.plots import new_figure, save_figure

MAX_ERROR = 0.3
"""relative depth error drawn with the brightest colour"""


def spread(items: Sequence, count: int) -> list:
    """At most ``count`` of the items, evenly spaced."""
    return [items[i] for i in dict.fromkeys((2 * k + 1) * len(items) // (2 * count) for k in range(count))]


def depth_panel(image: Tensor, prediction: Tensor, ground_truth: Tensor | None = None) -> list[tuple[str, Tensor]]:
    """Named images (3, H, W): image, predicted depth and, if given, ground truth and the relative error.

    ``image`` (3, H, W) in 0..1; ``prediction`` and ``ground_truth`` (1, h, w) metres of any size, 0 = unknown; all
    are resized to the image. Both depths share one colour scale. Sparse ground truth (lidar) is drawn with larger
    dots. Scale the prediction beforehand for the error to be meaningful.
    """
    size = image_size(image)
    predicted = _resized(prediction, size)
    if ground_truth is None:
        return [("image", image), ("predicted depth", depth_to_color(predicted))]
    true = _resized_nearest(ground_truth, size)
    limits = depth_range(true)
    known = true > 0
    error = (predicted - true).abs() / true.clamp(min=1e-6)
    return [
        ("image", image),
        ("predicted depth", depth_to_color(predicted, limits=limits)),
        (
            f"ground truth, {limits[0]:.0f} to {limits[1]:.0f} m",
            _thickened(depth_to_color(true, limits=limits), known),
        ),
        (
            f"relative error, 0 to {MAX_ERROR:.0%}",
            _thickened(error_to_color(error, limit=MAX_ERROR, known=known), known),
        ),
    ]


def flow_panel(
    image: Tensor, prediction: Tensor, ground_truth: Tensor | None = None, visible: Tensor | None = None
) -> list[tuple[str, Tensor]]:
    """Named images (3, H, W): image, predicted flow and, if given, ground truth and the end-point error.

    ``prediction`` and ``ground_truth`` (2, H, W) pixels, of the image's size, share one colour scale; ``visible``
    (1, H, W), non-zero where the ground truth is known. Errors are drawn up to 10 pixels.
    """
    if ground_truth is None:
        return [("image", image), ("predicted flow", flow_to_color(prediction))]
    known = ground_truth.isfinite().all(dim=0, keepdim=True)
    if visible is not None:
        known &= visible > 0
    true = torch.where(known, ground_truth, torch.nan)
    longest = flow_length(true)
    error = (prediction - ground_truth).norm(dim=0, keepdim=True)
    return [
        ("image", image),
        ("predicted flow", flow_to_color(prediction, max_flow=longest)),
        (
            f"ground truth, up to {float(longest):.0f} px",
            _thickened(flow_to_color(true, max_flow=longest), known),
        ),
        ("end-point error, 0 to 10 px", _thickened(error_to_color(error, limit=10.0, known=known), known)),
    ]


def depth_strip(
    images: Sequence[Tensor], predictions: Mapping[str, Sequence[Tensor]], ground_truths: Sequence[Tensor | None]
) -> tuple[list[list[tuple[str, Tensor]]], list[str]]:
    """Rows for ``panel_figure`` and their names: images (3, H, W), ground truth if any has it, depth of each method.

    Depth is (1, h, w) of any size. The maps of an image are multiplied to the median of its ground truth and share its
    colour scale; without ground truth each has its own.
    """
    true = [
        torch.zeros(1, *image_size(image)) if depth is None else _resized_nearest(depth, image_size(image))
        for image, depth in zip(images, ground_truths, strict=True)
    ]
    rows = {"image": [("", image) for image in images]}
    if any(t.any() for t in true):
        rows["ground truth"] = [("", _thickened(depth_to_color(t), t > 0)) for t in true]
    for name, maps in predictions.items():
        resized = [_resized(depth, image_size(image)) for image, depth in zip(images, maps, strict=True)]
        rows[name] = [("", _colored_like(depth, t)) for depth, t in zip(resized, true, strict=True)]
    return list(rows.values()), list(rows)


def panel_figure(rows: Sequence[Sequence[tuple[str, Tensor]]], *, names: Sequence[str] | None = None) -> Figure:
    """Images side by side, one row per sample, each with its title; ``names`` of the rows replace their first titles.

    A single row of four images wider than 2:1 is split into two rows. Raises ValueError without images.
    """
    if not rows or not rows[0]:
        raise ValueError("a panel needs an image")
    rows = [list(row) for row in rows]
    height, width = rows[0][0][1].shape[-2:]
    if len(rows) == 1 and len(rows[0]) == 4 and width > 2 * height:
        rows, names = [rows[0][:2], rows[0][2:]], None
    columns = max(map(len, rows))
    inches = 12 / columns
    figure = new_figure(12, len(rows) * (inches * height / width + 0.25))
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for number, row in enumerate(rows):
        for axes in grid[number, len(row) :]:
            axes.set_axis_off()
        for axes, (title, visualization) in zip(grid[number], row, strict=False):
            axes.imshow(_pixels(visualization), interpolation="nearest")
            axes.set_title(title, fontsize=9, pad=3)
            axes.set_xticks([])
            axes.set_yticks([])
        if names is not None:
            grid[number, 0].set_title(names[number], fontsize=9, pad=3)
    return figure


def save_panel(
    path: Path | str, rows: Sequence[Sequence[tuple[str, Tensor]]], *, names: Sequence[str] | None = None
) -> None:
    """Write ``panel_figure`` to a PNG, PDF or SVG file."""
    save_figure(panel_figure(rows, names=names), path, dpi=200)


def _colored_like(depth: Tensor, ground_truth: Tensor) -> Tensor:
    """Colours of depth, in the scale and range of the ground truth if that is known anywhere."""
    known = ground_truth > 0
    if not known.any():
        return depth_to_color(depth)
    factor = ground_truth[known].median() / depth[known].median()
    return depth_to_color(depth * factor, limits=depth_range(ground_truth))


def _pixels(visualization: Tensor) -> np.ndarray:
    return visualization.detach().cpu().float().clamp(0, 1).movedim(0, -1).numpy()


def _resized(depth: Tensor, size: tuple[int, int]) -> Tensor:
    if depth.shape[-2:] == size:
        return depth
    return F.interpolate(depth[None], size, mode="bilinear", align_corners=False)[0]


def _resized_nearest(depth: Tensor, size: tuple[int, int]) -> Tensor:
    # Interpolation would mix unknown pixels (0) into known ones.
    return depth if depth.shape[-2:] == size else F.interpolate(depth[None], size, mode="nearest")[0]


def _thickened(visualization: Tensor, known: Tensor) -> Tensor:
    """``visualization`` (3, H, W) with sparse known pixels (1, H, W) enlarged to 3x3 dots; denser ones unchanged."""
    if known.float().mean() > 0.3:
        return visualization
    height, width = visualization.shape[-2:]
    # A fourth channel marks known pixels; each unknown one takes the colour of its first known neighbour.
    padded = F.pad(torch.cat([visualization, known.to(visualization.dtype)]), (1, 1, 1, 1))
    out = padded[:, 1:-1, 1:-1].clone()
    for dy in range(3):
        for dx in range(3):
            neighbour = padded[:, dy : dy + height, dx : dx + width]
            out = torch.where((out[3:] == 0) & (neighbour[3:] > 0), neighbour, out)
    return out[:3]
