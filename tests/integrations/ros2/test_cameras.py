"""The camera that camera_info messages tell, in the lenses that ROS names, and what is said of bad ones."""

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo
from vode_ros.cameras import Cameras

from vode.errors import InputError

SIZE = (48, 64)
K = np.array([80.0, 0, 31, 0, 80, 24, 0, 0, 1])
P = np.array([70.0, 0, 32, 0, 0, 70, 23, 0, 0, 0, 1, 0])


def info(model="plumb_bob", d=(0.1, -0.2, 0.01, 0.02, 0.3), **values):
    fields = {"height": 48, "width": 64, "k": K, "p": P, "distortion_model": model, "d": list(d)}
    return CameraInfo(**(fields | values))


def of(message, size=SIZE, rectified=False):
    return Cameras("/c/camera_info", rectified=rectified).of(message, size)


@pytest.mark.parametrize(
    ("model", "coefficients", "lens"),
    [
        ("plumb_bob", [0.1, -0.2, 0.01, 0.02, 0.3], "radtan"),
        ("rational_polynomial", [0.1, 0.2, 0.01, 0.02, 0.3, 0.4, 0.5, 0.6], "radtan"),
        ("equidistant", [0.1, 0.2, 0.3, 0.4], "fisheye"),
    ],
)
def test_the_lens_is_that_of_the_message(model, coefficients, lens):
    camera = of(info(model, coefficients))
    assert (camera.focal, camera.centre, camera.lens) == ((80.0, 80.0), (31.0, 24.0), lens)
    assert list(camera.distortion) == coefficients


def test_rectified_images_have_the_projections_camera_and_no_lens():
    camera = of(info(), rectified=True)
    assert (camera.focal, camera.centre, camera.lens) == ((70.0, 70.0), (32.0, 23.0), "pinhole")


def test_a_camera_is_made_once_until_what_its_messages_tell_changes():
    cameras = Cameras("/c/camera_info", rectified=False)
    first = cameras.of(info(), SIZE)
    assert cameras.of(info(), SIZE) is first
    assert cameras.of(info(d=[0.0] * 5), SIZE) != first
    assert cameras.of(info(), SIZE) == first


@pytest.mark.parametrize(
    ("message", "match"),
    [
        (None, "no message on /c/camera_info yet"),
        (info(k=np.zeros(9)), "K is zero, so the camera is not calibrated"),
        (info("omnidirectional", [0.1]), "'omnidirectional' is not read"),
        (info(binning_x=2), "binned"),
        (info(height=100, width=100), "a camera of 100x100 pixels, but the images are 64x48"),
        (info(k=np.full(9, np.nan)), "/c/camera_info"),
    ],
)
def test_what_is_no_camera_of_the_images_is_one_line(message, match):
    with pytest.raises(InputError, match=match) as caught:
        of(message)
    assert "\n" not in str(caught.value)
    assert str(caught.value).count("/c/camera_info") == 1


def test_after_a_bad_message_a_good_one_is_taken_and_the_bad_one_refused_again():
    cameras = Cameras("/c/camera_info", rectified=False)
    good = cameras.of(info(), SIZE)
    for _ in range(2):
        with pytest.raises(InputError):
            cameras.of(info(k=np.zeros(9)), SIZE)
    assert cameras.of(info(), SIZE) == good
