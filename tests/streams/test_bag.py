"""Bags of ROS 1 and 2: images of every encoding, the camera of their namespace, and bags that are of no use."""

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin

from vode.errors import InputError
from vode.streams.open import open_stream
from vode.streams.options import StreamOptions
from vode.streams.stream import StreamKind

SIZE = (48, 64)
COLOUR = (200, 100, 50)
COUNT = 5
DEEP = np.full(SIZE, 3000, np.uint16)


def numbered(k, size=SIZE):
    """An image of one colour, whose red is 10 k."""
    return np.full((*size, 3), (10 * k, 100, 50), np.uint8)


def number(image):
    return round(float(image[..., 0].mean()) / 10)


def encoded(image, suffix=".jpg"):
    return cv2.imencode(suffix, np.ascontiguousarray(image[..., ::-1]))[1]


def images(messages, encoding="rgb8", **options):
    return [messages.image(numbered(k), encoding, 1.0e9 + 0.1 * k, **options) for k in range(COUNT)]


def refused(path, match, **options):
    with pytest.raises(InputError, match=match) as caught:
        list(open_stream(path, options=StreamOptions(**options)))
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("kind", ["walk.bag", "folder", "walk.db3", "walk.mcap"])
def test_every_kind_of_bag_gives_its_images_times_and_camera(tmp_path, ros1, ros2, kind):
    messages = ros1 if kind == "walk.bag" else ros2
    storage = StoragePlugin.MCAP if kind.endswith(".mcap") else StoragePlugin.SQLITE3
    topics = {
        "/front/camera_info": [messages.camera_info("plumb_bob", [0.1, -0.2, 0.01, 0.02, 0.3])],
        "/front/image_raw": images(messages, padding=3),
    }
    path = messages.write(tmp_path / (kind if messages is ros1 else "recorded"), topics, storage)
    if kind not in ("walk.bag", "folder"):
        path = next(path.glob(f"*{kind[4:]}"))
    with open_stream(path) as stream:
        assert (stream.kind, stream.length, stream.size, stream.live) == (StreamKind.BAG, COUNT, SIZE, False)
        camera = stream.camera
        for _ in range(2):
            found = list(stream)
            assert [number(image) for _, image in found] == list(range(COUNT))
            np.testing.assert_allclose([time for time, _ in found], 1.0e9 + 0.1 * np.arange(COUNT), atol=1e-6)
    assert (camera.focal, camera.centre, camera.lens) == ((80.0, 80.0), (31.0, 24.0), "radtan")
    assert camera.distortion == (0.1, -0.2, 0.01, 0.02, 0.3)
    assert "/front/camera_info" in stream.camera_origin


def mosaic(pattern):
    """The one colour as a sensor sees it, whose first two rows begin with the letters of ``pattern``."""
    values = dict(zip("rgb", COLOUR, strict=True))
    cell = np.array([values[letter] for letter in pattern], np.uint8).reshape(2, 2)
    return np.tile(cell, (SIZE[0] // 2, SIZE[1] // 2))


def yuv(order):
    """The one colour by BT.601 with the range of video, its bytes in this order."""
    red, green, blue = np.array(COLOUR) / 255
    values = {
        "y": 16 + 65.481 * red + 128.553 * green + 24.966 * blue,
        "u": 128 - 37.797 * red - 74.203 * green + 112 * blue,
        "v": 128 + 112 * red - 93.786 * green - 18.214 * blue,
    }
    cell = np.array([round(values[letter]) for letter in order], np.uint8)
    return np.tile(cell, (SIZE[0], SIZE[1] // 2)).reshape(*SIZE, 2)


ENCODED = {
    "rgb8": np.full((*SIZE, 3), COLOUR, np.uint8),
    "bgr8": np.full((*SIZE, 3), COLOUR[::-1], np.uint8),
    "rgba8": np.full((*SIZE, 4), (*COLOUR, 9), np.uint8),
    "bgra8": np.full((*SIZE, 4), (*COLOUR[::-1], 9), np.uint8),
    "bayer_rggb8": mosaic("rggb"),
    "bayer_bggr8": mosaic("bggr"),
    "bayer_gbrg8": mosaic("gbrg"),
    "bayer_grbg8": mosaic("grbg"),
    "yuv422": yuv("uyvy"),
    "yuv422_yuy2": yuv("yuyv"),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_every_encoding_gives_the_same_colours(tmp_path, ros2, encoding):
    path = ros2.write(tmp_path / "bag", {"/image": [ros2.image(ENCODED[encoding], encoding)]})
    (_, image), *_ = open_stream(path)
    assert image.shape == (*SIZE, 3)
    assert image.dtype == np.uint8
    np.testing.assert_allclose(image[4:-4, 4:-4].reshape(-1, 3).mean(0), COLOUR, atol=2)


def test_grey_images_have_three_equal_channels(tmp_path, ros2):
    grey = np.arange(SIZE[0] * SIZE[1], dtype=np.int64).reshape(SIZE).astype(np.uint8)
    (_, image), *_ = open_stream(ros2.write(tmp_path / "bag", {"/image": [ros2.image(grey, "mono8")]}))
    assert all(np.array_equal(image[..., c], grey) for c in range(3))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_compressed_images_are_decoded(tmp_path, ros2, suffix):
    sent = [ros2.compressed(encoded(numbered(k), suffix), "rgb8; jpeg compressed bgr8", 1 + k) for k in range(COUNT)]
    info = ros2.camera_info("plumb_bob", [])
    path = ros2.write(tmp_path / "bag", {"/front/image_raw/compressed": sent, "/front/camera_info": [info]})
    stream = open_stream(path)
    assert [number(image) for _, image in stream] == list(range(COUNT))
    np.testing.assert_allclose(next(iter(stream))[1][0, 0], numbered(0)[0, 0], atol=3)
    assert (stream.camera.focal, stream.camera.lens) == ((80.0, 80.0), "pinhole")


LENSES = {
    "rational_polynomial": ([0.1, 0.2, 0.01, 0.02, 0.3, 0.4, 0.5, 0.6], "radtan"),
    "equidistant": ([0.1, 0.2, 0.3, 0.4], "fisheye"),
    "fisheye": ([0.1, 0.2, 0.3, 0.4], "fisheye"),
}


@pytest.mark.parametrize("model", LENSES)
def test_every_lens_is_that_of_the_camera(tmp_path, ros2, model):
    coefficients, lens = LENSES[model]
    info = ros2.camera_info(model, coefficients)
    camera = open_stream(ros2.write(tmp_path / "bag", {"/c/image": images(ros2), "/c/camera_info": [info]})).camera
    assert (camera.lens, list(camera.distortion)) == (lens, coefficients)


def test_rectified_images_have_the_camera_of_the_projection(tmp_path, ros2):
    info = ros2.camera_info("plumb_bob", [0.1, 0.2, 0.0, 0.0, 0.0])
    topics = {"/c/image_rect_color": images(ros2), "/c/camera_info": [info]}
    camera = open_stream(ros2.write(tmp_path / "bag", topics)).camera
    assert (camera.focal, camera.centre, camera.lens) == ((70.0, 70.0), (32.0, 23.0), "pinhole")


def test_a_camera_that_is_not_calibrated_or_not_there_is_said(tmp_path, ros2):
    topics = {"/c/image": images(ros2), "/c/camera_info": [ros2.camera_info("", [], focal=0.0)]}
    stream = open_stream(ros2.write(tmp_path / "a", topics))
    assert stream.camera is None
    assert "not calibrated" in " ".join(stream.notes)
    stream = open_stream(
        ros2.write(tmp_path / "b", {"/c/image": images(ros2), "/d/camera_info": topics["/c/camera_info"]})
    )
    assert stream.camera is None
    assert "no /c/camera_info" in " ".join(stream.notes)


def test_an_unknown_lens_is_named(tmp_path, ros2):
    info = ros2.camera_info("omnidirectional", [0.1])
    refused(ros2.write(tmp_path / "bag", {"/c/image": images(ros2), "/c/camera_info": [info]}), "'omnidirectional'")


def test_of_several_topics_one_is_asked_for(tmp_path, ros2):
    other = [ros2.image(numbered(9), seconds=5.0)]
    path = ros2.write(tmp_path / "bag", {"/left/image": images(ros2), "/right/image": other})
    refused(path, "2 topics, /left/image, /right/image; choose one")
    refused(path, "no images in a topic /up; those with images are /left/image, /right/image", topic="/up")
    assert [number(i) for _, i in open_stream(path, options=StreamOptions(topic="/right/image"))] == [9]


def test_depth_beside_colour_and_the_same_images_compressed_leave_no_question(tmp_path, ros2):
    depth = [ros2.image(DEEP.view(np.uint8).reshape(*SIZE, 2), "16UC1")]
    compressed = [ros2.compressed(encoded(numbered(3)))]
    topics = {"/c/image": images(ros2), "/c/image/compressed": compressed, "/c/depth": depth}
    stream = open_stream(ros2.write(tmp_path / "bag", topics))
    assert [number(image) for _, image in stream] == list(range(COUNT))
    assert any("/c/depth" in note and "16UC1" in note for note in stream.notes)


@pytest.mark.parametrize(
    ("encoding", "match"), [("mono16", "of 16 or 32 bits"), ("32FC1", "32 bits"), ("h265", "not read")]
)
def test_images_of_other_encodings_are_refused_by_name(tmp_path, ros2, encoding, match):
    pixels = DEEP.view(np.uint8).reshape(*SIZE, 2)
    refused(ros2.write(tmp_path / "bag", {"/image": [ros2.image(pixels, encoding)]}), f"'{encoding}', .*{match}")


def test_compressed_images_of_other_formats_are_refused_by_name(tmp_path, ros2):
    deep = cv2.imencode(".png", DEEP)[1]
    for form, data, match in (
        ("h264", b"\0\0\0\1\x67 no picture", "'h264', not JPEG or PNG"),
        ("16UC1; compressedDepth png", bytes(12) + deep.tobytes(), "as of depth"),
        ("png", deep, "of 16 bits"),
        ("jpeg", encoded(numbered(1)).tobytes()[:40], "cannot be decoded"),
    ):
        path = tmp_path / match.replace("/", "")
        refused(ros2.write(path, {"/image": [ros2.compressed(data, form)]}), match)


def test_a_bag_without_images_is_told(tmp_path, ros2):
    path = ros2.write(tmp_path / "bag", {"/c/camera_info": [ros2.camera_info("plumb_bob", [])]})
    refused(path, "no images, but sensor_msgs/msg/CameraInfo, in it")


def test_images_of_two_sizes_are_refused(tmp_path, ros2):
    sent = [ros2.image(numbered(1), seconds=1), ros2.image(numbered(1, (32, 40)), seconds=2)]
    refused(ros2.write(tmp_path / "bag", {"/image": sent}), "64x48 pixels, and then of 40x32")


def test_images_that_step_back_in_time_are_left_out_and_counted(tmp_path, ros1):
    sent = [ros1.image(numbered(k), seconds=k) for k in (1, 2, 2, 1, 3)]
    stream = open_stream(ros1.write(tmp_path / "walk.bag", {"/image": sent}))
    assert sorted(number(image) for _, image in stream) == [1, 2, 3]
    assert any("2 images are not later" in note for note in stream.notes)


@pytest.mark.parametrize("name", ["walk.bag", "walk.db3", "walk.mcap"])
@pytest.mark.parametrize("content", [b"", b"no bag at all", bytes(5000)])
def test_a_file_that_is_no_bag_is_one_line(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    refused(path, "damaged, or no bag")


def test_a_bag_that_is_cut_is_one_line(tmp_path, ros1):
    path = ros1.write(tmp_path / "walk.bag", {"/image": images(ros1)})
    path.write_bytes(path.read_bytes()[:3000])
    refused(path, "damaged, or no bag")
