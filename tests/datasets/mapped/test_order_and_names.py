"""Mapped scenes: the order of the video, stored pixels, and names as other systems write them."""

import json
import struct

import cv2
import numpy as np
import pytest
import torch

from vode.datasets.mapped.cambridge import CambridgeDataset, CambridgeSequence
from vode.datasets.mapped.colmap import ColmapSequence
from vode.datasets.mapped.transforms_json import TransformsSequence
from vode.errors import InputError
from vode.io.image import write_image
from vode.relocalization.config import RelocalizationConfig
from vode.relocalization.data import scene_sequences

SIZE = 12, 16


def transforms(root, frames, **content):
    (root / "transforms.json").write_text(json.dumps({"fl_x": 20, **content, "frames": frames}))
    return TransformsSequence(root, "transforms")


def frame(name, k=0, **more):
    pose = np.eye(4)
    pose[0, 3] = k
    return {"file_path": name, "transform_matrix": pose.tolist(), **more}


def images(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(root / name, torch.zeros(3, *SIZE))


def jpeg_turned(path, number, size=SIZE):
    """A JPEG whose stored left half is white, and that a viewer turns."""
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[:, : size[1] // 2] = 255
    data = cv2.imencode(".jpg", pixels)[1].tobytes()
    body = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, number, 0, 0)
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:])


def test_blocks_of_posenet_are_blocks_of_the_video(tmp_path, export_scene):
    scene = export_scene("colmap", tmp_path, count=24)
    config = RelocalizationConfig(dataset="colmap", data=tmp_path)
    trained, tested = scene_sequences(config)
    for part in (trained, tested):
        (sequence,) = part
        assert [image.name for image in sequence.images] == scene.names
    block = tested[0].starts
    assert len(block) > 0
    # few neighbours of tested images are trained on, because tested ones come in blocks
    every, size = config.views.every, max(min(config.views.block, 24 // config.views.every), 1)
    assert list(block) == [i for i in range(24) if i // size % every == every - 1]
    assert sorted([*block, *trained[0].starts]) == list(range(24))


def test_frames_come_by_time_where_there_is_one_and_else_by_the_numbers_of_their_names(tmp_path):
    names = [f"images/{k}.png" for k in (1, 2, 10)]
    images(tmp_path, *names)
    shuffled = [frame(names[i], i) for i in (2, 0, 1)]
    assert transforms(tmp_path, shuffled).poses[:, 0, 3].tolist() == [0, 1, 2]
    timed = [frame(names[i], i, timestamp=time) for i, time in ((2, 0.5), (0, 7), (1, 3))]
    assert [image.name for image in transforms(tmp_path, timed).images] == ["10.png", "2.png", "1.png"]
    partly = [timed[0], frame(names[0], 0), frame(names[1], 1, timestamp="noon")]
    sequence = transforms(tmp_path, partly)
    assert [image.name for image in sequence.images] == ["1.png", "2.png", "10.png"]
    assert "1 times are not understood, as 'noon' of images/2.png" in sequence.notes[0]
    assert any("2 of 3 images have no time, as 1.png; they are in order of names" in note for note in sequence.notes)


@pytest.mark.parametrize("form", ["2024-01-15T09:59:{}Z", "2024-01-15 09:59:{}+02:00", "2024:01:15 09:59:{}"])
def test_dates_put_frames_in_order(tmp_path, form):
    names = [f"{k}.png" for k in (1, 2, 10)]
    images(tmp_path, *names)
    timed = [frame(name, timestamp=form.format(s)) for name, s in zip(names, ("58.500", "58.250", "57"), strict=True)]
    sequence = transforms(tmp_path, timed)
    assert [image.name for image in sequence.images] == ["10.png", "2.png", "1.png"]


def test_a_focal_length_without_a_size_is_said_to_be_of_these_images(tmp_path):
    images(tmp_path, "0.png")
    assert "no w and h; its fl_x is taken for images of 16x12" in transforms(tmp_path, [frame("0.png")]).notes[0]
    assert not transforms(tmp_path, [frame("0.png", w=16, h=12)]).notes


def test_cambridge_has_its_images_and_folders_in_natural_order(tmp_path):
    names = [f"seq{s}/frame{k}.png" for s in (1, 2, 10) for k in (2, 10)]
    images(tmp_path, *names)
    rows = "".join(f"{name} {k} 0 0 1 0 0 0\n" for k, name in sorted(enumerate(names), key=lambda pair: pair[1]))
    (tmp_path / "dataset_train.txt").write_text("\n\n\n" + rows)
    assert CambridgeDataset(tmp_path).names() == ("seq1", "seq2", "seq10")
    assert CambridgeSequence(tmp_path, "train").poses[:, 0, 3].tolist() == list(range(6))


@pytest.mark.parametrize(
    "name", ["images\\0.png", ".\\images\\0", "images/0", "images/0.PNG", "IMAGE", "{root}/images/0.png"]
)
def test_names_may_be_of_windows_of_another_case_without_suffix_or_absolute(tmp_path, name):
    images(tmp_path, "images/0.png")
    (tmp_path / "images" / "0.png").rename(tmp_path / "images" / "0.Png")
    if name == "IMAGE":
        name = "image"
        (tmp_path / "images" / "0.Png").rename(tmp_path / "IMAGE.JPEG.PNG")
        images(tmp_path, "Image.Jpeg")
    elif "{root}" in name:
        name = name.format(root=tmp_path)
    assert len(transforms(tmp_path, [frame(name)])) == 1


@pytest.mark.parametrize("name", ["..\\0.png", "C:\\scene\\0.png", "/etc/0.png", "{root}/../0.png"])
def test_names_that_lead_out_are_refused_however_they_are_written(tmp_path, name):
    images(tmp_path, "0.png")
    with pytest.raises(InputError, match="leads out of this folder"):
        transforms(tmp_path, [frame(name.format(root=tmp_path))])


@pytest.mark.parametrize("applied", ["no", [[1, 0, 0, 0]], [[0] * 4] * 3, [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 0]]])
def test_an_applied_transform_that_is_none_is_named(tmp_path, applied):
    images(tmp_path, "0.png")
    with pytest.raises(InputError, match="applied_transform is no rotation, scale and translation"):
        transforms(tmp_path, [frame("0.png")], applied_transform=applied)


def test_a_stereo_pair_in_one_folder_is_refused(tmp_path):
    names = [f"{k}_{c}.png" for k in range(3) for c in "01"]
    images(tmp_path, *names)
    with pytest.raises(InputError, match=r"0_0\.png and 0_1\.png look like two images of one frame; give each"):
        transforms(tmp_path, [frame(name) for name in names])


def test_images_of_a_few_cameras_in_one_folder_are_refused(tmp_path):
    names = ["a.png", "b.png", "c.png", "d.png"]
    images(tmp_path, *names)
    (tmp_path / "cameras.txt").write_text("".join(f"{k} PINHOLE 16 12 20 20 8 6\n" for k in range(1, 5)))
    rows = "{} 1 0 0 0 {} 0 0 {} {}\n\n"

    def model(*cameras):
        lines = (rows.format(k + 1, k, camera, names[k]) for k, camera in enumerate(cameras))
        (tmp_path / "images.txt").write_text("".join(lines))
        return ColmapSequence(tmp_path, "images")

    with pytest.raises(InputError, match="images has images of 2 cameras, 1 and 2 among them; give each"):
        model(1, 2, 1, 2)
    assert len(model(1, 2, 3, 4)) == len(model(1, 1, 1, 1)) == 4


def test_other_models_and_images_that_are_listed_again_are_noted(tmp_path):
    images(tmp_path, "images/a.png", "images/b.png")
    for number, names in ((0, ("a.png", "a.png", "b.png")), (1, ("b.png",))):
        folder = tmp_path / "sparse" / str(number)
        folder.mkdir(parents=True)
        (folder / "cameras.txt").write_text("1 PINHOLE 16 12 20 20 8 6\n")
        rows = (f"{k + 1} 1 0 0 0 {k} 0 0 1 {name}\n\n" for k, name in enumerate(names))
        (folder / "images.txt").write_text("".join(rows))
    notes = ColmapSequence(tmp_path, "images").notes
    assert any("1 images are listed again, as a.png; each time is a frame" in note for note in notes)
    assert any(f"other models are not: {tmp_path / 'sparse' / '1'}" in note for note in notes)


def test_an_applied_scale_is_undone_too(tmp_path):
    images(tmp_path, "0.png", "1.png")
    applied = [[0, 2, 0, 1], [2, 0, 0, 0], [0, 0, -2, 0]]
    sequence = transforms(tmp_path, [frame("0.png", 1), frame("1.png", 7)], applied_transform=applied)
    # x of the file is 2 y + 1 of the map
    np.testing.assert_allclose(sequence.poses_in_scene[:, 1, 3], [0, 3], atol=1e-12)


@pytest.mark.parametrize("number", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("layout", ["colmap", "transforms"])
def test_images_that_viewers_turn_are_read_as_stored(tmp_path, number, layout):
    if layout == "colmap":
        (tmp_path / "cameras.txt").write_text("1 PINHOLE 16 12 20 20 8 6\n")
        (tmp_path / "images.txt").write_text("1 1 0 0 0 0 0 0 1 0.jpg\n\n")
        jpeg_turned(tmp_path / "0.jpg", number)
        sequence = ColmapSequence(tmp_path, "images")
    else:
        jpeg_turned(tmp_path / "0.jpg", number)
        sequence = transforms(tmp_path, [frame("0.jpg")], w=16, h=12)
    assert sequence.size == SIZE
    seen = sequence.frame(0)
    assert seen[:, :, :6].min() > 0.9
    assert seen[:, :, 10:].max() < 0.1
    assert f"1 of 1 images have an EXIF orientation, as 0.jpg of {number}; they are read as stored" in sequence.notes[0]


def test_a_map_of_turned_images_is_refused_by_its_size_or_its_centre(tmp_path):
    jpeg_turned(tmp_path / "0.jpg", 6)
    with pytest.raises(InputError, match=r"12x16 pixels, but the images are 16x12.*0.jpg has EXIF orientation 6"):
        transforms(tmp_path, [frame("0.jpg")], w=12, h=16)
    with pytest.raises(
        InputError, match=r"a centre of 5.5, 7.5 is that of turned images; 0.jpg has EXIF orientation 6"
    ):
        transforms(tmp_path, [frame("0.jpg")], cx=6, cy=8)


def test_images_of_12_bits_are_stretched_alike_over_a_scene(tmp_path):
    for k, value in enumerate((1000, 4095)):
        cv2.imwrite(str(tmp_path / f"{k}.png"), np.full(SIZE, value, np.uint16))
    sequence = transforms(tmp_path, [frame("0.png"), frame("1.png")])
    assert [float(sequence.frame(i).mean()) for i in range(2)] == pytest.approx([1000 / 4095, 1], abs=1e-4)
    assert "stretched as 12 bits" in sequence.notes[-1]
