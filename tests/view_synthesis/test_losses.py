"""Losses of view synthesis: what they leave out, where they are least, and their gradients."""

from dataclasses import replace

import pytest
import torch
from torch.autograd import gradcheck

from vode.losses.masked import masked_mean
from vode.view_synthesis.losses import (
    depth_difference,
    explainability,
    pixel_errors,
    reconstruction,
    second_order_smoothness,
    smoothness,
)
from vode.view_synthesis.options import SynthesisOptions
from vode.view_synthesis.task import Predicted, snippet_views, view_losses
from vode.view_synthesis.warp import Views

MINIMUM = SynthesisOptions(sources="minimum", outside="border", auto_mask=True)
MEAN = SynthesisOptions(auto_mask=True)


def noise(*shape, seed=0, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("options", [MINIMUM, MEAN], ids=["minimum", "mean"])
def test_the_auto_mask_leaves_out_a_camera_at_rest(options, snippet, T_s_t):
    frame = snippet["images"][:, 1]
    resting = torch.stack([frame] * 3, 1)
    depth = snippet["depth"][:, 1]
    for T in (T_s_t, torch.eye(4).expand(1, 2, 4, 4)):
        views = snippet_views(resting, T, snippet["intrinsics"])
        losses, shown = view_losses(views, Predicted(depth, None, None), options)
        assert not shown["counted"].any()
        assert losses["photometric"] == 0
    moving = snippet_views(snippet["images"], T_s_t, snippet["intrinsics"])
    _, shown = view_losses(moving, Predicted(depth, None, None), options)
    assert shown["counted"].mean() > 0.5


@pytest.mark.parametrize("options", [MINIMUM, MEAN], ids=["minimum", "mean"])
def test_the_auto_mask_leaves_out_a_car_that_moves_along(options, snippet, T_s_t):
    images = snippet["images"].clone()
    car = noise(3, 20, 30)
    images[..., 30:50, 80:110] = car
    views = snippet_views(images, T_s_t, snippet["intrinsics"])
    depth = snippet["depth"][:, 1].clone()
    # where it was painted over, the street is behind it
    depth[..., 30:50, 80:110] = 8.0
    _, shown = view_losses(views, Predicted(depth, None, None), options)
    # inside of it, beyond the windows of SSIM
    assert not shown["counted"][..., 31:49, 81:109].any()
    beside = shown["counted"][..., 30:50, 120:190].mean()
    assert beside > 0.5
    without = replace(options, auto_mask=False)
    assert view_losses(views, Predicted(depth, None, None), without)[1]["counted"][..., 31:49, 81:109].mean() > 0.9


def test_the_minimum_forgives_what_one_frame_hides():
    errors = torch.tensor([[0.1, 0.9], [0.8, 0.2]]).view(1, 2, 1, 1, 2)
    seen = torch.tensor([[True, True], [True, False]]).view(1, 2, 1, 1, 2)
    still = torch.tensor([[0.5, 0.5], [0.7, 0.3]]).view(1, 2, 1, 1, 2)
    minimum = replace(MINIMUM, auto_mask=False)
    assert float(reconstruction(errors, torch.ones_like(seen), minimum).loss) == pytest.approx(0.15)
    assert float(reconstruction(errors, seen, minimum).loss) == pytest.approx(0.5)
    assert float(reconstruction(errors, seen, MEAN).loss) == pytest.approx(0.6)
    masked = reconstruction(errors, torch.ones_like(seen), MINIMUM, still=still)
    assert masked.counted.flatten().tolist() == [True, True]
    found = reconstruction(errors, torch.ones_like(seen), MEAN, still=still)
    assert found.counted.flatten().tolist() == [True, False, False, True]
    assert float(found.loss) == pytest.approx(0.15)
    # what no frame shows does not count
    nowhere = reconstruction(errors, torch.zeros_like(seen), minimum)
    assert (float(nowhere.loss), bool(nowhere.counted.any())) == (0.0, False)


def test_an_explainability_mask_goes_to_zero_without_its_regularisation(snippet, T_s_t):
    views = snippet_views(snippet["images"], T_s_t, snippet["intrinsics"])

    def trained(weight):
        logits = torch.zeros(1, 2, 64, 192, requires_grad=True)
        optimiser = torch.optim.Adam([logits], lr=0.5)
        for _ in range(40):
            predicted = Predicted(snippet["depth"][:, 1], None, logits)
            losses, _ = view_losses(views, predicted, SynthesisOptions("l1"))
            loss = losses["photometric"] + weight * losses["explainability"]
            optimiser.zero_grad()
            loss.sum().backward()
            optimiser.step()
        return logits.detach().sigmoid()

    seen = view_losses(views, Predicted(snippet["depth"][:, 1], None, None), SynthesisOptions("l1"))[1]["counted"]
    assert trained(0.0)[seen[:, :, 0] > 0].median() < 0.01
    assert trained(0.2).median() > 0.9


def test_the_cross_entropy_of_a_mask_is_that_of_torch():
    logits = 4 * noise(2, 2, 5, 6) - 2
    expected = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.ones_like(logits), reduction="none")
    torch.testing.assert_close(explainability(logits), expected.mean((1, 2, 3)))


def test_exact_depths_of_two_frames_agree_and_others_do_not(snippet, T_s_t):
    views = snippet_views(snippet["images"], T_s_t, snippet["intrinsics"])
    depths = snippet["depth"][:, [0, 2]]

    def consistency(factor):
        predicted = Predicted(snippet["depth"][:, 1], factor * depths, None)
        return float(view_losses(views, predicted, SynthesisOptions(consistency_mask=True))[0]["consistency"])

    # the rest is what one frame hides
    assert consistency(1.0) < 0.06
    assert consistency(1.5) == pytest.approx(0.2, abs=0.03)
    assert consistency(0.5) > 0.3
    torch.testing.assert_close(depth_difference(torch.tensor(3.0), torch.tensor(1.0)), torch.tensor(0.5))


def test_the_consistency_mask_weighs_the_photometric_error(snippet, T_s_t):
    views = snippet_views(snippet["images"], T_s_t, snippet["intrinsics"])
    depth, options = snippet["depth"][:, 1], SynthesisOptions()
    plain, shown = view_losses(views, Predicted(depth, None, None), options)
    errors = pixel_errors(views.target, shown["made"])
    torch.testing.assert_close(plain["photometric"], masked_mean(errors, shown["counted"]))
    weighed, _ = view_losses(
        views, Predicted(depth, 1e6 * snippet["depth"][:, [0, 2]], None), replace(options, consistency_mask=True)
    )
    # depths that disagree altogether leave nothing
    assert weighed["photometric"] < 1e-4 * plain["photometric"]


def test_smoothness_is_zero_where_it_should_be():
    x = torch.arange(12.0).expand(1, 1, 8, 12)
    plane = 1 + 0.1 * x + 0.2 * x[..., :8, :1].mT.expand(1, 1, 8, 8)[..., :1]
    assert second_order_smoothness(plane) == pytest.approx(0, abs=1e-6)
    assert smoothness(plane, torch.zeros(1, 3, 8, 12), "second") == second_order_smoothness(plane)
    bent = x.square()
    assert float(second_order_smoothness(bent)) == pytest.approx(2.0)
    assert float(smoothness(torch.ones(1, 1, 8, 12), noise(1, 3, 8, 12))) == 0
    assert smoothness(bent + 1, torch.zeros(1, 3, 8, 12)) > smoothness(bent + 1, 9 * noise(1, 3, 8, 12))


def test_gradients_of_all_losses_are_right():
    double = {"dtype": torch.float64}
    images = noise(1, 3, 3, 6, 8, **double)
    K = torch.tensor([[[6.0, 0, 3.5], [0, 6.0, 2.5], [0, 0, 1]]], **double)
    T = torch.eye(4, **double).repeat(1, 2, 1, 1)
    T[:, :, :3] += 0.02 * noise(1, 2, 3, 4, seed=1, **double)
    depth = 3 + noise(1, 3, 1, 6, 8, seed=2, **double)
    logits = noise(1, 2, 6, 8, seed=3, **double)
    for options in (SynthesisOptions("l1"), replace(MINIMUM, auto_mask=False), SynthesisOptions()):

        def losses(depth, T, logits, options=options):
            views = Views(images[:, 1], images[:, [0, 2]], T, K)
            found, _ = view_losses(views, Predicted(depth[:, 0], depth[:, 1:], logits), options)
            return tuple(found.values())

        inputs = tuple(x.detach().requires_grad_() for x in (depth, T, logits))
        assert gradcheck(losses, inputs, eps=1e-7, atol=1e-4, fast_mode=True)
