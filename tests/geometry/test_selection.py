"""Degenerate motions are told: rest, rotation, plane, points that say too little."""

import pytest
import torch

from vode.geometry.camera import project, rays
from vode.geometry.two_view import Model, relative_pose


def run(s, **options):
    return relative_pose(s.a, s.b, s.K, **options)


def on_the_road(s, noise):
    """Pixels of a road 1.65 m below the camera, rows below the horizon, and where they are seen next."""
    pixels = s.a.clone()
    pixels[..., 1] = s.K[:, None, 1, 2] + 20 + 0.35 * pixels[..., 1]
    ray = rays(pixels, s.K)
    b = project(ray * (1.65 / ray[..., 1:2]) @ s.T_b_a[:, :3, :3].mT + s.T_b_a[:, None, :3, 3], s.K)[0]
    return pixels, b + noise * torch.randn(b.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_points_on_one_plane_have_a_motion(scene, errors):
    s = scene(batch=4, count=1000, angle=0.01)
    pair = relative_pose(*on_the_road(s, 0.1), s.K)
    rotation, way = errors(pair.T_b_a, s.T_b_a)
    assert (pair.model == Model.HOMOGRAPHY).all()
    assert pair.reliable.all()
    assert rotation.max() < 0.02
    assert way.max() < 0.15


def test_a_plane_among_other_points_is_no_plane(scene, errors):
    s = scene(batch=4, count=1000, angle=0.01, noise=0.1)
    a, b = on_the_road(s, 0.1)
    a, b = (torch.cat([x, y[:, :100]], 1) for x, y in ((a, s.a), (b, s.b)))
    pair = relative_pose(a, b, s.K)
    assert (pair.model == Model.ESSENTIAL).all()
    assert pair.inliers[:, 1000:].double().mean() > 0.97
    assert errors(pair.T_b_a, s.T_b_a)[1].max() < 0.3


@pytest.mark.parametrize("outliers", [0.0, 0.3])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_a_camera_at_rest_is_told(scene, noise, outliers):
    s = scene(batch=4, count=2000, noise=noise, outliers=outliers, angle=0.0, baseline=1e-9)
    pair = run(s)
    assert (pair.model == Model.STILL).all()
    assert not pair.reliable.any()
    assert torch.equal(pair.T_b_a, torch.eye(4, dtype=torch.float64).expand(4, 4, 4))
    assert pair.inliers[s.clean].double().mean() > 0.97
    assert not pair.fundamental.any()
    assert not pair.parallax.any()


def test_a_few_points_in_one_corner_do_not_pass_for_a_translation(scene, errors):
    s = scene(batch=24, count=2000, noise=0.5)
    for radius, some in ((20, False), (60, True), (100, True)):
        near = ((s.a - torch.tensor([300.0, 100.0])).norm(dim=-1) < radius).double()
        pair = run(s, scores=near)
        assert bool(pair.reliable.any()) is some
        way = errors(pair.T_b_a, s.T_b_a)[1][pair.reliable]
        assert (way < 2 * 5.7).all()


@pytest.mark.parametrize("outliers", [0.2, 0.7])
@pytest.mark.parametrize("noise", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("angle", [0.01, 0.03, 0.3])
def test_a_mere_rotation_is_told_and_not_reliable(scene, errors, angle, noise, outliers):
    s = scene(batch=8, count=3000, noise=noise, outliers=outliers, angle=angle, baseline=1e-9)
    pair = run(s)
    assert (pair.model == Model.ROTATION).all()
    assert not pair.reliable.any()
    assert not pair.T_b_a[:, :3, 3].any()
    assert errors(pair.T_b_a, s.T_b_a)[0].max() < 0.05 * noise
    assert pair.inliers[s.clean].double().mean() > 0.97
    assert pair.inliers[~s.clean].double().mean() < 0.1


def test_a_sky_over_most_of_the_image_does_no_harm(scene, errors):
    near = scene(batch=4, count=3000, noise=0.2)
    sky = torch.cat([(near.a - near.K[:, None, :2, 2]) / near.K[:, None, :1, 0], torch.ones(4, 3000, 1)], -1)
    turned = sky @ near.T_b_a[:, :3, :3].mT
    noise = 0.2 * torch.randn(4, 3000, 2, generator=torch.Generator().manual_seed(1))
    b = turned[..., :2] / turned[..., 2:] * near.K[:, None, 0, :1] + near.K[:, None, :2, 2] + noise
    b[:, :600] = near.b[:, :600]
    pair = relative_pose(near.a, b, near.K)
    rotation, way = errors(pair.T_b_a, near.T_b_a)
    assert pair.reliable.all()
    assert rotation.max() < 0.01
    assert way.max() < 0.5
