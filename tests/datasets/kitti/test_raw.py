"""KITTI raw: lidar in the image against a plain loop, the tree, and what is refused."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.cameras.kitti import LidarCalibration
from vode.datasets.kitti.eigen import KittiRawFrames
from vode.datasets.kitti.lidar import read_velodyne, velodyne_depth
from vode.datasets.kitti.splits import Frame
from vode.errors import InputError
from vode.io.depth import write_depth
from vode.io.image import write_image

DRIVE = "2011_09_26_drive_0002"
AXES = np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0.0]])
"""lidar axes (forward, left, up) to camera axes"""


@pytest.fixture(scope="module")
def calibration():
    T = np.eye(4)
    T[:3, :3] = Rotation.from_euler("xyz", [0.01, -0.02, 0.005]).as_matrix() @ AXES
    T[:3, 3] = [0.02, -0.07, -0.27]
    P = np.array([[70, 0, 40.5, 4.5], [0, 70, 12.25, 0.2], [0, 0, 1, 0.003]])
    return LidarCalibration(torch.tensor(P), torch.tensor(T))


def numbers(values):
    return " ".join(f"{value:.9e}" for value in np.asarray(values).ravel())


@pytest.fixture
def tree(tmp_path, calibration):
    """One drive of two frames of different sizes, with scans and annotated depth of the first."""
    root, depth_root = tmp_path / "raw", tmp_path / "depth"
    drive = root / "2011_09_26" / f"{DRIVE}_sync"
    (drive / "image_02" / "data").mkdir(parents=True)
    (drive / "velodyne_points" / "data").mkdir(parents=True)
    date = root / "2011_09_26"
    (date / "calib_cam_to_cam.txt").write_text(
        f"calib_time: now\nR_rect_00: {numbers(np.eye(3))}\nP_rect_02: {numbers(calibration.projection)}\n"
    )
    T = calibration.T_rect_velo.numpy()
    (date / "calib_velo_to_cam.txt").write_text(f"R: {numbers(T[:3, :3])}\nT: {numbers(T[:3, 3])}\n")
    rng = np.random.default_rng(0)
    for number, size in ((3, (24, 80)), (4, (25, 82))):
        write_image(drive / "image_02" / "data" / f"{number:010d}.png", torch.rand(3, *size))
        scan = rng.uniform([-5, -20, -2, 0], [40, 20, 2, 1], (500, 4)).astype("<f4")
        (drive / "velodyne_points" / "data" / f"{number:010d}.bin").write_bytes(scan.tobytes())
    annotated = depth_root / "val" / f"{DRIVE}_sync" / "proj_depth" / "groundtruth" / "image_02"
    annotated.mkdir(parents=True)
    write_depth(annotated / f"{3:010d}.png", torch.full((1, 24, 80), 7.5))
    return root, depth_root


FRAMES = [Frame(DRIVE, 3), Frame(DRIVE, 4)]


def test_lidar_in_the_image_is_that_of_a_plain_loop(calibration):
    rng = np.random.default_rng(1)
    points = rng.uniform([-5, -20, -2], [40, 20, 2], (3000, 3))
    height, width = 24, 80
    expected = np.zeros((height, width))
    T, P = calibration.T_rect_velo.numpy(), calibration.projection.numpy()
    for point in points:
        u, v, z = P @ T @ [*point, 1]
        if point[0] < 0 or z <= 0:
            continue
        column, row = round(u / z) - 1, round(v / z) - 1
        free = 0 <= column < width and 0 <= row < height and not 0 < expected[row, column] <= z
        if free:
            expected[row, column] = z
    depth = velodyne_depth(torch.tensor(points), calibration, (height, width))
    assert (expected > 0).mean() > 0.3
    np.testing.assert_allclose(depth[0].numpy(), expected, rtol=1e-6)


def test_the_tree_is_read_with_a_size_for_each_frame(tree, calibration):
    root, depth_root = tree
    frames = KittiRawFrames(root, FRAMES)
    assert frames.missing() == {}
    assert [tuple(frames.frame(i).shape) for i in (0, 1)] == [(3, 24, 80), (3, 25, 82)]
    assert [tuple(frames.depth(i).shape) for i in (0, 1)] == [(1, 24, 80), (1, 25, 82)]
    points = read_velodyne(frames.ground_truth_file(1))
    assert torch.equal(frames.depth(1), velodyne_depth(points, calibration, (25, 82)))
    assert frames.names()[0] == f"{DRIVE} frame 3"
    torch.testing.assert_close(frames.intrinsics(1), calibration.projection[:, :3])
    annotated = KittiRawFrames(root, FRAMES, depth_root=depth_root)
    assert annotated.depth(0).unique().tolist() == [7.5]
    assert {i: file.name for i, file in annotated.missing().items()} == {1: "0000000004.png"}


def test_what_is_missing_or_broken_is_named(tree, tmp_path):
    root, _ = tree
    frames = KittiRawFrames(root, FRAMES)
    scan = frames.ground_truth_file(0)
    scan.write_bytes(scan.read_bytes()[:-3])
    with pytest.raises(InputError, match=r"0000000003\.bin: 7997 bytes"):
        frames.depth(0)
    scan.write_bytes(b"")
    with pytest.raises(InputError, match=r"0000000003\.bin: 0 bytes"):
        frames.depth(0)
    calibration = root / "2011_09_26" / "calib_cam_to_cam.txt"
    calibration.write_text(calibration.read_text().replace("P_rect_02: 7", "P_rect_02: x"))
    with pytest.raises(InputError, match=r"calib_cam_to_cam\.txt:3: not 12 numbers"):
        frames.depth(1)
    with pytest.raises(InputError, match=r"no line P_rect_03"):
        KittiRawFrames(root, FRAMES, camera=3)._calibration("2011_09_26")
    with pytest.raises(InputError, match=r"elsewhere: no such folder"):
        KittiRawFrames(tmp_path / "elsewhere", FRAMES)


def test_real_lidar_covers_the_lower_image(real_data):
    frames = KittiRawFrames(real_data / "kitti_raw", [Frame("2011_09_26_drive_9999", 0)])
    if frames.missing():
        pytest.skip(f"not there: {frames.missing()[0]}")
    depth = frames.depth(0)[0]
    known = depth > 0
    assert 0.03 < known.float().mean() < 0.1
    # The topmost beam rises 2 degrees from 0.5 m above the camera: only what is near reaches the upper third.
    assert depth[: depth.shape[0] // 3].max() < 10
    rows = [float(depth[row][known[row]].median()) for row in (200, 260, 320)]
    assert rows == sorted(rows, reverse=True)
    assert math.isclose(rows[2], 7.0, abs_tol=3)
