"""Colour maps: known hues, ranges, unknown pixels and batch shapes."""

import pytest
import torch
from matplotlib import colormaps

from vode.visualization.colors import (
    color_wheel,
    depth_range,
    depth_to_color,
    error_to_color,
    flow_length,
    flow_to_color,
    map_color,
)


def one(x: float, y: float, **options) -> list[float]:
    return flow_to_color(torch.tensor([x, y]).view(2, 1, 1), **options).flatten().tolist()


def test_hues_of_the_wheel() -> None:
    assert one(0, 0, max_flow=10) == [1, 1, 1]
    assert one(10, 0, max_flow=10) == pytest.approx([1, 0, 0], abs=1e-5)
    # Half the length is half as saturated.
    assert one(5, 0, max_flow=10) == pytest.approx([1, 0.5, 0.5], abs=1e-5)
    # To the left cyan to blue, downwards yellow, as on the published wheel.
    left, down, up = one(-10, 0, max_flow=10), one(0, 10, max_flow=10), one(0, -10, max_flow=10)
    assert left[0] == 0
    assert min(left[1:]) > 0.5
    assert down[0] > 0.9
    assert down[1] > 0.8
    assert down[2] < 0.1
    assert up[2] > 0.9
    assert up[1] < 0.1


def test_the_wheel_has_no_jump() -> None:
    angle = torch.linspace(-torch.pi, torch.pi, 2001)
    color = flow_to_color(torch.stack([angle.cos(), angle.sin()]).unsqueeze(1), max_flow=1.001)
    assert color.diff(dim=-1).abs().max() < 0.03
    assert torch.allclose(color[..., 0], color[..., -1], atol=1e-3)


def test_longer_flow_is_darker_and_unknown_flow_black() -> None:
    assert one(20, 0, max_flow=10) == pytest.approx([0.75, 0, 0], abs=1e-5)
    assert one(float("nan"), 1, max_flow=10) == [0, 0, 0]


def test_flow_batches_are_scaled_image_by_image() -> None:
    flow = torch.randn(2, 3, 2, 16, 20, generator=torch.Generator().manual_seed(0))
    flow[0, 1, :, 3, 4] = float("nan")
    color = flow_to_color(flow)
    assert color.shape == (2, 3, 3, 16, 20)
    assert 0 <= color.min() <= color.max() <= 1
    torch.testing.assert_close(color[1, 2], flow_to_color(flow[1, 2]))
    torch.testing.assert_close(color[0, 1], flow_to_color(flow[0, 1]))
    # Only about one in a hundred is longer than the length that is fully saturated.
    fraction = (flow[1, 2].norm(dim=0) > flow_length(flow[1, 2])).float().mean()
    assert fraction == pytest.approx(0.01, abs=0.006)
    assert flow_to_color(torch.full((2, 4, 5), float("nan"))).sum() == 0
    assert flow_to_color(torch.zeros(2, 4, 5)).min() == 1


def test_depth_near_is_bright_far_is_dark_unknown_is_black() -> None:
    depth = torch.tensor([2.0, 10.0, 80.0, 0.0, float("nan"), float("inf")]).view(1, 1, 6)
    color = depth_to_color(depth, limits=(2, 80))
    brightness = color.sum(dim=0)[0]
    assert brightness[0] > brightness[1] > brightness[2] > 0
    assert brightness[3:].tolist() == [0, 0, 0]
    assert color[:, 0, 0].tolist() == pytest.approx(colormaps["magma"](255)[:3], abs=1e-6)


def test_depth_range_withstands_outliers() -> None:
    depth = torch.linspace(5, 50, 10000).view(1, 100, 100).clone()
    depth[0, 0, :50], depth[0, 1, :50], depth[0, 2] = 1e-3, 1e6, 0
    near, far = depth_range(depth)
    assert 5 < near < 8
    assert 47 < far < 50
    assert depth_range(torch.zeros(1, 4, 4)) == (1, 80)
    assert depth_to_color(torch.zeros(2, 1, 4, 4)).sum() == 0
    assert depth_to_color(torch.full((2, 1, 4, 4), 3.0)).isfinite().all()


def test_values_are_clamped_into_the_map() -> None:
    color = map_color(torch.tensor([-1.0, 0, 1, 2, float("nan")]).view(1, 1, 5), "cividis")
    low, high = colormaps["cividis"](0)[:3], colormaps["cividis"](255)[:3]
    assert color[:, 0, 0].tolist() == color[:, 0, 1].tolist() == color[:, 0, 4].tolist()
    assert color[:, 0, 1].tolist() == pytest.approx(low, abs=1e-6)
    assert color[:, 0, 3].tolist() == pytest.approx(high, abs=1e-6)
    known = torch.tensor([True, False]).view(1, 1, 2)
    assert error_to_color(torch.ones(1, 1, 2), known=known)[..., 1].tolist() == [[0], [0], [0]]


def test_the_wheel_is_the_key_to_the_flow() -> None:
    wheel = color_wheel(101)
    assert wheel.shape == (3, 101, 101)
    assert wheel[:, 50, 50].tolist() == pytest.approx([1, 1, 1], abs=1e-5)
    assert wheel[:, 50, 100].tolist() == pytest.approx(one(1, 0, max_flow=1), abs=1e-5)
    assert wheel[:, 75, 50].tolist() == pytest.approx(one(0, 0.5, max_flow=1), abs=1e-4)
    assert wheel[:, 0, 0].tolist() == [1, 1, 1]
