"""Bundle adjustment against exact scenes, scipy's least squares, and its own claims."""

from dataclasses import replace

import pytest
import torch
from scipy.optimize import minimize
from torch.autograd.functional import hessian

from vode.geometry.camera import project, rays, transform
from vode.geometry.pose import inverse, se3_exp, se3_log
from vode.odometry.bundle_adjustment import Problem, bundle_adjust, errors
from vode.odometry.options import BundleAdjustmentOptions

K = torch.tensor([[300.0, 0, 160], [0, 300, 100], [0, 0, 1]], dtype=torch.float64)
FRAMES, POINTS = 5, 120


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def exact():
    """A camera that moves forward past points, all of it known."""
    way = torch.tensor([0.1, 0.02, -1.0, 0, 0, 0], dtype=torch.float64) * torch.arange(FRAMES)[:, None]
    turn = 0.02 * normal(0, FRAMES, 6)
    turn[0] = 0
    T_cam_world = se3_exp(way + turn)
    points = torch.tensor([15.0, 8.0, 12.0]) * normal(1, POINTS, 3).tanh() + torch.tensor([0.0, 0.0, 24.0])
    pixels, depth = project(transform(T_cam_world, points.double().expand(FRAMES, -1, -1)), K)
    anchor = torch.arange(POINTS) % 2
    return Problem(
        T_cam_world,
        pixels,
        torch.ones(FRAMES, POINTS, dtype=torch.bool),
        anchor,
        1 / depth[anchor, torch.arange(POINTS)],
        T_cam_world[1:] @ inverse(T_cam_world[:-1]),
        torch.full((FRAMES - 1,), 0.05, dtype=torch.float64),
    )


def disturbed(problem, seed=2):
    step = 0.02 * normal(seed, FRAMES, 6)
    step[:2] = 0
    return replace(
        problem,
        T_cam_world=se3_exp(step) @ problem.T_cam_world,
        inverse_depth=problem.inverse_depth * (0.2 * normal(seed + 1, POINTS)).exp(),
    )


def test_exact_tracks_give_the_exact_poses_and_depths(exact):
    found = bundle_adjust(disturbed(exact), K, BundleAdjustmentOptions(iterations=15), fixed=2)
    torch.testing.assert_close(found.T_cam_world, exact.T_cam_world, atol=1e-8, rtol=0)
    torch.testing.assert_close(found.inverse_depth, exact.inverse_depth, atol=0, rtol=1e-6)


def test_no_iterations_change_nothing(exact):
    assert bundle_adjust(exact, K, BundleAdjustmentOptions(iterations=0), fixed=2) is exact


def test_fixed_poses_stay(exact):
    found = bundle_adjust(disturbed(exact), K, BundleAdjustmentOptions(), fixed=2)
    assert torch.equal(found.T_cam_world[:2], exact.T_cam_world[:2])


def test_tracks_that_are_wrong_do_little_harm(exact):
    wrong = torch.rand(FRAMES, POINTS, generator=torch.Generator().manual_seed(5)) < 0.2
    pixels = exact.pixels + 20 * normal(6, FRAMES, POINTS, 2) * wrong[..., None] * (exact.anchor != 9)[None, :, None]
    pixels[exact.anchor, torch.arange(POINTS)] = exact.pixels[exact.anchor, torch.arange(POINTS)]
    found = bundle_adjust(disturbed(replace(exact, pixels=pixels)), K, BundleAdjustmentOptions(iterations=20), fixed=2)
    assert (found.T_cam_world - exact.T_cam_world).abs().max() < 2e-3


def test_points_that_are_not_seen_take_no_part(exact):
    seen = exact.seen.clone()
    seen[2:, :40] = False
    pixels = exact.pixels + 500.0 * ~seen[..., None]
    found = bundle_adjust(
        disturbed(replace(exact, pixels=pixels, seen=seen)), K, BundleAdjustmentOptions(iterations=15), fixed=2
    )
    torch.testing.assert_close(found.T_cam_world, exact.T_cam_world, atol=1e-8, rtol=0)


def test_a_bad_start_never_makes_it_worse(exact):
    options = BundleAdjustmentOptions(iterations=3)
    for seed in range(5):
        start = replace(disturbed(exact, 10 * seed), pixels=exact.pixels + 30 * normal(seed, FRAMES, POINTS, 2))
        found = bundle_adjust(start, K, options, fixed=2)
        assert errors(found, K, options).cost <= errors(start, K, options).cost


def test_without_points_the_measured_motions_decide(exact):
    start = disturbed(replace(exact, seen=torch.zeros_like(exact.seen)))
    found = bundle_adjust(start, K, BundleAdjustmentOptions(iterations=10), fixed=2)
    torch.testing.assert_close(found.T_cam_world, exact.T_cam_world, atol=1e-8, rtol=0)


def test_the_minimum_is_that_of_scipys_cauchy_loss(exact):
    options = BundleAdjustmentOptions(iterations=40, noise=0.5, turn=0.01)
    noisy = replace(
        exact,
        pixels=exact.pixels + 0.5 * normal(3, FRAMES, POINTS, 2),
        motions=se3_exp(0.01 * normal(4, FRAMES - 1, 6)) @ exact.motions,
    )

    def cost(x):
        poses = torch.cat([noisy.T_cam_world[:2], se3_exp(x[:18].view(3, 6)) @ noisy.T_cam_world[2:]])
        depth = 1 / (noisy.inverse_depth * x[18:].exp())
        at_anchor = noisy.pixels[noisy.anchor, torch.arange(POINTS)]
        local = rays(at_anchor[None], K[None])[0] * depth[:, None]
        world = transform(inverse(poses)[noisy.anchor], local[:, None])[:, 0]
        pixels, _ = project(transform(poses, world.expand(FRAMES, -1, -1)), K)
        off = ((pixels - noisy.pixels) / options.noise).square().sum(-1)
        elsewhere = noisy.anchor[None] != torch.arange(FRAMES)[:, None]
        deviation = torch.tensor([0.05] * 3 + [options.turn] * 3, dtype=torch.float64)
        measured = se3_log(poses[1:] @ inverse(poses[:-1]) @ inverse(noisy.motions)) / deviation
        return (off * elsewhere + 1).log().sum() + measured.square().sum()

    # from the true scene, in steps of like curvature in all directions, which a minimiser takes few of
    nothing = torch.zeros(18 + POINTS, dtype=torch.float64)
    curvature, directions = torch.linalg.eigh(hessian(cost, nothing))
    steps = directions / curvature.abs().clamp(min=1e-3).sqrt()

    def with_gradient(x):
        x = torch.from_numpy(x).requires_grad_()
        value = cost(steps @ x)
        value.backward()
        return float(value.detach()), x.grad.numpy()

    best = minimize(
        with_gradient, nothing.numpy(), jac=True, method="L-BFGS-B", options={"maxiter": 2000, "maxcor": 30}
    )
    found = bundle_adjust(disturbed(noisy), K, options, fixed=2)
    now = float(errors(found, K, options).cost)
    assert float(errors(noisy, K, options).cost) == pytest.approx(float(cost(nothing)))
    assert now == pytest.approx(best.fun, rel=3e-5)
