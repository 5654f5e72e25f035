"""Poses, twists and depth in ROS's axes, against the exact ones of a rendered drive."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from vode_ros.frames import CAMERA_ALONE, mounted
from vode_ros.odometer import Odometer
from vode_ros.uncertainty import UNKNOWN

from vode.cameras.lens import Camera
from vode.errors import InputError
from vode.odometry.result import Method

SIZE = (72, 240)
# a camera 1.2 m ahead of and 1.5 m above the base, turned 30 degrees to the left and 10 degrees down
AXES = Rotation.from_matrix([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
T_BASE_CAMERA = np.eye(4)
T_BASE_CAMERA[:3, :3] = (Rotation.from_euler("ZY", [30, 10], degrees=True) * AXES).as_matrix()
T_BASE_CAMERA[:3, 3] = 1.2, 0.0, 1.5


@pytest.fixture(scope="module")
def run_alone(drive):
    return tracked(drive, CAMERA_ALONE)


@pytest.fixture(scope="module")
def alone(run_alone):
    return run_alone[1]


@pytest.fixture(scope="module")
def on_base(drive):
    return tracked(drive, mounted(T_BASE_CAMERA))[1]


def tracked(drive, mounting, **options):
    odometer = Odometer(drive, mounting, **options)
    return odometer, [odometer.track(*x, drive.camera) for x in zip(drive.images, drive.seconds, strict=True)]


def exact(drive, to_odom, child_from_camera):
    """Poses of the child frame in odom, by the camera's exact ones."""
    return to_odom @ np.linalg.inv(drive.poses[0]) @ drive.poses @ np.linalg.inv(child_from_camera)


def way(poses):
    return np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1).sum()


def agree(estimates, poses, relative=0.03):
    found = np.stack([x.T_odom_child for x in estimates])
    assert np.linalg.norm(found[:, :3, 3] - poses[:, :3, 3], axis=1).max() < relative * way(poses)
    assert Rotation.from_matrix(found[:, :3, :3].mT @ poses[:, :3, :3]).magnitude().max() < 0.01


def test_a_camera_alone_moves_along_x_of_odom(drive, alone):
    to_odom = np.eye(4)
    to_odom[:3, :3] = AXES.as_matrix()
    agree(alone, exact(drive, to_odom, np.eye(4)))
    forward, left, up = alone[-1].T_odom_child[:3, 3]
    assert forward > 3 * max(abs(left), abs(up)) > 0
    # the child frame keeps the optical axes: its z is where it looks
    np.testing.assert_allclose(alone[0].T_odom_child[:3, 2], [1, 0, 0], atol=1e-12)


def test_a_base_moves_as_its_camera_does_with_the_lever_in_between(drive, on_base):
    poses = exact(drive, T_BASE_CAMERA, T_BASE_CAMERA)
    np.testing.assert_allclose(on_base[0].T_odom_child, np.eye(4), atol=1e-12)
    agree(on_base, poses)


def test_the_twist_is_the_motion_in_the_axes_of_the_child(drive, on_base):
    poses = exact(drive, T_BASE_CAMERA, T_BASE_CAMERA)
    assert np.diag(on_base[0].twist_covariance) == pytest.approx([UNKNOWN] * 6)
    for k in range(1, len(poses)):
        step, elapsed = np.linalg.inv(poses[k - 1]) @ poses[k], drive.seconds[k] - drive.seconds[k - 1]
        # of a step so short the chord is the arc
        np.testing.assert_allclose(on_base[k].twist[:3], step[:3, 3] / elapsed, atol=0.06 * way(poses))
        turn = Rotation.from_matrix(step[:3, :3]).as_rotvec() / elapsed
        np.testing.assert_allclose(on_base[k].twist[3:], turn, atol=0.05)


def test_covariances_grow_along_the_way_and_are_positive(on_base, alone):
    for estimates in (on_base, alone):
        sizes = [np.trace(x.covariance) for x in estimates]
        assert sizes[0] == 0
        assert sizes == sorted(sizes)
        for x in estimates[1:]:
            assert np.linalg.eigvalsh(x.covariance).min() > 0
            assert np.linalg.eigvalsh(x.twist_covariance).min() > 0
            assert np.trace(x.twist_covariance) < 100


def test_the_length_errs_along_the_way_as_the_tracker_says(alone):
    last = alone[-1]
    ahead = last.T_odom_child[:3, 3] / np.linalg.norm(last.T_odom_child[:3, 3])
    deviations = [x.result.scale_deviation for x in alone if x.result.scale_deviation is not None]
    along = np.sqrt(ahead @ last.covariance[:3, :3] @ ahead) / np.linalg.norm(last.T_odom_child[:3, 3])
    assert min(deviations) < along < max(deviations) + 0.05


def test_depth_is_that_of_the_image_and_unknown_is_nan(drive, alone):
    truth = drive.depth(drive.images[3])
    depth, intrinsics = alone[3].depth
    assert depth.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(depth), truth == 0)
    np.testing.assert_allclose(depth[truth > 0], truth[truth > 0], rtol=1e-6)
    np.testing.assert_allclose(intrinsics, drive.camera.matrix, rtol=1e-6)


def test_the_past_is_corrected_in_the_map_and_odom_does_not_jump(drive, run_alone):
    odometer, estimates = run_alone
    for k, estimate in enumerate(estimates):
        moved = np.linalg.inv(estimates[k - 1].T_odom_child) @ estimate.T_odom_child
        elapsed = drive.seconds[k] - drive.seconds[k - 1]
        np.testing.assert_allclose(moved[:3, 3], elapsed * estimate.twist[:3] * (k > 0), atol=0.01 + 10 * (k == 0))
    corrected = CAMERA_ALONE.T_odom_start @ odometer._tracker.pose(-1)
    np.testing.assert_allclose(estimate.T_map_odom @ estimate.T_odom_child, corrected, atol=1e-6)
    assert np.abs(estimate.T_map_odom - np.eye(4)).max() > 1e-4


def test_a_covered_lens_is_bridged_and_then_forgotten(drive, alone):
    odometer, estimates = Odometer(drive, CAMERA_ALONE), []
    for k, (image, seconds) in enumerate(zip(drive.images, drive.seconds, strict=True)):
        estimates.append(odometer.track(image * (k != 2), seconds, drive.camera))
    covered, after = estimates[2], estimates[3]
    assert (covered.result.method, covered.depth) == (Method.EXTRAPOLATED, None)
    assert np.diag(covered.twist_covariance) == pytest.approx([UNKNOWN] * 6)
    assert after.result.method is not Method.EXTRAPOLATED
    assert np.trace(after.covariance) < np.trace(covered.covariance)
    to_odom = np.eye(4)
    to_odom[:3, :3] = AXES.as_matrix()
    agree(estimates, exact(drive, to_odom, np.eye(4)), relative=0.06)
    # two steps long, and still a velocity; its direction is that of the path, which agrees
    assert np.linalg.norm(after.twist[:3]) == pytest.approx(np.linalg.norm(alone[3].twist[:3]), rel=0.1)


def test_with_another_camera_the_pose_goes_on_from_where_it_was(drive):
    odometer = Odometer(drive, CAMERA_ALONE)
    first = [odometer.track(drive.images[k], drive.seconds[k], drive.camera) for k in range(3)]
    other = replace(drive.camera, centre=(drive.camera.centre[0] + 2.0, drive.camera.centre[1]))
    assert odometer.restarts(drive.camera, drive.seconds[3]) == ""
    assert odometer.restarts(other, drive.seconds[3]) == "the camera has changed"
    then = odometer.track(drive.images[3], drive.seconds[3], other)
    assert then.result.method is Method.START
    np.testing.assert_allclose(then.T_odom_child, first[-1].T_odom_child, atol=1e-12)
    assert np.trace(then.covariance) > 100 * np.trace(first[-1].covariance)
    np.testing.assert_allclose(then.T_map_odom, first[-1].T_map_odom, atol=1e-9)
    last = odometer.track(drive.images[4], drive.seconds[4], other)
    assert last.T_odom_child[0, 3] > first[-1].T_odom_child[0, 3]


def test_images_that_are_late_are_refused_and_a_recording_that_begins_again_is_not(drive):
    odometer = Odometer(drive, CAMERA_ALONE)
    for k in range(2):
        odometer.track(drive.images[k], drive.seconds[k], drive.camera)
    for seconds in (drive.seconds[1], drive.seconds[1] - 0.5):
        with pytest.raises(InputError, match="not later than the one before"):
            odometer.track(drive.images[2], seconds, drive.camera)
    assert "time has stepped back by 5" in odometer.restarts(drive.camera, drive.seconds[1] - 5.0)
    assert odometer.track(drive.images[0], drive.seconds[1] - 5.0, drive.camera).result.method is Method.START


def test_an_image_of_another_size_is_refused_and_the_next_is_tracked(drive):
    odometer = Odometer(drive, CAMERA_ALONE)
    odometer.track(drive.images[0], drive.seconds[0], drive.camera)
    with pytest.raises(InputError, match="for a camera of 240x72"):
        odometer.track(drive.images[1][:50], drive.seconds[1], drive.camera)
    assert odometer.track(drive.images[2], drive.seconds[2], drive.camera).result.index == 1


def test_depth_up_to_scale_is_refused(drive):
    class Relative:
        metric, source = False, "runs/kitti"

    with pytest.raises(InputError, match=r"runs/kitti: depth up to scale.*metres"):
        Odometer(Relative(), CAMERA_ALONE)


def test_a_lens_is_undistorted_before_tracking_and_depth(drive):
    lens = Camera(drive.camera.size, drive.camera.focal, drive.camera.centre, "radtan", (-0.2, 0.02, 0.0, 0.0))
    seen = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drive, "depth", lambda image: seen.append(image) or np.full(SIZE, 10.0), raising=False)
        estimate = Odometer(drive, CAMERA_ALONE).track(drive.images[0], 1.0, lens)
    np.testing.assert_allclose(seen[0], lens.undistort(drive.images[0]), atol=1)
    np.testing.assert_allclose(estimate.depth.intrinsics, lens.intrinsics, rtol=1e-6)
    assert estimate.depth.intrinsics[0, 0] != drive.camera.focal[0]
