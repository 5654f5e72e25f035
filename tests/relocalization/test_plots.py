"""Plots of places: what is above, and what is drawn."""

import torch

from vode.geometry.pose import from_rotation_translation, so3_exp
from vode.relocalization.plots import error_histograms, places_figure, plan_axes, saliency_panel
from vode.visualization.plots import figure_bytes


def cameras(T_scene_level, count=8):
    """Cameras that stand upright in a level frame and look ahead, left and right, in the axes of a scene."""
    yaw = torch.linspace(-0.6, 0.6, count, dtype=torch.float64)
    rotation = so3_exp(torch.stack([0 * yaw, yaw, 0 * yaw], -1))
    position = torch.stack([torch.arange(count).double(), 0.01 * yaw, 2 * yaw.square()], -1)
    return T_scene_level @ from_rotation_translation(rotation, position)


def test_the_plan_is_seen_from_above_whatever_the_axes_of_the_scene():
    tilt = from_rotation_translation(
        so3_exp(torch.tensor([1.0, -0.7, 0.4]).double()), torch.tensor([5.0, 1, 2]).double()
    )
    for T_scene_level in (torch.eye(4).double(), tilt):
        poses = cameras(T_scene_level)
        plan = (poses[:, :3, 3] - poses[0, :3, 3]) @ plan_axes(poses)
        level = cameras(torch.eye(4).double())[:, :3, 3]
        torch.testing.assert_close(plan, (level - level[0])[:, [0, 2]], atol=0.03, rtol=0)


def test_cameras_that_look_all_around_have_a_plan_too():
    yaw = torch.arange(8).double() * torch.pi / 4
    rotation = so3_exp(torch.stack([0 * yaw, yaw, 0 * yaw], -1))
    axes = plan_axes(from_rotation_translation(rotation, torch.zeros(8, 3).double()))
    torch.testing.assert_close(axes.mT @ axes, torch.eye(2).double())
    assert axes[1].abs().max() < 1e-9


def test_figures_show_every_image_with_its_line():
    ground_truth = cameras(torch.eye(4).double())
    estimate = ground_truth.clone()
    estimate[:, 2, 3] += 0.5
    figure = places_figure(ground_truth, estimate, ground_truth[:3])
    (axes,) = figure.axes
    (lines,) = axes.collections
    assert len(lines.get_segments()) == 8
    shown = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert set(shown) == {"training images", "ground truth", "estimate"}
    assert (shown["estimate"] - shown["ground truth"])[:, 1].mean() > 0.4
    assert figure_bytes(figure)[:4] == b"\x89PNG"


def test_histograms_count_every_image_and_name_the_median():
    figure = error_histograms(torch.tensor([0.1, 0.2, 0.9]), torch.tensor([1.0, 5.0, 6.0]))
    for axes, median in zip(figure.axes, ("0.2 m", "5 deg"), strict=True):
        assert sum(patch.get_height() for patch in axes.patches) == 3
        assert median in axes.get_legend().get_texts()[0].get_text()


def test_saliency_is_brightest_where_it_is_largest():
    saliency = torch.zeros(1, 10, 10)
    saliency[0, 2, 3] = 4.0
    (_, image), (_, visualization) = saliency_panel(torch.rand(3, 10, 10), saliency)
    assert image.shape == visualization.shape == (3, 10, 10)
    assert visualization.sum(0).argmax() == 23
