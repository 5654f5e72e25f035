"""Warping and splatting on cases that can be worked out by hand."""

import pytest
import torch

from vode.geometry import matches, warp


def constant_flow(x, y, size=(6, 8)):
    return torch.tensor([x, y]).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def test_a_whole_shift_moves_the_image():
    image = torch.rand(1, 3, 6, 8)
    warped = warp.backward_warp(image, constant_flow(2.0, -1.0))
    torch.testing.assert_close(warped[..., 1:, :6], image[..., :5, 2:])


@pytest.mark.parametrize("shift", [(2.0, -1.0), (0.25, 0.5)])
def test_splatting_keeps_what_stays_inside(shift):
    values = torch.zeros(1, 1, 6, 8)
    values[..., 2:4, 2:5] = torch.rand(2, 3)
    splat = warp.forward_splat(values, constant_flow(*shift))
    torch.testing.assert_close(splat.sum(), values.sum())
    y, x = torch.meshgrid(torch.arange(6.0), torch.arange(8.0), indexing="ij")
    for axis, move in ((x, shift[0]), (y, shift[1])):
        torch.testing.assert_close((splat * axis).sum() / splat.sum(), (values * axis).sum() / values.sum() + move)


def test_what_leaves_the_image_is_lost():
    assert warp.forward_splat(torch.ones(1, 1, 6, 8), constant_flow(100.0, 0.0)).sum() == 0


def test_gradients_of_splat_and_warp():
    torch.manual_seed(0)
    values = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    flow = (0.3 + 0.4 * torch.rand(1, 2, 4, 5, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(warp.forward_splat, (values, flow))
    inner = flow.detach() * torch.tensor([1.0, 1.0]).view(1, 2, 1, 1)
    inner[..., -1, :], inner[..., -1] = -0.4, -0.4
    assert torch.autograd.gradcheck(warp.backward_warp, (values, inner.requires_grad_()))


def test_low_precision_images_are_sampled_at_full_precision():
    image = torch.arange(2000.0).view(1, 1, 1, 2000).expand(1, 1, 2, 2000)
    flow = constant_flow(1.0, 0.0, (2, 2000))
    warped = warp.backward_warp(image.bfloat16(), flow)
    assert warped.dtype == torch.bfloat16
    torch.testing.assert_close(warped[..., :-1], image.bfloat16()[..., 1:])


def test_occluded_and_inconsistent_pixels_score_nothing():
    # a block at columns 2-3 moves right by 4 over a still background, and hides columns 6-7 of it
    ab, ba = torch.zeros(1, 2, 6, 12), torch.zeros(1, 2, 6, 12)
    ab[:, 0, :, 2:4] = 4.0
    ba[:, 0, :, 6:8] = -4.0
    scores = matches.flow_scores(ab, ba)
    assert scores.mask[..., 6:8].max() == 0
    assert scores.mask[..., 2:4].min() == 1
    assert scores.mask[..., :2].min() == 1
    torch.testing.assert_close(scores.score[..., 2:4], torch.full((1, 1, 6, 2), 10.0))


def test_pixels_that_leave_the_image_score_nothing():
    scores = matches.flow_scores(constant_flow(3.0, 0.0), constant_flow(-3.0, 0.0))
    assert scores.score[..., 5:].max() == 0
    assert scores.score[..., :5].min() > 0


def test_best_matches_are_the_best_and_do_not_depend_on_the_batch():
    torch.manual_seed(0)
    flow, score = torch.randn(3, 2, 10, 20), torch.rand(3, 1, 10, 20)

    def draw(rows):
        generator = torch.Generator().manual_seed(5)
        return matches.best_matches(flow[rows], score[rows], fraction=0.25, count=30, generator=generator)

    found, alone = draw(slice(0, 3)), draw(slice(1, 2))
    assert torch.equal(found.points_a[1:2], alone.points_a)
    assert found.points_a.shape == (3, 30, 2)
    assert (found.scores > score.flatten(1).quantile(0.6, dim=1, keepdim=True)).all()
    x, y = found.points_a[2, 7].long()
    torch.testing.assert_close(found.points_b[2, 7] - found.points_a[2, 7], flow[2, :, y, x])
    assert found.scores[2, 7] == score[2, 0, y, x]
    found = matches.best_matches(flow, score, fraction=0.1, count=1000)
    expected = score.flatten(1).sort(descending=True).values[:, :20]
    assert torch.equal(found.scores.sort(descending=True).values, expected)


def test_coordinates_that_are_not_finite_end_neither_the_process_nor_the_gradient():
    image = torch.rand(1, 2, 64, 96, requires_grad=True)
    pixels = torch.full((1, 2, 64, 96), torch.nan)
    pixels[..., :3] = 5.0
    pixels[..., 3] = torch.inf
    pixels.requires_grad_()
    warp.sample(image, pixels).sum().backward()
    assert image.grad.isfinite().all()
    assert image.grad[0, 0, 5, 5] == pytest.approx(3 * 64)
