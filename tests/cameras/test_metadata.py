"""Focal lengths in the metadata of images and videos."""

import math

import av
import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from vode.cameras.metadata import stated_focal

SIZE = (300, 400)


def image(path, **tags):
    """A JPEG whose EXIF has these tags."""
    picture, exif = Image.new("RGB", SIZE[::-1]), Image.Exif()
    exif.get_ifd(IFD.Exif).update({Base[name]: value for name, value in tags.items()})
    picture.save(path, exif=exif)
    return path


def test_an_equivalent_focal_length_goes_with_the_diagonal(tmp_path):
    found = stated_focal(image(tmp_path / "a.jpg", FocalLengthIn35mmFilm=26), SIZE)
    # 35 mm film is 36 mm wide and 24 mm high
    assert found.pixels == pytest.approx(26 * 500 / math.sqrt(36**2 + 24**2))
    assert "26 mm" in found.how


def test_the_resolution_of_the_sensor_tells_more(tmp_path):
    tags = {"FocalLength": 4.0, "FocalPlaneXResolution": 100.0, "FocalPlaneResolutionUnit": 4}
    path = image(tmp_path / "a.jpg", FocalLengthIn35mmFilm=26, ExifImageWidth=400, ExifImageHeight=300, **tags)
    assert stated_focal(path, SIZE).pixels == pytest.approx(400.0)
    # half as large, and turned
    assert stated_focal(path, (200, 150)).pixels == pytest.approx(200.0)


def test_images_that_were_cut_tell_nothing(tmp_path):
    path = image(tmp_path / "a.jpg", FocalLengthIn35mmFilm=26, ExifImageWidth=400, ExifImageHeight=200)
    assert stated_focal(path, SIZE) is None
    assert stated_focal(image(tmp_path / "b.jpg"), SIZE) is None
    assert stated_focal(image(tmp_path / "c.jpg", FocalLengthIn35mmFilm=0), SIZE) is None


def test_phones_put_it_into_their_videos(tmp_path):
    path = tmp_path / "phone.mov"
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata["com.apple.quicktime.camera.focal_length.35mm_equivalent"] = "28"
        stream = container.add_stream("mpeg4", rate=10)
        (stream.height, stream.width), stream.pix_fmt = SIZE, "yuv420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((*SIZE, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode(None))
    found = stated_focal(path, SIZE)
    assert found.pixels == pytest.approx(28 * 500 / math.sqrt(36**2 + 24**2))
    assert found.deviation >= 0.1


@pytest.mark.parametrize("content", [b"", b"no image", bytes(3000)])
def test_files_that_are_neither_tell_nothing(tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    assert stated_focal(tmp_path / "a.mp4", SIZE) is None
