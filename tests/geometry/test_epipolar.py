"""Epipolar geometry against exact cameras, hand-made cases and OpenCV."""

import cv2
import pytest
import torch

from vode.geometry import epipolar


def up_to_sign(matrix):
    matrix = matrix / matrix.norm(dim=(-2, -1), keepdim=True)
    flat = matrix.flatten(-2)
    return matrix * flat.gather(-1, flat.abs().argmax(-1, keepdim=True)).sign().unsqueeze(-1)


def true_fundamental(scene):
    return epipolar.fundamental_from_essential(epipolar.essential_from_pose(scene.T_b_a), scene.K)


def test_normalised_points_have_mean_zero_and_mean_distance_root_two():
    points = torch.rand(2, 3, 50, 2, dtype=torch.float64) * 900
    normalised, T = epipolar.normalise_points(points)
    torch.testing.assert_close(normalised.mean(-2), torch.zeros(2, 3, 2, dtype=torch.float64))
    distance = normalised.norm(dim=-1).mean(-1)
    torch.testing.assert_close(distance, torch.full_like(distance, 2**0.5))
    by_transform = epipolar.homogeneous(points) @ T.mT
    torch.testing.assert_close(by_transform, epipolar.homogeneous(normalised))


def test_the_distance_to_a_line_is_the_one_measured_by_hand():
    # a camera that moves to the right: lines are rows of the image
    F = epipolar.skew(torch.tensor([1.0, 0, 0]))
    a, b = torch.tensor([[10.0, 20.0], [3.0, 4.0]]), torch.tensor([[5.0, 23.0], [90.0, 4.0]])
    torch.testing.assert_close(epipolar.epipolar_distance(F, a, b), torch.tensor([3.0, 0.0]))
    torch.testing.assert_close(epipolar.sampson_distance(F, a, b), torch.tensor([3 / 2**0.5, 0.0]))


def test_a_row_turned_by_the_transpose_is_told_apart():
    F = torch.tensor([[0.0, 0, 0], [0, 0, -1.0], [0, 2.0, 0]])
    a, b = torch.tensor([[0.0, 3.0]]), torch.tensor([[7.0, 5.0]])
    # b^T F a = -y_b + 2 y_a: the line of a in image b is the row y_b = 2 y_a
    torch.testing.assert_close(epipolar.epipolar_distance(F, a, b), torch.tensor([1.0]))


def test_sampson_is_the_distance_moved_to_satisfy_the_constraint(scene):
    s = scene(count=200, noise=0.1)
    F = true_fundamental(s)
    distance = epipolar.sampson_distance(F, s.a, s.b)
    a, b = (epipolar.homogeneous(x).unsqueeze(-1).numpy() for x in (s.a, s.b))
    expected = [[cv2.sampsonDistance(a[i, n], b[i, n], F[i].numpy()) for n in range(20)] for i in range(2)]
    torch.testing.assert_close(distance[:, :20].square(), torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize("shape", [(), (1,), (2, 3)])
def test_exact_points_give_the_exact_matrix(scene, shape):
    s = scene(batch=6, count=12)
    F = up_to_sign(true_fundamental(s))
    if len(shape) < 2:
        s, F = type(s)(*(x[0].expand(*shape, *x.shape[1:]) for x in s)), F[0].expand(*shape, 3, 3)
    else:
        s, F = type(s)(*(x.unflatten(0, shape) for x in s)), F.unflatten(0, shape)
    torch.testing.assert_close(up_to_sign(epipolar.eight_point(s.a, s.b)), F, atol=1e-8, rtol=0)


def test_the_eight_point_matrix_is_opencvs(scene):
    s = scene(batch=1, count=60, noise=0.5)
    expected, _ = cv2.findFundamentalMat(s.a[0].numpy(), s.b[0].numpy(), cv2.FM_8POINT)
    ours = epipolar.eight_point(s.a, s.b)[0]
    assert torch.linalg.svdvals(ours)[-1] < 1e-12
    torch.testing.assert_close(up_to_sign(ours), up_to_sign(torch.from_numpy(expected)), atol=1e-5, rtol=0)


def test_weight_zero_leaves_a_point_out_and_weight_two_counts_it_twice(scene):
    s = scene(count=40, noise=0.5, outliers=0.3)
    weights = s.clean.double()
    kept = [epipolar.eight_point(s.a[i : i + 1, s.clean[i]], s.b[i : i + 1, s.clean[i]]) for i in range(2)]
    torch.testing.assert_close(epipolar.eight_point(s.a, s.b, weights), torch.cat(kept), atol=1e-9, rtol=1e-6)
    twice = epipolar.eight_point(torch.cat([s.a, s.a[:, :7]], 1), torch.cat([s.b, s.b[:, :7]], 1))
    weights = torch.ones_like(weights).index_fill(1, torch.arange(7), 2.0)
    torch.testing.assert_close(epipolar.eight_point(s.a, s.b, weights), twice, atol=1e-9, rtol=1e-6)


def test_gradients_of_the_weighted_eight_point(scene):
    s = scene(batch=2, count=12, noise=1.0)
    # rays: coordinates near 1, so that finite differences keep their digits
    a, b = ((x - s.K[:, None, :2, 2]) / s.K[:, None, :1, 0] for x in (s.a, s.b))
    weights = 0.5 + torch.rand(2, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    inputs = [x.detach().requires_grad_() for x in (a, b, weights)]
    assert torch.autograd.gradcheck(epipolar.eight_point, inputs, eps=1e-7, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("case", ["same point", "no weight", "one line", "no motion"])
def test_degenerate_points_give_finite_matrices_and_gradients(scene, case):
    s = scene(count=20)
    a, b, weights = s.a.clone(), s.b.clone(), torch.ones(2, 20, dtype=torch.float64)
    if case == "same point":
        a[0], b[0] = a[0, :1], b[0, :1]
    elif case == "no weight":
        weights[0] = 0
    elif case == "one line":
        a[0, :, 1], b[0, :, 1] = 5.0, 7.0
    else:
        b[0] = a[0]
    inputs = [x.requires_grad_() for x in (a, b, weights)]
    F = epipolar.eight_point(*inputs)
    epipolar.epipolar_distance(F, a, b).sum().backward()
    assert F.isfinite().all()
    assert all(x.grad.isfinite().all() for x in inputs)
    alone = epipolar.eight_point(*(x[1:].detach() for x in inputs))
    torch.testing.assert_close(F[1:].detach(), alone, atol=1e-10, rtol=0)


def test_fewer_than_eight_points_are_refused():
    with pytest.raises(ValueError, match="8 points, got 7"):
        epipolar.eight_point(torch.rand(1, 7, 2), torch.rand(1, 7, 2))


def test_the_gradient_of_an_eigenvector_is_that_of_its_projector():
    matrix = torch.randn(4, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    matrix = (matrix @ matrix.mT).requires_grad_()

    def projector(x):
        v = epipolar.smallest_eigenvector((x + x.mT) / 2)
        return v.unsqueeze(-1) * v.unsqueeze(-2)

    assert torch.autograd.gradcheck(projector, matrix)


def test_essential_and_fundamental_matrices_are_each_others(scene):
    s = scene(batch=3)
    E = epipolar.essential_from_pose(s.T_b_a)
    torch.testing.assert_close(epipolar.essential_from_fundamental(true_fundamental(s), s.K), E)
    assert epipolar.epipolar_distance(true_fundamental(s), s.a, s.b).max() < 1e-7


def test_one_of_the_four_motions_is_the_true_one(scene):
    s = scene(batch=4, angle=0.4)
    E = epipolar.essential_from_pose(s.T_b_a)
    rotations, translations = epipolar.decompose_essential(-3 * E)
    difference = (rotations - s.T_b_a[:, None, :3, :3]).abs().amax((-2, -1))
    difference = difference + (translations - s.T_b_a[:, None, :3, 3]).abs().amax(-1)
    assert (difference < 1e-9).sum(-1).tolist() == [1, 1, 1, 1]
    torch.testing.assert_close(torch.linalg.det(rotations), torch.ones(4, 4, dtype=torch.float64))


@pytest.mark.parametrize("direction", [(1.0, 0, 0), (-1.0, 0, 0), (0, 0, 1.0), (0, 0, -1.0), (0.2, 1.0, 0.3)])
def test_the_motion_with_points_in_front_is_chosen_by_each_samples_camera(scene, direction):
    s = scene(batch=5, angle=0.2, direction=direction)
    weights = torch.ones(5, 500, dtype=torch.float64)
    E = epipolar.essential_from_pose(s.T_b_a) * torch.tensor([1.0, -1, 2, -2, 0.5]).view(5, 1, 1)
    chosen = epipolar.choose_motion(E, s.a, s.b, s.K, weights)
    torch.testing.assert_close(chosen, s.T_b_a, atol=1e-9, rtol=0)


def test_points_without_weight_have_no_vote(scene):
    s = scene(batch=1, count=40)
    turned = s.T_b_a.clone()
    turned[:, :3, 3] *= -1
    behind = scene(batch=1, count=40, depth=(-60.0, -4.0))
    a, b = torch.cat([s.a[:, :10], behind.a], 1), torch.cat([s.b[:, :10], behind.b], 1)
    weights = torch.cat([torch.ones(1, 10), torch.zeros(1, 40)], 1)
    E = epipolar.essential_from_pose(s.T_b_a)
    torch.testing.assert_close(epipolar.choose_motion(E, a, b, s.K, weights), s.T_b_a, atol=1e-9, rtol=0)


def test_front_and_behind(scene):
    s = scene()
    front, behind = epipolar.in_front(s.T_b_a, s.a, s.b, s.K)
    assert front.all()
    assert not behind.any()
    turned = s.T_b_a.clone()
    turned[:, :3, 3] *= -1
    front, behind = epipolar.in_front(turned, s.a, s.b, s.K)
    assert behind.all()
    assert not front.any()
