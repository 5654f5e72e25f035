"""Planes and rotations between two views, against exact ones and OpenCV's decomposition."""

import cv2
import pytest
import torch

from vode.geometry.epipolar import homogeneous
from vode.geometry.pose import so3_exp
from vode.geometry.two_view.homography import displacement, fit_homography, fit_rotation, homography_motions


@pytest.fixture(scope="module")
def plane():
    """Motions before planes, and rays that see them in both views: H of middle singular value 1, R, t, a, b."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    rotation, t = so3_exp(0.1 * normal(40, 3)), 0.2 * normal(40, 3)
    n = torch.cat([0.2 * normal(40, 2), torch.ones(40, 1, dtype=torch.float64)], 1) / 3
    homography = rotation + t[:, :, None] * n[:, None]
    scale = torch.linalg.svdvals(homography)[:, 1]
    homography, t = homography / scale[:, None, None], t / scale[:, None]
    a = torch.rand(40, 300, 2, generator=generator, dtype=torch.float64) - 0.5
    moved = homogeneous(a) @ homography.mT
    return homography, rotation, t, a, moved[..., :2] / moved[..., 2:]


def ones(a):
    return torch.ones_like(a[..., 0])


def limits(a, value):
    return a.new_full((len(a),), value)


def test_exact_points_have_no_displacement_and_those_behind_a_huge_one(plane):
    homography, _, _, a, b = plane
    assert displacement(homography, a, b).norm(dim=-1).max() < 1e-12
    behind = torch.diag(torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64)).expand_as(homography)
    assert displacement(behind, a, b).min() > 1e5


@pytest.mark.parametrize("outliers", [0.0, 0.3])
def test_a_homography_is_fitted_among_outliers(plane, outliers):
    homography, _, _, a, b = plane
    wrong = torch.rand(b.shape[:2], generator=torch.Generator().manual_seed(1)) < outliers
    b = torch.where(wrong[..., None], b + 0.05, b)
    fitted = fit_homography(a, b, ones(a), limits(a, 0.02))
    torch.testing.assert_close(fitted, homography, atol=1e-8, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 0.1])
def test_a_rotation_is_fitted_from_afar_among_outliers(plane, angle):
    _, rotation, _, a, _ = plane
    b = homogeneous(a) @ rotation.mT
    b = b[..., :2] / b[..., 2:]
    wrong = torch.rand(b.shape[:2], generator=torch.Generator().manual_seed(1)) < 0.3
    b = torch.where(wrong[..., None], b - 0.05, b)
    start = so3_exp(torch.full((40, 3), angle, dtype=torch.float64)) @ rotation
    fitted = fit_rotation(start, a, b, ones(a), limits(a, 0.02))
    torch.testing.assert_close(fitted, rotation, atol=1e-8, rtol=0)


def test_nothing_to_fit_gives_something_finite(plane):
    _, rotation, _, a, b = plane
    assert fit_rotation(rotation, a, b, 0 * ones(a), limits(a, 0.02)).isfinite().all()
    assert fit_homography(a, b, 0 * ones(a), limits(a, 0.02)).isfinite().all()
    assert fit_homography(0 * a, 0 * b, ones(a), limits(a, 0.0)).isfinite().all()


def test_one_of_the_two_motions_of_a_plane_is_the_true_one(plane):
    homography, rotation, t, _, _ = plane
    seen = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(40, 3)
    rotations, translations = homography_motions(homography, seen)
    apart = (rotations - rotation[:, None]).abs().amax((-2, -1)) + (
        torch.nn.functional.normalize(translations, dim=-1) - torch.nn.functional.normalize(t, dim=-1)[:, None]
    ).abs().amax(-1)
    assert apart.amin(1).max() < 1e-9


def test_the_motions_of_a_plane_are_opencvs(plane):
    homography = plane[0]
    seen = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand(40, 3)
    rotations, translations = homography_motions(homography, seen)
    for i in range(40):
        _, turns, ways, normals = cv2.decomposeHomographyMat(homography[i].numpy(), torch.eye(3).double().numpy())
        theirs = [
            torch.from_numpy(turn).flatten().tolist() + torch.from_numpy(way).flatten().tolist()
            for turn, way, normal in zip(turns, ways, normals, strict=True)
            if normal[2] > 0
        ]
        ours = torch.cat([rotations[i].flatten(1), translations[i]], 1)
        theirs = torch.tensor(theirs, dtype=torch.float64)
        assert torch.cdist(ours, theirs).amin(1).max() < 1e-6


def test_a_homography_that_is_a_rotation_has_no_translation():
    rotation = so3_exp(torch.tensor([[0.1, -0.2, 0.05]], dtype=torch.float64))
    rotations, translations = homography_motions(rotation, torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64))
    assert rotations.isfinite().all()
    assert translations.abs().max() < 1e-6
