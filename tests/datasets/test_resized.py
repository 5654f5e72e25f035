"""Images that were resized while their calibration stayed: each reader scales it by the stated size, or refuses."""

import json

import numpy as np
import pytest
import torch

from vode.datasets.folder import FolderSequence
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.mapped.cambridge import CambridgeSequence
from vode.datasets.mapped.colmap import ColmapSequence
from vode.datasets.mapped.transforms_json import TransformsSequence
from vode.datasets.tum import TumSequence
from vode.errors import InputError
from vode.io.image import write_image

TUM = "rgbd_dataset_freiburg3_walk"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def picture(path, size):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, torch.zeros(3, *size))


def kitti(root, size, matrix="718.856 0 607.1928 0 0 718.856 185.2157 0 0 0 1 0"):
    """Sequences 00 to 02 of KITTI, whose images are 1241x376, which calib.txt does not tell."""
    picture(root / "sequences" / "00" / "image_2" / "000000.png", size)
    write(root / "sequences" / "00" / "calib.txt", f"P2: {matrix}\n")
    return KittiOdometry(root, "00")


def colmap(root, size):
    picture(root / "images" / "a.png", size)
    write(root / "sparse" / "0" / "cameras.txt", "1 PINHOLE 1280 720 900 910 650 350\n")
    write(root / "sparse" / "0" / "images.txt", "1 1 0 0 0 0 0 0 1 a.png\n\n")
    return ColmapSequence(root, "images")


def transforms(root, size, **changed):
    picture(root / "a.png", size)
    camera = {"fl_x": 900, "fl_y": 910, "cx": 650, "cy": 350, "w": 1280, "h": 720} | changed
    frame = {"file_path": "a.png", "transform_matrix": np.diag([1.0, -1, -1, 1]).tolist()}
    write(root / "transforms.json", json.dumps({k: v for k, v in camera.items() if v} | {"frames": [frame]}))
    return TransformsSequence(root, "transforms")


def cambridge(root, size, focal=1670.0, seen="-955 530"):
    """The published map is of images of 1920x1080, which it tells only by where it saw points."""
    write(root / "dataset_train.txt", "\n\n\nseq1/a.png 0 0 0 1 0 0 0\n")
    points = f"1\n0 0 5 9 9 9 1 0 0 {seen}\n" if seen else "0\n"
    write(root / "reconstruction.nvm", f"NVM_V3\n\n1\nseq1/a.jpg {focal} 1 0 0 0 0 0 0 0 0\n\n{points}")
    picture(root / "seq1" / "a.png", size)
    return CambridgeSequence(root, "seq1")


def tum(root, size):
    picture(root / TUM / "rgb" / "1.png", size)
    write(root / TUM / "rgb.txt", "1.0 rgb/1.png\n")
    return TumSequence(root, TUM)


def folder(root, size, text="{width: 1280, height: 720, fx: 900, fy: 910, cx: 649.5, cy: 349.5}"):
    picture(root / "walk" / "1.png", size)
    write(root / "walk" / "camera.yaml", text)
    return FolderSequence(root, "walk")


WIDE = (720, 1280), (900, 910, 650, 350)
READERS = {
    kitti: ((376, 1241), (718.856, 718.856, 607.6928, 185.7157)),
    **dict.fromkeys((colmap, transforms, folder), WIDE),
    cambridge: ((1080, 1920), (1670, 1670, 960, 540)),
    tum: ((480, 640), (535.4, 539.2, 320.6, 248.1)),
}
"""size of the images that were calibrated, and fx, fy, cx, cy, from the corner of the image"""


@pytest.mark.parametrize("build", READERS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("part", [1, 0.5, 0.25])
def test_intrinsics_of_resized_images_are_the_calibrated_ones_resized(tmp_path, build, part):
    (rows, columns), numbers = READERS[build]
    size = round(rows * part), round(columns * part)
    sequence = build(tmp_path, size)
    (fx, _, cx), (_, fy, cy), _ = sequence.intrinsics.tolist()
    x, y = size[1] / columns, size[0] / rows
    assert (fx / x, fy / y, (cx + 0.5) / x, (cy + 0.5) / y) == pytest.approx(numbers, rel=1e-5)
    said = [note for note in sequence.notes if f"scaled to images of {size[1]}x{size[0]}" in note]
    assert len(said) == (part != 1)
    assert sequence.frame(0).shape == (3, *size)


@pytest.mark.parametrize("build", READERS, ids=lambda build: build.__name__)
def test_images_of_another_shape_are_refused(tmp_path, build):
    (rows, columns), _ = READERS[build]
    with pytest.raises(InputError, match=f"a camera of {columns}x{rows} pixels, but the images are 200x{rows // 4}"):
        build(tmp_path, (rows // 4, 200))


def test_copies_of_kitti_for_training_are_scaled_by_width_and_height(tmp_path):
    sequence = kitti(tmp_path, (128, 416))
    assert sequence.intrinsics[0, 0] == pytest.approx(718.856 * 416 / 1241)
    assert sequence.intrinsics[1, 1] == pytest.approx(718.856 * 128 / 376)


@pytest.mark.parametrize(
    ("build", "changed"),
    [
        (kitti, {"matrix": "700 0 607 0 0 700 185 0 0 0 1 0"}),
        (transforms, {"w": None, "h": None}),
        (folder, {"text": "{fx: 900, fy: 910, cx: 650, cy: 350}"}),
        (folder, {"text": "{width: 416, height: 128, fx: 900, fy: 910, cx: 650, cy: 350}"}),
    ],
)
def test_a_centre_that_is_not_of_these_images_is_refused(tmp_path, build, changed):
    with pytest.raises(InputError, match=r"is (far from the middle|outside) of images of 416x128"):
        build(tmp_path, (128, 416), **changed)


@pytest.mark.parametrize(("focal", "seen"), [(1670, "-1200 10"), (3300, "0 0"), (3300, "")])
def test_a_map_of_unknown_larger_images_is_refused(tmp_path, focal, seen):
    with pytest.raises(InputError, match=r"reconstruction\.nvm: a map of larger images than these of 480x270"):
        cambridge(tmp_path, (270, 480), focal, seen)
    assert cambridge(tmp_path, (270, 480), 1670, "").intrinsics[0, 0] == pytest.approx(1670 / 4)
