"""Losses against values worked out by hand, and their gradients."""

import math

import numpy as np
import pytest
import torch

from vode.geometry.camera import pixel_grid
from vode.losses.depth import reprojection, triangulated_depth
from vode.losses.epipolar import epipolar
from vode.losses.flow import flow_losses
from vode.losses.masked import masked_mean
from vode.losses.options import FlowLossOptions
from vode.losses.photometric import photometric, ssim_distance
from vode.losses.smoothness import disparity_smoothness, flow_smoothness
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence


@pytest.fixture(scope="module")
def pair():
    """A pair of a sequence without moving cars: images, flow, visible pixels, depths, motion, intrinsics."""
    sequence = WorldSequence(1, WorldOptions(size=(64, 192), frames=3, moving=False))
    flow, seen = sequence.flow(0)
    depths = [torch.where(sequence.depth(i) > 0, sequence.depth(i), 1e4)[None] for i in (0, 1)]
    T_b_a = (torch.linalg.inv(sequence.poses[1]) @ sequence.poses[0]).float()[None]
    known = (seen & (sequence.depth(0) > 0)).float()[None]
    return (
        sequence.frame(0)[None],
        sequence.frame(1)[None],
        flow[None],
        known,
        *depths,
        T_b_a,
        sequence.intrinsics[None],
    )


def test_masked_mean():
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    mask = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    mean = masked_mean(values, mask)
    assert mean.tolist() == [2.0, 0.0]
    mean.sum().backward()
    assert values.grad.tolist() == [[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]


def test_ssim_of_flat_images_by_hand():
    a, b = (torch.full((1, 1, 6, 6), value, dtype=torch.float64) for value in (0.2, 0.6))
    similarity = (2 * 0.2 * 0.6 + 1e-4) / (0.04 + 0.36 + 1e-4)
    torch.testing.assert_close(ssim_distance(a, b), torch.full_like(a, (1 - similarity) / 2))
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


def test_disparity_smoothness_is_one_number_a_sample():
    generator = torch.Generator().manual_seed(0)
    disparity = (0.1 + torch.rand(3, 1, 6, 9, generator=generator)).requires_grad_()
    image = torch.rand(3, 3, 6, 9, generator=generator)
    found = disparity_smoothness(disparity, image)
    for k in range(3):
        d, i = disparity.detach()[k, 0].double().numpy(), image[k].double().numpy()
        d = d / d.mean()
        expected = sum(
            (np.abs(np.diff(d, axis=axis)) * np.exp(-np.abs(np.diff(i, axis=axis + 1)).mean(0))).mean()
            for axis in (0, 1)
        )
        assert found[k].item() == pytest.approx(expected, rel=1e-5)
    (gradient,) = torch.autograd.grad(found[1], disparity)
    assert gradient[1].abs().min() > 0
    assert gradient[[0, 2]].abs().max() == 0


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


def test_ssim_of_equal_images_is_nothing_and_of_others_is_that_of_a_plain_loop():
    torch.manual_seed(0)
    a, b = torch.rand(2, 1, 1, 5, 6, dtype=torch.float64)
    assert ssim_distance(a, a).abs().max() < 1e-12
    one, two = (np.pad(x[0, 0].numpy(), 1, mode="reflect") for x in (a, b))
    distance = ssim_distance(a, b)[0, 0]
    for y in range(5):
        for x in range(6):
            p, q = one[y : y + 3, x : x + 3].ravel(), two[y : y + 3, x : x + 3].ravel()
            cov = np.cov(p, q, bias=True)
            similarity = (2 * p.mean() * q.mean() + 1e-4) * (2 * cov[0, 1] + 9e-4)
            similarity /= (p.mean() ** 2 + q.mean() ** 2 + 1e-4) * (cov[0, 0] + cov[1, 1] + 9e-4)
            assert distance[y, x].item() == pytest.approx(min(max((1 - similarity) / 2, 0), 1), abs=1e-9)


def test_mask_of_true_and_false_and_of_shares():
    values = torch.tensor([[[1.0, 5.0], [3.0, 9.0]]])
    assert masked_mean(values, torch.tensor([[[True, False], [True, False]]])).item() == pytest.approx(2)
    assert masked_mean(values, torch.tensor([[[1.0, 0.5]]])).item() == pytest.approx((1 + 3 + 2.5 + 4.5) / 3)


def test_edges_of_the_image_let_the_disparity_jump():
    image, disparity = torch.zeros(1, 3, 4, 6), torch.ones(1, 1, 4, 6)
    image[..., 3:], disparity[..., 3:] = 0.5, 3.0
    # one of five steps across is (3 - 1) / 2, under the weight exp(-0.5)
    assert disparity_smoothness(disparity, image).item() == pytest.approx(math.exp(-0.5) / 5, rel=1e-5)
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, 0, :, 3:] = 20.0
    # two of four second differences are 1 in one of two channels, under the weight exp(-10 (0.5 + 0) / 2)
    expected = 2 / 4 / 2 * math.exp(-2.5) / 2
    assert flow_smoothness(flow, image).item() == pytest.approx(expected, rel=1e-5)


def test_flow_loss_of_a_still_camera_is_nothing_and_a_sample_does_not_depend_on_its_batch():
    torch.manual_seed(0)
    image_a, image_b = torch.rand(2, 2, 3, 16, 24)
    zero = [torch.zeros(2, 2, 16 >> k, 24 >> k) for k in range(4)]
    still, seen = flow_losses(image_a, image_a, zero, zero)
    assert still["flow_photometric"].abs().max() < 1e-6
    assert still["flow_smoothness"].abs().max() == 0
    assert (seen == 1).all()
    forward, backward = ([torch.randn_like(flow) for flow in zero] for _ in range(2))
    both, _ = flow_losses(image_a, image_b, forward, backward)
    alone, _ = flow_losses(image_a[1:], image_b[1:], [f[1:] for f in forward], [f[1:] for f in backward])
    for name, values in both.items():
        torch.testing.assert_close(values[1:], alone[name])


def test_flow_losses_have_finite_gradients_where_flow_leaves_the_image_and_images_are_flat():
    flat = torch.full((1, 3, 16, 24), 1.0)
    flows = [torch.full((1, 2, 16 >> k, 24 >> k), 100.0, requires_grad=True) for k in range(4)]
    losses, seen = flow_losses(flat, flat, flows, flows)
    assert seen.max() == 0
    sum(loss.sum() for loss in losses.values()).backward()
    assert all(flow.grad.isfinite().all() for flow in flows[:3])


def test_true_flow_lies_on_the_lines_of_the_true_motion(pair):
    _, _, flow, known, _, _, T_b_a, intrinsics = pair
    t, inverse = T_b_a[0, :3, 3], torch.linalg.inv(intrinsics[0])
    cross = torch.tensor([[0, -t[2], t[1]], [t[2], 0, -t[0]], [-t[1], t[0], 0]])
    fundamental = (inverse.T @ cross @ T_b_a[0, :3, :3] @ inverse)[None]
    points_a = pixel_grid(64, 192).flatten(1).T[None]
    points_b = points_a + flow.flatten(2).mT
    weights = known.flatten(1)
    assert epipolar(fundamental, points_a, points_b, weights) == 0
    # a quarter of a pixel to the side of a line that lies level is noise no more
    moved = (points_b + torch.tensor([0.0, 0.25])).requires_grad_()
    loss = epipolar(fundamental, points_a, moved, weights)
    assert 0.1 < loss.item() < 0.5
    assert torch.autograd.grad(loss.sum(), moved)[0].isfinite().all()


def test_the_reverse_flow_masks_what_it_does_not_reach():
    torch.manual_seed(3)
    image = torch.rand(1, 3, 32, 64)
    sizes = [(32, 64), (16, 32), (8, 16), (4, 8)]
    still = [torch.zeros(1, 2, *size) for size in sizes]
    right = [flow + torch.tensor([8.0 / 2**k, 0.0]).view(1, 2, 1, 1) for k, flow in enumerate(still)]
    inside = FlowLossOptions(mask="inside")
    _, mask = flow_losses(image, image, still, right, options=inside)
    reached = torch.ones(1, 1, 32, 64)
    reached[..., :8] = 0
    assert torch.equal(mask, reached)
    _, mask = flow_losses(image, image, right, still, options=inside)
    assert torch.equal(mask, reached.flip(-1))
    # by default both directions have to agree too, and these do nowhere
    assert not flow_losses(image, image, still, right)[1].any()
    _, mask = flow_losses(image, image, right, [-flow for flow in right])
    assert torch.equal(mask, reached.flip(-1))


def test_coarser_scales_count_as_the_options_say():
    torch.manual_seed(5)
    image_a, image_b = torch.rand(2, 2, 3, 32, 64)
    flows = [torch.randn(2, 2, 32 >> k, 64 >> k) for k in range(4)]

    def losses(scales, decay):
        options = FlowLossOptions(scales=scales, decay=decay)
        return flow_losses(image_a, image_b, flows, flows, options=options)[0]

    whole = [losses(k, 1.0) for k in (1, 2, 3, 4)]
    for name, value in losses(4, 0.5).items():
        each = [whole[0][name], *(whole[k][name] - whole[k - 1][name] for k in (1, 2, 3))]
        torch.testing.assert_close(value, sum(0.5**k * term for k, term in enumerate(each)))
    torch.testing.assert_close(flow_losses(image_a, image_b, flows, flows)[0], whole[2])
