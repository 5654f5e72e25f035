"""Two-view motion with exact flow and depth of the built-in world, and its fallbacks."""

import pytest
import torch

from vode.data.world import WorldOptions, WorldSequence
from vode.geometry.pose import inverse, rotation_angle
from vode.odometry.motion import ESSENTIAL, PNP, REPEATED, frame_motion


@pytest.fixture(scope="module")
def drive():
    return WorldSequence(5, WorldOptions(size=(96, 320), frames=4))


def inputs(drive, i):
    """Exact flow, the reverse flow by looking it up, depths and intrinsics of a pair."""
    flow_ab, visible = drive.flow(i)
    flow_ba = reverse(flow_ab, visible)
    depths = [drive.depth(k)[None].clamp(min=0.0) for k in (i, i + 1)]
    depths = [torch.where(depth > 0, depth, 500.0) for depth in depths]
    return flow_ab[None], flow_ba[None], *depths, drive.intrinsics[None]


def reverse(flow, visible):
    """Flow from b to a: what visible pixels of a bring along, far away where nothing arrives."""
    height, width = flow.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    seen = visible[0]
    column = (x + flow[0].round().long()).clamp(0, width - 1)[seen]
    row = (y + flow[1].round().long()).clamp(0, height - 1)[seen]
    back = torch.full_like(flow, 1e3)
    back[:, row, column] = -flow[:, seen]
    return back


def test_exact_flow_and_depth_give_the_exact_motion(drive):
    for i in range(3):
        motion = frame_motion(*inputs(drive, i), torch.eye(4, dtype=torch.float64))
        T_b_a = inverse(drive.poses[i + 1]) @ drive.poses[i]
        assert motion.how == ESSENTIAL
        assert rotation_angle(motion.T_b_a[:3, :3].T @ T_b_a[:3, :3]) < 2e-4
        assert (motion.T_b_a[:3, 3] - T_b_a[:3, 3]).norm() < 0.01 * T_b_a[:3, 3].norm()


def test_images_take_the_bias_out_of_a_flow(drive):
    flow_ab, flow_ba, *rest = inputs(drive, 0)
    bias = torch.tensor([0.1, 0.4]).view(1, 2, 1, 1)
    images = drive.frame(0)[None], drive.frame(1)[None]
    T_b_a = inverse(drive.poses[1]) @ drive.poses[0]
    errors = []
    for given in (None, images):
        motion = frame_motion(flow_ab + bias, flow_ba - bias, *rest, torch.eye(4), images=given)
        errors.append(float(rotation_angle(motion.T_b_a[:3, :3].T @ T_b_a[:3, :3])))
    assert errors[1] < errors[0] / 4


def test_images_that_say_nothing_leave_the_flow(drive):
    *flows, depth_a, depth_b, intrinsics = inputs(drive, 0)
    black = torch.zeros(1, 3, 96, 320)
    one, two = (
        frame_motion(*flows, depth_a, depth_b, intrinsics, torch.eye(4), images=images)
        for images in (None, (black, black))
    )
    assert torch.equal(one.T_b_a, two.T_b_a)


def test_depth_in_another_unit_scales_the_translation_alone(drive):
    flow_ab, flow_ba, depth_a, depth_b, intrinsics = inputs(drive, 0)
    one = frame_motion(flow_ab, flow_ba, depth_a, depth_b, intrinsics, torch.eye(4))
    two = frame_motion(flow_ab, flow_ba, depth_a * 3, depth_b * 3, intrinsics, torch.eye(4))
    assert torch.allclose(two.T_b_a[:3, 3], 3 * one.T_b_a[:3, 3], rtol=1e-4)
    assert torch.allclose(two.T_b_a[:3, :3], one.T_b_a[:3, :3])


def test_a_camera_at_rest_is_solved_by_pnp(drive):
    _, _, depth, _, intrinsics = inputs(drive, 0)
    still = torch.zeros(1, 2, 96, 320)
    motion = frame_motion(still, still, depth, depth, intrinsics, torch.eye(4))
    assert motion.how == PNP
    assert motion.why
    assert torch.allclose(motion.T_b_a, torch.eye(4, dtype=torch.float64), atol=1e-3)


def test_flow_that_says_nothing_repeats_the_motion_before(drive):
    _, _, depth, _, intrinsics = inputs(drive, 0)
    torch.manual_seed(0)
    noise = 300 * torch.randn(2, 1, 2, 96, 320)
    before = torch.eye(4, dtype=torch.float64)
    before[2, 3] = -0.7
    motion = frame_motion(noise[0], noise[1], depth, depth, intrinsics, before)
    assert motion.how == REPEATED
    assert torch.equal(motion.T_b_a, before)


def test_broken_predictions_never_leave_the_tracker(drive):
    flow_ab, flow_ba, depth, _, intrinsics = inputs(drive, 0)
    broken = torch.full_like(flow_ab, float("nan"))
    motion = frame_motion(broken, broken, depth, depth, intrinsics, torch.eye(4, dtype=torch.float64))
    assert motion.T_b_a.isfinite().all()
    motion = frame_motion(flow_ab, flow_ba, depth * float("nan"), depth, intrinsics, torch.eye(4))
    assert motion.T_b_a.isfinite().all()
