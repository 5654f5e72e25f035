"""Which camera a stream has, in the order in which it is asked for, and what is said of it."""

import math

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

import vode.streams.camera
from vode.cameras.self_calibration.estimate import SelfCalibration
from vode.errors import InputError
from vode.streams.camera import CameraOrigin, find_camera
from vode.streams.open import open_stream

SIZE = (48, 64)
TOLD = SelfCalibration(70.0, 0.02, -0.1, 0.01, told=True, pairs=9)
NOT_TOLD = SelfCalibration(70.0, 0.3, reason="it drives straight ahead")


@pytest.fixture
def folder(tmp_path):
    for k in range(3):
        Image.new("RGB", SIZE[::-1], (k, 9, 9)).save(tmp_path / f"{k}.png")
    return tmp_path


@pytest.fixture
def video_tells(monkeypatch):
    """What self-calibration finds, and the images that it was given."""
    given = []

    def tell(found):
        def calibrate(images, options):
            given.extend(np.array(image) for image in images)
            return found

        monkeypatch.setattr(vode.streams.camera, "self_calibrate", calibrate)
        return given

    return tell


def test_a_calibration_comes_first_however_it_is_given(folder):
    lens = folder / "lens.txt"
    lens.write_text("80 80 31 24")
    for stream in (open_stream(folder), open_stream(folder, calibration=lens)):
        found = find_camera(stream, calibration=lens)
        assert (found.camera.focal, found.origin, found.uncertainty) == ((80, 80), CameraOrigin.CALIBRATION, 0.0)
    with pytest.raises(InputError, match="both"):
        find_camera(open_stream(folder), calibration=lens, fov=60)


def test_images_that_are_undistorted_already_take_no_other_calibration(folder):
    (folder / "camera.yaml").write_text("{width: 64, height: 48, fx: 90, fy: 90, cx: 31, cy: 24}")
    (folder / "lens.txt").write_text("80 80 31 24")
    with pytest.raises(InputError, match=r"camera\.yaml; open it with this calibration"):
        find_camera(open_stream(folder), calibration=folder / "lens.txt")


def test_then_the_field_of_view(folder):
    (folder / "camera.yaml").write_text("{width: 64, height: 48, fx: 90, fy: 90, cx: 31, cy: 24}")
    found = find_camera(open_stream(folder), fov=90)
    assert (found.camera.focal[0], found.origin) == (pytest.approx(32.0), CameraOrigin.FIELD_OF_VIEW)


def test_then_that_of_the_source(folder):
    (folder / "camera.yaml").write_text("{width: 64, height: 48, fx: 90, fy: 90, cx: 31, cy: 24}")
    found = find_camera(open_stream(folder))
    assert (found.camera.focal, found.origin) == ((90, 90), CameraOrigin.SOURCE)
    assert "camera.yaml" in found.note


def test_then_the_metadata(folder):
    exif = Image.Exif()
    exif.get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm] = 30
    (folder / "0.png").unlink()
    Image.new("RGB", SIZE[::-1]).save(folder / "0.jpg", exif=exif)
    found = find_camera(open_stream(folder))
    assert found.origin == CameraOrigin.METADATA
    assert found.camera.focal[0] == pytest.approx(30 * 80 / math.hypot(36, 24))
    assert "30 mm" in found.note


def test_then_the_video_itself_with_its_uncertainty(folder, video_tells):
    given = video_tells(TOLD)
    found = find_camera(open_stream(folder))
    assert (found.origin, found.uncertainty) == (CameraOrigin.SELF_CALIBRATION, 0.02)
    assert (found.camera.focal, found.camera.centre) == ((70, 70), (31.5, 23.5))
    assert found.camera.distortion == (-0.1, 0.0, 0.0, 0.0)
    assert "70 px ± 2.0%, k1 -0.100 ± 0.010" in found.note
    assert [image[0, 0, 0] for image in given] == [0, 1, 2]


def test_else_an_assumption_that_says_so(folder, video_tells):
    video_tells(NOT_TOLD)
    for options in ({}, {"options": None}):
        found = find_camera(open_stream(folder), **options)
        assert found.origin == CameraOrigin.ASSUMPTION
        assert found.uncertainty >= 0.3
        assert "ASSUMED" in found.note
        assert "\n" not in found.note
    assert "straight ahead" in find_camera(open_stream(folder)).note


def test_of_a_long_recording_pieces_all_over_it_are_looked_at(folder, video_tells, monkeypatch):
    given = video_tells(TOLD)
    monkeypatch.setattr(vode.streams.camera, "PARTS", 2)
    monkeypatch.setattr(vode.streams.camera, "LENGTH", 2)
    for k in range(10):
        Image.new("RGB", SIZE[::-1], (k, 9, 9)).save(folder / f"{k}.png")
    find_camera(open_stream(folder))
    assert [image[0, 0, 0] for image in given] == [0, 1, 8, 9]


def test_live_streams_are_estimated_from_images_that_are_given(folder, video_tells):
    given = video_tells(TOLD)
    stream = open_stream(folder)
    stream.live = True
    assert find_camera(stream).origin == CameraOrigin.ASSUMPTION
    found = find_camera(stream, images=[np.zeros((*SIZE, 3), np.uint8)])
    assert (found.origin, len(given)) == (CameraOrigin.SELF_CALIBRATION, 1)
