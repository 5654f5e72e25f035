"""Refined correspondences against images that move by a known part of a pixel."""

import math

import pytest
import torch

from vode.geometry.subpixel import SubpixelOptions, refine

SIZE = (60, 80)


def visualization(shift=(0.0, 0.0)):
    """A band-limited picture (1, 3, H, W) in 0..1, as if each of its points had moved by ``shift`` (x, y)."""
    generator = torch.Generator().manual_seed(3)
    y, x = torch.meshgrid(torch.arange(SIZE[0]) - shift[1], torch.arange(SIZE[1]) - shift[0], indexing="ij")
    waves = torch.zeros(SIZE)
    for _ in range(30):
        angle, turn = (2 * math.pi * torch.rand(2, generator=generator)).tolist()
        speed = 2 * math.pi / (6 + 14 * torch.rand(1, generator=generator).item())
        waves += torch.sin(speed * (x * math.cos(angle) + y * math.sin(angle)) + turn)
    return (0.5 + waves / 40).clamp(0, 1).expand(1, 3, -1, -1)


def points(batch=1, count=200):
    generator = torch.Generator().manual_seed(4)
    inner = torch.tensor([SIZE[1] - 21.0, SIZE[0] - 21.0])
    return (10 + torch.rand(batch, count, 2, generator=generator) * inner).round()


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.4), (-2.6, 1.2)])
@pytest.mark.parametrize("exposure", [1.0, 0.8])
def test_a_known_shift_is_found_under_any_exposure(shift, exposure):
    a, start = points(), points() + torch.tensor(shift) + torch.tensor([0.6, -0.5])
    refined, believed = refine(visualization(), visualization(shift) * exposure + 0.05, a, start)
    assert believed.float().mean() > 0.9
    error = (refined - a - torch.tensor(shift))[believed].norm(dim=-1)
    assert error.median() < 0.05
    assert error.quantile(0.95) < 0.2
    # Without a change of exposure what is left is the error of bilinear sampling alone.
    if exposure == 1:
        assert (refined - a - torch.tensor(shift))[believed].mean(0).norm() < 0.02


def test_what_cannot_be_told_stays_and_is_not_believed():
    a = points()
    flat, stripes = torch.full((1, 3, *SIZE), 0.5), visualization()[..., :1, :].expand(-1, -1, SIZE[0], -1)
    for image in (flat, stripes):
        refined, believed = refine(image, image, a, a + 0.4)
        assert not believed.any()
        assert torch.equal(refined, a + 0.4)
    # Too far, and outside.
    far, believed = refine(visualization(), visualization((4.0, 0.0)), a, a)
    assert believed.float().mean() < 0.1
    assert torch.equal(far[~believed], a[~believed])
    corner = torch.tensor([[[-30.0, 5.0], [200.0, 5.0]]])
    assert not refine(visualization(), visualization(), a[:, :2], corner)[1].any()


def test_another_image_is_not_believed():
    noise = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(5))
    assert refine(visualization(), noise, points(), points())[1].float().mean() < 0.3


def test_each_pair_of_a_batch_is_its_own():
    shifts = [(0.3, 0.1), (-0.5, 0.2), (0.0, -0.6)]
    images_a, images_b = visualization().expand(3, -1, -1, -1), torch.cat([visualization(shift) for shift in shifts])
    a = points(3)
    refined, believed = refine(images_a, images_b, a, a)
    for k in range(3):
        alone, alone_believed = refine(images_a[k : k + 1], images_b[k : k + 1], a[k : k + 1], a[k : k + 1])
        torch.testing.assert_close(alone[0], refined[k], atol=1e-4, rtol=0)
        assert (alone_believed[0] == believed[k]).float().mean() > 0.99


def test_a_window_may_have_any_side():
    a = points()
    for window in (3, 5, 9):
        refined, believed = refine(visualization(), visualization((0.3, 0.2)), a, a, SubpixelOptions(window=window))
        assert (refined - a - torch.tensor([0.3, 0.2]))[believed].norm(dim=-1).median() < 0.05
