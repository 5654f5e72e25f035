"""TUM RGB-D: a tree in its layout, what is refused, and the real sample's own truth."""

import cv2
import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.cameras.lens import Camera
from vode.datasets.options import DataOptions
from vode.datasets.tum import CAMERAS, TumDataset, TumSequence
from vode.errors import InputError
from vode.geometry.pose import rotation_angle
from vode.io.depth import write_depth
from vode.io.image import write_image
from vode.odometry.perception import Classical, SequenceDepth
from vode.odometry.track import track

NAME = "rgbd_dataset_freiburg1_test"


@pytest.fixture
def tree(tmp_path):
    """Four images a tenth of a second apart, two depth maps, and a camera that turns and moves evenly."""
    folder = tmp_path / NAME
    (folder / "rgb").mkdir(parents=True)
    (folder / "depth").mkdir()
    timestamps = [f"{100 + k / 10:.6f}" for k in range(4)]
    for k, timestamp in enumerate(timestamps):
        write_image(folder / "rgb" / f"{timestamp}.png", torch.full((3, 480, 640), 0.2 * k))
    (folder / "rgb.txt").write_text("# colour\n" + "".join(f"{s} rgb/{s}.png\n" for s in timestamps))
    for timestamp, metres in (("100.005000", 1.5), ("100.310000", 2.5)):
        write_depth(folder / "depth" / f"{timestamp}.png", torch.full((1, 480, 640), metres), unit=5000)
    (folder / "depth.txt").write_text("100.310000 depth/100.310000.png\n100.005000 depth/100.005000.png\n")
    rows = []
    for t in np.arange(99.95, 100.25, 0.01):
        q = Rotation.from_rotvec([0, 0.5 * (t - 100), 0]).as_quat()
        rows.append(" ".join(f"{x:.6f}" for x in (t, 1 + t - 100, 2, 3, *q)))
    (folder / "groundtruth.txt").write_text("\n".join(rows))
    return tmp_path


def test_images_depth_and_poses_are_put_together_by_time(tree):
    sequence = TumSequence(tree, NAME)
    # the truth ends before the last image
    assert len(sequence) == 3
    assert sequence.notes[0].startswith("1 of 4 images without a ground truth pose")
    assert "depth.txt: 1 timestamps" in sequence.notes[1]
    assert sequence.timestamps.tolist() == pytest.approx([100, 100.1, 100.2])
    assert [sequence.has_depth(i) for i in range(3)] == [True, False, False]
    assert sequence.depth(1) is None
    assert sequence.depth(0)[0, 240, 320] == 1.5
    assert sequence.frame(1).sub(0.2).abs().max() < 3e-3
    assert torch.equal(sequence.poses[0], torch.eye(4, dtype=torch.float64))
    expected = Rotation.from_rotvec([0, 0.1, 0]).as_matrix()
    np.testing.assert_allclose(sequence.poses[2, :3, :3], expected, atol=1e-5)
    np.testing.assert_allclose(sequence.poses[2, :3, 3], [0.2, 0, 0], atol=1e-5)
    assert TumDataset(tree).names("train") == (NAME,)


def test_tabs_indented_comments_and_nanoseconds(tree):
    expected, folder = TumSequence(tree, NAME), tree / NAME
    for name in ("rgb.txt", "depth.txt", "groundtruth.txt"):
        rows = [line.split() for line in (folder / name).read_text().splitlines() if not line.startswith("#")]
        rows = [[str(round(float(time) * 1e9)), *rest] for time, *rest in rows]
        (folder / name).write_text("\t # by hand\n" + "".join("\t".join(row) + "\n" for row in rows))
    found = TumSequence(tree, NAME)
    assert found.images == expected.images
    torch.testing.assert_close(found.timestamps, expected.timestamps, atol=1e-9, rtol=0)
    torch.testing.assert_close(found.poses, expected.poses, atol=1e-6, rtol=0)
    assert found.has_depth(0)
    assert sum("nanoseconds" in note for note in found.notes) == 2


def test_a_truth_of_positions_alone_is_refused(tree):
    file = tree / NAME / "groundtruth.txt"
    rows = [line.split()[:4] for line in file.read_text().splitlines()]
    file.write_text("".join(" ".join([*row, "0 0 0 0"]) + "\n" for row in rows))
    with pytest.raises(InputError, match=r"groundtruth\.txt: all quaternions are 0 0 0 0"):
        TumSequence(tree, NAME)


def test_without_a_truth_all_images_stay(tree):
    (tree / NAME / "groundtruth.txt").unlink()
    sequence = TumSequence(tree, NAME)
    assert len(sequence) == 4
    assert sequence.poses is None
    assert sequence.has_depth(3)
    (tree / NAME / "depth.txt").unlink()
    assert not TumSequence(tree, NAME).has_depth(3)


def test_the_lens_is_undistorted(tree):
    folder = tree / NAME
    place = np.array([[80.0, 60.0], [550.0, 400.0]])
    pinhole = TumSequence(tree, NAME).intrinsics.double().numpy()
    ideal = np.linalg.solve(pinhole, np.column_stack([place, np.ones(2)]).T).T
    lens = CAMERAS["freiburg1"]
    seen, _ = cv2.projectPoints(ideal, np.zeros(3), np.zeros(3), lens.matrix, np.array(lens.distortion))
    image = torch.zeros(3, 480, 640)
    for x, y in seen[:, 0]:
        image[:, round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3] = 1
    write_image(folder / "rgb" / "100.000000.png", image)
    undistort = TumSequence(tree, NAME).frame(0)[0]
    for x, y in place.astype(int):
        near = undistort[y - 6 : y + 7, x - 6 : x + 7]
        rows, columns = near.nonzero().double().mean(0)
        assert abs(rows - 6) < 0.8
        assert abs(columns - 6) < 0.8


OWN = "{width: 640, height: 480, fx: 500, fy: 505, cx: 321, cy: 239, k1: -0.2, k2: 0.03}"


def test_an_own_camera_comes_from_a_calibration(tree):
    (tree / "mine.yaml").write_text(OWN)
    options = DataOptions("tum", tree, calibration=tree / "mine.yaml")
    lens = Camera((480, 640), (500, 505), (321, 239), "radtan", (-0.2, 0.03, 0, 0))
    for name in (NAME, "walk"):
        (tree / NAME).rename(tree / name)
        sequence = TumDataset(tree, options).open(name)
        assert torch.equal(sequence.intrinsics, lens.intrinsics)
        assert sequence.depth(0)[0, 240, 320] == 1.5
        (tree / name).rename(tree / NAME)
    (tree / NAME).rename(tree / "walk")
    (tree / "walk" / "camera.yaml").write_text(OWN)
    assert torch.equal(TumDataset(tree).open("walk").intrinsics, lens.intrinsics)


def test_an_own_camera_has_images_of_its_own_size(tree):
    for k in range(4):
        write_image(tree / NAME / "rgb" / f"{100 + k / 10:.6f}.png", torch.full((3, 240, 320), 0.2))
    (tree / "mine.yaml").write_text(OWN)
    sequence = TumSequence(tree, NAME, calibration=tree / "mine.yaml")
    assert sequence.size == (240, 320)
    assert sequence.frame(0).shape == (3, 240, 320)
    half = Camera((240, 320), (250, 252.5), (160.25, 119.25), "radtan", (-0.2, 0.03, 0, 0))
    assert torch.equal(sequence.intrinsics, half.intrinsics)
    assert "calibrated at 640x480 pixels, and scaled to images of 320x240" in sequence.notes[0]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("rgb.txt", "100.0 ../../secret.png\n", "leads out of this folder"),
        ("rgb.txt", "one rgb/100.000000.png\n", "rgb.txt:1: not a time"),
        ("rgb.txt", "# nothing\n", "names no image"),
        ("groundtruth.txt", "1.0 0 0 0 0 0 0 1\n2.0 0 0 0 0 0 0 1\n", "no pose at the time of any image"),
        ("groundtruth.txt", "1.0 0 0 0 0 0 0 0\n", "groundtruth.txt"),
    ],
)
def test_bad_lists_are_named(tree, file, text, says):
    (tree / NAME / file).write_text(text)
    with pytest.raises(InputError, match=says):
        TumSequence(tree, NAME)


def test_other_trees_are_refused(tree):
    with pytest.raises(InputError, match="no such folder"):
        TumSequence(tree, "rgbd_dataset_freiburg1_none")
    (tree / NAME).rename(tree / "renamed")
    with pytest.raises(InputError, match="restore the name, or give a calibration"):
        TumSequence(tree, "renamed")
    with pytest.raises(InputError, match=r"rgb\.txt"):
        TumDataset(tree / "renamed").names("train")


def test_images_of_another_size_are_refused(tree):
    write_image(tree / NAME / "rgb" / "100.100000.png", torch.zeros(3, 240, 320))
    with pytest.raises(InputError, match="320x240 pixels, not 640x480"):
        TumSequence(tree, NAME).frame(1)


@pytest.fixture(scope="module")
def real(real_data):
    return TumSequence(real_data / "tum", "rgbd_dataset_freiburg1_rpy")


def test_the_real_depth_agrees_with_itself_through_the_real_poses(real, disagreement):
    assert max(disagreement(real, i, i + 3) for i in range(0, 40, 5)) < 0.03


@pytest.mark.parametrize("size", [(240, 320), (480, 640)])
def test_a_real_camera_that_mostly_turns_is_tracked(real, size):
    tracked = track(real, Classical(SequenceDepth(real)), size=size)
    poses = tracked.trajectory.poses
    assert poses.isfinite().all()
    steps, true = (torch.linalg.solve(x[:-1], x[1:]) for x in (poses, real.poses))
    assert (steps[:, :3, 3] - true[:, :3, 3]).norm(dim=-1).max() < 0.1
    turned = rotation_angle(steps[:, :3, :3].mT @ true[:, :3, :3]).rad2deg()
    assert turned.median() < 0.7
