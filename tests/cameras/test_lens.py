"""Lenses: straightened images against OpenCV's projections, and cameras that are none."""

import cv2
import numpy as np
import pytest
import torch

from vode.cameras.lens import Camera
from vode.errors import InputError

SIZE = (480, 640)
LENSES = {
    "mild": Camera(SIZE, (500, 505), (322, 236), "radtan", (-0.05, 0.01, 0.001, -0.0005)),
    "barrel": Camera(SIZE, (500, 500), (319.5, 239.5), "radtan", (-0.3, 0, 0, 0)),
    "pincushion": Camera(SIZE, (500, 500), (315, 245), "radtan", (0.3, 0, 0, 0)),
    "freiburg1": Camera(SIZE, (517.3, 516.5), (318.6, 255.3), "radtan", (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "rational": Camera(SIZE, (450, 450), (320, 240), "radtan", (0.1, 0.02, 0.001, 0.001, 0.01, 0.3, 0.05, 0.01)),
    "thin prism": Camera(SIZE, (450, 450), (320, 240), "radtan", (-0.1, 0, 0, 0, 0, 0, 0, 0, 0.01, -0.02, 0.02, 0.01)),
    "tilted": Camera(SIZE, (450, 450), (320, 240), "radtan", (-0.1, *[0] * 11, 0.03, -0.02)),
    "fisheye": Camera(SIZE, (300, 302), (318, 242), "fisheye", (-0.02, 0.008, -0.004, 0.0006)),
    "fisheye without coefficients": Camera(SIZE, (300, 300), (319.5, 239.5), "fisheye", (0, 0, 0, 0)),
    "fisheye of 150 degrees": Camera(
        (512, 512), (190.98, 190.97), (254.9, 256.9), "fisheye", (0.0035, 0.0007, -0.002, 0)
    ),
}


@pytest.fixture(params=LENSES.values(), ids=LENSES)
def camera(request):
    return request.param


def seen_at(camera, pixels):
    """Where the lens shows what a pinhole camera of the straight intrinsics shows at ``pixels`` (N, 2)."""
    rays = np.linalg.solve(camera.intrinsics.double().numpy(), np.column_stack([pixels, np.ones(len(pixels))]).T).T
    (fx, fy), (cx, cy), coefficients = camera.focal, camera.centre, np.array(camera.distortion, dtype=np.float64)
    matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1.0]])
    if camera.lens == "fisheye":
        return cv2.fisheye.distortPoints((rays[:, :2] / rays[:, 2:])[None], matrix, coefficients)[0]
    return cv2.projectPoints(rays, np.zeros(3), np.zeros(3), matrix, coefficients)[0][:, 0]


def blob(size, x, y):
    """A picture of a spot around a pixel, of a pixel's fraction even."""
    down, across = (np.exp(-((np.arange(n) - at) ** 2) / 8) for n, at in zip(size, (y, x), strict=True))
    return np.outer(down, across).astype(np.float32)


def centroid(image):
    across, down = image.sum(0), image.sum(1)
    return np.array([across @ np.arange(len(across)), down @ np.arange(len(down))]) / image.sum()


@pytest.mark.parametrize("name", [name for name in LENSES if "150" not in name])
def test_points_are_where_the_pinhole_matrix_projects_them(name):
    camera = LENSES[name]
    height, width = camera.size
    pixels = np.array([[0.2, 0.25], [0.8, 0.3], [0.5, 0.5], [0.25, 0.8], [0.75, 0.75]]) * (width, height)
    for pixel, (x, y) in zip(pixels, seen_at(camera, pixels), strict=True):
        found = centroid(camera.undistort(blob(camera.size, x, y)))
        np.testing.assert_allclose(found, pixel, atol=0.2)


def test_every_pixel_comes_from_where_the_lens_shows_it(camera):
    # Pixels whose values are their own places: exact where a spot would be stretched out of shape.
    rows, columns = np.indices(camera.size).astype(np.float32)
    found = np.stack([camera.undistort(columns), camera.undistort(rows)], -1)[20:-20:9, 20:-20:9]
    y, x = np.indices(camera.size)[:, 20:-20:9, 20:-20:9]
    expected = seen_at(camera, np.stack([x, y], -1).reshape(-1, 2)).reshape(found.shape)
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_nothing_is_unknown_at_the_border_and_no_more_is_cut_than_that_takes(camera):
    # Without interpolation, and so without any repetition of the border that would hide what lies outside.
    assert camera.undistort(np.full(camera.size, 255, np.uint8), nearest=True).min() == 255
    height, width = camera.size
    x, y = np.meshgrid(np.linspace(-3, width + 2, 60), np.linspace(-3, height + 2, 60))
    seen = seen_at(camera, np.stack([x, y], -1).reshape(-1, 2))
    assert ((seen < -0.5) | (seen > (width - 0.5, height - 0.5))).any()


def test_colours_stay_what_they_are(camera):
    image = np.full((*camera.size, 3), (10, 200, 90), np.uint8)
    assert np.array_equal(camera.undistort(image), image)


def test_a_pinhole_changes_nothing():
    camera = Camera((4, 6), (5, 7), (2.5, 1.5))
    image = np.arange(24, dtype=np.uint8).reshape(4, 6)
    assert np.array_equal(camera.undistort(image), image)
    assert torch.equal(camera.intrinsics, torch.tensor([[5, 0, 2.5], [0, 7, 1.5], [0, 0, 1]]))
    without = Camera((4, 6), (5, 7), (2.5, 1.5), "radtan", (0, 0, 0, 0))
    assert np.array_equal(without.undistort(image), image)
    assert torch.equal(without.intrinsics, camera.intrinsics)


def test_nearest_keeps_depths_unmixed():
    camera = LENSES["barrel"]
    depth = np.where(np.indices(SIZE).sum(0) % 7 < 3, 1.0, 9.0).astype(np.float32)
    depth[200:220] = 0
    assert set(np.unique(camera.undistort(depth, nearest=True))) == {0.0, 1.0, 9.0}
    assert len(np.unique(camera.undistort(depth))) > 3


def test_an_image_of_another_size_is_no_image_of_the_camera():
    with pytest.raises(ValueError, match="240"):
        LENSES["mild"].undistort(np.zeros((240, 320, 3), np.uint8))


@pytest.mark.parametrize("degrees", [40, 90, 120])
def test_a_field_of_view_ends_at_the_borders_of_the_outer_pixels(degrees):
    camera = Camera.of_view(SIZE, degrees)
    fx, fy, cx, cy = (float(camera.intrinsics[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2)))
    left, right = (np.degrees(np.arctan((edge - cx) / fx)) for edge in (-0.5, 639.5))
    assert (left, right) == pytest.approx((-degrees / 2, degrees / 2), abs=1e-4)
    assert (fy, cy) == (fx, 239.5)
    assert camera.view == pytest.approx(degrees)
    assert not camera.distorts


def test_pixels_wider_than_high_have_a_longer_vertical_focal_length():
    camera = Camera.of_view(SIZE, 60, 4 / 3)
    # on a screen, whose pixels are square, the image is 4/3 as wide: one focal length for both axes
    assert camera.focal[1] == pytest.approx(Camera.of_view((480, 640 * 4 // 3), 60).focal[0], rel=1e-3)
    assert camera.focal[0] == Camera.of_view(SIZE, 60).focal[0]


@pytest.mark.parametrize("degrees", [0, -10, 180, 360, float("nan")])
def test_a_senseless_field_of_view_is_refused(degrees):
    with pytest.raises(InputError, match="field of view"):
        Camera.of_view(SIZE, degrees)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"focal": (float("nan"), 500)}, "not a camera"),
        ({"focal": (500, 0)}, "not a camera"),
        ({"focal": (-500, 500)}, "not a camera"),
        ({"centre": (float("inf"), 240)}, "not a camera"),
        ({"size": (0, 640)}, "not a camera"),
        ({"lens": "radtan", "distortion": (0.1, float("nan"), 0, 0)}, "not a camera"),
        ({"lens": "radtan", "distortion": (0.1, 0.1, 0.1)}, "radtan lens with 3 coefficients"),
        ({"lens": "fisheye", "distortion": (0.1,) * 5}, "fisheye lens with 5 coefficients"),
        ({"lens": "pinhole", "distortion": (0.1,) * 4}, "pinhole lens with 4 coefficients"),
        ({"lens": "mirror"}, "a mirror lens"),
    ],
)
def test_senseless_cameras_are_refused(changed, says):
    with pytest.raises(InputError, match=says):
        Camera(**{"size": SIZE, "focal": (500, 500), "centre": (320, 240)} | changed)


def test_a_distortion_that_leaves_no_image_is_refused():
    camera = Camera(SIZE, (500, 500), (319.5, 239.5), "radtan", (500.0, 0, 0, 0))
    with pytest.raises(InputError, match="calibrate again"):
        camera.undistort(np.zeros(SIZE, np.uint8))


@pytest.mark.parametrize("size", [(480, 640), (640, 480)])
def test_the_camera_that_is_assumed_sees_64_degrees_along_the_longer_side(size):
    camera = Camera.assumed(size)
    assert np.degrees(2 * np.arctan(max(size) / 2 / camera.focal[0])) == pytest.approx(64, abs=0.1)
    assert camera.focal[0] == camera.focal[1]
    assert camera.centre == ((size[1] - 1) / 2, (size[0] - 1) / 2)
