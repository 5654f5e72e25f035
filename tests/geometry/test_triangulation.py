"""Midpoint triangulation against exact points, a hand-made case and OpenCV."""

import math

import cv2
import pytest
import torch

from vode.geometry.triangulation import midpoint


@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_exact_pixels_give_the_exact_points(scene, shape):
    s = scene(batch=max(math.prod(shape), 1), count=50, depth=(4.0, 20.0))
    s = type(s)(*(x.view(*shape, *x.shape[1:]) for x in s))
    found = midpoint(s.a, s.b, s.K, s.T_b_a)
    kept = found.valid
    assert kept.double().mean() > 0.9
    torch.testing.assert_close(found.points[kept], s.points[kept], atol=1e-7, rtol=0)
    torch.testing.assert_close(found.depth_a[kept], s.points[kept][:, 2], atol=1e-7, rtol=0)
    in_b = s.points @ s.T_b_a[..., :3, :3].mT + s.T_b_a[..., None, :3, 3]
    torch.testing.assert_close(found.depth_b[kept], in_b[kept][:, 2], atol=1e-7, rtol=0)


def test_skew_rays_meet_halfway():
    K, T_b_a = torch.eye(3), torch.eye(4)
    # b stands at (1, 0, 0); its ray passes over the ray of a at (0, 0, 2), 0.2 apart
    T_b_a[0, 3] = -1.0
    a, b = torch.tensor([[0.0, 0.0]]), torch.tensor([[-0.5, 0.1]])
    found = midpoint(a, b, K, T_b_a)
    ray_b = torch.tensor([-0.5, 0.1, 1.0])
    # the shortest segment by least squares over both ray lengths
    lengths = torch.linalg.lstsq(torch.stack([torch.tensor([0.0, 0, 1]), -ray_b], 1), torch.tensor([1.0, 0, 0]))
    along_a, along_b = lengths.solution
    expected = (along_a * torch.tensor([0.0, 0, 1]) + torch.tensor([1.0, 0, 0]) + along_b * ray_b) / 2
    torch.testing.assert_close(found.points[0], expected)
    angle = math.acos(1 / math.sqrt(0.25 + 0.01 + 1))
    torch.testing.assert_close(found.parallax, torch.tensor([angle]))


def test_noisy_points_are_near_opencvs(scene):
    s = scene(batch=1, count=100, noise=0.2, depth=(4.0, 15.0), direction=(1.0, 0.1, -0.3))
    projections = (s.K[0] @ T[:3] for T in (torch.eye(4, dtype=torch.float64), s.T_b_a[0]))
    four = cv2.triangulatePoints(*(p.numpy() for p in projections), s.a[0].mT.numpy(), s.b[0].mT.numpy())
    expected = torch.from_numpy(four[:3] / four[3:]).mT
    ours = midpoint(s.a, s.b, s.K, s.T_b_a).points[0]
    assert ((ours - expected).norm(dim=-1) / expected.norm(dim=-1)).median() < 1e-2
    assert (ours - s.points[0]).norm(dim=-1).median() < 1.1 * (expected - s.points[0]).norm(dim=-1).median()


def test_points_behind_far_and_outside_are_not_valid(scene):
    s = scene(batch=1, count=100, depth=(4.0, 10.0))
    turned = s.T_b_a.clone()
    turned[:, :3, 3] *= -1
    assert not midpoint(s.a, s.b, s.K, turned).valid.any()
    far = scene(batch=1, count=100, depth=(1e5, 2e5))
    assert not midpoint(far.a, far.b, far.K, far.T_b_a).valid.any()
    inside = midpoint(s.a, s.b, s.K, s.T_b_a, size=(376, 1241)).valid
    expected = ((s.b >= 0) & (s.b <= torch.tensor([1240.0, 375.0]))).all(-1)
    assert (inside == (expected & midpoint(s.a, s.b, s.K, s.T_b_a).valid)).all()
    assert 0 < inside.sum() < 100


def test_gradients(scene):
    s = scene(batch=2, count=4, depth=(4.0, 8.0), direction=(1.0, 0.1, 0.1))
    inputs = [x.clone().requires_grad_() for x in (s.a, s.b, s.K, s.T_b_a)]
    assert midpoint(*inputs).valid.all()
    assert torch.autograd.gradcheck(lambda *x: midpoint(*x)[:4], inputs, eps=1e-6, atol=1e-4)


@pytest.mark.parametrize("case", ["no motion", "no baseline", "at the epipole", "behind"])
def test_gradients_of_points_that_do_not_exist_are_finite(scene, case):
    s = scene(count=10)
    T_b_a, b = s.T_b_a.clone(), s.b.clone()
    if case == "no motion":
        b, T_b_a = s.a.clone(), torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
    elif case == "no baseline":
        T_b_a[:, :3, 3] = 0
    elif case == "at the epipole":
        T_b_a = torch.eye(4, dtype=torch.float64).repeat(2, 1, 1)
        T_b_a[:, 2, 3] = -1
        s.a[:, 0] = b[:, 0] = s.K[:, :2, 2]
    else:
        T_b_a[:, :3, 3] *= -1
    inputs = [x.float().requires_grad_() for x in (s.a, b, s.K, T_b_a)]
    found = midpoint(*inputs)
    assert all(x.isfinite().all() for x in found)
    assert not found.valid[:, 0].any()
    sum(x.sum() for x in found[:4]).backward()
    assert all(x.grad.isfinite().all() for x in inputs)
