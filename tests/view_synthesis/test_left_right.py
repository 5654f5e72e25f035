"""Monodepth's losses: exact disparities of a rendered pair explain it and each other, and the terms by hand."""

import math

import pytest
import torch

from vode.view_synthesis.left_right import (
    Pair,
    appearance,
    disparity_fraction,
    disparity_gradients,
    from_other,
    left_right_difference,
    left_right_losses,
)
from vode.world.options import WorldOptions
from vode.world.sequence import WorldSequence

SIZE = (96, 320)


@pytest.fixture(scope="module")
def rendered():
    """A pair of images of the built-in world and their exact disparities."""
    sequence = WorldSequence(3, WorldOptions(size=SIZE, frames=2))
    images = Pair(sequence.frame(0)[None], sequence.right(0)[None])
    K, baseline = sequence.intrinsics[None], torch.tensor([sequence.baseline])
    depths = (sequence.depth(0), sequence.right_depth(0))
    return images, Pair(*(disparity_fraction(depth[None], K, baseline) for depth in depths))


def both_seen(disparity: Pair) -> Pair:
    """Points seen in both images: their disparities agree to a tenth of a pixel, inside of the other image."""
    x = torch.arange(SIZE[1]) / SIZE[1]
    inside = Pair(x - disparity.left >= 0, x + disparity.right <= 1 - 1 / SIZE[1])
    difference = left_right_difference(disparity)
    return Pair(*((d * SIZE[1] < 0.1) & there for d, there in zip(difference, inside, strict=True)))


def test_exact_disparities_agree_and_others_do_not(rendered):
    _, disparity = rendered
    # pixels of what only one camera sees are few
    assert all(seen.float().mean() > 0.8 for seen in both_seen(disparity))
    assert all(part.median() * SIZE[1] < 0.01 for part in left_right_difference(disparity))
    nearer = Pair(disparity.left * 1.3, disparity.right)
    swapped = Pair(-disparity.left, -disparity.right)
    for wrong in (nearer, swapped):
        assert all(
            bad.mean() > 2 * good.mean()
            for bad, good in zip(left_right_difference(wrong), left_right_difference(disparity), strict=True)
        )


def test_exact_disparities_make_each_image_from_the_other(rendered):
    images, disparity = rendered
    seen, made = both_seen(disparity), from_other(images, disparity)
    still = Pair(images.right, images.left)
    for image, other, unmoved, there in zip(images, made, still, seen, strict=True):
        there = there.expand_as(image)
        assert (image - other).abs()[there].mean() < 0.012
        assert (image - unmoved).abs()[there].mean() > 4 * (image - other).abs()[there].mean()
    exact, none = appearance(images, disparity), appearance(images, Pair(*(0 * part for part in disparity)))
    for good, bad, there in zip(exact, none, seen, strict=True):
        assert good[there].mean() < 0.3 * bad[there].mean()


def test_the_exact_disparity_is_where_appearance_and_consistency_are_least(rendered):
    images, disparity = rendered
    totals = []
    for factor in (0.8, 0.9, 1.0, 1.1, 1.2):
        losses = left_right_losses(images, Pair(*(factor * part for part in disparity)))
        totals.append((losses["photometric"] + losses["left_right"]).item())
    assert totals.index(min(totals)) == 2


def test_depth_and_disparity_are_the_same_at_every_size():
    depth = torch.tensor([2.0, 4.0, 0.0, 8.0]).view(1, 1, 1, 4)
    K = torch.tensor([[[3.0, 0, 1.5], [0, 3, 0], [0, 0, 1]]])
    expected = [3 * 0.5 / 4 / 2, 3 * 0.5 / 4 / 4, 0, 3 * 0.5 / 4 / 8]
    assert disparity_fraction(depth, K, torch.tensor([0.5])).flatten().tolist() == pytest.approx(expected)
    # twice as wide: twice the focal length, the same fraction
    wide = depth.repeat_interleave(2, -1)
    assert disparity_fraction(wide, 2 * K, torch.tensor([0.5])).flatten()[::2].tolist() == pytest.approx(expected)


def test_a_ramp_moves_by_whole_pixels_in_opposite_directions():
    ramp = torch.arange(8.0).expand(1, 1, 4, 8)
    quarter = torch.full((1, 1, 4, 8), 0.25)
    made = from_other(Pair(ramp, ramp), Pair(quarter, quarter))
    assert made.left[0, 0, 0].tolist() == pytest.approx([0, 0, 0, 1, 2, 3, 4, 5], abs=1e-5)
    assert made.right[0, 0, 0].tolist() == pytest.approx([2, 3, 4, 5, 6, 7, 7, 7], abs=1e-5)


def test_gradients_of_disparity_count_less_at_edges_of_the_image():
    disparity = torch.zeros(1, 1, 2, 4)
    disparity[..., 2:] = 0.3
    flat, edge = torch.zeros(1, 3, 2, 4), torch.zeros(1, 3, 2, 4)
    edge[..., 2:] = 0.5
    assert disparity_gradients(disparity, flat).item() == pytest.approx(0.3 / 3)
    assert disparity_gradients(disparity, edge).item() == pytest.approx(0.3 / 3 * math.exp(-0.5))
    # proportional to the disparity: not relative to its mean
    assert disparity_gradients(2 * disparity, flat).item() == pytest.approx(0.6 / 3)


def test_gradients_agree_with_finite_differences():
    make = torch.Generator().manual_seed(0)
    images = Pair(*(torch.rand(1, 3, 6, 8, generator=make, dtype=torch.float64) for _ in range(2)))
    # away from whole pixels and from equal disparities, where the losses have a kink
    left, right = (0.1 + 0.04 * torch.rand(1, 1, 6, 8, generator=make, dtype=torch.float64) for _ in range(2))
    total = lambda a, b: torch.stack(list(left_right_losses(images, Pair(a, b)).values())).sum()  # noqa: E731
    assert torch.autograd.gradcheck(total, (left.requires_grad_(), right.requires_grad_()), atol=1e-5)
