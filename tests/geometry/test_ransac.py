"""The robust search and its parts."""

import pytest
import torch

from vode.geometry import epipolar, ransac, refinement
from vode.geometry.camera import rays
from vode.geometry.pose import from_rotation_translation, so3_exp


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


@pytest.mark.parametrize("angle", [0.0, 0.02])
def test_five_pairs_have_an_essential_matrix(scene, angle):
    s = scene(batch=64, count=5, angle=angle)
    s.K[:] = s.K[:1]
    a, b = in_rays(s)
    E = refinement.five_point(a, b, steps=8)
    pairs = refinement.ray_pairs(a, b, ones(s))
    solved = refinement.sampson_squared(E[:, None], pairs).amax((1, 2)) < 1e-16
    assert solved.double().mean() > 0.8
    values = torch.linalg.svdvals(E)
    torch.testing.assert_close(values, torch.tensor([1.0, 1, 0]).double().expand_as(values), atol=1e-9, rtol=0)


def test_squared_distances_are_those_of_the_plain_formula(scene):
    s = scene(count=30, noise=1.0)
    a, b = in_rays(s)
    E = torch.randn(2, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = epipolar.sampson_distance(E, a.unsqueeze(1), b.unsqueeze(1)).square()
    torch.testing.assert_close(refinement.sampson_squared(E, refinement.ray_pairs(a, b, ones(s))), expected)


def test_the_gradient_of_the_refinement_is_autograds(scene):
    s = scene(count=30, noise=1.0)
    a, b = in_rays(s)
    rotation, translation = s.T_b_a[:, None, :3, :3], s.T_b_a[:, None, :3, 3]
    limit = torch.full((2, 1), 3 / 700, dtype=torch.float64)
    step = torch.zeros(2, 1, 5, dtype=torch.float64, requires_grad=True)
    basis = refinement._tangent(translation)
    turned = rotation @ so3_exp(step[..., :3])
    moved = torch.nn.functional.normalize(translation + (basis @ step[..., 3:, None])[..., 0], dim=-1)
    squared = epipolar.sampson_distance(epipolar.skew(moved) @ turned, a[:, None], b[:, None]).square()
    # Tukey's loss, of which the weighted squares are the derivative
    limit2 = limit.square().unsqueeze(-1)
    loss = limit2 / 6 * (1 - (1 - squared / limit2).clamp(min=0) ** 3)
    loss.sum().backward()
    _, gradient = refinement._system(rotation, translation, refinement.ray_pairs(a, b, ones(s)), limit)
    torch.testing.assert_close(gradient, step.grad, rtol=1e-7, atol=1e-12)


def test_refinement_reaches_the_exact_motion_of_exact_points(scene):
    s = scene(batch=4, count=500)
    a, b = in_rays(s)
    step = 0.01 * torch.randn(4, 3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = refinement.move(s.T_b_a[:, None, :3, :3], s.T_b_a[:, None, :3, 3], step)
    limits = torch.full((4, 1, 10), 0.1, dtype=torch.float64)
    rotation, translation = refinement.refine(*start, refinement.ray_pairs(a, b, ones(s)), limits)
    torch.testing.assert_close(rotation, s.T_b_a[:, None, :3, :3].expand_as(rotation), atol=1e-7, rtol=0)
    torch.testing.assert_close(translation, s.T_b_a[:, None, :3, 3].expand_as(translation), atol=1e-6, rtol=0)


@pytest.mark.parametrize("noise", [0.1, 0.5])
def test_the_noise_is_measured_among_outliers(scene, noise):
    s = scene(batch=2, count=4000, noise=noise, outliers=0.4)
    a, b = in_rays(s)
    E, threshold = epipolar.essential_from_pose(s.T_b_a)[:, None], 1 / s.K[:, 0, 0]
    found = refinement.noise(E, refinement.ray_pairs(a, b, ones(s)), threshold)[0][:, 0] * s.K[:, 0, 0]
    distance = epipolar.sampson_distance(E[:, 0], a, b) * s.K[:, 0, :1]
    expected = [distance[i, s.clean[i]].square().mean().sqrt() for i in range(2)]
    torch.testing.assert_close(found, torch.stack(expected), rtol=0.1, atol=0)


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
