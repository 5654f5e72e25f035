"""Drives of KITTI raw: OXTS poses against those of the odometry layout, training frames, and the real sample."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from vode.datasets.check import check
from vode.datasets.kitti.odometry import KittiOdometry
from vode.datasets.kitti.raw import KittiRaw, KittiRawDataset
from vode.datasets.kitti.splits import read_split
from vode.datasets.options import DataOptions
from vode.errors import InputError
from vode.io.image import write_image

DRIVE, EARTH, LATITUDE = "2011_09_26_drive_0113", 6378137.0, 49.0
FRAMES = 6
P2 = np.array([[70, 0, 40.5, 4.5], [0, 70, 12.25, 0.2], [0, 0, 1, 0.003]])


def rigid(angles, translation, axes=np.eye(3)):
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = Rotation.from_euler("xyz", angles).as_matrix() @ axes, translation
    return T


T_RECT_CAM = rigid([0.01, 0.003, -0.004], [0, 0, 0])
T_CAM_VELO = rigid([0.01, -0.02, 0.005], [0.02, -0.07, -0.27], np.array([[0, -1, 0], [0, 0, -1], [1, 0, 0.0]]))
T_VELO_IMU = rigid([0.002, 0.001, -0.01], [-0.81, 0.32, -0.8])
T_CAM0_IMU = T_RECT_CAM @ T_CAM_VELO @ T_VELO_IMU
POSES = [rigid([0.01 * k, 0.06 * k, -0.005 * k], [0.1 * k, -0.02 * k, 1.3 * k]) for k in range(FRAMES)]
"""camera 0 in its first frame: a right turn"""


def numbers(values):
    return " ".join(f"{value:.12e}" for value in np.asarray(values).ravel())


def packet(T_world_imu):
    """An OXTS packet for an IMU pose in east, north and up, at the place where Mercator's scale is that of LATITUDE."""
    scale = np.cos(np.radians(LATITUDE))
    east, north, up = T_world_imu[:3, 3] + [0, scale * EARTH * np.log(np.tan(np.radians(45 + LATITUDE / 2))), 100]
    latitude = 2 * np.degrees(np.arctan(np.exp(north / (scale * EARTH)))) - 90
    roll, pitch, yaw = Rotation.from_matrix(T_world_imu[:3, :3]).as_euler("xyz")
    values = [latitude, np.degrees(east / (scale * EARTH)), up, roll, pitch, yaw, *[0.0] * 19]
    return " ".join(f"{value:.15g}" for value in values) + " 4 11 6 6 6\n"


@pytest.fixture
def raw(tmp_path):
    """A drive whose first frame looks east, in the layout of KITTI raw."""
    date = tmp_path / "raw" / DRIVE[:10]
    drive = date / f"{DRIVE}_sync"
    for folder in ("image_02", "oxts"):
        (drive / folder / "data").mkdir(parents=True)
    (date / "calib_cam_to_cam.txt").write_text(
        f"calib_time: 09-Jan-2012 13:57:47\nR_rect_00: {numbers(T_RECT_CAM[:3, :3])}\nP_rect_02: {numbers(P2)}\n"
    )
    for name, T in (("calib_velo_to_cam.txt", T_CAM_VELO), ("calib_imu_to_velo.txt", T_VELO_IMU)):
        (date / name).write_text(f"R: {numbers(T[:3, :3])}\nT: {numbers(T[:3, 3])}\n")
    T_world_first = rigid([0, 0, 0.3], [0, 0, 0])
    lines = []
    for k, T_first_cam in enumerate(POSES):
        write_image(drive / "image_02" / "data" / f"{k:010d}.png", torch.rand(3, 24, 80))
        T_world_imu = T_world_first @ np.linalg.inv(T_CAM0_IMU) @ T_first_cam @ T_CAM0_IMU
        (drive / "oxts" / "data" / f"{k:010d}.txt").write_text(packet(T_world_imu))
        lines.append(f"2011-09-26 13:02:{25 + 0.1 * k:012.9f}")
    (drive / "image_02" / "timestamps.txt").write_text("\n".join(lines))
    return tmp_path / "raw"


def test_oxts_poses_are_those_of_the_odometry_layout(raw, tmp_path):
    folder = tmp_path / "odometry" / "sequences" / "00"
    (folder / "image_2").mkdir(parents=True)
    (tmp_path / "odometry" / "poses").mkdir()
    (tmp_path / "odometry" / "poses" / "00.txt").write_text("\n".join(numbers(T[:3]) for T in POSES))
    (folder / "calib.txt").write_text(f"P2: {numbers(P2)}\n")
    for k in range(FRAMES):
        write_image(folder / "image_2" / f"{k:06d}.png", torch.rand(3, 24, 80))
    drive, odometry = KittiRaw(raw, DRIVE), KittiOdometry(tmp_path / "odometry", "00")
    torch.testing.assert_close(drive.poses, odometry.poses, rtol=0, atol=2e-3)
    torch.testing.assert_close(drive.poses[:, :3, :3], odometry.poses[:, :3, :3], rtol=0, atol=1e-6)
    assert torch.equal(drive.intrinsics, odometry.intrinsics)
    np.testing.assert_allclose(drive.timestamps, 0.1 * np.arange(FRAMES), atol=1e-6)


def test_resized_images_have_the_intrinsics_of_the_stated_size_scaled(raw):
    date = raw / DRIVE[:10]
    calibration = date / "calib_cam_to_cam.txt"
    calibration.write_text(calibration.read_text() + "S_rect_02: 160 48\n")
    scan = date / f"{DRIVE}_sync" / "velodyne_points" / "data" / "0000000000.bin"
    scan.parent.mkdir(parents=True)
    rng = np.random.default_rng(0)
    scan.write_bytes(rng.uniform([3, -3, -0.6, 0], [20, 3, 0.4, 1], (4000, 4)).astype("<f4").tobytes())
    drive = KittiRaw(raw, DRIVE)
    expected = [[35, 0, 41 / 2 - 0.5], [0, 35, 12.75 / 2 - 0.5], [0, 0, 1]]
    torch.testing.assert_close(drive.intrinsics, torch.tensor(expected))
    assert "calibrated at 160x48 pixels, and scaled to images of 80x24" in drive.notes[0]
    # lidar points lie where the intrinsics that are given project them, to the whole pixel (KITTI's kit counts from 1)
    T_cam_velo = T_RECT_CAM @ T_CAM_VELO
    points = np.fromfile(scan, "<f4").reshape(-1, 4)[:, :3] @ T_cam_velo[:3, :3].T + T_cam_velo[:3, 3]
    points += np.linalg.solve(P2[:, :3], P2[:, 3])
    pixels = points @ np.array(expected).T
    columns, rows = (np.round(pixels[:, :2] / pixels[:, 2:]) - 1).astype(int).T
    inside = (columns >= 0) & (columns < 80) & (rows >= 0) & (rows < 24)
    wanted = np.full((24, 80), np.inf)
    np.minimum.at(wanted, (rows[inside], columns[inside]), points[inside, 2])
    wanted[np.isinf(wanted)] = 0
    np.testing.assert_allclose(drive.depth(0)[0].numpy(), wanted, atol=1e-3)
    calibration.write_text(calibration.read_text().replace("160 48", "160 60"))
    with pytest.raises(InputError, match="a camera of 160x60 pixels, but the images are 80x24"):
        KittiRaw(raw, DRIVE)


def test_training_starts_at_listed_frames_that_are_not_kept_for_validation(raw):
    drive = KittiRaw(raw, DRIVE)
    listed = {frame.number for frame in read_split("zhou") if frame.drive == DRIVE}
    assert set(drive.starts) | set(drive.validation) == listed & set(range(FRAMES))
    assert not set(drive.starts) & set(drive.validation)
    assert KittiRawDataset(raw).names("train") == KittiRawDataset(raw).names() == (DRIVE,)


def test_scans_that_are_missing_are_noted_and_what_an_archive_left_is_no_drive(raw):
    scans = raw / DRIVE[:10] / f"{DRIVE}_sync" / "velodyne_points" / "data"
    scans.mkdir(parents=True)
    for k in (0, 1, 2, 5):
        (scans / f"{k:010d}.bin").write_bytes(np.array([[5, 0, 0, 0]], "<f4").tobytes())
    (raw / "__MACOSX" / f"{DRIVE}_sync").mkdir(parents=True)
    (raw / DRIVE[:10] / f"._{DRIVE}_sync").touch()
    (report,) = check(DataOptions("kitti-raw", raw), quick=True).sequences
    assert (report.depth, report.problems) == (4, [])
    assert report.notes == (f"depth of 2 of 6 frames is missing, first that of {DRIVE} frame 3",)


def test_packets_that_are_missing_cost_the_poses_and_broken_ones_are_named(raw):
    data = raw / DRIVE[:10] / f"{DRIVE}_sync" / "oxts" / "data"
    good = (data / "0000000002.txt").read_text()
    (data / "0000000002.txt").write_text(good.replace(good.split()[0], "nan", 1))
    with pytest.raises(InputError, match=r"0000000002\.txt:1: not the 30 numbers"):
        KittiRaw(raw, DRIVE)
    (data / "0000000002.txt").unlink()
    drive = KittiRaw(raw, DRIVE)
    assert drive.poses is None
    assert "1 of 6 OXTS packets are missing" in drive.notes[0]


@pytest.mark.parametrize("name", ["../2011_09_26_drive_0113", "drive", "2011_09_26_drive_0001"])
def test_other_names_are_refused(raw, name):
    with pytest.raises(InputError, match=r"2011_09_26_drive_0001"):
        KittiRaw(raw, name)


def test_times_out_of_their_form_are_named(raw):
    timestamps = raw / DRIVE[:10] / f"{DRIVE}_sync" / "image_02" / "timestamps.txt"
    timestamps.write_text(timestamps.read_text().replace("13:02:25.2", "25.2"))
    with pytest.raises(InputError, match=r"timestamps\.txt:3: not a time"):
        KittiRaw(raw, DRIVE)
    timestamps.write_text("2011-09-26 13:02:25.0")
    with pytest.raises(InputError, match=r"1 lines, but frame 5"):
        KittiRaw(raw, DRIVE)


def test_the_real_lidar_projects_into_the_image_at_edges_of_brightness(real_data):
    root = real_data / "kitti_raw"
    if not root.is_dir():
        pytest.skip(f"not there: {root}")
    drive = KittiRawDataset(root).sequences()[0]
    agreement = []
    for i in range(0, len(drive), 4):
        depth, grey = drive.depth(i)[0], drive.frame(i).mean(0)
        assert 0.03 < (depth > 0).float().mean() < 0.1
        # Depth jumps where objects end, and there brightness changes too; 20 pixels aside it has no reason to.
        row, column = (depth > 0).nonzero().T
        jump = torch.zeros_like(depth)
        near = (row[1:] == row[:-1]) & (column[1:] - column[:-1] < 4)
        values = depth[row, column]
        far = near & ((values[1:] / values[:-1]).log().abs() > 0.3)
        jump[row[1:][far], column[1:][far]] = 1
        steps = torch.zeros_like(grey)
        steps[:, 2:-2] = (grey[:, 4:] - grey[:, :-4]).abs()
        there, aside = ((steps * jump.roll(shift, 1)).sum() / jump.sum() for shift in (0, 20))
        agreement.append(float(there / aside))
    assert np.mean(agreement) > 1.2


def test_the_camera_on_the_right_is_the_next_one_if_it_is_calibrated(raw):
    assert (KittiRaw(raw, DRIVE).baseline, KittiRaw(raw, DRIVE).has_right(0)) == (None, False)
    right = raw / DRIVE[:10] / f"{DRIVE}_sync" / "image_03" / "data"
    right.mkdir(parents=True)
    for k in range(1, FRAMES):
        write_image(right / f"{k:010d}.png", torch.full((3, 24, 80), k / 255))
    P3 = P2 - np.array([[0, 0, 0, 37.8], [0, 0, 0, 0], [0, 0, 0, 0]])
    with (raw / DRIVE[:10] / "calib_cam_to_cam.txt").open("a") as file:
        file.write(f"P_rect_03: {numbers(P3)}\n")
    drive = KittiRaw(raw, DRIVE)
    assert drive.baseline == pytest.approx(37.8 / 70)
    assert [drive.has_right(k) for k in range(FRAMES)] == [False, *[True] * (FRAMES - 1)]
    assert drive.right_raw(4, (12, 40)).unique().tolist() == [4]
    assert drive.right(0) is None


@pytest.mark.parametrize(
    ("name", "good", "broken", "error"),
    [
        ("calib_cam_to_cam.txt", "R_rect_00: ", "R_rect_00: 0 0 0 0 1 0 0 0 1\nonce: ", "R_rect_00: are no rotation"),
        ("calib_velo_to_cam.txt", "R: ", "R: -1 0 0 0 1 0 0 0 1\nonce: ", "R: are no rotation"),
        ("calib_imu_to_velo.txt", "R: ", "R: 1 0 0 0 1 0 0 0 2\nonce: ", "R: are no rotation"),
    ],
)
def test_calibrations_that_are_none_are_named(raw, name, good, broken, error):
    path = raw / DRIVE[:10] / name
    path.write_text(path.read_text().replace(good, broken, 1))
    with pytest.raises(InputError, match=rf"{name}.*{error}"):
        KittiRaw(raw, DRIVE)
