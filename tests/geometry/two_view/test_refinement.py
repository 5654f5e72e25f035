"""Refinement on the essential manifold against autograd, scipy's least squares and plain formulas."""

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from vode.geometry import epipolar
from vode.geometry.camera import rays
from vode.geometry.pose import from_rotation_translation, so3_exp
from vode.geometry.two_view import refinement


def in_rays(s):
    return tuple(rays(x, s.K)[..., :2] for x in (s.a, s.b))


def ones(s):
    return torch.ones(s.a.shape[:2], dtype=torch.float64)


def direction(s):
    """The unit translations (B, 3) of a scene."""
    return torch.nn.functional.normalize(s.T_b_a[:, :3, 3], dim=-1)


def residuals(rotation, translation, a, b):
    """Signed Sampson distances (N,) of rays (N, 2) in arrays, by the formula of Hartley and Zisserman."""
    x, y, z = translation
    E = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ rotation
    a, b = (np.c_[ray, np.ones(len(ray))] for ray in (a, b))
    line_b, line_a = a @ E.T, b @ E
    return (line_b * b).sum(1) / np.sqrt((line_a[:, :2] ** 2).sum(1) + (line_b[:, :2] ** 2).sum(1))


def fitted(s, degrees=None):
    """Rotations and unit translations that scipy fits to the true inliers only.

    With ``degrees`` the translation is fixed that far from the true one, and only the rotation is fitted.
    """
    rotations, translations = [], []
    for i, (a, b) in enumerate(zip(*in_rays(s), strict=True)):
        a, b = a[s.clean[i]].numpy(), b[s.clean[i]].numpy()
        start, t = s.T_b_a[i, :3, :3].numpy(), direction(s)[i].numpy()
        normals = np.linalg.svd(t[None])[2][1:]
        held = None if degrees is None else Rotation.from_rotvec(np.radians(degrees) * normals[0]).apply(t)

        def motion(x, start=start, t=t, normals=normals, held=held):
            moved = t + x[3:] @ normals if held is None else held
            return start @ Rotation.from_rotvec(x[:3]).as_matrix(), moved / np.linalg.norm(moved)

        found = least_squares(
            lambda x, a=a, b=b, motion=motion: 700 * residuals(*motion(x), a, b), np.zeros(5 if held is None else 3)
        )
        rotation, translation = motion(found.x)
        rotations.append(rotation)
        translations.append(translation)
    return torch.from_numpy(np.stack(rotations)), torch.from_numpy(np.stack(translations))


def direction_errors(errors, s, rotation, translation):
    return errors(from_rotation_translation(rotation, translation), s.T_b_a)[1]


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


def test_adaptive_refinement_reaches_the_exact_motion_of_exact_points(scene):
    s = scene(batch=4)
    step = 0.002 * torch.randn(4, 1, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    start = (x[:, 0] for x in refinement.move(s.T_b_a[:, None, :3, :3], direction(s)[:, None], step))
    pairs = refinement.ray_pairs(*in_rays(s), ones(s))
    rotation, translation = refinement.refine_adaptive(*start, pairs, 1 / s.K[:, 0, 0], steps=4)
    torch.testing.assert_close(rotation, s.T_b_a[:, :3, :3], atol=1e-7, rtol=0)
    torch.testing.assert_close(translation, direction(s), atol=1e-6, rtol=0)


def test_adaptive_refinement_among_outliers_is_nearly_as_exact_as_a_fit_to_the_inliers(scene, errors):
    s = scene(batch=6, count=2000, noise=0.5, outliers=0.3, angle=0.02)
    pairs = refinement.ray_pairs(*in_rays(s), ones(s))
    start = fitted(s, degrees=1.0)
    assert direction_errors(errors, s, *start).min() > 0.99
    found = refinement.refine_adaptive(*start, pairs, 1 / s.K[:, 0, 0])
    ours, best = (torch.stack(errors(from_rotation_translation(*x), s.T_b_a)) for x in (found, fitted(s)))
    assert (ours.square().mean(1).sqrt() < 2 * best.square().mean(1).sqrt()).all()


def test_a_refinement_that_makes_a_motion_clearly_worse_is_undone_in_that_pair_alone(scene, monkeypatch):
    s = scene(batch=2, noise=0.2)
    pairs = refinement.ray_pairs(*in_rays(s), ones(s))
    step = torch.zeros(2, 1, 5, dtype=torch.float64)
    step[0, 0, 3], step[1] = 0.5, 1e-5

    def astray(rotation, translation, *_):
        return refinement.move(s.T_b_a[:, None, :3, :3], direction(s)[:, None], step)

    monkeypatch.setattr(refinement, "refine", astray)
    rotation, translation = refinement.refine_adaptive(s.T_b_a[:, :3, :3], direction(s), pairs, 1 / s.K[:, 0, 0])
    assert torch.equal(rotation[0], s.T_b_a[0, :3, :3])
    assert torch.equal(translation[0], direction(s)[0])
    assert not torch.equal(rotation[1], s.T_b_a[1, :3, :3])
    assert not torch.equal(translation[1], direction(s)[1])


def test_exploring_leads_out_of_a_wrong_minimum_that_refinement_stays_in(scene, errors):
    s = scene(batch=6, count=2000, noise=0.5, outliers=0.3, angle=0.02)
    pairs, threshold = refinement.ray_pairs(*in_rays(s), ones(s)), 1 / s.K[:, 0, 0]
    start = fitted(s, degrees=8.0)
    stuck = direction_errors(errors, s, *refinement.refine_adaptive(*start, pairs, threshold))
    assert (stuck > 0.3).sum() >= 4
    explored = refinement.explore(*start, pairs, pairs, threshold)
    found = direction_errors(errors, s, *refinement.refine_adaptive(*explored, pairs, threshold))
    assert found.max() < 0.15


def plain_score(rotation, translation, a, b, threshold):
    """Sum of 1 - min(d^2 / t^2, 1) over the rays that do not move against the translation by more than t."""
    score = 0.0
    for ray_a, ray_b, distance in zip(a, b, residuals(rotation, translation, a, b), strict=True):
        x, y, z = rotation @ (*ray_a, 1.0)
        away = translation[:2] * z - translation[2] * np.array([x, y])
        if (ray_b - np.array([x, y]) / z) @ away / np.linalg.norm(away) > -threshold:
            score += 1 - min(distance**2 / threshold**2, 1)
    return score


@pytest.mark.parametrize("degrees", [0.0, 4.0, 8.0])
def test_exploring_never_takes_a_motion_that_explains_the_points_less(scene, errors, degrees):
    s = scene(batch=4, count=1000, noise=0.5, outliers=0.3, angle=0.02, baseline=0.1)
    a, b = in_rays(s)
    pairs, threshold = refinement.ray_pairs(a, b, ones(s)), 1 / s.K[:, 0, 0]
    some = refinement.ray_pairs(a[:, :600], b[:, :600], ones(s)[:, :600])
    start = fitted(s, degrees=degrees)
    found = refinement.explore(*start, pairs, some, threshold)
    scores = [
        [plain_score(*(x[i].numpy() for x in (*motions, a, b)), float(threshold[i])) for i in range(4)]
        for motions in (start, found)
    ]
    assert all(after >= before - 1e-6 for before, after in zip(*scores, strict=True))
    if degrees:
        assert sum(scores[1]) > sum(scores[0]) + 1
        assert direction_errors(errors, s, *found).median() < degrees
    alone = refinement.explore(
        *(x[1:2] for x in start),
        *(pairs._replace(**{name: x[1:2] for name, x in p._asdict().items()}) for p in (pairs, some)),
        threshold[1:2],
    )
    for whole, part in zip(found, alone, strict=True):
        torch.testing.assert_close(part, whole[1:2], atol=1e-9, rtol=0)
