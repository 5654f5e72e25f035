from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy.spatial.transform import Rotation

from vode.report import motion


def test_speed_of_a_circle_is_its_arc_over_the_time(example: SimpleNamespace) -> None:
    poses = example.circle()
    arc = np.hypot(example.radius * example.turn, 1.0)
    found = motion.speed(poses[:, :3, 3], np.arange(example.count) / example.rate)
    np.testing.assert_allclose(found, arc / ((example.count - 1) / example.rate), rtol=1e-3)


def test_speed_knows_frames_that_come_late() -> None:
    times = np.array([0.0, 0.1, 0.2, 2.2, 2.3])
    positions = np.zeros((5, 3))
    positions[:, 2] = 3 * times
    np.testing.assert_allclose(motion.speed(positions, times), 3.0)


def test_speed_is_unknown_where_no_time_passes() -> None:
    assert np.isnan(motion.speed(np.zeros((1, 3)), np.zeros(1))).all()
    assert np.isnan(motion.speed(np.zeros((2, 3)), np.zeros(2))).all()


def test_up_is_positive_height(example: SimpleNamespace) -> None:
    np.testing.assert_allclose(motion.height(example.circle()[:, :3, 3])[[0, -1]], [0, 1])


def test_angles_are_yaw_to_the_right_pitch_upwards_and_roll_clockwise() -> None:
    given = np.array([[0, 0, 0], [20, 0, 0], [0, 15, 0], [0, 0, 10], [30, -12, 7]], float)
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, :3, :3] = Rotation.from_euler("YXZ", given, degrees=True).as_matrix()
    np.testing.assert_allclose(np.stack(motion.angles(poses), axis=1), given, atol=1e-9)
    assert poses[1, 0, 2] > 0, "forward has turned to the right"
    assert poses[2, 1, 2] < 0, "forward has turned upwards"
    assert poses[3, 1, 0] > 0, "the right side has gone down"


def test_yaw_goes_on_beyond_half_a_turn() -> None:
    poses = np.tile(np.eye(4), (30, 1, 1))
    poses[:, :3, :3] = Rotation.from_euler("Y", np.linspace(0, 700, 30)[:, None], degrees=True).as_matrix()
    np.testing.assert_allclose(motion.angles(poses)[0], np.linspace(0, 700, 30), atol=1e-9)
