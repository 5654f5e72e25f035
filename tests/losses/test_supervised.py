"""Losses against ground truth: values by hand, unknown pixels without influence, gradients that are finite."""

import math

import pytest
import torch

from vode.losses.options import DepthErrorOptions, FlowErrorOptions
from vode.losses.supervised import (
    depth_target,
    flow_error,
    gradient_difference,
    known_flow,
    log_difference,
    scale_invariant,
)


def test_the_target_is_clamped_log_depth_and_unknown_is_unknown_or_sky():
    depth = torch.tensor([0.0, 0.1, 5.0, 400.0]).view(1, 1, 2, 2)
    target, weight = depth_target(depth, DepthErrorOptions(range=(0.5, 80.0)))
    torch.testing.assert_close(target.flatten()[1:].exp(), torch.tensor([0.5, 5.0, 80.0]))
    assert weight.flatten().tolist() == [0, 1, 1, 1]
    target, weight = depth_target(depth, DepthErrorOptions(range=(0.5, 80.0), far=70.0, far_weight=0.25))
    assert target.flatten()[0].exp() == pytest.approx(70.0)
    assert weight.flatten().tolist() == [0.25, 1, 1, 1]


def test_log_difference_is_the_mean_by_weight_of_each_sample():
    residual = torch.tensor([[1.0, -3.0], [2.0, 7.0]]).view(2, 1, 1, 2)
    weight = torch.tensor([[1.0, 1.0], [1.0, 0.0]]).view(2, 1, 1, 2)
    assert log_difference(residual, weight).tolist() == [2.0, 2.0]
    assert log_difference(residual, torch.zeros_like(weight)).tolist() == [0.0, 0.0]


def test_gradient_difference_by_hand():
    residual = torch.tensor([[0.0, 1.0, 3.0], [0.0, 1.0, 3.0]]).view(1, 1, 2, 3)
    known = torch.ones_like(residual)
    # along x 1 and 2, along y 0
    assert gradient_difference(residual, known, (1,)).item() == pytest.approx(1.5)
    assert gradient_difference(residual, known, (2,)).item() == pytest.approx(3.0)
    assert gradient_difference(residual, known, (1, 2)).item() == pytest.approx((1.5 + 3.0) / 2)
    known[..., 2] = 0
    assert gradient_difference(residual, known, (1,)).item() == pytest.approx(1.0)


def test_a_constant_residual_has_no_gradient_difference_and_a_blurred_edge_has():
    edge = torch.zeros(1, 1, 8, 16)
    edge[..., 8:] = 2.0
    blurred = torch.nn.functional.avg_pool2d(torch.nn.functional.pad(edge, (2, 2, 0, 0), mode="replicate"), (1, 5), 1)
    known = torch.ones_like(edge)
    assert gradient_difference(edge + 0.7 - edge, known, (1, 2, 4)).item() == pytest.approx(0, abs=1e-6)
    assert gradient_difference(blurred - edge, known, (1, 2, 4)).item() > 0.1


def test_the_scale_invariant_error_is_the_papers_sum_over_pairs():
    make = torch.Generator().manual_seed(0)
    d = torch.randn(1, 1, 3, 4, generator=make)
    pairs = (d.flatten()[:, None] - d.flatten()[None, :]).square().sum() / (2 * 12**2)
    assert scale_invariant(d, torch.ones_like(d), 1.0).item() == pytest.approx(pairs.item(), rel=1e-5)
    assert scale_invariant(d + 5, torch.ones_like(d), 1.0).item() == pytest.approx(pairs.item(), rel=1e-4)
    assert scale_invariant(d, torch.ones_like(d), 0.0).item() == pytest.approx(d.square().mean().item(), rel=1e-5)


def test_flow_is_known_where_it_is_visible_or_not_zero_and_not_longer_than_the_image():
    flow, visible = torch.zeros(1, 2, 1, 4), torch.zeros(1, 1, 1, 4)
    visible[..., 0] = 1
    flow[0, 1, 0, 2], flow[0, 0, 0, 3] = -0.5, 99.0
    assert known_flow(flow, visible).flatten().tolist() == [1, 0, 1, 0]


def scales_of(flow):
    return [torch.nn.functional.avg_pool2d(flow, 2**k) / 2**k if k else flow for k in range(4)]


def test_true_flow_has_the_least_error_at_every_scale():
    make = torch.Generator().manual_seed(0)
    truth = 4 * torch.randn(2, 2, 1, 1, generator=make).expand(-1, -1, 16, 24)
    known = torch.ones(2, 1, 16, 24)
    for k in range(4):
        options = FlowErrorOptions(scales=tuple(float(i == k) for i in range(4)))
        right = flow_error(scales_of(truth), truth, known, options)
        torch.testing.assert_close(right, torch.full((2,), 0.01**0.4))
        # 3 and 4 pixels of full size, at whatever scale
        off = flow_error(scales_of(truth + torch.tensor([3.0, -4.0]).view(1, 2, 1, 1)), truth, known, options)
        torch.testing.assert_close(off, torch.full((2,), 7.01**0.4))
        plain = FlowErrorOptions(scales=options.scales, error="l2")
        off = flow_error(scales_of(truth + torch.tensor([3.0, -4.0]).view(1, 2, 1, 1)), truth, known, plain)
        torch.testing.assert_close(off, torch.full((2,), 5.0))


@pytest.mark.parametrize("error", ["robust", "l2"])
def test_unknown_flow_has_no_influence_and_gradients_are_finite(error):
    truth, known = torch.ones(1, 2, 16, 24), torch.ones(1, 1, 16, 24)
    known[..., 16:] = 0
    truth[..., 16:] = 500.0
    flow = torch.ones(1, 2, 16, 24)
    flow[..., 16:] = -70.0
    flow.requires_grad_()
    loss = flow_error(scales_of(flow), truth, known, FlowErrorOptions(scales=(1, 1, 1, 1), error=error)).sum()
    assert loss.item() == pytest.approx(4 * 0.01**0.4 if error == "robust" else 0, abs=5e-3)
    loss.backward()
    assert flow.grad.isfinite().all()
    assert not flow.grad[..., 16:].any()


def test_a_sample_without_ground_truth_costs_nothing():
    flow = torch.ones(1, 2, 16, 24, requires_grad=True)
    loss = flow_error(scales_of(flow), torch.zeros(1, 2, 16, 24), torch.zeros(1, 1, 16, 24))
    assert loss.item() == 0
    loss.sum().backward()
    assert not flow.grad.any()
    assert math.isfinite(loss.item())


@pytest.mark.parametrize("size", [(16, 24), (20, 29)])
def test_a_true_flow_of_an_eighth_of_the_size_has_no_error_whatever_the_size(size):
    flow = torch.tensor([16.0, -8.0]).view(1, 2, 1, 1).expand(1, 2, *size)
    coarse = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, -(-size[0] // 8), -(-size[1] // 8))
    options = FlowErrorOptions(scales=(0.0, 0.0, 0.0, 1.0), error="l2")
    error = flow_error([flow, flow, flow, coarse], flow, torch.ones(1, 1, *size), options)
    assert error.item() == pytest.approx(0.0, abs=2e-3)
