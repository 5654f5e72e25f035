"""Draws the pictures of the pages on concepts into docs/figures, from the rendered world and the code itself.

python docs/tools/make_figures.py [NAME ...]
"""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor

import vode
from vode.geometry import warp
from vode.geometry.camera import pixel_grid, project, rays, transform
from vode.geometry.epipolar import (
    epipolar_distance,
    essential_from_pose,
    fundamental_from_essential,
    homogeneous,
)
from vode.geometry.pose import inverse
from vode.geometry.triangulation import midpoint
from vode.losses.photometric import photometric_error
from vode.odometry.options import TrackerOptions
from vode.visualization.colors import depth_to_color, flow_to_color, map_color
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

OUT = Path(__file__).resolve().parents[1] / "figures"
COLORS = 200
"""of a PNG, which is then small"""
SEED, FRAME = 5, 12


def street() -> WorldSequence:
    """The sequence that the pictures of two views are of."""
    return WorldSequence(SEED, WorldOptions(size=(160, 480), frames=30, scenes=("town",)))


def save(figure: Figure, name: str) -> None:
    """Write a figure: lines as SVG, images as PNG of few colours."""
    OUT.mkdir(exist_ok=True)
    if name.endswith(".svg"):
        figure.savefig(OUT / name, metadata={"Date": None})
    else:
        data = io.BytesIO()
        figure.savefig(data, dpi=110)
        with Image.open(data) as image:
            image.convert("RGB").quantize(COLORS).save(OUT / name, optimize=True)
    plt.close(figure)


def show(axes: Axes, image: Tensor, title: str) -> None:
    """An image (3, H, W) under its title."""
    axes.imshow(image.permute(1, 2, 0).clamp(0, 1).numpy())
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_axis_off()


def conventions() -> None:
    """Pixels with their coordinates, and the axes of a camera."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
    for x in range(4):
        for y in range(3):
            left.add_patch(plt.Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, color="0.6"))
            left.plot(x, y, "k.", markersize=4)
            left.text(x + 0.06, y - 0.08, f"({x}, {y})", fontsize=7, color="0.3")
    left.annotate("", (3.9, -0.5), (-0.5, -0.5), arrowprops={"arrowstyle": "->", "color": "tab:red"})
    left.annotate("", (-0.5, 2.9), (-0.5, -0.5), arrowprops={"arrowstyle": "->", "color": "tab:green"})
    left.text(3.8, -0.7, "x", color="tab:red")
    left.text(-0.75, 2.8, "y", color="tab:green")
    left.set(xlim=(-0.9, 4.1), ylim=(3.1, -0.95), aspect="equal", title="pixels: centres at integers")
    # An oblique view: z goes up and to the right of the page, into the scene.
    into = np.array([0.75, -0.55])
    for direction, color, name in (
        ((1, 0), "tab:red", "x right"),
        ((0, 1), "tab:green", "y down"),
        (into, "tab:blue", "z forward"),
    ):
        right.annotate("", direction, (0, 0), arrowprops={"arrowstyle": "->", "color": color, "lw": 1.5})
        right.text(direction[0] * 1.08, direction[1] * 1.08, name, color=color, fontsize=9, va="center")
    corners = np.array([[-0.5, -0.33], [0.5, -0.33], [0.5, 0.33], [-0.5, 0.33], [-0.5, -0.33]]) * 0.7
    right.plot(*(corners + 0.8 * into).T, color="0.4")
    for corner in corners[:4]:
        right.plot(*np.array([(0, 0), corner + 0.8 * into]).T, color="0.75", lw=0.8)
    right.set(xlim=(-0.5, 1.7), ylim=(1.2, -1.0), aspect="equal", title="axes of a camera")
    for axes in (left, right):
        axes.set_axis_off()
        axes.title.set_fontsize(9)
    save(figure, "conventions.svg")


def two_views() -> None:
    """Points of one image, and where flow and epipolar geometry put them in the other."""
    world = street()
    a, b = FRAME, FRAME + 2
    flow, _ = world.flow_between(a, b)
    T_b_a = (inverse(world.poses[b]) @ world.poses[a]).float()
    fundamental = fundamental_from_essential(essential_from_pose(T_b_a), world.intrinsics)
    points = torch.tensor([[60.0, 110], [110, 60], [205, 120], [330, 125], [372, 58], [425, 100]])
    at = points.long()
    matched = points + flow[:, at[:, 1], at[:, 0]].T
    figure, (top, middle, bottom) = plt.subplots(3, 1, figsize=(6.4, 6.9), layout="constrained")
    show(top, world.frame(a), "image a, with six pixels")
    show(middle, flow_to_color(flow[None])[0], "flow from a to b: colour is direction, saturation is length")
    show(bottom, world.frame(b), "image b: where the flow leads, and the epipolar lines of the motion")
    colors = matplotlib.colormaps["tab10"](np.arange(len(points)))
    lines = homogeneous(points) @ fundamental.mT
    x = np.array([0.0, world.size[1] - 1])
    for point, match, (l0, l1, l2), color in zip(points, matched, lines.numpy(), colors, strict=True):
        top.plot(*point, "o", color=color, markeredgecolor="white", markersize=6)
        bottom.plot(x, -(l0 * x + l2) / l1, color=color, lw=1)
        bottom.plot(*match, "o", color=color, markeredgecolor="white", markersize=6)
    for axes in (top, bottom):
        axes.set(xlim=(-0.5, world.size[1] - 0.5), ylim=(world.size[0] - 0.5, -0.5))
    save(figure, "two-views.png")


def triangulation() -> None:
    """How noise of half a pixel becomes error of depth, by parallax."""
    generator = torch.Generator().manual_seed(0)
    intrinsics = torch.tensor([[400.0, 0, 240], [0, 400, 80], [0, 0, 1]])
    T_b_a = torch.eye(4)
    T_b_a[2, 3] = -1.0
    pixels = torch.rand(1500, 2, generator=generator) * torch.tensor([480.0, 160])
    depth = (torch.rand(1500, generator=generator) * math.log(20) + math.log(4)).exp()
    points = rays(pixels, intrinsics) * depth[:, None]
    seen, _ = project(transform(T_b_a, points), intrinsics)
    noisy = seen + 0.5 * torch.randn(seen.shape, generator=generator)
    found = midpoint(pixels, noisy, intrinsics, T_b_a, min_parallax=1e-4)
    exact = midpoint(pixels, seen, intrinsics, T_b_a, min_parallax=1e-4)
    parallax = 400 * exact.parallax
    error = (found.depth_a / depth - 1).abs()
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.3), layout="constrained")
    shown = torch.arange(0, 1500, 3)
    left.plot(points[shown, 0], points[shown, 2], ".", color="0.75", label="true")
    left.plot(
        found.points[shown, 0], found.points[shown, 2], ".", markersize=3, color="tab:orange", label="triangulated"
    )
    left.plot([0, 0], [0, 1], "k^-", markersize=5)
    left.set(xlim=(-35, 35), ylim=(-2, 85), xlabel="x (baselines)", ylabel="z (baselines)")
    left.set_title("from above: depth errs along the rays", fontsize=9)
    left.legend(fontsize=8, loc="lower right")
    right.loglog(parallax[shown], error[shown], ".", markersize=3, color="tab:orange")
    x = np.array([0.3, 60])
    right.loglog(x, 0.5 / x, "k", lw=1, label="noise / parallax")
    right.axvline(0.5, color="tab:blue", lw=1, ls="--", label="least parallax in training")
    right.set(xlim=(0.3, 60), ylim=(1e-4, 10), xlabel="parallax (pixels)", ylabel="relative error of depth")
    right.set_title("flow with 0.5 px of noise, a step of one baseline ahead", fontsize=9)
    right.legend(fontsize=8)
    save(figure, "triangulation.png")


def losses() -> None:
    """What each loss sees of a pair of images, with exact flow."""
    world = street()
    a, b = FRAME, FRAME + 2
    flow, back = world.flow_between(a, b)[0][None], world.flow_between(b, a)[0][None]
    image_a, image_b = world.frame(a)[None], world.frame(b)[None]
    warped = warp.backward_warp(image_b, flow)
    visible = warp.visible(back) * warp.inside(warp.flow_target(flow), world.size)
    T_b_a = (inverse(world.poses[b]) @ world.poses[a]).float()
    fundamental = fundamental_from_essential(essential_from_pose(T_b_a), world.intrinsics)
    grid = pixel_grid(*world.size)
    distance = epipolar_distance(fundamental, grid.flatten(1).T, warp.flow_target(flow)[0].flatten(1).T)
    pixels = grid[:, 6::8, 4::8].flatten(1).T
    target = warp.flow_target(flow)[0][:, 6::8, 4::8].flatten(1).T
    known = midpoint(pixels, target, world.intrinsics, T_b_a, size=world.size)
    kept = known.valid & (known.parallax * world.intrinsics[0, 0] > 0.5)
    limits = (3.0, 60.0)
    colors = depth_to_color(known.depth_a[None, None], limits=limits)[:, 0].T
    panels = [
        (image_a[0], "image a"),
        (image_b[0], "image b"),
        (warped[0], "b, seen at the pixels of a by the flow"),
        (
            map_color(photometric_error(image_a, warped)[0] / 0.5, "magma"),
            "photometric error: what is hidden; edges",
        ),
        (visible[0].expand(3, -1, -1), "pixels that count: visible in b, and inside"),
        (map_color((distance / 3).view(1, *world.size), "magma"), "distance to the epipolar line: what moves"),
        (image_a.mean(1).expand(3, -1, -1) * 0.4, "triangulated depth of static points"),
        (depth_to_color(world.depth(a)[None], limits=limits)[0], "depth, which the network learns"),
    ]
    figure, axes = plt.subplots(4, 2, figsize=(8.6, 6.6), layout="constrained")
    for at, (image, title) in zip(axes.flat, panels, strict=True):
        show(at, image, title)
    axes[3, 0].scatter(*pixels[kept].T, c=colors[kept].clamp(0, 1).numpy(), s=5)
    save(figure, "losses.png")


def scale() -> None:
    """The length of each step over the true one, by depth, by tracks, and by both."""
    world = WorldSequence(21_004, WorldOptions(size=(160, 480), frames=91, scenes=("residential",), effects=0.3))
    model = vode.load("vode-small")
    true = (world.poses[1:, :3, 3] - world.poses[:-1, :3, 3]).norm(dim=-1)
    figure, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
    for source, color, name in (
        ("depth", "0.7", "depth of each pair alone"),
        ("tracks", "tab:orange", "tracks alone (first step set to 1)"),
        ("fused", "tab:blue", "both (the default)"),
    ):
        options = TrackerOptions(scale_from=source, flow="classical", refine="none")
        odometry = vode.VisualOdometry(model.perception(), world.camera, options, size=model.tracking_size(world.size))
        for i in range(len(world)):
            odometry.register_frame(world.frame(i).permute(1, 2, 0).numpy(), float(world.timestamps[i]))
        poses = torch.as_tensor(np.asarray(odometry.trajectory.poses))[:, :3, 3]
        length = (poses[1:] - poses[:-1]).norm(dim=-1).double()
        ratio = torch.where(length > 0, length / true, float("nan"))
        if source == "tracks":
            ratio = ratio / ratio[:5].nanmedian()
        axes.plot(np.arange(1, len(world)), ratio, color=color, label=name, lw=1.2)
        print(f"{source}: standard deviation of the log ratio {float(ratio[ratio > 0].log().std()):.3f}")
    axes.axhline(1, color="k", lw=0.8)
    axes.set(xlabel="frame", ylabel="estimated / true length", ylim=(0.78, 1.1))
    axes.legend(fontsize=8)
    save(figure, "scale.svg")


FIGURES = {function.__name__: function for function in (conventions, two_views, triangulation, losses, scale)}

if __name__ == "__main__":
    matplotlib.use("agg")
    plt.rcParams |= {"font.size": 9, "svg.hashsalt": "vode", "axes.spines.top": False, "axes.spines.right": False}
    for chosen in sys.argv[1:] or FIGURES:
        FIGURES[chosen]()
