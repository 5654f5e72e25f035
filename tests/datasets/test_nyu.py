"""NYU Depth V2: raw folders, undistorted ones, and the labelled file as MATLAB writes it."""

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import torch

from vode.datasets.nyu import NyuDataset, NyuLabeled, NyuScene
from vode.errors import InputError
from vode.io.image import write_image

# Of the toolbox of the data set, camera_params.m: fx_rgb and so on.
MATRIX = np.array([[518.857901, 0, 325.582449], [0, 519.469611, 253.736166], [0, 0, 1]])
DISTORTION = np.array([0.207966153, -0.586138252, 0.000722313614, 0.00104796272, 0.498569867])


def put_raw(folder, time, level):
    folder.mkdir(exist_ok=True)
    path = folder / f"r-{time}-1316138413.ppm"
    cv2.imwrite(str(path), np.full((480, 640, 3), level, np.uint8))
    return path


def levels(scene):
    return [round(float(scene.frame(i).mean()) * 255) for i in range(len(scene))]


def test_raw_frames_are_ordered_by_time(tmp_path):
    for level, time in ((30, "1000.25"), (10, "99.5"), (20, "999.75")):
        put_raw(tmp_path / "kitchen_0001", time, level)
    cut = put_raw(tmp_path / "kitchen_0001", "500.5", 200)
    cut.write_bytes(cut.read_bytes()[:-1000])
    (tmp_path / "kitchen_0001" / "d-99.6-1316138413.pgm").write_bytes(b"depth, not read")
    (tmp_path / "empty").mkdir()
    scene = NyuScene(tmp_path, "kitchen_0001")
    assert levels(scene) == [10, 20, 30]
    assert scene.timestamps.tolist() == [99.5, 999.75, 1000.25]
    assert scene.notes == ("1 of 4 raw frames are cut short, and left out",)
    assert scene.size == (480, 640)
    assert NyuDataset(tmp_path).names("train") == ("kitchen_0001",)


def test_raw_frames_are_freed_of_the_distortion(tmp_path):
    path = put_raw(tmp_path / "kitchen_0001", "99.5", 0)
    scene = NyuScene(tmp_path, "kitchen_0001")
    for place in ((70, 60), (560, 60), (320, 240), (80, 430), (570, 400)):
        ray = np.linalg.solve(scene.intrinsics.double().numpy(), [*place, 1])
        x, y = cv2.projectPoints(ray, np.zeros(3), np.zeros(3), MATRIX, DISTORTION)[0].ravel()
        down, across = np.exp(-((np.arange(480) - y) ** 2) / 8), np.exp(-((np.arange(640) - x) ** 2) / 8)
        cv2.imwrite(str(path), np.repeat(np.outer(down, across)[..., None] * 255, 3, -1))
        spot = scene.frame(0)[1].double().numpy()
        found = np.array([spot.sum(0) @ np.arange(640), spot.sum(1) @ np.arange(480)]) / spot.sum()
        np.testing.assert_allclose(found, place, atol=0.15)


def test_frames_that_somebody_has_undistorted_stay_as_they_are(tmp_path):
    (tmp_path / "office").mkdir()
    for level, name in ((1, "0.jpg"), (2, "2.jpg"), (3, "10.jpg")):
        write_image(tmp_path / "office" / name, torch.full((3, 480, 640), level / 10))
    edge = torch.zeros(3, 480, 640)
    edge[:, :, 100:] = 1
    write_image(tmp_path / "office" / "11.png", edge)
    scene = NyuScene(tmp_path, "office")
    assert levels(scene)[:3] == pytest.approx([25.5, 51, 76.5], abs=1)
    assert torch.equal(scene.frame(3), edge)
    np.testing.assert_allclose(scene.intrinsics, MATRIX, rtol=1e-6)
    assert "without the lens' distortion" in scene.notes[0]
    assert scene.timestamps is None


def test_bad_folders_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no r-"):
        NyuScene(tmp_path, "empty")
    with pytest.raises(InputError, match="no folder with r-"):
        NyuDataset(tmp_path).names("train")
    with pytest.raises(InputError, match="leads out of this folder"):
        NyuScene(tmp_path / "empty", "..")
    put_raw(tmp_path / "a", "yesterday", 1)
    with pytest.raises(InputError, match=r"r-yesterday.*restore"):
        NyuScene(tmp_path, "a")
    cut = put_raw(tmp_path / "b", "1.5", 1)
    cut.write_bytes(b"P6")
    with pytest.raises(InputError, match="b: no r-"):
        NyuScene(tmp_path, "b")
    (tmp_path / "c").mkdir()
    write_image(tmp_path / "c" / "0.png", torch.zeros(3, 240, 320))
    with pytest.raises(InputError, match=r"0\.png: 320x240 pixels, not 640x480"):
        NyuScene(tmp_path, "c").frame(0)


def write_labeled(folder, images=None, depths=None, numbers=(2, 5, 6)):
    """Six images and depths in the order of axes that MATLAB's (H, W, 3, N) and (H, W, N) have in HDF5."""
    with h5py.File(folder / "nyu_depth_v2_labeled.mat", "w") as archive:
        archive["images"] = np.zeros((6, 3, 640, 480), np.uint8) if images is None else images
        archive["depths"] = np.ones((6, 640, 480), np.float32) if depths is None else depths
    scipy.io.savemat(folder / "splits.mat", {"testNdxs": np.array(numbers)[:, None], "trainNdxs": [[1], [3], [4]]})
    return folder


def test_labelled_frames_are_upright_and_of_the_right_number(tmp_path):
    upright = np.zeros((6, 480, 640, 3), np.uint8)
    upright[..., 0] = 40 * np.arange(6)[:, None, None]
    upright[:, 20, 600, 1], upright[:, 400, 30, 2] = 255, 51
    depths = np.ones((6, 480, 640), np.float32) * np.arange(1, 7, dtype=np.float32)[:, None, None]
    depths[:, 10, 500], depths[:, 0, :3] = 9.5, (np.nan, np.inf, -1)
    write_labeled(tmp_path, upright.transpose(0, 3, 2, 1), depths.transpose(0, 2, 1))
    for place in (tmp_path, tmp_path / "nyu_depth_v2_labeled.mat"):
        frames = NyuLabeled(place)
        assert len(frames) == 3
        assert frames.intrinsics(0)[1, 1] == pytest.approx(519.47, abs=0.01)
        assert frames.names() == ["nyu 0002", "nyu 0005", "nyu 0006"]
        assert frames.notes == ("splits.mat names 3 test images, the official one 654",)
        for index, number in enumerate((2, 5, 6)):
            expected = torch.from_numpy(upright[number - 1]).permute(2, 0, 1) / 255
            torch.testing.assert_close(frames.frame(index), expected)
            depth = frames.depth(index)
            assert depth.shape == (1, 480, 640)
            assert depth.dtype == torch.float32
            assert (depth[0, 100, 100], depth[0, 10, 500]) == (number, 9.5)
            assert depth[0, 0, :4].tolist() == [0, 0, 0, number]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"images": np.zeros((6, 480, 640, 3), np.uint8)}, r"images of \(6, 480, 640, 3\)"),
        ({"images": np.zeros((6, 3, 640, 480), np.float32)}, "float32"),
        ({"images": np.uint8(3)}, r"images of \(\)"),
        ({"images": h5py.Empty("u1")}, "images of None"),
        ({"images": np.zeros((5, 3, 640, 480), np.uint8)}, r"depths of \(6, 640, 480\)"),
        ({"depths": np.ones((6, 480, 640), np.float32)}, r"depths of \(6, 480, 640\)"),
        ({"depths": np.ones((6, 640, 480), np.uint16)}, "uint16"),
        ({"depths": h5py.ExternalLink("secret.mat", "/depths")}, "no depths in it"),
        ({"depths": h5py.SoftLink("/images")}, "no depths in it"),
        ({"numbers": (2, 7)}, "6 images, but splits.mat names number 7"),
        ({"numbers": (0, 2)}, r"splits\.mat: testNdxs"),
        ({"numbers": ()}, r"splits\.mat: testNdxs"),
    ],
)
def test_labelled_files_that_are_not_the_official_one_are_refused(tmp_path, wrong, says):
    with h5py.File(tmp_path / "secret.mat", "w") as secret:
        secret["depths"] = np.ones((6, 640, 480), np.float32)
    with pytest.raises(InputError, match=says):
        NyuLabeled(write_labeled(tmp_path, **wrong))


def test_an_array_that_lies_in_other_files_is_refused(tmp_path):
    write_labeled(tmp_path)
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "a") as archive:
        del archive["depths"]
        archive.create_dataset("depths", (6, 640, 480), np.float32, external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])
    with pytest.raises(InputError, match="no depths in it"):
        NyuLabeled(tmp_path)
    layout = h5py.VirtualLayout((6, 640, 480), np.float32)
    layout[:] = h5py.VirtualSource(tmp_path / "secret.mat", "depths", (6, 640, 480))
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "a") as archive:
        del archive["depths"]
        archive.create_virtual_dataset("depths", layout)
    with pytest.raises(InputError, match="no depths in it"):
        NyuLabeled(tmp_path)


def test_missing_and_damaged_files_are_named(tmp_path):
    labeled, splits = write_labeled(tmp_path) / "nyu_depth_v2_labeled.mat", tmp_path / "splits.mat"
    whole, split = labeled.read_bytes(), splits.read_bytes()
    for junk in (b"", b"junk" * 99, split[: len(split) // 2]):
        splits.write_bytes(junk)
        with pytest.raises(InputError, match=r"splits\.mat: no numbers testNdxs can be read"):
            NyuLabeled(tmp_path)
    splits.unlink()
    with pytest.raises(InputError, match=r"splits\.mat: no such file"):
        NyuLabeled(tmp_path)
    splits.write_bytes(split)
    assert b"HEAP" in whole
    # the last one is found out when a name is looked up
    for junk in (b"", b"junk" * 99, split, whole[: len(whole) // 2], whole.replace(b"HEAP", b"HEAQ")):
        labeled.write_bytes(junk)
        with pytest.raises(InputError, match=r"labeled\.mat: not a whole HDF5 file"):
            NyuLabeled(tmp_path)
    labeled.unlink()
    with pytest.raises(InputError, match=r"labeled\.mat: not a whole HDF5 file"):
        NyuLabeled(tmp_path)
