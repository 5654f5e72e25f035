"""Degenerate motions are recognised: rest, rotation, a plane, too little information."""

import cv2
import numpy as np
import pytest
import torch
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from vode.geometry.camera import project, rays
from vode.geometry.epipolar import homogeneous
from vode.geometry.two_view import Model, relative_pose
from vode.geometry.two_view.selection import InlierRays, simplest_motion


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


def select(T_b_a, rays_a, rays_b, used, *, pixels=1.5, chance=0.0, fraction=0.05):
    """``simplest_motion`` with limits in pixels of a focal length of 718."""
    limit = torch.full((len(T_b_a),), pixels / 718.856, dtype=torch.float64)
    chances = torch.full((len(T_b_a),), chance, dtype=torch.float64)
    return simplest_motion(T_b_a, InlierRays(rays_a, rays_b, used, chances), limit, limit, fraction)


def unit(T_b_a):
    T_b_a = T_b_a.clone()
    T_b_a[:, :3, 3] = torch.nn.functional.normalize(T_b_a[:, :3, 3], dim=-1)
    return T_b_a


def fit_plane_motion(T_b_a, a, b):
    """The motion (4, 4) before a plane that scipy fits to rays (N, 2), from the true one on."""
    start, a, b = T_b_a.numpy(), homogeneous(a).numpy(), b.numpy()

    def motion(x):
        return start[:3, :3] @ Rotation.from_rotvec(x[:3]).as_matrix(), start[:3, 3] + x[3:6]

    def residuals(x):
        rotation, translation = motion(x)
        moved = a @ (rotation + np.outer(translation, x[6:])).T
        return 718.856 * (moved[:, :2] / moved[:, 2:] - b).ravel()

    rotation, translation = motion(least_squares(residuals, [0, 0, 0, 0, 0, 0, 0, 0, 0.1]).x)
    found = torch.eye(4, dtype=torch.float64)
    found[:3, :3] = torch.from_numpy(rotation)
    found[:3, 3] = torch.from_numpy(translation / np.linalg.norm(translation))
    return found


@pytest.fixture
def motions(scene):
    """A camera at rest, one that turns, one before a plane, one before points at all depths: T_b_a, rays a, rays b."""
    s = scene(batch=4, count=800, angle=0.03, direction=(1.0, 0.1, -0.2))
    T_b_a, a = unit(s.T_b_a), rays(s.a, s.K)[..., :2]
    moved = homogeneous(a)
    z = s.points[..., 2:].clone()
    n = torch.tensor([0.05, -0.2, 1.0], dtype=torch.float64)
    z[2] = 10 / (moved[2] @ n)[:, None]
    points = moved * z
    points = points @ T_b_a[:, :3, :3].mT + T_b_a[:, None, :3, 3]
    points[0], points[1] = moved[0], moved[1] @ T_b_a[1, :3, :3].mT
    return T_b_a, a, points[..., :2] / points[..., 2:]


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_the_simplest_motion_of_exact_cameras_is_told_among_outliers(motions, errors, noise):
    T_b_a, a, b = motions
    generator = torch.Generator().manual_seed(0)
    b = b + noise / 718.856 * torch.randn(b.shape, generator=generator, dtype=torch.float64)
    used = torch.rand(b.shape[:2], generator=generator) > 0.3
    # those that are not inliers of the essential matrix may be anywhere
    b = torch.where(used[..., None], b, b + 0.5)
    pose, model, explained = select(T_b_a, a, b, used)
    assert model.tolist() == [Model.STILL, Model.ROTATION, Model.HOMOGRAPHY, Model.ESSENTIAL]
    assert torch.equal(pose[0], torch.eye(4, dtype=torch.float64))
    assert not pose[1, :3, 3].any()
    rotation, direction = errors(pose[1:], T_b_a[1:])
    assert rotation[0] < 1e-6 + 0.03 * noise
    # reweighted linear fits against least squares of the distances
    best = errors(fit_plane_motion(T_b_a[2], a[2, used[2]], b[2, used[2]])[None], T_b_a[2:3])
    assert rotation[1] < 1e-5 + 3 * best[0]
    assert direction[1] < 1e-4 + 3 * best[1]
    assert torch.equal(pose[3], T_b_a[3])
    assert explained[:3][used[:3]].double().mean() > 0.99
    assert not explained[:3][~used[:3]].any()
    assert explained[3].all()


@pytest.mark.parametrize(
    ("missed", "chance", "simple"), [(30, 0, True), (50, 0, False), (50, 20, True), (80, 20, False)]
)
def test_a_simpler_motion_may_miss_a_fraction_of_the_inliers_and_those_by_chance(motions, missed, chance, simple):
    T_b_a, a, b = (x[1:2] for x in motions)
    b = b.clone()
    b[:, :missed, 0] += 10 / 718.856
    used = torch.ones(1, 800, dtype=torch.bool)
    pose, model, explained = select(T_b_a, a, b, used, chance=chance)
    # 5 % of 800 are 40
    assert (model.item() == Model.ROTATION) is simple
    assert bool(pose[:, :3, 3].any()) is not simple
    if simple:
        assert explained[0].tolist() == [False] * missed + [True] * (800 - missed)


def test_of_the_two_motions_of_a_plane_the_one_near_the_given_motion_is_taken(motions):
    T_b_a, a, b = (x[2:3] for x in motions)
    used = torch.ones(1, 800, dtype=torch.bool)
    # OpenCV's decomposition of the exact homography, normals towards the camera
    homography = T_b_a[0, :3, :3] + T_b_a[0, :3, 3:] @ torch.tensor([[0.05, -0.2, 1.0]], dtype=torch.float64) / 10
    _, turns, ways, normals = cv2.decomposeHomographyMat(homography.numpy(), np.eye(3))
    found = 0
    for turn, way, normal in zip(turns, ways, normals, strict=True):
        if normal[2] > 0:
            expected = torch.eye(4, dtype=torch.float64)
            expected[:3, :3], expected[:3, 3] = (
                torch.from_numpy(turn),
                torch.from_numpy(way[:, 0] / np.linalg.norm(way)),
            )
            pose, model, _ = select(expected[None], a, b, used)
            assert model.item() == Model.HOMOGRAPHY
            torch.testing.assert_close(pose[0], expected, atol=1e-6, rtol=0)
            found += 1
    assert found == 2


def test_the_simplest_motion_of_a_pair_does_not_depend_on_its_batch(motions):
    T_b_a, a, b = motions
    used = torch.rand(a.shape[:2], generator=torch.Generator().manual_seed(1)) > 0.2
    whole = select(T_b_a, a, b, used)
    for i in range(4):
        alone = select(*(x[i : i + 1] for x in (T_b_a, a, b, used)))
        torch.testing.assert_close(alone[0], whole[0][i : i + 1], atol=1e-10, rtol=0)
        assert alone[1] == whole[1][i]
        assert torch.equal(alone[2][0], whole[2][i])
