"""A camera from its video: known cameras that see made-up points, and images that turn about a known camera."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vode.cameras.lens import Camera
from vode.cameras.self_calibration import fit
from vode.cameras.self_calibration.estimate import fit_camera, self_calibrate
from vode.cameras.self_calibration.matches import Matches

SIZE = (480, 640)
NOISE = 0.3
PAIRS = 20


def camera(focal, k1=0.0, centre=(0.0, 0.0)):
    middle = (SIZE[1] - 1) / 2 + centre[0], (SIZE[0] - 1) / 2 + centre[1]
    return Camera(SIZE, (focal, focal), middle, "radtan", (k1, 0.0, 0.0, 0.0))


def seen(camera, points):
    """Pixels from the middle of the image, by OpenCV, and whether they lie in it."""
    pixels = cv2.projectPoints(points, np.zeros(3), np.zeros(3), camera.matrix, np.array(camera.distortion))[0][:, 0]
    size = np.array(SIZE[::-1])
    return pixels - (size - 1) / 2, ((pixels > 0) & (pixels < size - 1)).all(1) & (points[:, 2] > 0.1)


def pairs_of(camera, turn, way, seed=0):
    """Matches of two views each of points 2 to 12 m away, with noise; ``turn`` and ``way`` make its motion."""
    rng, pairs = np.random.default_rng(seed), []
    for number in range(PAIRS):
        rays = np.concatenate([rng.uniform(-1, 1, (260, 2)) * [0.9, 0.7], np.ones((260, 1))], 1)
        points = rays * rng.uniform(2, 12, (260, 1))
        R, t = Rotation.from_rotvec(turn(rng)).as_matrix(), np.asarray(way(rng))
        (a, in_a), (b, in_b) = seen(camera, points), seen(camera, points @ R.T + t)
        both = in_a & in_b
        a, b = (x[both] + rng.normal(size=(both.sum(), 2)) * NOISE for x in (a, b))
        pairs.append(Matches(a, b, (number, number + 1)))
    return pairs


def shaken(rng):
    return rng.normal(size=3) * 0.12


def carried(rng):
    return rng.normal(size=3) * 0.25


def still(rng):
    return np.zeros(3)


def ahead(rng):
    return [0.01 * rng.normal(), 0.01 * rng.normal(), -0.6]


@pytest.mark.parametrize("focal", [330.0, 900.0])
def test_a_camera_that_turns_and_moves_tells_its_focal_length(focal):
    found = fit_camera(pairs_of(camera(focal), shaken, carried), SIZE[1])
    assert found.told
    assert found.reason == ""
    assert abs(np.log(found.focal / focal)) < 0.02
    assert abs(np.log(found.focal / focal)) < 2.5 * found.deviation
    assert found.k1 == 0


def test_a_camera_that_only_turns_tells_it_too():
    found = fit_camera(pairs_of(camera(560.0), shaken, still), SIZE[1])
    assert found.told
    assert abs(np.log(found.focal / 560)) < 0.02


@pytest.mark.parametrize("k1", [-0.2])
def test_distortion_is_told_beside_the_focal_length(k1):
    found = fit_camera(pairs_of(camera(500.0, k1), shaken, carried), SIZE[1])
    assert found.told
    assert abs(np.log(found.focal / 500)) < 0.03
    assert abs(found.k1 - k1) < 0.03
    assert abs(found.k1 - k1) < 3 * found.k1_deviation


def test_straight_ahead_is_not_told():
    found = fit_camera(pairs_of(camera(500.0), lambda rng: rng.normal(size=3) * 0.002, ahead), SIZE[1])
    assert not found.told
    assert found.deviation > 0.1
    assert "straight ahead" in found.reason


def test_things_that_move_and_a_principal_point_away_from_the_middle_do_not_matter():
    pairs, rng = pairs_of(camera(560.0, centre=(6.0, -5.0)), shaken, carried), np.random.default_rng(1)
    for pair in pairs:
        pair.b[: len(pair.b) // 8] += rng.normal(size=2) * 8
    found = fit_camera(pairs, SIZE[1])
    assert found.told
    assert abs(np.log(found.focal / 560)) < 0.02


def test_rays_are_those_that_the_lens_projects():
    lens = camera(400.0, -0.2)
    points = np.concatenate([np.random.default_rng(0).uniform(-0.6, 0.6, (50, 2)), np.ones((50, 1))], 1)
    pixels, _ = seen(lens, points)
    np.testing.assert_allclose(fit.rays(pixels, fit.Shared(np.log(400.0), -0.2)), points, atol=1e-6)


@pytest.fixture(scope="module")
def turning():
    """Images of a camera that turns about itself before a texture, with a focal length of 0.9 widths."""
    rng, (height, width) = np.random.default_rng(0), (240, 320)
    wall = cv2.resize(rng.integers(0, 256, (300, 400), dtype=np.uint8), (1600, 1200), interpolation=cv2.INTER_CUBIC)
    K = np.array([[0.9 * width, 0, (width - 1) / 2], [0, 0.9 * width, (height - 1) / 2], [0, 0, 1]])
    K_wall = np.array([[0.9 * width, 0, 799.5], [0, 0.9 * width, 599.5], [0, 0, 1]])
    images = []
    for k in range(14):
        R = Rotation.from_rotvec([0.15 * np.sin(k), 0.04 * k - 0.3, 0.1 * np.cos(1.7 * k)]).as_matrix()
        H = K @ R @ np.linalg.inv(K_wall)
        images.append(np.repeat(cv2.warpPerspective(wall, H, (width, height), flags=cv2.INTER_AREA)[..., None], 3, 2))
    return images


def test_images_of_a_turning_camera_tell_its_focal_length(turning):
    found = self_calibrate(turning)
    assert found.told
    assert abs(found.focal / 320 - 0.9) < 0.9 * 0.03


def test_images_of_a_camera_at_rest_or_without_texture_do_not(turning):
    grey = np.full((240, 320, 3), 90, np.uint8)
    for images in ([turning[0]] * 8, [grey] * 8, turning[:2], []):
        found = self_calibrate(images)
        assert not found.told
        assert "too few of its frames tell it" in found.reason
