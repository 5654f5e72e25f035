"""Plots of true and estimated camera poses in a scene."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from torch import Tensor

from vode.visualization.colors import map_color
from vode.visualization.plots import COLUMN, PAGE, for_paper, label_axes, new_figure


@for_paper
def places_figure(ground_truth: Tensor, estimate: Tensor, trained: Tensor | None = None, *, title: str = "") -> Figure:
    """Top view of true and estimated positions, joined by a line for each image; equal axes, metres.

    Poses T_scene_cam (N, 4, 4); ``trained`` (M, 4, 4) are drawn faintly. Up is the cameras' mean upward direction,
    because a scene's axes may have any orientation.
    """
    axes_of_plan = plan_axes(ground_truth if trained is None else torch.cat([trained, ground_truth]))
    true, found = ((poses[:, :3, 3] @ axes_of_plan.to(poses.dtype)).numpy() for poses in (ground_truth, estimate))
    figure = new_figure(COLUMN, COLUMN)
    axes = figure.add_subplot()
    if trained is not None:
        known = (trained[:, :3, 3] @ axes_of_plan.to(trained.dtype)).numpy()
        axes.plot(*known.T, ".", color="0.75", markersize=2, label="training images", zorder=1)
    axes.add_collection(LineCollection(list(np.stack([true, found], 1)), colors="0.5", linewidths=0.5, zorder=2))
    axes.plot(*true.T, "o", color="#0072B2", markersize=3, label="ground truth", zorder=3)
    axes.plot(*found.T, "x", color="#D55E00", markersize=4, label="estimate", zorder=4)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.05)
    label_axes(axes, "right (m)", "forward (m)", title)
    axes.legend(loc="best", framealpha=0.9)
    return figure


@for_paper
def error_histograms(position: Tensor, rotation: Tensor, *, title: str = "") -> Figure:
    """Histograms of position errors (N,) in metres and rotation errors (N,) in degrees, with their medians."""
    figure = new_figure(PAGE, 2.4)
    for axes, errors, unit in zip(figure.subplots(1, 2), (position, rotation), ("m", "deg"), strict=True):
        values = errors.numpy()
        median = float(np.median(values))
        axes.hist(values, bins=min(40, max(10, len(values) // 4)), color="#56B4E9", edgecolor="white", linewidth=0.4)
        axes.axvline(median, color="black", linestyle=(0, (5, 2)), linewidth=1, label=f"median {median:.3g} {unit}")
        name = "position" if unit == "m" else "rotation"
        label_axes(axes, f"{name} error ({unit})", "images", "")
        axes.set_xlim(left=0)
        axes.legend()
    figure.suptitle(title)
    return figure


def saliency_panel(image: Tensor, saliency: Tensor) -> list[tuple[str, Tensor]]:
    """Named images (3, H, W): the image, and the influence of each pixel on the pose, bright for strong.

    ``image`` (3, H, W) in 0..1, ``saliency`` (1, H, W) >= 0 in any unit: its 99th percentile is brightest.
    """
    most = saliency.flatten().quantile(0.99).clamp(min=1e-12)
    return [("image", image), ("saliency", map_color(saliency / most, "magma"))]


def plan_axes(T_scene_cam: Tensor) -> Tensor:
    """Two axes (3, 2) of a top view, right and forward, perpendicular to the cameras' mean upward direction.

    Forward is the cameras' mean viewing direction, or one of the scene's axes if they look all around.
    """
    down = _unit(T_scene_cam[:, :3, 1].mean(0))
    if not bool(down.norm() > 0.5):
        down = T_scene_cam.new_tensor([0.0, 1.0, 0.0])
    flat = torch.eye(3, dtype=down.dtype) - down[:, None] * down
    looks = flat @ T_scene_cam[:, :3, 2].mean(0)
    if not bool(looks.norm() > 0.1):
        looks = max(flat.unbind(1), key=lambda axis: float(axis.norm()))
    forward = _unit(looks)
    return torch.stack([torch.linalg.cross(down, forward), forward], 1)


def _unit(vector: Tensor) -> Tensor:
    return torch.nn.functional.normalize(vector, dim=0)
