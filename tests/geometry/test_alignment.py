"""Depth scale against hand-made cases, similarity against scipy and against its own optimum."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.spatial.transform import Rotation

from vode.geometry.alignment import robust_similarity, umeyama
from vode.geometry.pose import rotation_angle
from vode.odometry.scale import prediction_scale


@pytest.mark.parametrize("outlier", [None, 2.0])
def test_the_scale_is_exact_and_outliers_do_not_move_it(outlier):
    predicted = 1 + 9 * torch.rand(3, 200, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scale = torch.tensor([0.2, 1.0, 30.0], dtype=torch.float64)
    reference = scale[:, None] * predicted
    reference[:, :60] *= 50
    found, enough = prediction_scale(predicted, reference, torch.ones(3, 200), outlier=outlier)
    torch.testing.assert_close(found, scale)
    assert enough.all()


def test_the_scale_minimises_the_loss_it_is_for():
    generator = np.random.default_rng(0)
    predicted = generator.uniform(2, 40, 300)
    reference = 1.7 * predicted * generator.uniform(0.8, 1.25, 300)
    best = minimize_scalar(lambda a: np.square(1 - a * predicted / reference).sum()).x
    d, D = (torch.from_numpy(x)[None] for x in (predicted, reference))
    for outlier in (2.0, float("inf")):
        found, _ = prediction_scale(d, D, torch.ones(1, 300), outlier=outlier)
        assert found.item() == pytest.approx(best, rel=1e-6)


def test_the_plain_scale_minimises_the_mean_absolute_log():
    generator = np.random.default_rng(0)
    predicted, reference = generator.uniform(2, 40, (2, 301))
    loss = lambda a: np.abs(np.log(a * predicted / reference)).mean()  # noqa: E731
    found, _ = prediction_scale(*(torch.from_numpy(x)[None] for x in (predicted, reference)), torch.ones(1, 301))
    assert loss(found.item()) <= min(loss(found.item() * f) for f in (0.9, 0.999, 1.001, 1.1))


def test_the_median_is_the_median_over_the_mask():
    predicted, mask = torch.ones(1, 60), torch.zeros(1, 60)
    reference = torch.full((1, 60), 100.0)
    reference[:, :30], mask[:, :30] = 3.0, 1.0
    for outlier in (None, 2.0):
        assert prediction_scale(predicted, reference, mask, outlier=outlier)[0].item() == pytest.approx(3.0)


def test_samples_without_points_say_so_and_leave_the_others_alone():
    predicted, reference = torch.full((5, 50), 2.0), torch.full((5, 50), 6.0)
    mask = torch.ones(5, 50, dtype=torch.bool)
    mask[0], mask[1, 19:] = False, False
    reference[2], predicted[3] = 0.0, float("nan")
    scale, enough = prediction_scale(predicted, reference, mask)
    torch.testing.assert_close(scale, torch.tensor([1.0, 1, 1, 1, 3]))
    assert enough.tolist() == [False, False, False, False, True]
    mask[1, 19] = True
    assert prediction_scale(predicted, reference, mask)[1][1]


def test_bad_depths_inside_the_mask_take_no_part():
    predicted, reference = torch.full((1, 50), 2.0), torch.full((1, 50), 6.0)
    predicted[0, :5], reference[0, 5:9], reference[0, 9] = -1.0, float("inf"), float("nan")
    scale, enough = prediction_scale(predicted, reference, torch.ones(1, 50))
    assert scale.item() == pytest.approx(3.0)
    assert enough


def test_no_gradient_passes_the_scale_and_half_precision_is_solved_in_single():
    predicted = torch.full((1, 4000), 60.0, requires_grad=True)
    scale, _ = prediction_scale(predicted, torch.full((1, 4000), 120.0), torch.ones(1, 4000))
    assert not scale.requires_grad
    scale, _ = prediction_scale(torch.full((1, 4000), 60.0).half(), torch.full((1, 4000), 0.6), torch.ones(1, 4000))
    assert scale.dtype == torch.float32
    assert scale.item() == pytest.approx(0.01, rel=1e-3)


def clouds(shape=(4,), count=30, noise=0.0, flat=False):
    generator = np.random.default_rng(1)
    source = generator.normal(size=(*shape, count, 3)) * [5, 3, 0 if flat else 1] + [100, -20, 3]
    rotation = Rotation.random(int(np.prod(shape)), random_state=2).as_matrix().reshape(*shape, 3, 3)
    scale, shift = generator.uniform(0.1, 20, shape), generator.normal(size=(*shape, 3)) * 50
    target = scale[..., None, None] * source @ rotation.swapaxes(-1, -2) + shift[..., None, :]
    target = target + noise * generator.normal(size=target.shape)
    return [torch.from_numpy(np.asarray(x)) for x in (source, target, scale, rotation, shift)]


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
@pytest.mark.parametrize("flat", [False, True])
def test_a_similarity_is_found_exactly(shape, flat):
    source, target, scale, rotation, shift = clouds(shape, flat=flat)
    found = umeyama(source, target)
    torch.testing.assert_close(found[0], scale.to(found[0]).view(shape))
    torch.testing.assert_close(found[1], rotation.view(*shape, 3, 3), atol=1e-9, rtol=0)
    torch.testing.assert_close(found[2], shift.view(*shape, 3), atol=1e-7, rtol=0)


def test_without_scale_the_rotation_is_scipys():
    source, target, *_ = clouds(noise=0.5)
    weights = torch.rand(4, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    scale, rotation, shift = umeyama(source, target, with_scale=False, weights=weights)
    assert (scale == 1).all()
    for i in range(4):
        w = weights[i].numpy()
        x, y = (p[i].numpy() - np.average(p[i].numpy(), axis=0, weights=w) for p in (source, target))
        expected = Rotation.align_vectors(y, x, weights=w)[0].as_matrix()
        np.testing.assert_allclose(rotation[i], expected, atol=1e-9)
        mean = [np.average(p[i].numpy(), axis=0, weights=w) for p in (source, target)]
        np.testing.assert_allclose(shift[i], mean[1] - expected @ mean[0], atol=1e-7)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("with_scale", [False, True])
def test_a_similarity_is_the_one_of_umeyamas_equations(mirrored, with_scale):
    source, target, *_ = clouds(noise=3.0)
    source, target = source - source[:, :1], target - target[:, :1]
    target = -target if mirrored else target
    weights = torch.rand(4, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = umeyama(source, target, weights=weights, with_scale=with_scale)
    for i in range(4):
        x, y, w = source[i].numpy(), target[i].numpy(), weights[i].numpy()
        mean_x, mean_y = (np.average(p, axis=0, weights=w) for p in (x, y))
        x, y, w = x - mean_x, y - mean_y, w / w.sum()
        U, D, Vt = np.linalg.svd((w[:, None] * y).T @ x)
        S = np.array([1, 1, np.sign(np.linalg.det(U @ Vt))])
        rotation = (U * S) @ Vt
        scale = D @ S / (w @ np.square(x).sum(1)) if with_scale else 1.0
        assert found[0][i].item() == pytest.approx(scale, rel=1e-12)
        np.testing.assert_allclose(found[1][i], rotation, atol=1e-12)
        np.testing.assert_allclose(found[2][i], mean_y - scale * rotation @ mean_x, atol=1e-10)


def test_a_mirror_image_is_aligned_by_a_rotation_that_no_other_beats():
    source = clouds((1,))[0]
    target = source * torch.tensor([1.0, 1.0, -1.0])
    scale, rotation, shift = umeyama(source, target)
    assert torch.linalg.det(rotation).item() == pytest.approx(1.0)

    def error(turn, factor):
        x, y = source - source.mean(1, keepdim=True), target - target.mean(1, keepdim=True)
        return (factor * x @ turn.mT - y).square().sum()

    best = error(rotation[0], scale[0])
    for vector in np.random.default_rng(0).normal(size=(50, 3)) * 0.1:
        turn = torch.from_numpy(Rotation.from_rotvec(vector).as_matrix()) @ rotation[0]
        assert best <= error(turn, scale[0]) + 1e-9
        assert best <= error(rotation[0], scale[0] * (1 + vector[0])) + 1e-9
    assert shift.isfinite().all()


def test_a_straight_drive_is_aligned():
    source = torch.zeros(1, 20, 3, dtype=torch.float64)
    source[..., 2] = torch.arange(20)
    turn = torch.from_numpy(Rotation.from_rotvec([0.3, -1.0, 0.2]).as_matrix())
    scale, rotation, shift = umeyama(source, 2 * source @ turn.mT + 1)
    torch.testing.assert_close(scale[:, None, None] * source @ rotation.mT + shift[:, None], 2 * source @ turn.mT + 1)
    assert torch.linalg.det(rotation).item() == pytest.approx(1.0)


@pytest.mark.parametrize("case", ["one point", "no weight", "nan"])
def test_points_without_extent_are_refused(case):
    source, target, *_ = clouds((2,))
    weights = torch.ones(2, 30, dtype=torch.float64)
    if case == "one point":
        source[1] = torch.tensor([1e4 / 3, 0.1, 7.7])
    elif case == "no weight":
        weights[1] = 0
    else:
        source[1, 0, 0] = float("nan")
    with pytest.raises(ValueError, match="coincide"):
        umeyama(source, target, weights=weights)


@pytest.mark.parametrize("oriented", [False, True])
def test_without_scale_the_motion_of_most_points_is_found_at_scale_one(oriented):
    source, target, turns, (scale, turn, _), right = cameras(wrong=0.3)
    # the same world at its own size, so that a motion explains it
    found = robust_similarity(source * scale, target, rotations=turns if oriented else None, with_scale=False)
    assert float(found.scale) == 1
    assert torch.equal(found.inliers, right)
    torch.testing.assert_close(found.rotation, turn, atol=1e-9, rtol=0)
    # and at another one, the scale stays
    assert float(robust_similarity(source, target, rotations=turns, with_scale=False).scale) == 1


def cameras(count=60, wrong=0.0, noise=0.0, turn_noise=0.0, line=False, seed=0):
    """Centres in two axes, the rotation between these by each camera, the ground truth, and the inliers."""
    generator = np.random.default_rng(seed)
    source = generator.normal(size=(count, 3)) * ([5, 0, 0] if line else [5, 3, 1]) + [100, -20, 3]
    turn, scale, shift = Rotation.from_rotvec([0.4, -1.2, 2.0]), 0.3, np.array([4.0, -1, 70])
    target = scale * turn.apply(source) + shift + noise * generator.normal(size=source.shape)
    turns = Rotation.from_rotvec(turn_noise * generator.normal(size=(count, 3))) * turn
    right = np.arange(count) >= round(wrong * count)
    target[~right] += generator.normal(size=(int((~right).sum()), 3)) * 3
    turns = np.where(right[:, None, None], turns.as_matrix(), Rotation.random(count, random_state=1).as_matrix())
    ground_truth = scale, torch.from_numpy(turn.as_matrix()), torch.from_numpy(shift)
    return *(torch.from_numpy(x) for x in (source, target, turns)), ground_truth, torch.from_numpy(right)


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("oriented", [False, True])
def test_a_similarity_is_exact_in_spite_of_outliers(wrong, oriented):
    source, target, turns, (scale, turn, shift), right = cameras(wrong=wrong)
    found = robust_similarity(source, target, rotations=turns if oriented else None)
    assert torch.equal(found.inliers, right)
    assert found.scale.item() == pytest.approx(scale)
    torch.testing.assert_close(found.rotation, turn)
    torch.testing.assert_close(found.translation, shift)


@pytest.mark.parametrize("oriented", [False, True])
def test_of_noisy_points_the_inliers_are_fitted_as_well_as_if_they_were_known(oriented):
    source, target, turns, (scale, turn, _), right = cameras(300, wrong=0.3, noise=0.02, turn_noise=0.02)
    found = robust_similarity(source, target, rotations=turns if oriented else None)
    assert (found.inliers == right).float().mean() > 0.98
    best = umeyama(source[right], target[right])
    error, least = (float(rotation_angle(rotation @ turn.mT)) for rotation in (found.rotation, best[1]))
    # The centres spread 1.5 units: 0.02 of noise each are 0.02 / 1.5 / sqrt(210), about 1e-3 rad, in the mean.
    assert error < max(2 * least, 2e-3)
    assert abs(found.scale.item() / scale - 1) < 3e-3


def test_a_line_of_cameras_is_aligned_by_the_way_that_they_look():
    source, target, turns, (scale, turn, _), right = cameras(wrong=0.4, line=True)
    found = robust_similarity(source, target, rotations=turns)
    assert torch.equal(found.inliers, right)
    torch.testing.assert_close(found.rotation, turn)
    assert found.scale.item() == pytest.approx(scale)
    source, target, turns, (scale, turn, _), right = cameras(300, wrong=0.3, line=True, noise=0.02, turn_noise=0.02)
    found = robust_similarity(source, target, rotations=turns)
    # Rotations alone tell the turn about the line: 0.02 / sqrt(210) rad.
    assert float(rotation_angle(found.rotation @ turn.mT)) < 5e-3
    assert abs(found.scale.item() / scale - 1) < 3e-3


def test_points_that_have_nothing_to_do_with_one_another_have_few_inliers():
    source, target, turns, *_ = cameras()
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))
    for rotations in (None, turns):
        assert robust_similarity(source, target[order], rotations=rotations).inliers.float().mean() < 0.5


def test_centres_that_coincide_tell_no_scale():
    source, target, turns, *_ = cameras()
    for points in ((source[:1].expand(60, -1), target), (source, target[:1].expand(60, -1))):
        with pytest.raises(ValueError, match="coincide"):
            robust_similarity(*points, rotations=turns)
    # Those of a camera that only turns differ by noise alone: nothing fits.
    noise = torch.randn(60, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert robust_similarity(source[:1] + 0.01 * noise, target, rotations=turns).inliers.float().mean() < 0.5
    with pytest.raises(ValueError, match="2 points"):
        robust_similarity(source[:2], target[:2])
