"""Epipolar geometry against kornia's."""

import pytest
import torch
from kornia.geometry import epipolar as oracle

from vode.geometry import epipolar


def of_unit_norm(matrix):
    """Matrices (..., 3, 3) whose scale and sign are arbitrary, made comparable."""
    flat = matrix.flatten(-2)
    largest = flat.gather(-1, flat.abs().argmax(-1, keepdim=True))
    return matrix / matrix.norm(dim=(-2, -1), keepdim=True) * largest.sign().unsqueeze(-1)


@pytest.fixture
def noisy(scene):
    return scene(batch=3, count=60, noise=0.5, angle=0.2)


@pytest.fixture
def fundamental(noisy):
    return oracle.fundamental_from_essential(epipolar.essential_from_pose(noisy.T_b_a), noisy.K, noisy.K)


@pytest.mark.parametrize("count", [8, 9, 60])
def test_the_eight_point_matrix(noisy, count):
    a, b = noisy.a[:, :count], noisy.b[:, :count]
    expected = of_unit_norm(oracle.find_fundamental(a, b))
    torch.testing.assert_close(epipolar.eight_point(a, b), expected, atol=1e-7, rtol=0)


def test_the_weighted_eight_point_matrix(noisy):
    weights = torch.rand(3, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weights[:, 10:20] = 0
    expected = of_unit_norm(oracle.find_fundamental(noisy.a, noisy.b, weights))
    torch.testing.assert_close(epipolar.eight_point(noisy.a, noisy.b, weights), expected, atol=1e-9, rtol=0)


def test_normalised_points(noisy):
    expected = oracle.normalize_points(noisy.a)
    for found, wanted in zip(epipolar.normalise_points(noisy.a), expected, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-6)


def test_distances(noisy, fundamental):
    a, b = noisy.a, noisy.b
    assert oracle.sampson_epipolar_distance(a, b, fundamental).max() > 0.1
    torch.testing.assert_close(
        epipolar.sampson_distance(fundamental, a, b),
        oracle.sampson_epipolar_distance(a, b, fundamental, squared=False),
        atol=1e-6,
        rtol=1e-6,
    )
    torch.testing.assert_close(
        epipolar.epipolar_distance(fundamental, a, b),
        oracle.left_to_right_epipolar_distance(a, b, fundamental),
        atol=1e-6,
        rtol=1e-6,
    )
    torch.testing.assert_close(
        epipolar.epipolar_distance(fundamental.mT, b, a),
        oracle.right_to_left_epipolar_distance(a, b, fundamental),
        atol=1e-6,
        rtol=1e-6,
    )


def test_essential_and_fundamental_matrices(noisy, fundamental):
    start = torch.eye(3, dtype=torch.float64).expand(3, 3, 3), torch.zeros(3, 3, 1, dtype=torch.float64)
    essential = oracle.essential_from_Rt(*start, noisy.T_b_a[:, :3, :3], noisy.T_b_a[:, :3, 3:])
    torch.testing.assert_close(epipolar.essential_from_pose(noisy.T_b_a), essential)
    torch.testing.assert_close(epipolar.fundamental_from_essential(essential, noisy.K), fundamental)
    torch.testing.assert_close(
        epipolar.essential_from_fundamental(fundamental, noisy.K),
        oracle.essential_from_fundamental(fundamental, noisy.K, noisy.K),
    )
    vectors = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(epipolar.skew(vectors), oracle.cross_product_matrix(vectors))


def test_the_four_motions_of_an_essential_matrix(noisy):
    essential = epipolar.essential_from_pose(noisy.T_b_a)
    rotations, translations = epipolar.decompose_essential(essential)
    expected_rotations, expected_translations = oracle.motion_from_essential(essential)
    difference = (rotations[:, :, None] - expected_rotations[:, None]).abs().amax((-2, -1))
    difference = difference + (translations[:, :, None] - expected_translations[:, None, :, :, 0]).abs().amax(-1)
    # in any order, each once
    assert (difference < 1e-9).sum(1).tolist() == [[1] * 4] * 3
    assert (difference < 1e-9).sum(2).tolist() == [[1] * 4] * 3


def test_the_motion_with_the_points_in_front(noisy):
    essential = -2 * epipolar.essential_from_pose(noisy.T_b_a)
    chosen = epipolar.choose_motion(essential, noisy.a, noisy.b, noisy.K, torch.ones_like(noisy.a[..., 0]))
    rotation, translation, *_ = oracle.motion_from_essential_choose_solution(
        essential, noisy.K, noisy.K, noisy.a, noisy.b
    )
    torch.testing.assert_close(chosen[:, :3], torch.cat([rotation, translation], -1), atol=1e-9, rtol=0)
