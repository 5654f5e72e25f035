"""Somebody's own images and videos: what is a sequence, in which order, and which camera took it."""

import math
import pickle
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch

from vode.datasets.folder import FolderDataset, FolderSequence, names_in
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.image import write_image

SIZE = (48, 64)
CAMERA = "width: 64\nheight: 48\nfx: 50\nfy: 52\ncx: 30\ncy: 26\n"
MATRIX = torch.tensor([[50, 0, 30], [0, 52, 26], [0, 0, 1.0]])


def put(folder, *names):
    """Images, each brighter than the one before by 20 of 255."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        write_image(folder / name, torch.full((3, *SIZE), 20 * (k + 1) / 255))


def film(path, codec="MJPG"):
    """A video of ten such images."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 20.0, SIZE[::-1])
    for k in range(10):
        writer.write(np.full((*SIZE, 3), 20 * (k + 1), np.uint8))
    writer.release()


def shown(sequence):
    """The numbers, from 1, of the images that a sequence gives."""
    return [round(float(sequence.frame(i).mean()) * 255 / 20) for i in range(len(sequence))]


@pytest.fixture
def root(tmp_path):
    put(tmp_path / "walk", "1.png", "2.jpg", "10.PNG")
    film(tmp_path / "ride.avi")
    film(tmp_path / "Tour.MP4", "mp4v")
    (tmp_path / "empty").mkdir()
    (tmp_path / "walk" / "notes.txt").write_text("nothing")
    (tmp_path / "camera.yaml").write_text(CAMERA)
    return tmp_path


def test_folders_of_images_and_videos_are_sequences(root):
    assert FolderDataset(root).names("train") == ("Tour.MP4", "ride.avi", "walk")
    sequences = [FolderSequence(root, name) for name in names_in(root)]
    assert [sequence.name for sequence in sequences] == ["Tour", "ride", "walk"]
    assert [shown(sequence) for sequence in sequences] == [[*range(1, 11)], [*range(1, 11)], [1, 2, 3]]
    assert all(sequence.size == SIZE and torch.equal(sequence.intrinsics, MATRIX) for sequence in sequences)
    assert sequences[0].timestamps.tolist() == pytest.approx([k / 20 for k in range(10)])
    assert sequences[2].timestamps is None
    again = pickle.loads(pickle.dumps(sequences))
    assert [shown(sequence) for sequence in again] == [[*range(1, 11)], [*range(1, 11)], [1, 2, 3]]


def test_a_folder_of_images_or_a_video_may_be_named_itself(root):
    for place, name, count in ((root / "walk", "walk", 3), (root / "ride.avi", "ride", 10)):
        assert names_in(place) == (name,)
        assert shown(FolderSequence(place, name, fov=60)) == [*range(1, count + 1)]
    assert torch.equal(FolderSequence(root / "ride.avi", "ride").intrinsics, MATRIX)


def test_numbers_in_names_are_ordered_as_numbers(tmp_path):
    put(tmp_path, "img2_1.png", "img9_30.png", "img10_2.png", "img10_11.png")
    assert shown(FolderSequence(tmp_path, tmp_path.name, fov=60)) == [1, 2, 3, 4]


def test_where_nothing_is_it_is_said(root):
    with pytest.raises(InputError, match="no images"):
        FolderDataset(root / "empty").names("train")
    with pytest.raises(InputError, match="nowhere: no such file or folder"):
        names_in(root / "nowhere")
    with pytest.raises(InputError, match="empty: no images"):
        FolderSequence(root, "empty", fov=60)
    with pytest.raises(InputError, match="run: no such file or folder"):
        FolderSequence(root, "run", fov=60)


@pytest.mark.parametrize("name", ["..", "../walk", "walk/../../walk", "/etc", "walk\0"])
def test_a_name_that_leads_out_of_the_folder_is_refused(root, name):
    with pytest.raises(InputError, match="leads out of this folder"):
        FolderSequence(root / "empty", name, fov=60)


def test_the_camera_comes_from_a_file_or_an_angle(root):
    (root / "walk" / "camera.json").write_text('{"fx": 70, "fy": 70, "cx": 31, "cy": 23}')
    assert FolderSequence(root, "walk").intrinsics[0, 0] == 70
    (root / "mine.txt").write_text("1 PINHOLE 64 48 60 60 32 24\n2 PINHOLE 64 48 80 80 32 24\n")
    for number, focal in ((1, 60), (2, 80)):
        assert FolderSequence(root, "walk", number, calibration=root / "mine.txt").intrinsics[0, 0] == focal
    assert FolderSequence(root, "walk", fov=90).intrinsics[0, 0] == pytest.approx(32)
    with pytest.raises(InputError, match="both a calibration and a field of view"):
        FolderSequence(root, "walk", calibration=root / "mine.txt", fov=90)
    with pytest.raises(InputError, match="field of view"):
        FolderSequence(root, "walk", fov=190)
    (root / "walk" / "camera.json").unlink()
    (root / "camera.yaml").unlink()
    with pytest.raises(InputError, match="no camera; give a calibration"):
        FolderSequence(root, "walk")
    (root / "camera.yaml").write_text(CAMERA.replace("64", "640"))
    with pytest.raises(InputError, match=r"camera\.yaml: a camera of 640x48 pixels, but the images are 64x48"):
        FolderSequence(root, "walk")


def test_of_several_cameras_one_is_asked_for_unless_it_was_named(root):
    mine = root / "mine.txt"
    mine.write_text("1 PINHOLE 64 48 60 60 32 24\n2 PINHOLE 64 48 80 80 32 24\n")
    with pytest.raises(InputError, match=r"mine\.txt: holds cameras 1, 2; choose one") as refusal:
        FolderDataset(root, DataOptions("folder", root, calibration=mine)).open("walk")
    assert refusal.value.parameters == ("camera",)
    for number, focal in ((1, 60), (2, 80)):
        named = FolderDataset(root, DataOptions("folder", root, camera=(number,), calibration=mine)).open("walk")
        assert named.intrinsics[0, 0] == focal


def test_a_calibration_of_larger_images_is_scaled_and_said(root):
    (root / "camera.yaml").write_text("{width: 128, height: 96, fx: 100, fy: 104, cx: 60.5, cy: 52.5}")
    for name in ("walk", "ride.avi"):
        sequence = FolderSequence(root, name)
        assert torch.equal(sequence.intrinsics, MATRIX)
        assert "calibrated at 128x96 pixels, and scaled to images of 64x48" in sequence.notes[-1]


def anamorphic(path, aspect):
    """A video of three frames whose pixels are ``aspect`` as wide as high."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = SIZE[1], SIZE[0], "yuv420p"
        stream.sample_aspect_ratio = Fraction(aspect)
        for k in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((*SIZE, 3), 40 * k, np.uint8), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


@pytest.mark.parametrize("aspect", ["1", "4/3", "8/9"])
def test_pixels_that_are_not_square_have_two_focal_lengths(tmp_path, aspect):
    anamorphic(tmp_path / "film.mp4", aspect)
    wide = float(Fraction(aspect))
    # f / pixel width and f / pixel height, whichever way the images are turned
    focal = 32 / math.tan(math.radians(30)), wide * 32 / math.tan(math.radians(30))
    upright = FolderSequence(tmp_path / "film.mp4", "film", fov=60)
    assert upright.intrinsics.diagonal()[:2].tolist() == pytest.approx(focal)
    turned = FolderSequence(tmp_path / "film.mp4", "film", fov=60, rotate=90)
    across = 24 / math.tan(math.radians(30))
    assert turned.intrinsics.diagonal()[:2].tolist() == pytest.approx((across, across / wide))
    assert bool(upright.notes) == bool(turned.notes) == (wide != 1)
    (tmp_path / "camera.yaml").write_text(CAMERA)
    told = FolderSequence(tmp_path / "film.mp4", "film").notes
    assert ["as wide as high, but the calibration has fy = 1.040 fx" in note for note in told] == [True] * (wide != 1)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("distortion", ["", "distortion: [-0.2, 0.05, 0.001, 0]\n"])
def test_turned_images_show_points_where_the_turned_intrinsics_project_them(tmp_path, rotate, distortion):
    ray, matrix = np.array([0.3, -0.2, 1.0]), np.array([[500, 0, 300], [0, 520, 260], [0, 0, 1.0]])
    lens = np.array([-0.2, 0.05, 0.001, 0]) if distortion else np.zeros(4)
    x, y = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), matrix, lens)[0].ravel()
    down, across = np.exp(-((np.arange(480) - y) ** 2) / 8), np.exp(-((np.arange(640) - x) ** 2) / 8)
    write_image(tmp_path / "0.png", torch.from_numpy(np.outer(down, across)).expand(3, -1, -1))
    camera = "width: 640\nheight: 480\nfx: 500\nfy: 520\ncx: 300\ncy: 260\n"
    (tmp_path / "camera.yaml").write_text(camera + distortion)
    sequence = FolderSequence(tmp_path, tmp_path.name, rotate=rotate)
    assert sequence.size == ((640, 480) if rotate in (90, 270) else (480, 640))
    # Clockwise in axes x right, y down: from x to y.
    cos, sin = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[rotate]
    u, v, w = sequence.intrinsics.double().numpy() @ (cos * ray[0] - sin * ray[1], sin * ray[0] + cos * ray[1], 1)
    spot = sequence.frame(0)[0].double().numpy()
    found = spot.sum(0) @ np.arange(spot.shape[1]), spot.sum(1) @ np.arange(spot.shape[0])
    np.testing.assert_allclose(np.array(found) / spot.sum(), (u / w, v / w), atol=0.15)


@pytest.mark.parametrize("name", ["walk", "ride.avi"])
def test_the_angle_is_that_of_the_turned_images(root, name):
    sequence = FolderSequence(root, name, fov=60, rotate=90)
    assert sequence.size == (64, 48)
    assert sequence.frame(0).shape == (3, 64, 48)
    left, right = ((edge - sequence.intrinsics[0, 2]) / sequence.intrinsics[0, 0] for edge in (-0.5, 47.5))
    assert np.degrees(np.arctan([left, right])) == pytest.approx([-30, 30], abs=1e-4)
    assert sequence.intrinsics[1, 2] == 31.5


def test_a_bad_image_is_named(root):
    walk = root / "walk"
    (walk / "10.PNG").write_bytes((walk / "10.PNG").read_bytes()[:60])
    write_image(walk / "2.jpg", torch.zeros(3, 30, 40))
    sequence = FolderSequence(root, "walk")
    with pytest.raises(InputError, match=r"10\.PNG: the image is cut short or damaged"):
        sequence.frame(2)
    with pytest.raises(InputError, match=r"2\.jpg: 40x30 pixels, not 64x48"):
        sequence.frame(1)
    (walk / "1.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"1\.png: not a PNG, JPEG"):
        FolderSequence(root, "walk")


def test_links_that_go_round_in_circles_are_no_images(root):
    (root / "round").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "self.mp4").symlink_to(root / "self.mp4")
    (root / "walk" / "0.png").symlink_to(root / "walk" / "0.png")
    (root / "walk" / "5.png").symlink_to(root / "walk")
    assert names_in(root) == ("Tour.MP4", "ride.avi", "walk")
    assert shown(FolderSequence(root, "walk")) == [1, 2, 3]
    for name in ("self", "self.mp4"):
        with pytest.raises(InputError, match=f"{name}: no such file or folder"):
            FolderSequence(root, name)
        with pytest.raises(InputError, match=f"{name}: no such file or folder"):
            names_in(root / name)
    with pytest.raises(InputError, match="round: no images"):
        FolderSequence(root, "round")


def test_a_linked_folder_counts_like_any_other(root, tmp_path_factory):
    (root / "elsewhere").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    put(root / "elsewhere", "1.png")
    assert "elsewhere" in names_in(root)
    assert shown(FolderSequence(root, "elsewhere")) == [1]
