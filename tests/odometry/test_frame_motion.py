"""Two-view motion with exact flow and depth of the built-in world, and its fallbacks."""

import pytest
import torch

from vode.geometry.ground import ground_of_depth, on_ground
from vode.geometry.pose import inverse, rotation_angle, so3_exp
from vode.geometry.warp import flow_target
from vode.odometry import frame_motion as motions
from vode.odometry.frames import Frame
from vode.odometry.options import TrackerOptions
from vode.odometry.result import Method, Reason
from vode.odometry.two_frame import flow_matches

STILL = torch.eye(4, dtype=torch.float64)


def frame_motion(
    flow_ab, flow_ba, depth_a, depth_b, intrinsics, expected, options=TrackerOptions(), *, images=None, tracked=None
):
    _, found = flow_matches(flow_ab, flow_ba, options, tracked=tracked, seed=options.seed)
    depths = motions.Depths(depth_a, depth_b)
    return motions.frame_motion(found, depths, intrinsics, expected, options, images=images)


@pytest.fixture(scope="module")
def sequence(world):
    return world(5, 4)


@pytest.fixture(scope="module")
def inputs(sequence, ground_truth):
    """Exact flows, depths and intrinsics of the pair that starts at a frame."""
    exact = ground_truth(sequence)

    def of(i):
        a, b = (Frame(k, sequence.frame(k)[None]) for k in (i, i + 1))
        return *exact.flow(a, b), exact.depth(a), exact.depth(b), sequence.intrinsics[None]

    return of


def test_exact_flow_and_depth_give_the_exact_motion(sequence, inputs):
    for i in range(3):
        motion, evidence = frame_motion(*inputs(i), STILL)
        T_b_a = inverse(sequence.poses[i + 1]) @ sequence.poses[i]
        assert motion.method is Method.ESSENTIAL
        assert motion.reason is None
        assert motion.inliers > 1000
        assert motion.parallax > 0.5
        assert motion.scale_deviation < 0.01
        assert evidence.explained.sum() == motion.inliers
        assert rotation_angle(motion.T_b_a[:3, :3].T @ T_b_a[:3, :3]) < 2e-4
        assert (motion.T_b_a[:3, 3] - T_b_a[:3, 3]).norm() < 0.01 * T_b_a[:3, 3].norm()


def test_images_take_the_bias_out_of_a_flow(sequence, inputs):
    flow_ab, flow_ba, *rest = inputs(0)
    bias = torch.tensor([0.1, 0.4]).view(1, 2, 1, 1)
    images = sequence.frame(0)[None], sequence.frame(1)[None]
    T_b_a = inverse(sequence.poses[1]) @ sequence.poses[0]
    errors = []
    for given in (None, images):
        motion, _ = frame_motion(flow_ab + bias, flow_ba - bias, *rest, STILL, images=given)
        errors.append(float(rotation_angle(motion.T_b_a[:3, :3].T @ T_b_a[:3, :3])))
    assert errors[1] < errors[0] / 4


def test_images_that_say_nothing_leave_the_flow(inputs):
    black = torch.zeros(1, 3, 96, 320)
    one, two = (frame_motion(*inputs(0), STILL, images=images)[0] for images in (None, (black, black)))
    assert torch.equal(one.T_b_a, two.T_b_a)


def test_depth_in_another_unit_scales_the_translation_alone(inputs):
    flow_ab, flow_ba, depth_a, depth_b, intrinsics = inputs(0)
    # depth that errs, as exact depth has no deviation but that of rounding
    errors = 1 + 0.1 * torch.sin(torch.arange(320) / 7)
    depth_a, depth_b = depth_a * errors, depth_b * errors
    one, _ = frame_motion(flow_ab, flow_ba, depth_a, depth_b, intrinsics, STILL)
    two, _ = frame_motion(flow_ab, flow_ba, depth_a * 3, depth_b * 3, intrinsics, STILL)
    assert torch.allclose(two.T_b_a[:3, 3], 3 * one.T_b_a[:3, 3], rtol=1e-4)
    assert torch.allclose(two.T_b_a[:3, :3], one.T_b_a[:3, :3])
    assert one.scale_deviation > 1e-4
    assert two.scale_deviation == pytest.approx(one.scale_deviation, rel=1e-2)


def test_a_threshold_suits_the_noise_of_the_correspondences(inputs):
    flow_ab, flow_ba, depth_a, depth_b, intrinsics = inputs(0)
    _, exact = flow_matches(flow_ab, flow_ba, TrackerOptions(), seed=0)
    noise = 0.3 * torch.randn(exact.points_b.shape, generator=torch.Generator().manual_seed(0))
    noisy, depths = exact._replace(points_b=exact.points_b + noise), motions.Depths(depth_a, depth_b)
    found = [
        motions.frame_motion(noisy, depths, intrinsics, STILL, TrackerOptions(coarsest_threshold=coarsest))
        for coarsest in (0.1, 0.8)
    ]
    assert found[1][0].inliers > 2 * found[0][0].inliers
    # that of either end, where one of them has all of it
    assert found[1][1].noise == pytest.approx(0.3 / 2**0.5, rel=0.1)
    assert found[1][1].threshold == 0.4
    _, evidence = motions.frame_motion(exact, depths, intrinsics, STILL, TrackerOptions(threshold=0.8))
    assert evidence.threshold == 0.4


def test_points_that_are_carried_come_first_between_pixels_too(sequence, inputs):
    tracked = torch.tensor([[[20.25, 60.5], [300.0, 80.75]]], dtype=torch.float64)
    _, evidence = frame_motion(*inputs(0), STILL, TrackerOptions(count=500), tracked=tracked)
    assert evidence.found.points_a.shape == (1, 500, 2)
    torch.testing.assert_close(evidence.found.points_a[:, :2], tracked.float())
    target = flow_target(inputs(0)[0])[0, :, 80:82, 300]
    torch.testing.assert_close(evidence.found.points_b[0, 1], target @ torch.tensor([0.25, 0.75]))


def test_a_camera_at_rest_is_solved_by_pnp(inputs):
    _, _, depth, _, intrinsics = inputs(0)
    still = torch.zeros(1, 2, 96, 320)
    motion, _ = frame_motion(still, still, depth, depth, intrinsics, STILL)
    assert motion.method is Method.PNP
    assert (motion.reason, motion.pnp_failed) == (Reason.AT_REST, False)
    assert torch.allclose(motion.T_b_a, STILL, atol=1e-3)


def turning(intrinsics):
    """Flow both ways of a mere rotation, and that rotation."""
    rotation = so3_exp(torch.tensor([0.01, 0.02, -0.01]))
    flows = []
    for turn in (rotation, rotation.T):
        grid = flow_target(torch.zeros(1, 2, 96, 320))[0]
        moved = intrinsics[0] @ turn @ torch.linalg.inv(intrinsics[0])
        rays = torch.cat([grid, torch.ones(1, 96, 320)]).flatten(1)
        there = moved @ rays
        flows.append((there[:2] / there[2:]).view(1, 2, 96, 320) - grid)
    return *flows, rotation


def test_a_turning_camera_without_depth_turns(inputs):
    *_, intrinsics = inputs(0)
    flow_ab, flow_ba, rotation = turning(intrinsics)
    nothing = torch.zeros(1, 1, 96, 320)
    motion, evidence = frame_motion(flow_ab, flow_ba, nothing, nothing, intrinsics, 5 * STILL)
    assert motion.method is Method.ROTATION
    assert (motion.reason, motion.pnp_failed) == (Reason.PURE_ROTATION, True)
    assert evidence.explained.float().mean() > 0.9
    assert not motion.T_b_a[:3, 3].any()
    torch.testing.assert_close(motion.T_b_a[:3, :3].float(), rotation, atol=1e-5, rtol=0)


def test_a_moving_camera_without_depth_keeps_its_velocity(inputs):
    flow_ab, flow_ba, depth, _, intrinsics = inputs(0)
    expected = STILL.clone()
    expected[2, 3] = -0.7
    motion, evidence = frame_motion(flow_ab, flow_ba, 0 * depth, 0 * depth, intrinsics, expected)
    assert motion.method is Method.EXTRAPOLATED
    assert (motion.reason, motion.pnp_failed) == (Reason.UNKNOWN_SCALE, True)
    assert torch.equal(motion.T_b_a, expected)
    assert not evidence.explained.any()


def test_flow_that_says_nothing_keeps_the_velocity(inputs):
    _, _, depth, _, intrinsics = inputs(0)
    torch.manual_seed(0)
    noise = 300 * torch.randn(2, 1, 2, 96, 320)
    expected = STILL.clone()
    expected[2, 3] = -0.7
    motion, _ = frame_motion(noise[0], noise[1], depth, depth, intrinsics, expected)
    assert motion.method is Method.EXTRAPOLATED
    assert torch.equal(motion.T_b_a, expected)


def test_broken_predictions_never_leave_the_tracker(inputs):
    flow_ab, flow_ba, depth, _, intrinsics = inputs(0)
    broken = torch.full_like(flow_ab, float("nan"))
    motion, _ = frame_motion(broken, broken, depth, depth, intrinsics, STILL)
    assert motion.T_b_a.isfinite().all()
    motion, _ = frame_motion(flow_ab, flow_ba, depth * float("nan"), depth, intrinsics, STILL)
    assert motion.T_b_a.isfinite().all()


def test_unknown_depth_takes_no_part(sequence, inputs):
    flow_ab, flow_ba, depth_a, depth_b, intrinsics = inputs(0)
    holes = torch.rand(1, 1, 96, 320, generator=torch.Generator().manual_seed(0)) < 0.1
    motion, _ = frame_motion(
        flow_ab, flow_ba, depth_a.masked_fill(holes, 0), depth_b.masked_fill(holes, 0), intrinsics, STILL
    )
    T_b_a = inverse(sequence.poses[1]) @ sequence.poses[0]
    assert motion.method is Method.ESSENTIAL
    assert (motion.T_b_a[:3, 3] - T_b_a[:3, 3]).norm() < 0.01 * T_b_a[:3, 3].norm()


def test_points_on_the_ground_tell_a_length_by_themselves(sequence, inputs):
    """Depth that is right on the road and half as long again elsewhere: the road alone gives the true length."""
    flow_ab, flow_ba, depth_a, depth_b, intrinsics = inputs(0)
    road = ground_of_depth(depth_a, intrinsics)
    v, u = torch.meshgrid(torch.arange(96.0), torch.arange(320.0), indexing="ij")
    pixels = torch.stack([u, v], -1).reshape(1, -1, 2)
    on = on_ground(depth_a, depth_a.reshape(1, -1), pixels, intrinsics).reshape(1, 1, 96, 320)
    assert road.height == pytest.approx(sequence.height, rel=0.05)
    assert 0.1 < on.float().mean() < 0.6
    wrong = torch.where(on, depth_a, 1.5 * depth_a)
    motion, _ = frame_motion(flow_ab, flow_ba, wrong, 1.5 * depth_b, intrinsics, STILL)
    length = float((inverse(sequence.poses[1]) @ sequence.poses[0])[:3, 3].norm())
    assert float(motion.lengths.ground.value) == pytest.approx(length, rel=0.02)
    assert float(motion.lengths.depth.value) > 1.2 * length
    blind, _ = frame_motion(flow_ab, flow_ba, wrong, depth_b, intrinsics, STILL, TrackerOptions(ground_scale=None))
    assert blind.lengths.ground is None
