"""Somebody's own images: hidden files, kinds that are mixed, orientation, depth of values, and formats not read."""

import struct

import cv2
import numpy as np
import pytest
import torch

from vode.datasets.folder import FolderDataset, FolderSequence, names_in
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.image import write_image
from vode.streams.frames import open_video

SIZE = 12, 16


def put(folder, *names, value=0.5):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        write_image(folder / name, torch.full((3, *SIZE), value))


def put_deep(folder, *names, value=1000):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.full(SIZE, value, np.uint16))


def put_turned(path, number):
    """A JPEG whose stored left half is white, and that a viewer turns."""
    pixels = np.zeros((*SIZE, 3), np.uint8)
    pixels[:, : SIZE[1] // 2] = 255
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    body = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, number, 0, 0)
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])


def opened(root, **options):
    dataset = FolderDataset(root, DataOptions("folder", root, fov=60.0, **options))
    return [dataset.open(name) for name in dataset.names("train")]


def test_what_systems_hide_is_no_frame_and_no_sequence(tmp_path):
    put(tmp_path / "walk", "000.jpg", "001.jpg")
    (tmp_path / "walk" / "._000.jpg").write_bytes(b"\0\5\x16\7" + bytes(80))
    (tmp_path / "._walk.mp4").write_bytes(bytes(80))
    put(tmp_path / "walk" / ".thumbnails", "000.jpg")
    put(tmp_path / "__MACOSX", "a.jpg")
    put(tmp_path / ".trash", "a.jpg")
    assert names_in(tmp_path) == ("walk",)
    assert [len(sequence) for sequence in opened(tmp_path)] == [2]
    assert names_in(tmp_path / "walk") == ("walk",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["000_rgb.png", "001_rgb.png"], ["000_depth.png", "001_depth.png"]),
        (["rgb_1.png", "rgb_2.png"], ["depth_7.png"]),
    ],
)
def test_colour_and_depth_in_one_folder_are_asked_about(tmp_path, first, second):
    put(tmp_path, *first)
    put_deep(tmp_path, *second)
    with pytest.raises(InputError, match=r"several kinds, as .*(rgb|depth).*; give a pattern .* such as '") as refusal:
        opened(tmp_path)
    assert refusal.value.parameters == ("pattern",)
    (sequence,) = opened(tmp_path, pattern="*rgb*")
    assert [file.name for file in sequence._files] == first
    (sequence,) = opened(tmp_path, pattern="*")
    with pytest.raises(InputError, match="uint8 pixels, not uint16 as in"):
        [sequence.frame(i) for i in range(len(sequence))]


@pytest.mark.parametrize("names", [("left_{}.png", "right_{}.png"), ("{}.png", "{}_mask.png"), ("{}.jpg", "{}.png")])
def test_two_images_of_every_frame_are_asked_about(tmp_path, names):
    for form in names:
        put(tmp_path, *(form.format(k) for k in range(4)))
    with pytest.raises(InputError, match="several kinds"):
        opened(tmp_path)
    assert len(opened(tmp_path, pattern=names[1].format("*"))[0]) in (4, 8)
    with pytest.raises(InputError, match=r"no images \(|no images called x\*"):
        FolderSequence(tmp_path, tmp_path.name, fov=60, pattern="x*")


@pytest.mark.parametrize(
    ("forms", "pattern"),
    [
        (("cam0_{:03d}.png", "cam1_{:03d}.png"), "cam0_*.png"),
        (("{:03d}_0.png", "{:03d}_1.png"), "*_0.png"),
        (("a_{:03d}.png", "b_{:03d}.png"), "a_*.png"),
    ],
)
@pytest.mark.parametrize("count", [2, 6])
def test_a_stereo_pair_in_one_folder_is_asked_about(tmp_path, forms, pattern, count):
    for form in forms:
        put(tmp_path, *(form.format(k) for k in range(count)))
    with pytest.raises(InputError, match="several kinds, as ") as refusal:
        opened(tmp_path)
    assert f"such as '{pattern}'" in str(refusal.value)
    (sequence,) = opened(tmp_path, pattern=pattern)
    assert [file.name for file in sequence._files] == [forms[0].format(k) for k in range(count)]


@pytest.mark.parametrize("copy", ["000 (1).png", "000 copy.png", "000 - Copy (2).png"])
def test_copies_are_asked_about(tmp_path, copy):
    put(tmp_path, "000.png", "001.png", "002.png", copy)
    with pytest.raises(InputError, match=r"several kinds, as 000\.png and 000 .*move the others elsewhere"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ("kitchen.jpg", "garden.jpg", "street.png"),
        ("-1.5.png", "-0.5.png", "0.5.png", "1.5.png"),
        ("img2_1.png", "img9_30.png", "img10_2.png"),
        ("IMG_0001.jpg", "IMG_0002.jpg", "PXL_20230101.jpg", "PXL_20230102.jpg"),
        ("a3f9.png", "b3f9.png", "c17.png", "d17.png", "e4a2b.png"),
    ],
)
def test_names_of_other_forms_are_one_sequence(tmp_path, names):
    put(tmp_path, *names)
    assert len(opened(tmp_path)[0]) == len(names)


def test_a_folder_of_depth_beside_one_of_colour_is_asked_about(tmp_path):
    put(tmp_path / "rgb", "1.png")
    put_deep(tmp_path / "depth", "1.png")
    with pytest.raises(InputError, match="images of 16 bits, as depth maps have, in depth") as refusal:
        opened(tmp_path)
    assert refusal.value.parameters == ("sequences",)
    dataset = FolderDataset(tmp_path, DataOptions("folder", tmp_path, sequences=("rgb",), fov=60.0))
    assert [sequence.name for sequence in dataset.sequences("train")] == ["rgb"]


def test_every_format_is_a_frame_and_what_is_not_read_is_counted(tmp_path):
    names = ["0.bmp", "1.tif", "2.webp", "3.pgm", "4.ppm", "5.jpeg", "6.TIFF", "7.png"]
    for k, name in enumerate(names):
        cv2.imwrite(str(tmp_path / name), np.full((*SIZE, 1 if k == 3 else 3), 20 * k, np.uint8))
    (tmp_path / "8.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (tmp_path / "walk.mp4").write_bytes(b"")
    (sequence,) = opened(tmp_path)
    assert [round(float(sequence.frame(i).mean()) * 255 / 20) for i in range(8)] == list(range(8))
    assert "2 other images and videos in" in sequence.notes[0]
    assert sequence.notes[0].endswith("first 8.heic")
    for name in (*names, "walk.mp4"):
        (tmp_path / name).unlink()
    with pytest.raises(InputError, match=r"no images \(.png, .jpg ...\) in it, but 8.heic, which is not read"):
        opened(tmp_path)


def test_12_bits_are_stretched_and_that_is_said(tmp_path):
    for k, value in enumerate((1000, 4095)):
        put_deep(tmp_path, f"{k}.png", value=value)
    (sequence,) = opened(tmp_path)
    frames = open_video(tmp_path)
    for found in (sequence, frames):
        assert "values up to 4095, stretched as 12 bits" in found.notes[0]
    assert float(sequence.frame(0).mean()) == pytest.approx(1000 / 4095, abs=1e-4)
    assert frames[1].max() == 65535


@pytest.mark.parametrize("number", [2, 3, 6, 8])
def test_a_field_of_view_is_of_images_as_they_are_shown_and_a_calibration_of_stored_ones(tmp_path, number):
    put_turned(tmp_path / "0.jpg", number)
    shown = FolderSequence(tmp_path, tmp_path.name, fov=60)
    assert shown.size == (SIZE if number < 5 else SIZE[::-1])
    # where the white half is: right for 2 and 3, above for 6, below for 8
    white = {2: np.s_[:, :, 10:], 3: np.s_[:, :, 10:], 6: np.s_[:, :6], 8: np.s_[:, 10:]}[number]
    assert shown.frame(0)[white].min() > 0.9
    assert open_video(tmp_path)[0].shape[:2] == shown.size
    (tmp_path / "camera.yaml").write_text("{width: 16, height: 12, fx: 20, fy: 20, cx: 7.5, cy: 5.5}")
    stored = FolderSequence(tmp_path, tmp_path.name)
    assert stored.size == SIZE
    assert stored.frame(0)[:, :, :6].min() > 0.9
    assert "a calibration belongs to stored pixels" in stored.notes[0]
    assert not shown.notes


def test_a_calibration_of_turned_images_is_refused(tmp_path):
    put_turned(tmp_path / "0.jpg", 6)
    (tmp_path / "camera.yaml").write_text("{width: 12, height: 16, fx: 20, fy: 20, cx: 5.5, cy: 7.5}")
    with pytest.raises(InputError, match=r"12x16 pixels, but the images are 16x12.*0.jpg has EXIF orientation 6"):
        FolderSequence(tmp_path, tmp_path.name)
    (tmp_path / "camera.yaml").write_text("{fx: 20, fy: 20, cx: 5.5, cy: 7.5}")
    with pytest.raises(InputError, match=r"centre of 5.5, 7.5 is that of turned images"):
        FolderSequence(tmp_path, tmp_path.name)
