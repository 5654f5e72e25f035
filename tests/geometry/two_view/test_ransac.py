"""The robust search and its parts."""

import pytest
import torch

from vode.geometry import epipolar
from vode.geometry.camera import rays
from vode.geometry.pose import from_rotation_translation
from vode.geometry.two_view import ransac


def in_rays(s):
    return tuple(rays(x, s.K)[..., :2] for x in (s.a, s.b))


def essential_of(rotation, translation):
    return epipolar.essential_from_pose(from_rotation_translation(rotation, translation))


def ones(s):
    return torch.ones(s.a.shape[:2], dtype=torch.float64)


def test_draws_are_in_proportion_to_weight_and_never_of_weight_zero():
    weights = torch.zeros(2, 50, dtype=torch.float64)
    weights[0, 10:30], weights[1, 40:45] = 1.0, torch.tensor([1.0, 1, 1, 1, 4])
    index = ransac._draw(weights, 4000, 8, torch.Generator().manual_seed(0))
    drawn = torch.stack([torch.bincount(row.flatten(), minlength=50) for row in index]) / index[0].numel()
    torch.testing.assert_close(drawn.double(), weights / weights.sum(1, keepdim=True), atol=5e-3, rtol=0)


def test_a_sample_holds_no_point_twice():
    index = ransac._draw(torch.ones(1, 8, dtype=torch.float64), 100, 5, torch.Generator().manual_seed(0))
    rows = index[0].sort(-1).values
    # a point may fall on the border of two parts, a third part is out of reach
    assert (rows.diff(dim=-1) == 0).sum(-1).max() <= 2
    index = ransac._draw(torch.ones(1, 400, dtype=torch.float64), 500, 8, torch.Generator().manual_seed(0))
    assert (index[0].sort(-1).values.diff(dim=-1) > 0).double().mean() > 0.99


def test_usable_points_come_first():
    weights = torch.tensor([[0.0, 1, 0, 2, 0, 3, 0, 4]])
    order = ransac._usable_first(weights, torch.Generator().manual_seed(0))
    assert sorted(order[0].tolist()) == list(range(8))
    assert (weights[0, order[0, :4]] > 0).all()


@pytest.mark.parametrize("angle", [0.01, 0.5])
def test_the_essential_matrix_is_found_among_outliers(scene, angle):
    s = scene(batch=3, count=2000, noise=0.3, outliers=0.4 if angle < 0.1 else 0.25, angle=angle)
    a, b = in_rays(s)
    E = essential_of(*ransac.ransac_essential(a, b, ones(s), 1 / s.K[:, 0, 0]))
    distance = epipolar.sampson_distance(E, a, b) * s.K[:, 0, :1]
    assert (distance[s.clean].square().mean().sqrt()) < 0.3


def test_the_fundamental_matrix_is_found_among_outliers(scene):
    s = scene(batch=3, count=2000, noise=0.3, outliers=0.3)
    exact = scene(batch=3, count=2000)
    F = ransac.ransac_fundamental(s.a, s.b, ones(s), torch.ones(3, dtype=torch.float64))
    assert torch.linalg.svdvals(F)[:, 2].max() < 1e-12
    moved = exact.points @ exact.T_b_a[:, :3, :3].mT + exact.T_b_a[:, None, :3, 3]
    seen = moved[..., 2] > 1
    assert epipolar.epipolar_distance(F, exact.a, exact.b)[seen].median() < 0.1


@pytest.mark.parametrize("solve", [ransac.ransac_essential, ransac.ransac_fundamental])
def test_the_same_seed_gives_the_same_answer_whatever_the_batch(scene, solve):
    s = scene(batch=3, count=300, noise=0.5, outliers=0.3)
    a, b = (s.a, s.b) if solve is ransac.ransac_fundamental else in_rays(s)
    threshold = torch.ones(3, dtype=torch.float64)
    if solve is ransac.ransac_essential:
        threshold = 1 / s.K[:, 0, 0]

    def run(rows, seed=3):
        found = solve(a[rows], b[rows], ones(s)[rows], threshold[rows], seed=seed)
        return found if torch.is_tensor(found) else essential_of(*found)

    everything = run(slice(None))
    assert torch.equal(run(slice(None)), everything)
    torch.testing.assert_close(run(slice(1, 2)), everything[1:2], atol=1e-8, rtol=0)
    torch.testing.assert_close(run([2, 2, 0])[0], everything[2], atol=1e-8, rtol=0)
    torch.manual_seed(99)
    assert torch.equal(run(slice(None)), everything)


def test_an_easy_pair_beside_a_hard_one_is_solved_as_if_alone(scene):
    easy, hard = (scene(batch=1, count=1000, noise=0.3, outliers=fraction) for fraction in (0.1, 0.7))
    a, b = (torch.cat(x) for x in zip(in_rays(easy), in_rays(hard), strict=True))
    threshold = 1 / easy.K[0, 0, 0].repeat(2)
    weights = torch.ones(2, 1000, dtype=torch.float64)
    both = essential_of(*ransac.ransac_essential(a, b, weights, threshold))
    for row in (slice(0, 1), slice(1, 2)):
        alone = essential_of(*ransac.ransac_essential(a[row], b[row], weights[row], threshold[row]))
        torch.testing.assert_close(both[row], alone, atol=1e-8, rtol=0)


def test_an_easy_pair_needs_one_round(scene, monkeypatch):
    drawn = []
    draw = ransac._draw
    monkeypatch.setattr(ransac, "_draw", lambda *given: drawn.append(given[1]) or draw(*given))
    options = ransac.RansacOptions(rounds=7)
    counts = []
    for fraction in (0.1, 0.9):
        s = scene(batch=1, count=1000, noise=0.3, outliers=fraction)
        ransac.ransac_essential(*in_rays(s), ones(s), 1 / s.K[:, 0, 0], options=options)
        counts.append(len(drawn))
        drawn.clear()
    assert counts == [2, 14]


def test_the_random_state_of_the_caller_is_left_alone(scene):
    s = scene(count=50)
    state = torch.get_rng_state()
    ransac.ransac_essential(*in_rays(s), ones(s), 1 / s.K[:, 0, 0])
    assert torch.equal(torch.get_rng_state(), state)
