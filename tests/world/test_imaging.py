"""Flaws of cameras: each does what it says, and nothing else."""

import numpy as np
import pytest
import torch

from vode.world.imaging import GAMMA, TARGET, Imaging, automatic_gain, blur_along, draw_imaging, expose

LINEAR = Imaging(contrast=1 / GAMMA)


@pytest.fixture(scope="module")
def image():
    return 0.2 + 0.6 * torch.rand(3, 40, 60, generator=torch.Generator().manual_seed(0))


def test_a_perfect_camera_rounds_alone(image):
    assert torch.equal(expose(image, 1.0, LINEAR, (0,)), (image * 255).round().to(torch.uint8))
    assert torch.equal(expose(image, 1.0, Imaging(), (0,)), (image**GAMMA * 255).round().to(torch.uint8))
    assert draw_imaging(np.random.default_rng(0), 0.0) == Imaging()


def test_gain_is_clamped_at_white(image):
    levels = expose(image, 2.0, LINEAR, (0,)).float() / 255
    assert torch.allclose(levels, (2 * image).clamp(max=1), atol=0.5 / 255 + 1e-6)


def test_noise_has_the_strength_that_is_said_and_is_that_of_its_seed(image):
    grey = torch.full((3, 100, 100), 0.6)
    levels = expose(grey, 1.0, Imaging(contrast=1 / GAMMA, noise=0.03), (1, 2)).float() / 255
    assert (levels - grey).std() == pytest.approx(0.03, rel=0.05)
    assert abs((levels - grey).mean()) < 1e-3
    assert torch.equal(
        expose(image, 1.0, Imaging(contrast=1 / GAMMA, noise=0.03), (1, 2)),
        expose(image, 1.0, Imaging(contrast=1 / GAMMA, noise=0.03), (1, 2)),
    )
    assert not torch.equal(
        expose(image, 1, Imaging(contrast=1 / GAMMA, noise=0.03), (1, 2)),
        expose(image, 1, Imaging(contrast=1 / GAMMA, noise=0.03), (1, 3)),
    )


def test_corners_lose_what_vignetting_says():
    levels = expose(torch.full((3, 41, 61), 0.8), 1.0, Imaging(contrast=1 / GAMMA, vignetting=0.5), (0,)).float() / 255
    assert levels[0, 20, 30] == pytest.approx(0.8, abs=0.01)
    assert levels[:, [0, 0, -1, -1], [0, -1, 0, -1]].mean() == pytest.approx(0.4, abs=0.01)


def test_softness_spreads_a_point_evenly():
    point = torch.zeros(3, 21, 21)
    point[:, 10, 10] = 1.0
    levels = expose(point, 1.0, Imaging(contrast=1 / GAMMA, softness=0.8), (0,)).float() / 255
    assert levels[0].sum() == pytest.approx(1.0, abs=0.04)
    assert levels[0, 10, 10] < 0.4
    assert torch.equal(levels, levels.flip(-1))
    assert torch.equal(levels[0], levels[0].T)


def test_motion_blur_smears_along_the_flow_alone():
    line = torch.zeros(3, 30, 30)
    line[:, :, 15] = 1.0
    along = torch.zeros(2, 30, 30)
    along[1] = 8.0
    assert torch.allclose(blur_along(line, along, 0.5), line, atol=1e-5)
    across = along.flip(0)
    smeared = blur_along(line, across, 0.5)
    assert smeared[0, 10].sum() == pytest.approx(1.0, abs=1e-4)
    assert (smeared[0, 10] > 0.05).nonzero().flatten().tolist() == [13, 14, 15, 16, 17]


def test_jpeg_changes_little_and_keeps_colours_in_order(image):
    smooth = torch.nn.functional.interpolate(image[None, :, :4, :6], (40, 60), mode="bilinear")[0]
    levels = expose(smooth, 1.0, Imaging(contrast=1 / GAMMA, quality=60), (0,)).float() / 255
    assert 0 < (levels - smooth).abs().mean() < 0.03


def test_automatic_exposure_brings_images_to_one_brightness():
    for brightness in (0.1, 0.34, 0.8):
        image = torch.full((3, 8, 8), brightness)
        assert (image * automatic_gain(image)).mean() == pytest.approx(TARGET, rel=0.01)
