"""Covariances, compared with what many random drives spread like."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from vode_ros.uncertainty import MotionNoise, PoseCovariance

from vode.odometry.options import LoopOptions
from vode.odometry.result import Method

DRIVES = 6000
MOTION = np.array([1.0, 0.2, 0.1])
TURN = Rotation.from_rotvec([0.0, 0.0, 0.15])
DEVIATIONS, LENGTH = (0.03, 0.01), 0.05
OFFSET = np.array([-0.5, 0.3, 1.0])


def test_the_covariance_of_a_pose_is_the_spread_of_random_drives():
    rng = np.random.default_rng(0)
    factor = 1 + LENGTH * rng.normal(size=(DRIVES, 1))
    position, rotation = np.zeros((DRIVES, 3)), Rotation.identity(DRIVES)
    exact, turned, covariance = np.zeros(3), Rotation.identity(), PoseCovariance()
    for _ in range(12):
        moved = turned.apply(MOTION)
        covariance = covariance.after(moved, DEVIATIONS, LENGTH)
        exact, turned = exact + moved, turned * TURN
        position += rotation.apply(factor * MOTION + DEVIATIONS[0] * rng.normal(size=(DRIVES, 3)))
        rotation = rotation * TURN * Rotation.from_rotvec(DEVIATIONS[1] * rng.normal(size=(DRIVES, 3)))
    # a point fixed to the body, OFFSET away in the fixed axes where there is no error
    errors = position - exact + rotation.apply(turned.inv().apply(OFFSET)) - OFFSET
    sampled = np.cov(np.concatenate([errors, (rotation * turned.inv()).as_rotvec()], 1).T)
    predicted = covariance.at(OFFSET)
    scale = np.sqrt(np.outer(np.diag(sampled), np.diag(sampled)))
    np.testing.assert_allclose(predicted / scale, sampled / scale, atol=0.08)


def test_a_rotation_error_comes_before_the_motion_that_follows_it():
    # after one motion the position has only its own error, after two that of the first rotation too
    once = PoseCovariance().after(MOTION, (0.0, 0.01), 0.0)
    assert np.abs(once.at(np.zeros(3))[:3, :3]).max() == 0
    assert once.after(MOTION, (0.0, 0.01), 0.0).at(np.zeros(3))[1, 1] == pytest.approx((0.01 * 1.0) ** 2 + (0.001) ** 2)


def test_doubtful_and_lost_motions_are_ten_and_a_thousand_times_as_uncertain():
    motion = np.eye(4)
    motion[2, 3] = 1.5
    noise = MotionNoise()
    usual = noise.add(motion, 10.0, Method.ESSENTIAL, 0.07)
    # 1.5 m are the spacing of keyframes where the median depth is 10 m
    assert usual == pytest.approx((0.02 * 1.5, 0.002))
    assert noise.length == 0.07
    many = [noise.add(motion, 10.0, Method.EXTRAPOLATED, None) for _ in range(LoopOptions().lost)]
    assert many[0] == pytest.approx(tuple(10 * x for x in usual))
    assert many[-1] == pytest.approx(tuple(1000 * x for x in usual))
    assert noise.length == 0.07
    assert noise.add(motion, 10.0, Method.PNP, None) == pytest.approx(usual)


def test_a_camera_at_rest_becomes_uncertain_slowly():
    at_rest = MotionNoise().add(np.eye(4), 10.0, Method.PNP, None)
    assert 0 < at_rest[0] <= 0.005
    assert 0 < at_rest[1] <= 0.0005
