"""Losses of depth on clips: zero for exact depth, blind to what is not known."""

import torch

from vode.adaptation.losses import (
    consistency,
    held,
    pairs_of_clips,
    reconstruction,
    reproject,
    triangulated,
)


def views(sequence, frames=(0, 2, 4), factors=(1.0, 1.0, 1.0)):
    images = torch.stack([sequence.frame(i) for i in frames])[None]
    depth = torch.stack([sequence.depth(i) for i in frames])[None]
    depth = torch.where(depth > 0, depth, 1000.0) * torch.tensor(factors).view(1, -1, 1, 1, 1)
    return pairs_of_clips(depth, images, sequence.intrinsics[None], sequence.poses[list(frames)][None].float())


def test_small_residuals_count_by_their_square():
    residual = torch.tensor([[0.0, 0.01, 1.0]])
    weight = torch.ones(1, 3)
    expected = (0.01**2 / 0.1 + (1 - 0.025)) / 3
    torch.testing.assert_close(triangulated(residual, weight, 0.05), torch.tensor([expected]))
    assert triangulated(residual, torch.tensor([[1.0, 0.0, 0.0]]), 0.05) == 0


def test_depth_is_held_away_from_triangulated_points():
    change = torch.zeros(1, 1, 20, 20)
    change[..., 5, 5] = 1.0
    known = torch.zeros(1, 1, 20, 20, dtype=torch.bool)
    assert held(change, known) > 0
    known[..., 6, 6] = True
    assert held(change, known) == 0


def test_every_frame_is_paired_with_its_neighbours_and_the_first_with_the_last(sequence):
    pairs = views(sequence)
    assert len(pairs.depth_a) == 6
    torch.testing.assert_close(pairs.T_b_a[3:] @ pairs.T_b_a[:3], torch.eye(4).expand(3, -1, -1), atol=1e-5, rtol=0)
    assert pairs.depth_a[2].equal(pairs.depth_b[5])


def test_exact_depths_agree_and_wrong_ones_do_not(sequence):
    exact = consistency(reproject(views(sequence), 0.5), 0.05)
    # bilinear depth beside edges is that of no object
    assert exact.max() < 0.03
    wrong = consistency(reproject(views(sequence, factors=(1.0, 1.2, 1.0)), 0.5), 0.05)
    # pairs of the second frame, and those without it
    assert wrong[[0, 1, 3, 4]].min() > 5 * exact.max()
    assert wrong[[2, 5]].equal(exact[[2, 5]])


def test_exact_depth_explains_the_images(sequence):
    pairs = views(sequence)
    seen = reproject(pairs, 0.5)
    wrong = views(sequence, factors=(2.0, 2.0, 2.0))
    assert (reconstruction(pairs, seen) < reconstruction(wrong, reproject(wrong, 0.5))).all()
    assert seen.agree.mean() > 0.3
