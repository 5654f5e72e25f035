"""Calibrations and images of another size: what is scaled to, judged by rays through pixels, and what is refused."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vode.cameras.fit import Calibration, chosen
from vode.errors import InputError

STATED = Calibration("camera.yaml", (500.0, 510.0), (330.5, 235.5), "radtan", (-0.1, 0.02, 0.001, 0.0), (480, 640))


@pytest.mark.parametrize("size", [(240, 320), (960, 1280), (384, 512), (236, 320)])
def test_a_scaled_camera_sees_a_ray_at_the_same_place_of_the_image(size):
    camera, whole = STATED.camera(size), STATED.camera((480, 640))
    rays = np.array([[0.0, 0, 1], [0.3, -0.2, 1], [-0.4, 0.3, 1]])
    seen, before = (
        cv2.projectPoints(rays, np.zeros(3), np.zeros(3), c.matrix, np.array(c.distortion))[0][:, 0]
        for c in (camera, whole)
    )
    # an image spans from -0.5 to its size - 0.5
    np.testing.assert_allclose((seen + 0.5) / size[::-1], (before + 0.5) / (640, 480), atol=1e-12)
    assert camera.size == size
    (note,) = STATED.notes(size)
    assert note == f"camera.yaml: calibrated at 640x480 pixels, and scaled to images of {size[1]}x{size[0]}"


def test_images_of_the_stated_size_leave_it_as_it_is():
    assert STATED.camera((480, 640)).centre == (330.5, 235.5)
    assert STATED.notes((480, 640)) == ()


@pytest.mark.parametrize("size", [(360, 640), (480, 600), (1080, 1920), (472, 640), (640, 480)])
def test_images_that_are_no_resized_copy_are_refused(size):
    with pytest.raises(InputError, match=rf"camera\.yaml: a camera of 640x480 pixels, but the images are {size[1]}x"):
        STATED.camera(size)


def test_without_a_stated_size_the_centre_lies_in_the_middle_half():
    unstated = replace(STATED, size=None)
    assert unstated.camera((480, 640)).centre == (330.5, 235.5)
    assert unstated.notes((480, 640)) == ()
    for size in ((240, 320), (480, 400), (300, 640), (1080, 1920)):
        with pytest.raises(InputError, match=r"camera\.yaml: centre 330\.5, 235\.5 is far from the middle of images"):
            unstated.camera(size)


def test_a_stated_size_allows_a_centre_away_from_the_middle_but_says_so():
    crop = replace(STATED, centre=(100.0, 235.5))
    assert crop.camera((480, 640)).centre == (100.0, 235.5)
    assert crop.notes((480, 640)) == ("camera.yaml: centre 100.0, 235.5 is far from the middle of 640x480 pixels",)
    with pytest.raises(InputError, match="outside of images of 640x480"):
        replace(STATED, centre=(700.0, 235.5)).camera((480, 640))


def test_the_only_camera_is_taken_and_one_of_several_asked_for():
    assert chosen({3: "a"}, None) == chosen({3: "a"}, 3) == "a"
    with pytest.raises(InputError, match="holds cameras 3; choose"):
        chosen({3: "a"}, 2)
    assert chosen({1: "a", 2: "b"}, 2) == "b"
    for number in (None, 0):
        with pytest.raises(InputError, match="holds cameras 1, 2; choose one"):
            chosen({1: "a", 2: "b"}, number)
