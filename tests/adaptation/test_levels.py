"""Lengths of steps: tracks mend what flickers, and predicted depth what drifts."""

from dataclasses import replace

import pytest
import torch

from vode.adaptation.levels import Predicted, levelled, relevelled
from vode.adaptation.options import LevelOptions
from vode.adaptation.structure import Estimates, Pair

FRAMES, POINTS = 60, 200
OPTIONS = LevelOptions()


@pytest.fixture(scope="module")
def path():
    """Positions and log depths of a straight way of unit steps, whose points keep their depth in every frame."""
    poses = torch.eye(4, dtype=torch.float64).repeat(FRAMES, 1, 1)
    poses[:, 2, 3] = torch.arange(FRAMES, dtype=torch.float64)
    return poses, torch.randn(FRAMES, POINTS, generator=torch.Generator().manual_seed(0)) * 0.5 + 2


def with_steps(poses, logs):
    """The path with steps of these lengths."""
    changed = poses.clone()
    changed[1:, 2, 3] = torch.as_tensor(logs, dtype=torch.float64).exp().cumsum(0)
    return changed


def pairs_of(poses, depth, spans=(1, 3)):
    """Pairs of frames with estimates in the unit of a path, in which the true steps are 1."""
    variance = torch.full((POINTS,), 1e-4)
    found = []
    for span in spans:
        for a in range(FRAMES - span):
            length = float(((poses[a + span, 2, 3] - poses[a, 2, 3]) / span).log())
            found.append(Pair(a, a + span, *(Estimates(depth[i] + length, variance) for i in (a, a + span))))
    return found


def said(depth, ground=()):
    """What a network says of the points of every frame; the numbers of those on the ground."""
    on = torch.zeros(POINTS, dtype=torch.bool)
    on[list(ground)] = True
    return [Predicted(each, on) for each in depth]


def logs(poses):
    return (poses[1:, 2, 3] - poses[:-1, 2, 3]).log()


def noise(count, seed, size):
    return size * torch.randn(count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_exact_steps_stay(path):
    poses, depth = path
    found = levelled(poses, pairs_of(poses, depth), said(depth), OPTIONS)
    torch.testing.assert_close(found, poses, atol=1e-4, rtol=0)


def test_flicker_of_steps_and_of_depth_is_smoothed(path):
    poses, depth = path
    wrong = with_steps(poses, noise(FRAMES - 1, 1, 0.1))
    flicker = noise(FRAMES, 2, 0.1)[:, None].float()
    found = logs(levelled(wrong, pairs_of(wrong, depth), said(depth + flicker), OPTIONS))
    assert logs(wrong).std() > 0.08
    assert found.std() < 0.02
    assert abs(found.mean()) < 0.03


def test_drift_is_held_by_the_level_of_depth(path):
    poses, depth = path
    drift = torch.linspace(0, 1, FRAMES - 1, dtype=torch.float64)
    wrong = with_steps(poses, drift)
    pairs = pairs_of(wrong, depth)
    found = logs(levelled(wrong, pairs, said(depth), OPTIONS))
    assert found.abs().max() < 0.05


def test_the_ground_holds_the_level_that_far_scenery_lets_drift(path):
    """Of an open road most points are far away, and seen nearer and nearer; a sixth is ground, and right."""
    poses, depth = path
    ground = range(0, POINTS, 6)
    predicted = depth - torch.linspace(0, 0.8, FRAMES)[:, None]
    predicted[:, ::6] = depth[:, ::6]
    pairs = pairs_of(poses, depth)
    with_it, without = (logs(levelled(poses, pairs, said(predicted, of), OPTIONS)) for of in (ground, ()))
    assert with_it.abs().max() < 0.1
    assert without.abs().min() > 0.3
    ignored = levelled(poses, pairs, said(predicted, ground), replace(OPTIONS, ground_deviation=0.0))
    torch.testing.assert_close(logs(ignored), without)


def test_a_ground_that_is_steadily_off_tells_how_lengths_change_and_no_more(path):
    poses, depth = path
    predicted = depth + 0.1 * torch.sin(torch.arange(FRAMES) / 5)[:, None]
    predicted[:, ::6] = depth[:, ::6] - 0.1
    pairs = pairs_of(poses, depth)
    with_it, without = (logs(levelled(poses, pairs, said(predicted, of), OPTIONS)) for of in (range(0, POINTS, 6), ()))
    assert with_it.std() < 0.6 * without.std()
    assert with_it.mean() == pytest.approx(float(without.mean()), abs=0.02)


def test_a_moving_object_before_the_camera_does_not_change_the_level(path):
    poses, depth = path
    predicted = depth.clone()
    predicted[20:30] += 2.0
    found = logs(levelled(poses, pairs_of(poses, depth), said(predicted), OPTIONS))
    assert found.abs().max() < 0.12
    assert found.abs().mean() < 0.08


def test_unknown_poses_stay_and_both_sides_get_their_lengths(path):
    poses, depth = path
    wrong = with_steps(poses, torch.full((FRAMES - 1,), 0.4))
    pairs = [pair for pair in pairs_of(wrong, depth) if not pair.a <= 30 <= pair.b]
    wrong[30] = float("nan")
    found = levelled(wrong, pairs, said(depth), OPTIONS)
    assert found[30].isnan().all()
    steps = logs(found)
    assert steps.isnan().nonzero().flatten().tolist() == [29, 30]
    assert steps.nan_to_num().abs().max() < 1e-2


def test_estimates_follow_the_lengths_of_their_pairs(path):
    poses, depth = path
    wrong = with_steps(poses, torch.linspace(0, 0.5, FRAMES - 1))
    for pair in relevelled(pairs_of(wrong, depth), wrong, poses):
        torch.testing.assert_close(pair.of_a.log_depth, depth[pair.a], atol=1e-5, rtol=0)
        torch.testing.assert_close(pair.of_b.log_depth, depth[pair.b], atol=1e-5, rtol=0)


def test_without_pairs_nothing_changes(path):
    poses, depth = path
    assert levelled(poses, [], said(depth), replace(OPTIONS)).equal(poses)
