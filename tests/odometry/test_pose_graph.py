"""The pose graph finds the optimum that gtsam and scipy find, on chains with loops that drift in scale."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from vode.geometry import similarity
from vode.odometry.pose_graph import PoseGraph, optimize, residuals

TO_GTSAM = [3, 4, 5, 0, 1, 2, 6]
"""places of its tangents, which begin with the rotation"""


def graph(count, loops, *, drift=(0.02, 0.004, 0.004), noise=1.0, seed=0):
    """A course of two laps whose measured steps are off, and loops between the laps."""
    generator = torch.Generator().manual_seed(seed)
    deviation = torch.tensor([drift[0]] * 3 + [drift[1]] * 3 + [drift[2]], dtype=torch.float64)
    angle = 4 * torch.pi / count
    step = torch.tensor([1.0, 0.02, 0.0, 0.0, 0.01, angle, 0.0], dtype=torch.float64)
    noisy = step + noise * deviation * torch.randn(count - 1, 7, generator=generator, dtype=torch.float64)
    measured = similarity.exp(noisy)
    exact = [torch.eye(4, dtype=torch.float64)]
    nodes = [exact[0]]
    for k in range(count - 1):
        exact.append(exact[-1] @ similarity.exp(step))
        nodes.append(nodes[-1] @ measured[k])
    exact, nodes = torch.stack(exact), torch.stack(nodes)
    first = torch.linspace(0, count // 2 - 1, loops).long()
    second = first + count // 2
    between = similarity.inverse(exact[first]) @ exact[second]
    weight = torch.diag_embed(deviation.square().reciprocal()).expand(count - 1 + loops, 7, 7).clone()
    weight[count - 1 :] += 0.2 * weight[0].diagonal().mean() * torch.ones(7, 7, dtype=torch.float64)
    return PoseGraph(
        nodes,
        torch.cat([torch.arange(count - 1), first]),
        torch.cat([torch.arange(1, count), second]),
        torch.cat([measured, between]),
        weight,
    )


def to_gtsam(gtsam, S):
    """gtsam's similarity, which acts as s (R x + t)."""
    size = float(similarity.scale(S))
    return gtsam.Similarity3(gtsam.Rot3((S[:3, :3] / size).numpy()), (S[:3, 3] / size).numpy(), size)


def by_gtsam(gtsam, problem):
    """The factors, and the nodes of their least error."""
    factors, values = gtsam.NonlinearFactorGraph(), gtsam.Values()
    for k, node in enumerate(problem.nodes):
        values.insert(k, to_gtsam(gtsam, node))
    factors.add(gtsam.NonlinearEqualitySimilarity3(0, values.atSimilarity3(0)))
    measurements = zip(problem.first.tolist(), problem.second.tolist(), problem.measured, strict=True)
    for (i, j, between), weight in zip(measurements, problem.information.numpy(), strict=True):
        noise = gtsam.noiseModel.Gaussian.Information(weight[np.ix_(TO_GTSAM, TO_GTSAM)])
        factors.add(gtsam.BetweenFactorSimilarity3(i, j, to_gtsam(gtsam, between), noise))
    parameters = gtsam.LevenbergMarquardtParams()
    parameters.setRelativeErrorTol(1e-15)
    parameters.setAbsoluteErrorTol(1e-15)
    parameters.setMaxIterations(200)
    return factors, gtsam.LevenbergMarquardtOptimizer(factors, values, parameters).optimize()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_optimum_is_that_of_gtsam(seed):
    gtsam = pytest.importorskip("gtsam")
    # gtsam leaves the derivative of the logarithm out, which matters where errors are large
    problem = graph(60, 6, drift=(0.001, 0.0002, 0.0002), seed=seed)
    factors, values = by_gtsam(gtsam, problem)
    found = optimize(problem)
    assert found.converged
    assert found.cost == pytest.approx(factors.error(values), rel=1e-6)
    for k, node in enumerate(found.nodes):
        S = values.atSimilarity3(k)
        np.testing.assert_allclose(node[:3, :3], S.scale() * S.rotation().matrix(), atol=1e-6, rtol=0)
        np.testing.assert_allclose(node[:3, 3], S.scale() * np.asarray(S.translation()), atol=1e-6, rtol=0)


def test_large_errors_weigh_as_in_gtsam_and_end_no_higher():
    gtsam = pytest.importorskip("gtsam")
    problem = graph(60, 6)
    factors, values = by_gtsam(gtsam, problem)
    found, ours = optimize(problem), gtsam.Values()
    for k, node in enumerate(found.nodes):
        ours.insert(k, to_gtsam(gtsam, node))
    assert factors.error(ours) == pytest.approx(found.cost, rel=1e-9)
    assert found.cost <= factors.error(values)


def test_the_optimum_of_large_errors_is_that_of_scipy():
    problem = graph(8, 2, drift=(0.2, 0.05, 0.1))
    root = torch.linalg.cholesky(problem.information).mT

    def moved(x):
        steps = torch.cat([torch.zeros(1, 7, dtype=torch.float64), torch.from_numpy(x).view(-1, 7)])
        return problem.nodes @ similarity.exp(steps)

    def errors(x):
        return (root @ residuals(replace(problem, nodes=moved(x)))[..., None]).flatten().numpy()

    best = least_squares(errors, np.zeros(7 * 7), xtol=1e-15, ftol=1e-15, gtol=1e-12, x_scale=0.1)
    found = optimize(problem)
    assert found.cost == pytest.approx(best.cost, rel=1e-10)
    torch.testing.assert_close(found.nodes, moved(best.x), atol=1e-6, rtol=0)


def test_a_thousand_nodes_converge():
    assert optimize(graph(1000, 20, drift=(0.02, 0.001, 0.002))).converged


def test_exact_measurements_are_met_and_scale_returns():
    problem = graph(80, 5, noise=0.0)
    generator = torch.Generator().manual_seed(3)
    away = 0.1 * torch.randn(80, 7, generator=generator, dtype=torch.float64)
    away[0] = 0
    found = optimize(replace(problem, nodes=problem.nodes @ similarity.exp(away)))
    assert found.converged
    torch.testing.assert_close(found.nodes, problem.nodes, atol=1e-6, rtol=0)
    assert found.cost < 1e-12


def test_steps_that_fail_are_damped():
    problem = graph(40, 4)
    turned = torch.zeros(40, 7, dtype=torch.float64)
    turned[1:, 3:6] = 0.3 * torch.randn(39, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    turned[1:, 6] = 1.5
    found = optimize(replace(problem, nodes=problem.nodes @ similarity.exp(turned)))
    torch.testing.assert_close(found.nodes, optimize(problem).nodes, atol=1e-6, rtol=0)


def test_the_first_node_stays():
    problem = graph(30, 3)
    assert torch.equal(optimize(problem).nodes[0], problem.nodes[0])


def test_parts_that_nothing_connects_are_refused():
    problem = graph(10, 0)
    keep = torch.arange(9) != 4
    cut = replace(
        problem,
        first=problem.first[keep],
        second=problem.second[keep],
        measured=problem.measured[keep],
        information=problem.information[keep],
    )
    with pytest.raises(ValueError, match="2 parts that nothing connects"):
        optimize(cut)
