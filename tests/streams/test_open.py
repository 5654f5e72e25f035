"""What a person may name: videos, folders, patterns, single images, data sets by their layout, and calibrations."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.streams.open import open_stream
from vode.streams.options import StreamOptions
from vode.streams.stream import StreamKind

SIZE = (48, 64)
COUNT = 4
LINE = "80 0 31 0 0 80 24 0 0 0 1 0"


def numbered(k):
    return np.full((*SIZE, 3), (10 * k, 100, 50), np.uint8)


def number(image):
    return round(float(image[..., 0].mean()) / 10)


def numbers(stream):
    return [number(image) for _, image in stream]


def write_images(folder, names, size=SIZE):
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        cv2.imwrite(str(folder / name), cv2.resize(numbered(k), size[::-1])[..., ::-1])
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path / "walk", [f"{k}.png" for k in (1, 2, 3, 10)])


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "walk.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        (stream.height, stream.width), stream.pix_fmt = SIZE, "yuv420p"
        for k in range(COUNT):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(10 + k), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_folder_of_images_gives_them_in_order_as_often_as_asked(folder):
    with open_stream(folder, options=StreamOptions(rate=20)) as stream:
        assert (stream.kind, stream.name, stream.length, stream.size) == (StreamKind.IMAGES, "walk", COUNT, SIZE)
        assert (stream.live, stream.dropped, stream.camera) == (False, 0, None)
        for _ in range(2):
            assert numbers(stream) == list(range(COUNT))
        assert [time for time, _ in stream] == [0.0, 0.05, 0.1, 0.15]
        assert "20 a second are assumed" in stream.notes[0]
        assert stream.file == folder / "1.png"


def test_a_video_has_its_own_times(video):
    stream = open_stream(str(video))
    assert (stream.kind, stream.name, stream.length, stream.file) == (StreamKind.VIDEO, "walk", COUNT, video)
    np.testing.assert_allclose([time for time, _ in stream], np.arange(COUNT) / 20, atol=1e-6)
    assert numbers(stream) == [10, 11, 12, 13]


def test_a_pattern_takes_some_images_of_a_folder(folder):
    write_images(folder, [f"{k}_depth.png" for k in range(3)])
    with pytest.raises(InputError, match="several kinds"):
        open_stream(folder)
    assert open_stream(f"{folder}/*_depth.png").length == 3
    assert open_stream(folder, options=StreamOptions(pattern="?_depth.png")).length == 3
    with pytest.raises(InputError, match=r"no images called \*_right\.png"):
        open_stream(f"{folder}/*_right.png")
    with pytest.raises(InputError, match="a pattern for folders"):
        open_stream(f"{folder.parent}/w*/1.png")


def test_a_single_image_is_a_stream_of_one(folder):
    stream = open_stream(folder / "2.png")
    assert (stream.length, numbers(stream)) == (1, [1])


@pytest.mark.parametrize("of_one", [False, True])
def test_images_with_a_calibration_come_undistorted(folder, of_one):
    lens = folder.parent / "lens.txt"
    lens.write_text("80 80 31 24 0.3 0.1 0 0")
    grid = np.zeros((*SIZE, 3), np.uint8)
    grid[::4] = 255
    cv2.imwrite(str(folder / "1.png"), grid)
    stream = open_stream(folder / "1.png" if of_one else folder, calibration=lens)
    camera = Camera(SIZE, (80, 80), (31, 24), "radtan", (0.3, 0.1, 0, 0))
    np.testing.assert_array_equal(next(iter(stream))[1], camera.undistort(grid))
    assert stream.camera.lens == "pinhole"
    np.testing.assert_allclose(stream.camera.matrix, camera.intrinsics.numpy(), rtol=1e-6)
    assert stream.camera_origin == str(lens)


def test_a_camera_file_beside_images_or_a_video_is_theirs(folder, video):
    (folder / "camera.yaml").write_text("{width: 64, height: 48, fx: 90, fy: 90, cx: 31, cy: 24}")
    assert open_stream(folder).camera.focal == (90, 90)
    assert open_stream(video).camera is None
    (video.parent / "camera.yaml").write_text("{width: 64, height: 48, fx: 70, fy: 70, cx: 31, cy: 24}")
    stream = open_stream(video)
    assert (stream.camera.focal, stream.file, stream.kind) == ((70, 70), video, StreamKind.VIDEO)
    calibration = folder.parent / "other.txt"
    calibration.write_text("80 80 300 200")
    with pytest.raises(InputError, match="as if of another size"):
        open_stream(folder, calibration=calibration)


@pytest.fixture
def kitti(tmp_path):
    folder = tmp_path / "kitti" / "sequences" / "05"
    for camera in (0, 2):
        write_images(folder / f"image_{camera}", [f"{k:06d}.png" for k in range(COUNT - camera)])
    (folder / "calib.txt").write_text(f"P0: {LINE}\nP2: {LINE.replace('80', '81')}\n")
    (folder / "times.txt").write_text("".join(f"{0.2 * k}\n" for k in range(COUNT)))
    return tmp_path / "kitti"


@pytest.mark.parametrize(
    ("part", "asked", "length", "focal"),
    [
        ("", None, 2, 81),
        ("sequences/05", None, 2, 81),
        ("sequences/05", 0, 4, 80),
        ("sequences/05/image_0", None, 4, 80),
        ("sequences/05/image_2", None, 2, 81),
    ],
)
def test_kitti_odometry_is_known_from_any_of_its_folders(kitti, part, asked, length, focal):
    stream = open_stream(kitti / part, options=StreamOptions(camera=asked))
    assert (stream.kind, stream.name, stream.length) == (StreamKind.DATASET, "05", length)
    assert stream.camera.focal == (focal, focal)
    assert [time for time, _ in stream] == pytest.approx([0.2 * k for k in range(length)])


def test_of_several_sequences_one_is_asked_for(kitti):
    other = kitti / "sequences" / "07"
    write_images(other / "image_0", ["000000.png"])
    (other / "calib.txt").write_text(f"P0: {LINE}\n")
    with pytest.raises(InputError, match=r"2 sequences of kitti-odom \(05, 07\); name the folder of one"):
        open_stream(kitti)
    # the one camera that is there
    assert open_stream(other).camera.focal == (80, 80)


def test_a_calibration_belongs_to_a_folder_of_images_of_a_data_set(kitti, tmp_path):
    own = tmp_path / "own.txt"
    own.write_text("90 90 31 24")
    stream = open_stream(kitti / "sequences/05/image_0", calibration=own)
    assert (stream.kind, stream.camera.focal) == (StreamKind.IMAGES, (90, 90))
    with pytest.raises(InputError, match="not for kitti-odom, which has its own"):
        open_stream(kitti / "sequences/05", calibration=own)


@pytest.mark.parametrize("part", ["", "2011_09_26", "2011_09_26/D", "2011_09_26/D/image_03/data"])
def test_kitti_raw_is_known_from_any_of_its_folders(tmp_path, part):
    name = "2011_09_26_drive_0009_sync"
    date = tmp_path / "raw" / "2011_09_26"
    write_images(date / name / "image_03" / "data", [f"{k:010d}.png" for k in range(COUNT)])
    numbers = {"R_rect": "1 0 0 0 1 0 0 0 1", "P_rect": LINE, "S_rect": "64 48"}
    lines = [f"{key}_{camera}: {value}" for camera in ("00", "03") for key, value in numbers.items()]
    (date / "calib_cam_to_cam.txt").write_text("\n".join(lines))
    identity = "R: 1 0 0 0 1 0 0 0 1\nT: 0 0 0\n"
    (date / "calib_velo_to_cam.txt").write_text(identity)
    stream = open_stream(date.parent / part.replace("D", name))
    assert (stream.kind, stream.name, stream.length) == (StreamKind.DATASET, "2011_09_26_drive_0009", COUNT)
    assert stream.camera.focal == (80, 80)


def write_tum(root, name):
    write_images(root / name / "rgb", [f"10.{k}.png" for k in range(COUNT)])
    (root / name / "rgb.txt").write_text("".join(f"10.{k} rgb/10.{k}.png\n" for k in range(COUNT)))
    return root / name


@pytest.mark.parametrize("calibrated", [False, True])
def test_own_recordings_in_the_layout_of_tum_need_no_camera(tmp_path, calibrated):
    folder = write_tum(tmp_path / "own", "kitchen")
    if calibrated:
        (folder / "camera.yaml").write_text("{width: 64, height: 48, fx: 70, fy: 70, cx: 31, cy: 24}")
    for path in (folder, folder / "rgb", folder.parent):
        stream = open_stream(path)
        assert [time for time, _ in stream] == pytest.approx([10.0, 10.1, 10.2, 10.3])
        assert numbers(stream) == list(range(COUNT))
        assert (stream.camera is not None) == calibrated


def test_images_of_16_bits_come_as_8(tmp_path):
    for k in range(2):
        image = np.full(SIZE, 1000 * k, np.uint16)
        image[0, 0] = 4095
        cv2.imwrite(str(tmp_path / f"{k}.png"), image)
    stream = open_stream(tmp_path)
    images = [image for _, image in stream]
    assert images[1].dtype == np.uint8
    assert images[1][5, 5].tolist() == [62, 62, 62]
    assert any("12 bits" in note for note in stream.notes)


def test_images_of_two_sizes_are_refused(folder):
    write_images(folder, ["2.png"], (32, 40))
    with pytest.raises(InputError, match=r"2\.png: .* pixels, not 64x48"):
        list(open_stream(folder))


@pytest.mark.parametrize("name", ["nothing", "nothing/*.png", "empty", "text.mp4", "text.png"])
def test_what_holds_no_images_is_one_line(tmp_path, name):
    (tmp_path / "empty").mkdir()
    for file in ("text.mp4", "text.png"):
        Path(tmp_path / file).write_text("no image")
    with pytest.raises(InputError) as caught:
        open_stream(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name.partition("/")[0] in str(caught.value)
