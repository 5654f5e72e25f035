"""Losses against values worked out by hand, and their gradients."""

import math

import pytest
import torch

from vode.data.world import WorldOptions, WorldSequence
from vode.losses.depth import reprojection, triangulated_depth
from vode.losses.epipolar import epipolar
from vode.losses.flow import flow_losses
from vode.losses.masked import masked_mean
from vode.losses.photometric import photometric, ssim_distance
from vode.losses.smoothness import disparity_smoothness, flow_smoothness


@pytest.fixture(scope="module")
def pair():
    """A pair of a drive without moving cars: images, flow, visible pixels, depths, motion, intrinsics."""
    drive = WorldSequence(1, WorldOptions(size=(64, 192), frames=3, moving=False))
    flow, seen = drive.flow(0)
    depths = [torch.where(drive.depth(i) > 0, drive.depth(i), 1e4)[None] for i in (0, 1)]
    T_b_a = (torch.linalg.inv(drive.poses[1]) @ drive.poses[0]).float()[None]
    known = (seen & (drive.depth(0) > 0)).float()[None]
    return drive.frame(0)[None], drive.frame(1)[None], flow[None], known, *depths, T_b_a, drive.intrinsics[None]


def test_masked_mean():
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    mean = masked_mean(values, mask)
    assert mean.tolist() == [2.0, 0.0]
    mean.sum().backward()
    assert values.grad.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]


def test_ssim_of_flat_images_by_hand():
    a, b = torch.full((1, 1, 6, 6), 0.2), torch.full((1, 1, 6, 6), 0.6)
    similarity = (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4)
    torch.testing.assert_close(ssim_distance(a, b), torch.full((1, 1, 6, 6), (1 - similarity) / 2))
    assert photometric(a, b, torch.ones(1, 1, 6, 6)).item() == pytest.approx(
        0.15 * 0.4 + 0.85 * (1 - similarity) / 2, rel=1e-5
    )


def test_photometric_counts_the_mask_alone():
    torch.manual_seed(0)
    image = torch.rand(2, 3, 12, 16)
    other = image.clone()
    other[..., 8:] = 1 - other[..., 8:]
    mask = torch.ones(2, 1, 12, 16)
    assert (photometric(image, other, mask) > 0.1).all()
    mask[..., 6:] = 0
    assert photometric(image, other, mask).abs().max() < 1e-6
    assert photometric(image, image, torch.zeros_like(mask)).abs().max() == 0


def test_smoothness():
    image = torch.full((1, 3, 10, 12), 0.5)
    y, x = torch.meshgrid(torch.arange(10.0), torch.arange(12.0), indexing="ij")
    linear = torch.stack([0.3 * x - y, 2 * y + x])[None]
    assert flow_smoothness(linear, image) < 1e-6
    bent = torch.stack([x**2, torch.zeros_like(x)])[None]
    # second difference 2 in one of two channels, divided by 20, in one of two directions
    assert flow_smoothness(bent, image).item() == pytest.approx(2 / 20 / 2 / 2, rel=1e-4)
    stripes = image.clone()
    stripes[..., ::2] = 0
    assert flow_smoothness(bent, stripes) < 0.02 * flow_smoothness(bent, image)
    assert disparity_smoothness(torch.full((1, 1, 10, 12), 0.3), image) == 0
    ramp = (1 + x)[None, None]
    assert disparity_smoothness(ramp, image).item() == pytest.approx(1 / 6.5, rel=1e-4)
    assert disparity_smoothness(7 * ramp, image).item() == pytest.approx(1 / 6.5, rel=1e-4)


def test_true_flow_beats_other_flows(pair):
    image_a, image_b, flow, *_ = pair

    def loss(guess):
        scales = [torch.nn.functional.avg_pool2d(guess, 2**k) / 2**k if k else guess for k in range(4)]
        losses, visible = flow_losses(image_a, image_b, scales, [-s for s in scales])
        assert visible.shape == (1, 1, 64, 192)
        return losses["flow_photometric"].item()

    true, zero = loss(flow), loss(torch.zeros_like(flow))
    assert true < 0.5 * zero
    assert true < loss(1.3 * flow)


def test_triangulated_depth_by_hand():
    depth = torch.tensor([[2.0, 3.0, 5.0]])
    reference = torch.tensor([[1.0, 3.0, 0.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0]])
    assert triangulated_depth(depth, reference, mask).item() == pytest.approx(math.log(2) / 2)
    assert triangulated_depth(depth, reference, mask, "square").item() == pytest.approx(0.5)


def test_reprojection_of_the_truth_is_nothing_and_of_a_scaled_depth_is_much(pair):
    _, _, flow, known, depth_a, depth_b, T_b_a, intrinsics = pair
    depth_part, flow_part = reprojection(depth_a, depth_b, flow, intrinsics, T_b_a, known, known)
    assert depth_part < 0.03
    assert flow_part < 0.01
    wrong = reprojection(2 * depth_a, 2 * depth_b, flow, intrinsics, T_b_a, known, known)
    assert wrong[0] > 2 * depth_part
    assert wrong[1] > 0.5


def test_gradients_are_finite_even_where_nothing_is_seen(pair):
    _, _, flow, known, depth_a, depth_b, T_b_a, intrinsics = pair
    depth_a, depth_b, flow = (x.clone().requires_grad_() for x in (depth_a * 0 + 1e-3, depth_b, flow))
    behind = T_b_a.clone()
    behind[:, 2, 3] = -50.0
    for mask in (known, torch.zeros_like(known)):
        parts = reprojection(depth_a, depth_b, flow, intrinsics, behind, mask, mask)
        gradients = torch.autograd.grad(sum(part.sum() for part in parts), (depth_a, depth_b, flow))
        assert all(gradient.isfinite().all() for gradient in gradients)


def test_epipolar_keeps_the_middle_distances():
    # F of a pure sideways motion: lines are rows
    fundamental = torch.tensor([[[0.0, 0, 0], [0, 0, -1], [0, 1, 0]]])
    points_a = torch.zeros(1, 4, 2)
    points_b = torch.tensor([[[5.0, 0.05], [5.0, 0.2], [5.0, 0.4], [5.0, 2.0]]])
    weights = torch.ones(1, 4)
    assert epipolar(fundamental, points_a, points_b, weights).item() == pytest.approx(0.3, rel=1e-5)
    assert epipolar(fundamental, points_a, points_b, 0 * weights) == 0
