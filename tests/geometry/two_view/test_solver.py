"""Two-view motion: accuracy, failures, and independence of the batch."""

import importlib.util

import pytest
import torch

from vode.geometry import epipolar, two_view
from vode.geometry.two_view import Model, TwoViewOptions, fundamental_matrix, relative_pose
from vode.geometry.two_view.ransac import RansacOptions

NO_POSELIB = pytest.mark.skipif(importlib.util.find_spec("poselib") is None, reason="PoseLib is not installed")
BACKENDS = [pytest.param(name, marks=NO_POSELIB if name == "poselib" else ()) for name in two_view.BACKENDS]


def run(s, **options):
    return relative_pose(s.a, s.b, s.K, **options)


@pytest.mark.parametrize("backend", BACKENDS)
def test_exact_points_give_the_exact_motion(scene, errors, backend):
    s = scene(batch=3, count=300)
    pair = run(s, options=TwoViewOptions(backend=backend))
    rotation, direction = errors(pair.T_b_a, s.T_b_a)
    assert rotation.max() < 1e-3
    assert direction.max() < 1e-2
    assert pair.reliable.all()
    assert pair.inliers.all()
    assert (pair.model == Model.ESSENTIAL).all()
    assert pair.T_b_a.dtype == torch.float64
    assert epipolar.epipolar_distance(pair.fundamental, s.a, s.b).median() < 1e-2
    norm = pair.T_b_a[:, :3, 3].norm(dim=-1)
    torch.testing.assert_close(norm, torch.ones_like(norm))


@pytest.mark.parametrize("direction", [(0.05, 0, -1.0), (1.0, 0.1, -0.2), (0, 0, 1.0)])
def test_noise_and_outliers_leave_little_error(scene, errors, direction):
    s = scene(batch=6, count=6000, noise=0.5, outliers=0.3, angle=0.02, direction=direction)
    pair = relative_pose(s.a.float(), s.b.float(), s.K.float())
    rotation, way = errors(pair.T_b_a, s.T_b_a)
    assert rotation.median() < 0.008
    assert way.median() < 0.06
    assert pair.reliable.all()
    assert (pair.inliers[s.clean].float().mean()) > 0.95
    assert pair.inliers[~s.clean].float().mean() < 0.1
    assert pair.T_b_a.dtype == torch.float32


@pytest.mark.parametrize(("backend", "factor"), [("opencv", 0.8), pytest.param("poselib", 1.1, marks=NO_POSELIB)])
def test_errors_are_no_larger_than_those_of_other_libraries(scene, errors, backend, factor):
    squares = {"torch": 0.0, backend: 0.0}
    for seed in range(6):
        s = scene(seed, batch=8, count=2000, noise=0.5, outliers=0.3, angle=0.02)
        for name in squares:
            squares[name] = squares[name] + torch.stack(
                errors(run(s, options=TwoViewOptions(backend=name)).T_b_a, s.T_b_a)
            ).square().sum(1)
    assert (squares["torch"].sqrt() <= factor * squares[backend].sqrt()).all()


def test_points_that_hardly_move_among_outliers_that_do(scene, errors):
    ways = [
        errors(run(s, options=options).T_b_a, s.T_b_a)[1]
        for options in (TwoViewOptions(RansacOptions(explorations=0)), TwoViewOptions())
        for s in (scene(batch=12, count=6000, noise=0.5, outliers=0.3, angle=0.02, baseline=0.1),)
    ]
    assert ways[1].median() < 1.2
    assert ways[1].square().mean() < 0.5 * ways[0].square().mean()


def test_a_pair_that_hardly_moves_changes_no_other(scene):
    slow, fast = (scene(batch=2, count=1000, noise=0.3, outliers=0.2, baseline=metres) for metres in (0.05, 1.0))
    a, b, K = (torch.stack([getattr(slow, x)[0], getattr(fast, x)[1]]) for x in ("a", "b", "K"))
    both = relative_pose(a, b, K)
    for i in range(2):
        alone = relative_pose(a[i : i + 1], b[i : i + 1], K[i : i + 1])
        torch.testing.assert_close(both.T_b_a[i : i + 1], alone.T_b_a, atol=1e-7, rtol=0)


def test_half_of_the_points_may_be_wrong(scene, errors):
    s = scene(batch=6, count=3000, noise=0.5, outliers=0.5, angle=0.02)
    rotation, way = errors(run(s).T_b_a, s.T_b_a)
    assert rotation.median() < 0.02
    assert way.median() < 0.2


def test_each_sample_is_judged_by_its_own_camera(scene, errors):
    s = scene(batch=3, count=500)
    s.K[1, 0, 2] += 200
    s.K[2] *= torch.tensor([[0.5], [0.5], [1.0]])
    rays = torch.cat([s.points[..., :2] / s.points[..., 2:], torch.ones_like(s.points[..., :1])], -1)
    moved = s.points @ s.T_b_a[:, :3, :3].mT + s.T_b_a[:, None, :3, 3]
    a, b = ((x / x[..., 2:] @ s.K.mT)[..., :2] for x in (rays, moved))
    rotation, way = errors(relative_pose(a, b, s.K).T_b_a, s.T_b_a)
    assert rotation.max() < 1e-4
    assert way.max() < 1e-2


def test_pairs_of_score_zero_are_never_used(scene):
    s = scene(batch=2, count=800, noise=0.2, outliers=0.7)
    pair = run(s, scores=s.clean.float())
    assert not pair.inliers[~s.clean].any()
    assert pair.inliers[s.clean].float().mean() > 0.98
    b = torch.where(s.clean[..., None], s.b, 5000.0)
    again = relative_pose(s.a, b, s.K, scores=s.clean.float())
    assert torch.equal(pair.T_b_a, again.T_b_a)


def corrupt(s, case):
    """Corrupt the first sample of a batch."""
    a, b, K = s.a.clone(), s.b.clone(), s.K.clone()
    scores = torch.ones(a.shape[:2], dtype=torch.float64)
    if case == "nan":
        b[0, :, 0] = float("nan")
    elif case == "no scores":
        scores[0] = 0
    elif case == "nan scores":
        scores[0] = float("nan")
    elif case == "same point":
        a[0], b[0] = 100.0, 90.0
    elif case == "no motion":
        b[0] = a[0]
    elif case == "infinite":
        a[0] = float("inf")
    elif case == "camera":
        K[0] = 0
    elif case == "noise":
        b[0] = 300 * torch.rand(b[0].shape, generator=torch.Generator().manual_seed(77), dtype=torch.float64)
    elif case == "seven":
        scores[0, 7:] = 0
    return a, b, K, scores


CASES = ["nan", "no scores", "nan scores", "same point", "no motion", "infinite", "camera", "noise", "seven"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", CASES)
def test_a_useless_sample_is_told_and_poisons_no_other(scene, case, backend):
    s = scene(batch=3, count=200, noise=0.2, outliers=0.1)
    a, b, K, scores = corrupt(s, case)
    pair = relative_pose(a, b, K, scores=scores, options=TwoViewOptions(backend=backend))
    assert all(x.isfinite().all() for x in pair)
    assert pair.reliable.tolist() == [False, True, True]
    if pair.model[0] == Model.NONE:
        assert torch.equal(pair.T_b_a[0], torch.eye(4, dtype=torch.float64))
        assert not pair.inliers[0].any()
        assert not pair.fundamental[0].any()
    if case not in ("same point", "no motion", "noise", "seven"):
        assert pair.model[0] == Model.NONE
    clean = relative_pose(s.a[1:], s.b[1:], s.K[1:], options=TwoViewOptions(backend=backend))
    torch.testing.assert_close(pair.T_b_a[1:], clean.T_b_a, atol=1e-7, rtol=0)
    assert torch.equal(pair.inliers[1:], clean.inliers)


def test_parallax_is_the_motion_beyond_the_rotation(scene):
    s = scene(batch=2, count=2000, noise=0.2, angle=0.05)
    turned = (s.points @ s.T_b_a[:, :3, :3].mT).double()
    turned = turned[..., :2] / turned[..., 2:] * s.K[:, None, 0, :1] + s.K[:, None, :2, 2]
    expected = (scene(batch=2, count=2000, angle=0.05).b - turned).norm(dim=-1).median(-1).values
    torch.testing.assert_close(run(s).parallax, expected, rtol=0.05, atol=0)


def test_the_criteria_are_the_callers(scene):
    s = scene(batch=1, count=100, noise=0.1, outliers=0.3)
    assert run(s).reliable
    for strict in (
        TwoViewOptions(min_inliers=95),
        TwoViewOptions(min_inlier_fraction=0.95),
        TwoViewOptions(min_in_front=1.01),
        TwoViewOptions(min_parallax=1e3),
        TwoViewOptions(min_moving_fraction=1.01),
        TwoViewOptions(min_significance=1e4),
        TwoViewOptions(max_deviation=1e-6),
    ):
        assert not run(s, options=strict).reliable


def test_seeds_decide_and_batches_do_not(scene):
    s = scene(batch=4, count=400, noise=0.5, outliers=0.4)
    pair = run(s, seed=5)
    assert all(torch.equal(x, y) for x, y in zip(pair, run(s, seed=5), strict=True))
    alone = relative_pose(s.a[2:3], s.b[2:3], s.K[2:3], seed=5)
    torch.testing.assert_close(alone.T_b_a, pair.T_b_a[2:3], atol=1e-7, rtol=0)


def test_autocast_and_half_precision_callers_get_float32(scene, errors):
    s = scene(batch=2, count=500)
    plain = relative_pose(s.a.float(), s.b.float(), s.K.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        pair = relative_pose(s.a.float(), s.b.float(), s.K.float())
    assert torch.equal(pair.T_b_a, plain.T_b_a)
    assert relative_pose(s.a.half(), s.b.half(), s.K.half()).T_b_a.dtype == torch.float32


def test_no_gradient_is_kept(scene):
    s = scene(batch=1, count=50)
    pair = relative_pose(s.a.requires_grad_(), s.b, s.K)
    assert not pair.T_b_a.requires_grad


@pytest.mark.parametrize("count", [0, 1, 5, 7])
def test_too_few_pairs_are_no_motion(scene, count):
    s = scene(batch=2, count=8)
    pair = relative_pose(s.a[:, :count], s.b[:, :count], s.K)
    assert not pair.reliable.any()
    assert pair.inliers.shape == (2, count)
    assert all(x.isfinite().all() for x in pair)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_empty_batch_is_an_empty_answer(scene, backend):
    s = scene(batch=1, count=20)
    assert relative_pose(s.a[:0], s.b[:0], s.K[:0], options=TwoViewOptions(backend=backend)).T_b_a.shape == (0, 4, 4)


def test_wrong_arguments_are_refused(scene):
    s = scene(batch=2, count=20)
    with pytest.raises(ValueError, match="backend"):
        run(s, options=TwoViewOptions(backend="numpy"))
    with pytest.raises(ValueError, match=r"shape \(2, 3, 3\)"):
        relative_pose(s.a, s.b, s.K[0])
    with pytest.raises(ValueError, match=r"shape \(2, 20\)"):
        run(s, scores=torch.ones(2, 19))


def test_odd_pairs_just_inside_a_wide_threshold_do_not_bend_an_exact_motion(scene, errors):
    s = scene(batch=4, count=2000, noise=1e-4)
    b = s.b.clone()
    # one corner of the image is off by less than the threshold, all in one direction
    b[:, :, 0] += 0.35 * ((s.a[..., 0] < 200) & (s.a[..., 1] < 120))
    rotation, way = errors(relative_pose(s.a, b, s.K, threshold=0.5).T_b_a, s.T_b_a)
    assert rotation.max() < 1e-3
    assert way.max() < 1e-2


def test_a_fundamental_matrix_needs_no_camera(scene):
    s = scene(batch=3, count=1500, noise=0.3, outliers=0.4)
    scores = torch.ones(3, 1500)
    scores[:, :10] = 0
    s.a[:, :10] = float("nan")
    F, inliers = fundamental_matrix(s.a, s.b, scores=scores)
    expected = epipolar.fundamental_from_essential(epipolar.essential_from_pose(s.T_b_a), s.K)
    clean = s.clean & (scores > 0)
    assert inliers[clean].double().mean() > 0.95
    assert not inliers[:, :10].any()
    assert inliers[~s.clean].double().mean() < 0.1
    at_truth = epipolar.sampson_distance(expected, s.a, s.b)[clean].square().mean().sqrt()
    assert epipolar.sampson_distance(F, s.a, s.b)[clean].square().mean().sqrt() < 1.02 * at_truth


def test_eight_pairs_are_no_fundamental_matrix(scene):
    s = scene(batch=2, count=8)
    F, inliers = fundamental_matrix(s.a.float(), s.b.float())
    assert F.dtype == torch.float32
    assert not F.any()
    assert not inliers.any()
