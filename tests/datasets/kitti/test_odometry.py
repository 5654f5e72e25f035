"""The KITTI odometry layout: hand-written trees, the official projection formula, real frames, bad input."""

import errno
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vode.datasets.base import Sequence
from vode.datasets.kitti.odometry import TEST, TRAIN, KittiOdometry
from vode.datasets.kitti.writer import GroundTruth, write_kitti_sequence
from vode.datasets.options import DataOptions
from vode.datasets.registry import open_dataset
from vode.errors import InputError
from vode.io.atomic import write_error
from vode.io.trajectory import read_trajectory

P0 = [718.5, 0, 4.25, 0, 0, 718.5, 2.5, 0, 0, 0, 1, 0]
P2 = [718.5, 0, 4.25, 45.38225, 0, 718.5, 2.5, -0.1130887, 0, 0, 1, 0.003779761]
TR = [0, -1, 0, 0.1, 0, 0, -1, 0.2, 1, 0, 0, 0.3]
SIZE = (6, 8)


def line(values) -> str:
    return " ".join(f"{value:.17g}" for value in values)


def turn(angle: float, *position: float) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(np.array([0.1 * angle, angle, 0.0]))[0]
    pose[:3, 3] = position
    return pose


POSES = np.stack([turn(0.3, 1, 2, 3), turn(0.5, 1.5, 2, 4), turn(0.8, 2, 2.1, 5), turn(1.0, 3, 2, 6)])


@pytest.fixture
def root(tmp_path) -> Path:
    """Sequence 05: three grey and three colour images, four poses and times."""
    folder = tmp_path / "sequences" / "05"
    pixels = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
    for camera in (0, 2):
        (folder / f"image_{camera}").mkdir(parents=True)
        for i in range(3):
            visualization = pixels[i, ..., 0] if camera == 0 else pixels[i]
            cv2.imwrite(str(folder / f"image_{camera}" / f"{i:06d}.png"), visualization)
    (folder / "calib.txt").write_text(f"P2: {line(P2)}\nP0: {line(P0)}\nTr: {line(TR)}\n\n")
    (folder / "times.txt").write_text("0\n1.036e-01\n2.0e-1\n3.0e-1\n")
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses" / "05.txt").write_text("".join(line(pose[:3].ravel()) + "\n" for pose in POSES))
    return tmp_path


def test_fields(root):
    sequence = open_dataset(DataOptions("kitti-odom", root)).open("05")
    assert isinstance(sequence, Sequence)
    assert (sequence.name, sequence.size, len(sequence)) == ("05", SIZE, 3)
    assert sequence.intrinsics.tolist() == [[718.5, 0, 4.25], [0, 718.5, 2.5], [0, 0, 1]]
    assert sequence.timestamps.tolist() == [0, 0.1036, 0.2]
    assert (sequence.poses.shape, sequence.poses.dtype) == ((3, 4, 4), torch.float64)
    assert sequence.depth(0) is None
    assert sequence.flow(0) is None
    assert set(TRAIN).isdisjoint(TEST)
    assert sorted(TRAIN + TEST) == [f"{i:02d}" for i in range(11)]


def test_colour_and_grey(root):
    path = root / "sequences" / "05" / "image_2" / "000001.png"
    expected = torch.from_numpy(cv2.imread(str(path))[..., ::-1].copy()).permute(2, 0, 1) / 255
    torch.testing.assert_close(KittiOdometry(root, "05").frame(1), expected)
    grey = KittiOdometry(root, "05", camera=0).frame(1)
    assert grey.shape == (3, *SIZE)
    assert torch.equal(grey[0], grey[2])


@pytest.mark.parametrize("camera", [0, 2])
def test_poses_project_like_the_official_matrices(root, camera):
    sequence = KittiOdometry(root, "05", camera=camera)
    projection = np.array(P0 if camera == 0 else P2).reshape(3, 4)
    torch.testing.assert_close(sequence.poses[0], torch.eye(4, dtype=torch.float64))
    point_cam0 = np.array([0.5, -0.3, 12.0, 1.0])
    intrinsics = sequence.intrinsics.double().numpy()
    # A point seen by camera c of frame 0, from P_c X = K (X + t).
    point_cam = np.append(np.linalg.solve(intrinsics, projection @ point_cam0), 1)
    for i in range(3):
        official = projection @ np.linalg.inv(POSES[i]) @ POSES[0] @ point_cam0
        ours = intrinsics @ (np.linalg.inv(sequence.poses[i].numpy()) @ point_cam)[:3]
        np.testing.assert_allclose(ours / ours[2], official / official[2], rtol=1e-9)


def test_poses_times_and_tr_are_optional_and_jpeg_is_read(root):
    folder = root / "sequences" / "05"
    (folder / "times.txt").unlink()
    shutil.rmtree(root / "poses")
    (folder / "calib.txt").write_text(f"P2: {line(P2)}")
    for image in (folder / "image_2").iterdir():
        cv2.imwrite(str(image.with_suffix(".jpg")), cv2.imread(str(image)))
        image.unlink()
    sequence = KittiOdometry(root, "05")
    assert sequence.poses is None
    assert sequence.timestamps is None
    assert sequence.frame(2).shape == (3, *SIZE)


def test_numbering_may_start_anywhere(root):
    images = root / "sequences" / "05" / "image_2"
    before = KittiOdometry(root, "05")
    (images / "000000.png").unlink()
    after = KittiOdometry(root, "05")
    relative = torch.linalg.inv(before.poses[1]) @ before.poses[2]
    torch.testing.assert_close(after.poses[1], relative)
    assert after.timestamps.tolist() == [0.1036, 0.2]


def replace(path: str, text: str):
    return lambda root: (root / path).write_text(text)


def remove(*paths: str):
    def change(root: Path) -> None:
        for path in paths:
            shutil.rmtree(root / path) if (root / path).is_dir() else (root / path).unlink()

    return change


IMAGES, CALIB, POSE_FILE = "sequences/05/image_2", "sequences/05/calib.txt", "poses/05.txt"
GOOD_POSE = line(np.eye(4)[:3].ravel())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (remove("sequences"), r"sequences: no such folder"),
        (remove("sequences/05"), r"sequences/05: no such sequence; there are none"),
        (remove(IMAGES), r"image_2: no such folder; there are image_0"),
        (remove(*(f"{IMAGES}/00000{i}.png" for i in range(3))), r"image_2: no images"),
        (remove(f"{IMAGES}/000001.png"), r"image_2/000001\.png: the frame is missing"),
        (replace(f"{IMAGES}/000001.jpg", ""), r"the same frame as"),
        (replace(f"{IMAGES}/000000.png", ""), r"000000\.png: the file is empty"),
        (remove(CALIB), r"calib\.txt: no such file"),
        (replace(CALIB, ""), r"calib\.txt: no camera P2; it has no line"),
        (replace(CALIB, f"P0: {line(P0)}\nP1: {line(P0)}"), r"calib\.txt: no camera P2; it has P0, P1"),
        (replace(CALIB, f"P0: {line(P0)}\nP2: 1 2 3"), r"calib\.txt:2: not 12 numbers after P2:"),
        (replace(CALIB, f"P2: {line(P2)} x"), r"calib\.txt:1: not 12 numbers"),
        (replace(CALIB, f"P2: {line(TR)}"), r"calib\.txt:1: not a camera matrix"),
        (replace(POSE_FILE, f"{GOOD_POSE}\n1 2 3\n"), r"poses/05\.txt:2: 3 columns"),
        (
            replace(POSE_FILE, f"{GOOD_POSE}\n" * 2),
            r"poses/05\.txt: no pose for 1 of 3 images, first frame 2",
        ),
        (replace(POSE_FILE, f"{GOOD_POSE}\n{line(range(12))}\n"), r"poses/05\.txt:2: .*no rotation"),
        (
            replace(POSE_FILE, f"{GOOD_POSE}\n{'nan ' * 12}\n{GOOD_POSE}"),
            r"no pose for 1 of 3 images, first frame 1",
        ),
        (replace(POSE_FILE, ""), r"poses/05\.txt: no poses"),
        (replace(POSE_FILE, "0 0 0 0 0 0 0 1\n"), r"poses/05\.txt: a TUM trajectory"),
        (replace("sequences/05/times.txt", "0\n1 2\n"), r"times\.txt:2: not one number"),
        (replace("sequences/05/times.txt", "0\n"), r"times\.txt: 1 lines, but frame 2"),
    ],
)
def test_bad_input_names_the_file_and_the_remedy(root, change, message):
    change(root)
    with pytest.raises(InputError, match=message):
        KittiOdometry(root, "05")


def test_unknown_sequence_lists_those_there_are(root):
    with pytest.raises(InputError, match="there are 05"):
        KittiOdometry(root, "11")


def test_bad_frames_are_named_when_read(root):
    images = root / "sequences" / "05" / "image_2"
    data = (images / "000001.png").read_bytes()
    (images / "000001.png").write_bytes(data[:-20])
    cv2.imwrite(str(images / "000002.png"), np.zeros((6, 9, 3), np.uint8))
    sequence = KittiOdometry(root, "05")
    sequence.frame(0)
    with pytest.raises(InputError, match=r"000001\.png: .*cut short"):
        sequence.frame(1)
    with pytest.raises(InputError, match=r"000002\.png: 9x6 pixels, not 8x6"):
        sequence.frame(2)


def made(count: int = 3):
    """Frames, depths and flows that the files hold exactly."""
    make = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (count, 3, *SIZE), generator=make) / 255
    depths = torch.randint(0, 65536, (count, 1, *SIZE), generator=make) / 256
    flows = torch.randint(-6400, 6400, (count - 1, 2, *SIZE), generator=make) / 64
    visible = torch.randint(0, 2, (count - 1, 1, *SIZE), generator=make).float()
    return frames, depths, list(zip(flows, visible, strict=True))


INTRINSICS = torch.tensor([[5.1, 0.0, 3.7], [0.0, 5.3, 2.2], [0.0, 0.0, 1.0]])
OWN_POSES = torch.from_numpy(np.linalg.inv(POSES[0]) @ POSES[:3])
OWN_POSES[0] = torch.eye(4)


def test_written_sequence_reads_back_exactly(tmp_path):
    frames, depths, flows = made()
    timestamps = torch.tensor([0.0, 0.1, 0.2 + 1e-15], dtype=torch.float64)
    known = GroundTruth(OWN_POSES, iter(depths), iter(flows))
    folder = write_kitti_sequence(tmp_path, "w0", 2, iter(frames), INTRINSICS, timestamps, known)
    assert folder == tmp_path / "sequences" / "w0"
    sequence = KittiOdometry(tmp_path, "w0")
    assert torch.equal(sequence.intrinsics, INTRINSICS)
    assert torch.equal(sequence.poses, OWN_POSES)
    assert torch.equal(sequence.timestamps, timestamps)
    for i in range(3):
        torch.testing.assert_close(sequence.frame(i), frames[i], rtol=0, atol=1e-7)
        assert torch.equal(sequence.depth(i), depths[i])
    for i in range(2):
        assert torch.equal(sequence.flow(i)[0], flows[i][0])
        assert torch.equal(sequence.flow(i)[1], flows[i][1])
    assert sequence.flow(2) is None
    assert torch.equal(read_trajectory(tmp_path / "poses" / "w0.txt").poses, OWN_POSES)
    assert sorted(os.listdir(tmp_path / "sequences")) == ["w0"]


def test_bare_sequence(tmp_path):
    write_kitti_sequence(tmp_path, "w0", 0, made()[0], INTRINSICS)
    sequence = KittiOdometry(tmp_path, "w0", camera=0)
    assert sequence.poses is None
    assert sequence.timestamps is None
    assert sequence.depth(0) is None
    assert not (tmp_path / "poses").exists()


def test_existing_sequence_is_kept(root):
    with pytest.raises(InputError, match=r"sequences/05: exists already"):
        write_kitti_sequence(root, "05", 2, made()[0], INTRINSICS)
    shutil.rmtree(root / "sequences" / "05")
    with pytest.raises(InputError, match=r"poses/05\.txt: exists already"):
        write_kitti_sequence(root, "05", 2, made()[0], INTRINSICS, ground_truth=GroundTruth(OWN_POSES))


def broken_frames():
    yield made()[0][0]
    raise KeyboardInterrupt


def test_interrupted_or_inconsistent_writing_leaves_nothing(tmp_path, monkeypatch):
    frames, depths, flows = made()
    with pytest.raises(KeyboardInterrupt):
        write_kitti_sequence(tmp_path, "w0", 2, broken_frames(), INTRINSICS, ground_truth=GroundTruth(OWN_POSES))
    for arguments, message in [
        ({"ground_truth": GroundTruth(poses=OWN_POSES[:2])}, "2 poses for 3 frames"),
        ({"timestamps": torch.arange(4)}, "4 timestamps for 3 frames"),
        ({"ground_truth": GroundTruth(depths=depths[:2])}, "depths: too few"),
        ({"ground_truth": GroundTruth(depths=torch.cat([depths, depths]))}, "more depths or flows"),
        ({"ground_truth": GroundTruth(flows=flows[:1])}, "flows: too few"),
        ({"ground_truth": GroundTruth(flows=flows + flows)}, "more depths or flows"),
    ]:
        with pytest.raises(ValueError, match=message):
            write_kitti_sequence(tmp_path, "w0", 2, frames, INTRINSICS, **arguments)
    with pytest.raises(ValueError, match="no frames"):
        write_kitti_sequence(tmp_path, "w0", 2, [], INTRINSICS)

    def full(path, data, **options):
        raise write_error(path, OSError(errno.ENOSPC, "No space left on device"))

    monkeypatch.setattr("vode.io.image.write_bytes", full)
    with pytest.raises(InputError, match="disk is full"):
        write_kitti_sequence(tmp_path, "w0", 2, frames, INTRINSICS, ground_truth=GroundTruth(OWN_POSES))
    assert os.listdir(tmp_path / "sequences") == []
    assert not (tmp_path / "poses").exists()


def test_real_sequence(real_data):
    sequence = KittiOdometry(real_data / "kitti_odometry", "00", camera=0)
    assert (len(sequence), sequence.size) == (200, (376, 1241))
    assert len(read_trajectory(real_data / "kitti_odometry" / "poses" / "00.txt")) == 4541
    assert sequence.poses.shape == (200, 4, 4)
    assert sequence.timestamps.diff().median().item() == pytest.approx(0.1036, abs=1e-3)
    forward = (torch.linalg.inv(sequence.poses[:-1]) @ sequence.poses[1:])[:, 2, 3]
    assert 0.2 < forward.min() < forward.max() < 2
    assert sequence.frame(199).shape == (3, 376, 1241)
    with pytest.raises(InputError, match=r"image_2: no such folder; there are image_0"):
        KittiOdometry(real_data / "kitti_odometry", "00")
